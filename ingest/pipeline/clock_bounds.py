"""Bounds on a device's clock: which offsets (server time − monotonic clock) a measurement leaves possible, and when.

A measurement holds where it was made. The clock may have drifted by `DRIFT` before and after, so the bounds open like a
cone with the distance. True offsets lie in the intersection of all cones of one clock. Two cones that overlap at the
apex of one of them overlap everywhere.
"""

from typing import NamedTuple

import numpy as np

from ingest.model import I32, I64, Mask

DRIFT_DIVISOR = 10_000
"""ρ = 100 ppm: one µs in so many. Crystals of phones stay within 50."""
SEND_TIMEOUT_US = 10_000_000
"""T: a client gives up a request after this long, so a request received was stamped no earlier."""
STEP_US = 250_000
"""Clients tell sleeps and steps of the wall clock from drift by this much; less than it goes unseen."""
REACH_US = 1 << 60
"""36,000 years: what clocks are cut to before anything is added up; sums of a few stay within int64."""
NO_BOUND_US = 1 << 62
"""A bound beyond everything that clocks within `REACH_US` can make."""


def drift(here: I64, there: I64) -> I64:
    """How far a clock may have drifted between two of its readings, rounded up."""
    drifted: I64 = -(-np.abs(here - there) // DRIFT_DIVISOR)
    return drifted


def within(numbers: I64, low: int | I64, high: int | I64) -> I64:
    """Cut to limits. Of so few numbers, several times as fast as `np.clip`."""
    cut: I64 = np.minimum(np.maximum(numbers, low), high)
    return cut


class Interval(NamedTuple):
    """(k,) The offsets that are possible at some reading of each clock, in µs."""

    low: I64
    high: I64

    @property
    def middle(self) -> I64:
        """What is at most half of the width away from the truth."""
        return self.low + (self.high - self.low) // 2

    @property
    def empty(self) -> Mask:
        """What bounds it contradicts itself."""
        found: Mask = self.low > self.high
        return found

    def reach_from(self, offset: I64) -> I64:
        """The greatest distance of an offset from any that is possible."""
        reach: I64 = np.maximum(np.abs(self.high - offset), np.abs(offset - self.low))
        return reach


class Cones(NamedTuple):
    """(k,) One measurement of each clock: where it was made, and the offsets that it leaves possible there."""

    at: I64
    low: I64
    high: I64

    def seen_from(self, mono: I64) -> Interval:
        """What they leave possible at other readings."""
        drifted = drift(self.at, mono)
        return Interval(self.low - drifted, self.high + drifted)

    def take(self, rows: I64 | I32) -> "Cones":
        """Those rows."""
        return Cones(self.at[rows], self.low[rows], self.high[rows])

    def only(self, where: Mask) -> "Cones":
        """The same, without any bound elsewhere."""
        return Cones(self.at, np.where(where, self.low, -NO_BOUND_US), np.where(where, self.high, NO_BOUND_US))

    def wider(self, below: I64, above: I64) -> "Cones":
        """The same with these much less certainty."""
        return Cones(self.at, self.low - below, self.high + above)


def intersect(first: Interval, *others: Interval) -> Interval:
    """What all of them leave possible."""
    low, high = first
    for other in others:
        low, high = np.maximum(low, other.low), np.minimum(high, other.high)
    return Interval(low, high)


def pool(intervals: Interval, group: I64, groups: int) -> Interval:
    """(groups,) The intersection of the intervals of each group; group[k] is that of interval k."""
    low = np.full(groups, -NO_BOUND_US, dtype=np.int64)
    high = np.full(groups, NO_BOUND_US, dtype=np.int64)
    np.maximum.at(low, group, intervals.low)
    np.minimum.at(high, group, intervals.high)
    return Interval(low, high)


def round_up_to_ms(numbers_us: I64) -> I64:
    """Milliseconds, never fewer than the microseconds were."""
    rounded: I64 = -(-numbers_us // 1000)
    return rounded
