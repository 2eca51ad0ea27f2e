"""The reference client clock, written from `WIRE.md` alone: epochs, `clock` maps, send stamps and anchors.

All times are whole µs. The two clocks come in as functions, so that a test, a simulation and a device look the same.
What a client has to do:

- read both clocks often (`sample`): at the start and end of every span, at each flush, on coming to the foreground, and
  every 15 s between. What ends between two samples that disagree cannot be told from what began there;
- seal a batch when `epoch` changes: starts of two epochs do not belong into one (`sealed` takes the name of the older);
- stamp every attempt anew, outside the sealed body (`stamp`);
- hand every answer's two server times to `answered`;
- keep `anchors` where batches are kept, for a batch may be sent by a later boot.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

STEP_US = 250_000
"""A change of wall − mono beyond this, from sample to sample, is a sleep or a step, not drift."""
DRIFT_PPM = 100
"""How fast an anchor grows stale."""
EPOCHS = 16
"""Epochs remembered beside the current one; the oldest is forgotten."""
ANCHORS = 8
"""Of each epoch of this boot: a batch that waited for hours is nearer to an earlier one."""


class Anchor(NamedTuple):
    """What an answer proved: at mono `at_us`, server time − mono was `offset_us` ± `err_us`."""

    offset_us: int
    err_us: int
    at_us: int

    def reach_us(self, mono_us: int) -> int:
        """How far off the offset may be at another reading of the clock."""
        return self.err_us + abs(mono_us - self.at_us) * DRIFT_PPM // 1_000_000


class _Epoch:
    """One stretch in which the monotonic clock can be compared with itself."""

    def __init__(self, mono_us: int, wall_us: int) -> None:
        self.began_us = mono_us
        self.mono_us, self.wall_us = mono_us, wall_us
        self.steps = 0
        self.jump_us = 0
        """Change of wall − mono that ended the epoch before this one."""
        self.anchors: list[Anchor] = []

    def keep(self, anchor: Anchor) -> None:
        """Of more than `ANCHORS` one is left out, where they stand close or are poor; not the first nor the newest."""
        kept = self.anchors
        kept.append(anchor)
        if len(kept) > ANCHORS:
            del kept[min(range(1, len(kept) - 1), key=lambda row: _worth_us(*kept[row - 1 : row + 2]))]


def _worth_us(before: Anchor, anchor: Anchor, after: Anchor) -> int:
    """How much would be lost between its neighbours without it."""
    return (after.at_us - before.at_us) * DRIFT_PPM // 1_000_000 - 2 * anchor.err_us


class DeviceClock:
    """Both clocks of a device from one boot, process or page on; a reboot is a new one.

    Args:
        mono: the monotonic clock.
        wall: the wall clock, since 1970.
        counts_sleep: whether `mono` runs on while the device sleeps (`elapsedRealtime`, `mach_continuous_time`).
        names: of epochs; none may ever be given twice.
        anchors: those of earlier boots.
    """

    def __init__(
        self,
        mono: Callable[[], int],
        wall: Callable[[], int],
        *,
        counts_sleep: bool,
        names: Iterator[str],
        anchors: Mapping[str, Anchor] | None = None,
    ) -> None:
        self._mono, self._wall, self._counts_sleep, self._names = mono, wall, counts_sleep, names
        self.anchors: dict[str, Anchor] = dict(anchors or {})
        """Epoch → its best anchor; may be written to JSON and handed to the next boot."""
        self.rtt_us: int | None = None
        """The smallest round trip seen, without the server's own time."""
        self.epoch = next(names)
        self._epochs = {self.epoch: _Epoch(mono(), wall())}

    def sample(self) -> None:
        """Reads both clocks: counts a step of the wall clock, or begins a new epoch where sleep may have passed."""
        mono_us, wall_us = self._mono(), self._wall()
        now = self._epochs[self.epoch]
        jump_us = (wall_us - mono_us) - (now.wall_us - now.mono_us)
        if abs(jump_us) > STEP_US and not self._counts_sleep:
            self._begin(mono_us, wall_us, jump_us)
            return
        now.steps += abs(jump_us) > STEP_US
        now.mono_us, now.wall_us = mono_us, wall_us

    def _begin(self, mono_us: int, wall_us: int, jump_us: int) -> None:
        self.epoch = next(self._names)
        self._epochs[self.epoch] = _Epoch(mono_us, wall_us)
        self._epochs[self.epoch].jump_us = jump_us
        for epoch in list(self._epochs)[: -EPOCHS - 1]:
            del self._epochs[epoch]
        self._trim_anchors()

    def sealed(self, epoch: str | None = None) -> dict[str, Any]:
        """The `clock` map of a batch sealed now, whose spans are of the current epoch or of an older one of this boot.

        Of an older epoch both clocks are told as last seen in it.
        """
        if epoch is None:
            self.sample()
            epoch = self.epoch
        then = self._epochs[epoch]
        return {
            "kind": "mono",
            "epoch": epoch,
            "mono_us": then.mono_us,
            "wall_us": then.wall_us,
            "steps": then.steps,
        }

    def stamp(self, batch_epoch: str, near_us: int | None = None, *, background: bool = False) -> dict[str, str]:
        """Query parameters for an attempt made now with a batch of that epoch.

        Of the anchors one of the batch's own epoch is sent, else that of the current one, together with the bridge
        that leads from one to the other.

        Args:
            batch_epoch: the `epoch` in its `clock` map.
            near_us: where on the monotonic clock the batch's spans are; the best anchor for there is sent. Without it,
                the best one for now.
            background: it is left to the system to upload.
        """
        self.sample()
        now = self._epochs[self.epoch]
        stamp = {"s": str(now.mono_us), "w": str(now.wall_us), "e": self.epoch}
        if self.rtt_us is not None:
            stamp["r"] = str(self.rtt_us)
        if background:
            stamp["bg"] = "1"
        anchored = next((epoch for epoch in (batch_epoch, self.epoch) if epoch in self.anchors), None)
        if anchored is not None:
            offset_us, err_us, at_us = self._best(anchored, near_us if anchored == batch_epoch else None)
            stamp |= {"o": str(offset_us), "d": str(err_us), "t": str(at_us)}
            if anchored != self.epoch:
                stamp["oe"] = anchored
        bridge_us = self._bridge(batch_epoch)
        if bridge_us is not None:
            stamp["b"] = str(bridge_us)
        return stamp

    def _best(self, epoch: str, near_us: int | None) -> Anchor:
        best, then = self.anchors[epoch], self._epochs.get(epoch)
        if near_us is None or then is None:
            return best
        return min([best, *then.anchors], key=lambda anchor: anchor.reach_us(near_us))

    def _bridge(self, batch_epoch: str) -> int | None:
        """Change of wall − mono from that epoch to this one.

        None when there is nothing to bridge, or nothing that may be added up: epochs of an earlier boot, forgotten
        ones, and jumps of both signs, of which a sleep and a step back may have hidden each other.
        """
        passed = list(self._epochs)
        if batch_epoch not in self._epochs or batch_epoch == self.epoch:
            return None
        jumps = [self._epochs[epoch].jump_us for epoch in passed[passed.index(batch_epoch) + 1 :]]
        return sum(jumps) if min(jumps) > 0 or max(jumps) < 0 else None

    def answered(self, sent_mono_us: int, answered_mono_us: int, received_us: int, replied_us: int) -> None:
        """Makes an anchor of an answer, and keeps it if it is the better one now.

        Args:
            sent_mono_us: the monotonic clock when the request was sent: `s` of its stamp, or better, when its head was
                written after all handshakes.
            answered_mono_us: the same when the answer's first byte was there.
            received_us: `received_us` of the answer.
            replied_us: `replied_us` of the answer.
        """
        self.sample()
        passed_us = answered_mono_us - sent_mono_us
        drift_us = passed_us * DRIFT_PPM // 1_000_000 + 1
        round_trip_us = passed_us - (replied_us - received_us)
        if sent_mono_us < self._epochs[self.epoch].began_us or round_trip_us < -drift_us:
            return  # the device slept meanwhile, or the server's clock was set
        round_trip_us = max(round_trip_us, 0)
        self.rtt_us = round_trip_us if self.rtt_us is None else min(self.rtt_us, round_trip_us)
        offset_us = (received_us + replied_us - sent_mono_us - answered_mono_us) // 2
        new = Anchor(offset_us, round_trip_us // 2 + drift_us + 1, answered_mono_us)  # + 1: for the halves
        self._epochs[self.epoch].keep(new)
        old = self.anchors.get(self.epoch)
        if old is None or new.err_us <= old.reach_us(new.at_us):
            self.anchors[self.epoch] = new
            self._trim_anchors()

    def _trim_anchors(self) -> None:
        for epoch in [epoch for epoch in self.anchors if epoch != self.epoch][:-EPOCHS]:
            del self.anchors[epoch]
