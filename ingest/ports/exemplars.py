"""Sampled spans that stand as examples beside figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.model import I64, Mask
from ingest.ports.reader import Question


@dataclass(frozen=True, slots=True)
class Candidates:
    """Spans that a question is about, each of which could be shown as an example: one row per span, in no order."""

    trace_id: Sequence[bytes]
    """16 bytes each, as `span_id` has 8."""
    span_id: Sequence[bytes]
    route: Sequence[str]
    start_us: I64
    """(n,) µs since 1970."""
    value_us: I64
    """(n,) of the question's one metric; each was measured."""
    error: Mask

    def __len__(self) -> int:
        return len(self.trace_id)


class Exemplars(Protocol):
    """Examples from the fair sample. There is no store of them: they are gone when their spans are."""

    async def candidates(
        self, question: Question, views: Sequence[str], ranges_us: Sequence[tuple[int, int]]
    ) -> Candidates:
        """Some spans of cells that may be shown, spread over the question's range, the newest of it among them.

        A bounded number of spans is looked at, whatever there is. So a filter that few spans pass may find none.

        Args:
            question: with one metric.
            views: as for `Reader.cells`; none: samples tell what may be shown.
            ranges_us: (low, high] of values, ascending; of the metric `duration`, one of which nothing was found on the
                way is looked for by itself.

        Raises:
            Unavailable: the store cannot be reached, or the answer takes too long.
        """
