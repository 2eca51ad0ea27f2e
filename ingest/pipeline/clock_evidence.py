"""What each body and the request it came in say of its clock: the measurements, and whether they agree.

A request may carry two. Its *send stamp* bounds the offset one way: it was received at most `SEND_TIMEOUT_US` after it
was stamped, and not before. Its *anchor*, made by the client from an earlier answer, bounds it two ways. Each holds in
one clock epoch. A body of an older epoch may have an anchor of its own; else a *bridge* leads back to it, across one
or more sleeps or steps of the wall clock, nobody knows which: a clock that stops in sleep is behind by as much as it
slept, and a step moved only the wall clock.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ingest.model import I32, I64, UNKNOWN, Anchor, ClockKind, Mask, Reception, SendStamp, SpanBatch
from ingest.pipeline.clock_bounds import (
    NO_BOUND_US,
    REACH_US,
    SEND_TIMEOUT_US,
    STEP_US,
    Cones,
    Interval,
    intersect,
    within,
)
from ingest.pipeline.scopes import Scopes
from privacy import pseudonym

_NO_STAMP = SendStamp(mono_us=UNKNOWN)
_NO_ANCHOR = Anchor(offset_us=0, err_us=-1, at_us=0, epoch="")


class Said(NamedTuple):
    """(m,) What the request of each body says, as it says it."""

    received: I64
    sent: I64
    wall: I64
    """Or UNKNOWN."""
    half_rtt: I64
    """0 when unknown."""
    anchor_offset: I64
    anchor_err: I64
    anchor_at: I64
    bridge: I64
    stamped: Mask
    background: Mask
    here: Mask
    """The stamp's epoch is the body's."""
    anchored_here: Mask
    """The anchor's epoch is the body's."""
    anchored_now: Mask
    """The anchor's epoch is the stamp's."""
    bridged: Mask
    trusted: Mask


_NUMBERS = Said._fields.index("stamped")


class Evidence(NamedTuple):
    """(m,) What of it may be believed of each body's offset."""

    one_way: Cones
    """By the stamp; of an older epoch, by the end of the newest span. Nothing in the body happened after its `at`."""
    two_way: Cones
    below: I64
    """How much lower the offset may be than what bounds it: the bridge may have been sleep."""
    above: I64
    has_one_way: Mask
    """The stamp bounds it from both sides."""
    has_two_way: Mask
    older: Mask
    """The body's epoch has an anchor of its own and is not the stamp's."""
    bridged: Mask
    fresh: Mask
    """The stamp was made when the request was sent."""
    conflict: Mask
    """A measurement was left out because it cannot be true."""

    @property
    def bounded(self) -> Mask:
        """Whose offset is bounded from both sides."""
        found: Mask = self.has_one_way | self.has_two_way
        return found


def read_stamps(batch: SpanBatch, receptions: Sequence[Reception], scopes: Scopes) -> Said:
    """What the requests say. `Bodies.epoch` holds pseudonyms; stamps are compared with them under the same key."""
    epochs = [batch.strings[code] for code in batch.bodies.epoch.tolist()]
    keys = [scopes.all[scope].key for scope in scopes.of_body.tolist()]
    rows = np.array(list(map(_row, receptions, epochs, keys)), dtype=np.int64).reshape(-1, len(Said._fields))
    numbers, flags = rows[:, :_NUMBERS].T, rows[:, _NUMBERS:].T
    return Said(*within(numbers, -REACH_US, REACH_US), *flags.astype(np.bool_))


def _row(reception: Reception, epoch: str, key: bytes) -> tuple[int, ...]:
    """By the fields of `Said`."""
    send = reception.send or _NO_STAMP
    anchor = send.anchor or _NO_ANCHOR
    here = reception.send is not None and pseudonym(key, send.epoch) == epoch
    now = send.anchor is not None and anchor.epoch == send.epoch
    return (
        reception.received_at_us,
        send.mono_us,
        send.wall_us,
        min(max(send.rtt_us, 0) // 2, SEND_TIMEOUT_US),
        anchor.offset_us,
        anchor.err_us,
        anchor.at_us,
        send.bridge_us or 0,
        reception.send is not None,
        send.background,
        here,
        here if now else send.anchor is not None and pseudonym(key, anchor.epoch) == epoch,
        now,
        send.bridge_us is not None,
        reception.trusted,
    )


def weigh_evidence(batch: SpanBatch, said: Said, end: I64) -> Evidence:
    """What may be believed of monotonic clocks. Where it contradicts itself the stamp is, the anchor is not.

    Args:
        batch: the spans.
        said: by the request of each body.
        end: (n,) of each span by its own clock.
    """
    mono = batch.bodies.clock == ClockKind.MONOTONIC
    older = mono & said.anchored_here & ~said.here
    bridged = mono & said.bridged & ~said.here & ~said.anchored_here
    by_stamp = mono & (said.here | bridged)
    sealed_later = by_stamp & (batch.bodies.sealed_mono_us > said.sent)  # not if UNKNOWN: it is below all readings
    fresh = said.stamped & ~said.background & ~sealed_later

    offset = said.received - said.sent
    stamp = Cones(said.sent, np.where(fresh, offset - SEND_TIMEOUT_US, -NO_BOUND_US), offset).only(by_stamp)
    anchor = Cones(said.anchor_at, said.anchor_offset - said.anchor_err, said.anchor_offset + said.anchor_err)
    applies = mono & (said.anchored_here | (said.anchored_now & bridged))
    wrong = intersect(anchor.seen_from(said.sent), Interval(stamp.low, stamp.high)).empty
    wrong |= (said.anchor_err < 0) | (said.anchored_now & (said.anchor_at > said.sent))
    wrong |= anchor.low + anchor.at > said.received  # made before the request that it came with
    older &= ~wrong
    ended = _newest_ends(batch.body_of_span, end, anchor, said.received, older)
    return Evidence(
        one_way=Cones(np.where(older, ended, stamp.at), stamp.low, np.where(older, said.received - ended, stamp.high)),
        two_way=anchor.only(applies & ~wrong),
        below=np.where(bridged, np.maximum(said.bridge, 0) + STEP_US, 0),
        above=np.where(bridged, STEP_US, 0),
        has_one_way=by_stamp & fresh,
        has_two_way=applies & ~wrong,
        older=older,
        bridged=bridged,
        fresh=fresh,
        conflict=sealed_later | (applies & wrong),
    )


def _newest_ends(body: I32, end: I64, anchor: Cones, received: I64, older: Mask) -> I64:
    """(m,) The end of the newest span that the anchor lets have ended before the receipt; of none, the anchor's time.

    A span that cannot have ended by then is wrong itself and says nothing of the others.
    """
    newest = anchor.at.copy()
    if older.any():
        anchored = anchor.take(body).seen_from(end)
        possible = older[body] & (end + anchored.low <= received[body])
        newest[older] = -REACH_US
        np.maximum.at(newest, body[possible], end[possible])
        newest = np.where(newest == -REACH_US, anchor.at, newest)
    return newest
