"""What a turn of the aggregator adds to the store, in one transaction."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from ingest.model import I32, I64, Kept, Signal
from ingest.ports.erasures import ErasedSession, Tombstones
from ingest.ports.journal import Position


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series of one view: the values of its dimensions, None where the view does not cut by one."""

    app_id: int
    series_id: int
    """Signed 64-bit hash of view, signal, app and values: the same everywhere, no round trip to assign it."""
    view: str
    signal: Signal
    values: tuple[str | None, ...]
    """By `ingest.model.DIMENSIONS`."""


@dataclass(frozen=True, slots=True)
class Rollups:
    """Partials of (series, window): a struct of arrays. Partials of the same key add up; none is ever updated."""

    app_id: I32
    """(g,)"""
    series_id: I64
    window: I64
    """start_at_us // width of the tier: `ingest.model.WINDOW_US` for the finest."""
    spans: I64
    errors: I64
    reused: I64
    """(8, g) by `Phase`: spans in which it did not happen."""
    unknown: I64
    """(8, g) by `Phase`: spans of which nobody knows."""
    sizes: I64
    """(g, 9) by `METRICS`: how many bins each sketch has; 0 when nothing was measured."""
    bins: npt.NDArray[np.void]
    """`ingest.sketch.Bins` of all sketches, row after row and metric after metric."""
    sessions: Sequence[bytes]
    """(g,) sketch of the distinct sessions (`ingest.sessions`); empty when none had one."""

    def __len__(self) -> int:
        return len(self.series_id)


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """A partial of the ledger of an app and hour of receipt."""

    app_id: int
    hour: int
    """received_at_us // 3_600_000_000"""
    outcome: str
    """`received`, an `Outcome` label, `client:<reason>` for what a client says it dropped, or `noted:<note>`."""
    spans: int


@dataclass(frozen=True, slots=True)
class ScrubRow:
    """A partial of what was scrubbed, of an app, hour of receipt and rule."""

    app_id: int
    hour: int
    """received_at_us // 3_600_000_000"""
    rule: str
    finds: int


@dataclass(frozen=True, slots=True)
class Sampled:
    """The sampled spans of one record."""

    app_id: I32
    """(k,) of each kept span."""
    kept: Kept
    strings: Sequence[str]
    policy_version: I32
    """(k,) of each kept span."""
    received_hour: I64
    """(k,) hour of receipt since 1970 of each kept span."""


@dataclass(frozen=True, slots=True)
class TraceOverflow:
    """A partial of how many sampled spans a trace could not hold."""

    app_id: int
    trace_id: bytes
    spans: int


@dataclass(frozen=True, slots=True)
class Update:
    """What one turn of the aggregator adds to the store."""

    day: int
    """The server's day since 1970, on which the series were used."""
    series: Sequence[SeriesRow]
    """Series not used before on this day."""
    rollups: Rollups
    ledger: Sequence[LedgerRow]
    sampled: Sequence[Sampled]
    scrubs: Sequence[ScrubRow]
    erased: Sequence[ErasedSession] = ()
    """Sessions that join the tombstones."""
    overflows: Sequence[TraceOverflow] = ()


class Transaction(Protocol):
    """One all-or-nothing turn of the aggregator."""

    async def claim(self, batches: Sequence[tuple[int, bytes, int]]) -> set[tuple[int, bytes]]:
        """Of (app_id, batch_id, received_at_us), the (app_id, batch_id) never claimed before. Each is fresh once."""

    async def erased(self, app_ids: Sequence[int]) -> Mapping[int, Tombstones]:
        """Of these apps, those of which somebody was erased. Who is erased while this transaction is open is erased
        after it: what it stores of them goes with the rest."""

    async def trace_sizes(self, traces: Sequence[tuple[int, bytes]]) -> Mapping[tuple[int, bytes], int]:
        """How many spans are stored of each (app_id, trace_id)."""

    async def write(self, update: Update) -> None:
        """Adds everything in the update."""

    async def consume(self, positions: Sequence[Position]) -> None:
        """Takes the records at these positions out of the journal."""


class Store(Protocol):
    """Where aggregates and sampled spans live. Its one writer is whoever leads.

    Every method raises `ingest.errors.Unavailable` when the store cannot be reached now; a transaction under way is
    then rolled back, or its commit is unknown: what is still in the journal tells. `ValueError` means data that the
    store will never take.
    """

    async def lead(self) -> None:
        """Returns when this process is the one writer; another one waits here as a standby until it is gone."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """Commits on leaving, rolls back on an exception: windows, spans, batch ids and journal position together."""

    async def known_series(self, day: int) -> Mapping[int, tuple[int, str]]:
        """series_id → (app_id, view) of every series used on this day: they count against cardinality limits."""
