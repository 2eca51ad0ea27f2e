"""What the sampler is asked, and what it answers: how rare a span of each kind must be to be stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.model import I32, I64, U8


@dataclass(frozen=True, slots=True)
class Demand:
    """The accepted spans of a micro-batch by kind: one row for each app, origin, device class and route."""

    app_id: I32
    origin: U8
    """`Origin`."""
    device_class: U8
    routes: Sequence[str]
    ordinary: I64
    """Spans of `Stratum.RANDOM`, each with what its client left out."""
    required: I64
    """Spans of all other strata."""


@dataclass(frozen=True, slots=True)
class Allotment:
    """W3C thresholds T in [0, 2^56], by row of the demand: a span is kept iff its R ≥ T."""

    ordinary: I64
    required: I64
    """0, everything is kept, unless such spans alone exceed the app's budget."""


class Rates(Protocol):
    """The rates in force."""

    def slow_us(self, app_ids: I32, routes: Sequence[str]) -> I64:
        """From which duration on a request of each (app, route) counts as slow."""

    def allot(self, demand: Demand) -> Allotment:
        """What may be kept of this demand, by budgets and floors; remembers that it was asked."""
