"""Figures step by step as plain numbers, for who judges them: what alerts are made from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ingest.ports.reader import Question, TraceSearch


class Point(NamedTuple):
    """One step of one group. What is by metric follows `Question.metrics`."""

    spans: int
    errors: int
    measured: tuple[int, ...]
    reused: tuple[int, ...]
    unknown: tuple[int, ...]
    total_us: tuple[float, ...]
    """Sums of what was measured, from the sketch."""
    quantile_us: tuple[float, ...]
    """NaN where nothing was measured. Where samples answered, the low end of the 95 % interval: what is sure."""


@dataclass(frozen=True, slots=True)
class Series:
    """The answer to a question over time."""

    step_us: int
    """As used: coarser than asked where only coarser rollups are kept."""
    points: Mapping[tuple[str, ...], Mapping[int, Point]]
    """Values by `Question.group_by` → start of the step in µs since 1970 → its point; none where nothing may be shown,
    or nothing was there."""
    withheld: bool
    """Something is not shown for want of sessions, so that a point which is not there may have spans."""


class Measurer(Protocol):
    """Answers questions over time."""

    async def series(self, question: Question, probability: float) -> Series:
        """The figures, quantiles at this probability.

        Raises:
            ingest.errors.Unavailable: the store cannot be reached, or the answer takes too long.
        """

    async def examples(self, search: TraceSearch) -> Sequence[str]:
        """Ids of traces that pass, the slowest of the newest first; raises the same."""
