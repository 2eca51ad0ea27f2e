"""Client spans on their way to a tracing backend: the durable queue between the store and whoever sends them on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Portion:
    """The next spans to send."""

    last: int
    """The newest entry of the queue in it, gone or not."""
    spans: Sequence[Mapping[str, Any]]
    """Every stored column, `start_us` for `start_at`. Spans that were erased or retired since are not among them."""


class Exports(Protocol):
    """The queue of spans to export. One exporter at a time.

    Every method raises `ingest.errors.Unavailable` when the store cannot be reached now.
    """

    async def lead(self) -> None:
        """Returns when this process is the one exporter; another one waits here as a standby until it is gone."""

    async def next(self, limit: int) -> Portion | None:
        """The oldest spans in the queue, at most so many; None when it is empty. They stay in it."""

    async def finish(self, portion: Portion, *, refused: bool) -> None:
        """Takes a portion out of the queue; spans that the backend refused for good are counted in the ledger."""

    async def trim(self, most: int) -> int:
        """Takes the oldest spans beyond `most` out of the queue, counts them in the ledger, and returns how many."""
