"""What was counted of every route since counting began: for systems that scrape counters, which may never go back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ingest import sketch
from ingest.model import F64, I64, Signal

_WANTED_MS = (
    *(5, 10, 25, 50, 75, 100, 150, 200, 250, 300, 400, 500, 600, 800),
    *(1000, 1500, 1800, 2500, 3000, 4000, 5000, 7500, 10_000, 15_000, 30_000, 60_000),
)
BOUND_BUCKETS: I64 = np.round(np.log(np.array(_WANTED_MS) * 1000.0) / np.log(sketch.GAMMA)).astype(np.int64)
"""The last bucket of the sketch below each bound: so what lies below a bound is counted, not estimated. The bounds are
within 1 % of round numbers, the thresholds of the web vitals among them."""
BOUNDS_US: I64 = np.floor(sketch.GAMMA**BOUND_BUCKETS).astype(np.int64)
"""The largest whole number of µs below each bound."""

EXPORTED = (Signal.REQUEST, Signal.PAGE, Signal.LCP, Signal.INP, Signal.CLS, Signal.FCP, Signal.TTFB)
"""Signals whose totals are kept."""
MOST_ROUTES = 200
"""Of an app and signal, that are told apart. The first to have enough sessions; the others are one, `{other}`."""


@dataclass(frozen=True, slots=True)
class RouteTotal:
    """The spans of one route since counting began. No figure in it ever becomes smaller."""

    signal: Signal
    route: str
    spans: int
    errors: int
    sum_us: float
    """Of durations; within 1 %, as it comes from sketches."""
    buckets: Sequence[int]
    """(len(BOUNDS_US) + 1,) durations between one bound and the next; the last above all of them."""


class Totals(Protocol):
    """The totals of all routes."""

    async def totals(self, app_id: int) -> Sequence[RouteTotal]:
        """Those of an app, by signal and route. A figure moves only once what is new is of enough sessions.

        Raises:
            Unavailable: the store cannot be reached now.
        """


def bound_of(buckets: I64) -> I64:
    """Place in `RouteTotal.buckets` of each bucket of the sketch."""
    return np.searchsorted(BOUND_BUCKETS, buckets)


def sum_us(buckets: I64, counts: F64) -> F64:
    """What the values in each bucket of the sketch add up to, about."""
    return sketch.value(buckets.astype(np.int16)) * counts
