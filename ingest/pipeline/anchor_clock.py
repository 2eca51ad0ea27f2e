"""anchor_clock: when each span started in server time, how sure that is, and which spans lie outside what is kept.

One offset per body, and per clock epoch of a session: `start_at = start + offset`. Spans of a body are never moved
against each other and durations are never touched. What bounds the offset decides the grade (`ClockQuality`):

- A: a two-way anchor of the body's own epoch, cut by the send stamp.
- B: the send stamp of the same epoch. The request was received within `SEND_TIMEOUT_US` after the stamp, so
  offset ∈ [R − s − T, R − s]; half the round trip is the best guess inside it.
- C: a two-way anchor of the body's own epoch, which was over when it was sent.
- D: the offset of the current epoch, and a bridge back to the body's. The guess is that the device slept; the bound
  covers that only its wall clock moved.
- E: only the device's wall clock; shifted by (R − w) when a send stamp tells its error now, else taken as it is.
  Nothing bounds it, but for a backend with a server key, whose clock is taken for disciplined.
- F: nothing: the newest span is taken to end at the time of receipt.

For A to D, start_at ± err holds the true start if clocks drift by less than ρ and clients tell their readings: every
span is given its own bound, at its own distance from the measurements. For D, if one cause made all the jumps.

Bodies of one session and epoch in one micro-batch share an offset from all their bounds, unless these contradict each
other. Whoever could guess a session's id could narrow its bounds so, and nothing else.
"""

from collections.abc import Sequence

import numpy as np

from ingest.model import I64, NOT_MEASURED, U8, UNKNOWN, ClockKind, ClockQuality, Reception, SpanBatch
from ingest.outcome import Outcome
from ingest.pipeline.clock_bounds import REACH_US, SEND_TIMEOUT_US, round_up_to_ms, within
from ingest.pipeline.clock_evidence import Evidence, Said, read_stamps, weigh_evidence
from ingest.pipeline.clock_offsets import Clocks, bound_offsets
from ingest.pipeline.clock_segments import name_segments
from ingest.pipeline.findings import START_LIMIT_US, Anchored
from ingest.pipeline.scopes import Scopes
from ingest.settings import Policy


def anchor_clock(batch: SpanBatch, receptions: Sequence[Reception], policy: Policy, scopes: Scopes) -> Anchored:
    """One offset and grade per body, applied to its spans; rejects what starts in the future or before retention.

    Args:
        batch: scrubbed: sessions and epochs are pseudonyms.
        receptions: of its bodies.
        policy: how far ahead and how old a span may be.
        scopes: the keys of the bodies' pseudonyms.
    """
    body = batch.body_of_span.astype(np.int64)
    start = within(batch.spans.start_us, 0, START_LIMIT_US)
    end = start + within(batch.spans.duration_us, 0, START_LIMIT_US)
    said = read_stamps(batch, receptions, scopes)
    evidence = weigh_evidence(batch, said, end)
    segments, secrets = name_segments(batch, scopes)
    newest_end = _newest_end(batch, end)
    unbounded = _guess(batch, said, evidence, newest_end)
    clocks = bound_offsets(evidence, said, segments, unbounded, start=start, body=body)

    start_at = start + clocks.offset[body]
    fates = np.full(len(start), Outcome.KEPT, dtype=np.uint8)
    received = said.received[body]
    fates[start_at > received + policy.limits.future_us] = Outcome.FUTURE
    fates[start_at < received - policy.retention_us] = Outcome.TOO_OLD
    believed = (said.trusted & (batch.bodies.clock == ClockKind.WALL))[body]
    err_ms = np.where(clocks.err_us == UNKNOWN, UNKNOWN, round_up_to_ms(clocks.err_us))
    return Anchored(
        start_at_us=start_at,
        quality=clocks.quality[body],
        err_ms=np.where(believed, policy.limits.backend_clock_err_ms, err_ms),
        fates=fates,
        skew_ms=_skew_ms(said, evidence)[body],
        conflict=clocks.conflict | (evidence.bounded[body] & (end > evidence.one_way.at[body])),
        upload_delay_ms=_upload_delay_ms(batch, said, evidence, clocks, newest_end)[body],
        segment=segments[body],
        offset_us=np.where(segments == 0, 0, clocks.offset + secrets)[body],
        body_offset_us=clocks.offset,
    )


def _guess(batch: SpanBatch, said: Said, evidence: Evidence, newest_end: I64) -> tuple[I64, U8]:
    """(m,) Offset and grade of bodies that nothing bounds: by the wall clock if there is one, else by the receipt."""
    bodies = batch.bodies
    wall = bodies.clock == ClockKind.WALL
    both = (bodies.sealed_mono_us != UNKNOWN) & (bodies.sealed_wall_us != UNKNOWN)
    told = evidence.fresh & (said.wall != UNKNOWN) & ~(wall & said.trusted)
    wall_error = np.where(told, said.received - said.half_rtt - said.wall, 0)
    since_1970 = _within_reach(bodies.sealed_wall_us) - _within_reach(bodies.sealed_mono_us)
    by_wall = wall_error + np.where(wall, 0, since_1970)
    offset = np.where(wall | both, by_wall, said.received - newest_end)
    quality = np.where(wall | both, ClockQuality.E, ClockQuality.F).astype(np.uint8)
    return within(offset, -2 * REACH_US, 2 * REACH_US), quality  # so that its sum with a secret stays within int64


def _skew_ms(said: Said, evidence: Evidence) -> I64:
    """(m,) How far the device's wall clock is ahead, in two digits: to the ms it would tell one from all others."""
    skew = said.wall - (said.received - said.half_rtt)
    return np.where(evidence.fresh & (said.wall != UNKNOWN), _two_digits(skew // 1000), NOT_MEASURED)


def _two_digits(numbers: I64) -> I64:
    """The numbers without all but their first two digits."""
    size = np.abs(numbers)
    unit: I64 = 10 ** np.maximum(np.floor(np.log10(np.maximum(size, 1))) - 1, 0).astype(np.int64)
    cut: I64 = np.sign(numbers) * (size // unit * unit)
    return cut


def _upload_delay_ms(batch: SpanBatch, said: Said, evidence: Evidence, clocks: Clocks, newest_end: I64) -> I64:
    """(m,) From sealing, else from the end of the newest span, to the receipt."""
    bodies = batch.bodies
    sealed = np.where(bodies.clock == ClockKind.WALL, bodies.sealed_wall_us, bodies.sealed_mono_us)
    sealed_at = np.where(sealed == UNKNOWN, newest_end, _within_reach(sealed)) + clocks.offset
    delay = said.received - sealed_at
    # A guess may lie after the receipt by as much as it may be wrong. What lies later says that the guess is.
    early = evidence.bounded & (delay < 0) & (delay >= -SEND_TIMEOUT_US)
    delay = np.where(early, 0, delay)
    return np.where((delay < 0) | (clocks.quality == ClockQuality.F), NOT_MEASURED, delay // 1000)


def _within_reach(numbers: I64) -> I64:
    return within(numbers, -REACH_US, REACH_US)


def _newest_end(batch: SpanBatch, end: I64) -> I64:
    """(m,) By the body's clock; of its sketches, too."""
    newest = np.zeros(len(batch.bodies), dtype=np.int64)
    np.maximum.at(newest, batch.body_of_span, end)
    sketches = batch.sketches
    if len(sketches):
        ends = within(sketches.start_us, 0, START_LIMIT_US) + within(sketches.width_us, 0, START_LIMIT_US)
        np.maximum.at(newest, batch.resources.body[sketches.resource], ends)
    return newest
