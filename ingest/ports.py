"""The seams between the roles and the engines, each with its contract.

Edge, aggregator and query see only these; `ingest.compose` puts the engines of `ingest.journal` and `ingest.store` in.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from ingest.model import Kept, Processed


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands in the journal. A lane belongs to one writer; seq grows by one within it."""

    lane: int
    seq: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A record read back from the journal."""

    position: Position
    record: Processed


class Journal(Protocol):
    """Where an edge worker makes micro-batches durable."""

    async def append(self, record: Processed) -> None:
        """Returns only after the record is durably committed; it will survive any crash.

        Raises:
            ingest.errors.Unavailable: nothing may be acknowledged. Appending the same spans again is safe: the
                aggregator drops batch ids that it has seen.
        """


class JournalReader(Protocol):
    """Where the aggregator finds what edges made durable. One reader at a time."""

    async def read(self, limit: int) -> Sequence[Entry]:
        """Up to `limit` records not consumed yet, oldest first. Reads again what was not consumed."""


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series of one view: the values of its dimensions, None where the view does not cut by one."""

    app_id: int
    series_id: int
    """Signed 64-bit hash of app, view and values: the same everywhere, no round trip to assign it."""
    view: str
    values: tuple[str | None, ...]
    """By `ingest.model.DIMENSIONS`."""


@dataclass(frozen=True, slots=True)
class RollupRow:
    """A partial of one series and window. Partials of the same key add up; none is ever updated."""

    app_id: int
    series_id: int
    window: int
    """start_at_us // WINDOW_US."""
    spans: int
    errors: int
    reused: tuple[int, ...]
    """By `Phase`: spans in which it did not happen."""
    unknown: tuple[int, ...]
    """By `Phase`: spans of which nobody knows."""
    sketches: tuple[bytes | None, ...]
    """By `METRICS`: `ingest.sketch` bytes, None when nothing was measured."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A partial of the ledger of an app and hour of receipt."""

    app_id: int
    hour: int
    """received_at_us // 3_600_000_000"""
    outcome: str
    """`received`, an `Outcome` label, or `client:<reason>` for what a client says it dropped."""
    spans: int


@dataclass(frozen=True, slots=True)
class Update:
    """What one turn of the aggregator adds to the store."""

    series: Sequence[SeriesRow]
    rollups: Sequence[RollupRow]
    ledger: Sequence[LedgerRow]
    kept: Sequence[tuple[Kept, Sequence[str], int]]
    """Sampled spans with the string table of their record and its policy version."""


class Transaction(Protocol):
    """One all-or-nothing turn of the aggregator."""

    async def claim(self, batches: Sequence[tuple[int, bytes, int]]) -> set[tuple[int, bytes]]:
        """Of (app_id, batch_id, received_at_us), the (app_id, batch_id) never claimed before. Each is fresh once."""

    async def write(self, update: Update) -> None:
        """Adds everything in the update."""

    async def consume(self, positions: Sequence[Position]) -> None:
        """Takes the records at these positions out of the journal."""


class Store(Protocol):
    """Where aggregates and sampled spans live."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Commits on leaving, rolls back on an exception: windows, spans, batch ids and journal position together."""

    async def series_counts(self) -> Mapping[tuple[int, str], int]:
        """Series known per (app_id, view), to hold cardinality limits across restarts."""

    async def known_series(self) -> set[tuple[int, int]]:
        """Every (app_id, series_id) stored."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key opens."""

    app_id: int
    """0 with `operator`: every app."""
    role: str
    """`client` (public, may send), `server` (a backend, may send), `token` (may read), `operator` (reads all apps)."""
    origins: tuple[str, ...] = ()
    """Web origins that may use a client key; empty: any."""


class Keys(Protocol):
    """The keys of all apps."""

    async def grants(self) -> Mapping[bytes, Grant]:
        """BLAKE2b-256 of the key → what it opens. Cheap enough to call every few seconds."""
