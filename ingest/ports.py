"""The seams between the roles and the engines, each with its contract.

Edge, aggregator and query see only these; `ingest.compose` puts the engines of `ingest.journal` and `ingest.store` in.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ingest.model import F64, I32, I64, Kept, Mask, Processed


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
        """Up to `limit` records not consumed yet, oldest first. Reads again what was not consumed.

        A record that cannot be decoded is set aside, not read.

        Raises:
            ingest.errors.Unavailable: the journal cannot be read now.
        """

    async def set_aside(self, position: Position, reason: str) -> None:
        """Takes a record out of the way of those behind it, and keeps it for inspection with the reason.

        Raises:
            ingest.errors.Unavailable: not now; the record is still in the journal.
        """


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
    """`received`, an `Outcome` label, or `client:<reason>` for what a client says it dropped."""
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


class Transaction(Protocol):
    """One all-or-nothing turn of the aggregator."""

    async def claim(self, batches: Sequence[tuple[int, bytes, int]]) -> set[tuple[int, bytes]]:
        """Of (app_id, batch_id, received_at_us), the (app_id, batch_id) never claimed before. Each is fresh once."""

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


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A privacy policy as it was applied."""

    app_id: int
    """0: of every app that has none of its own."""
    version: int
    """Grows with every policy applied, whichever app it is for; spans name it."""
    text: str
    """TOML; "" takes the app's own policy away again."""
    applied_at_us: int


class Policies(Protocol):
    """The privacy policies of all apps."""

    async def newest(self) -> Sequence[PolicyText]:
        """The newest of each app, and of 0. Cheap enough to call every few seconds.

        Raises:
            ingest.errors.Unavailable: they cannot be read now.
        """

    async def apply(self, app_id: int, text: str) -> int:
        """Puts a policy in force; returns its version, that of the newest when that has the same text.

        Raises:
            ingest.errors.Unavailable: it is not, or nobody knows.
        """


@dataclass(frozen=True, slots=True)
class Question:
    """What a query asks of the spans of one app."""

    app_id: int
    from_us: int
    to_us: int
    """Start and end (exclusive) of the range, µs since 1970."""
    now_us: int
    """Decides what retention still holds."""
    step_us: int
    """Width of a cell in time; the range is widened to whole steps."""
    over_time: bool
    """One cell per group and step; else one per group over the whole range."""
    metrics: tuple[str, ...] = ()
    """Of `ingest.model.METRICS`: whose sketches, or sampled values, are wanted. Counts always are."""
    group_by: tuple[str, ...] = ()
    """Of `ingest.model.DIMENSIONS`."""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Dimension → the values that may pass."""
    most_groups: int = 50
    """Only so many groups are answered, those with the most spans."""


@dataclass(frozen=True, slots=True)
class Cells:
    """Rollups that answer a question: a struct of arrays, one row per partial of a (group, step). Rows add up."""

    view: str
    from_us: int
    to_us: int
    step_us: int
    """The range as widened, and the step as used: coarser than asked where only coarser rollups are kept."""
    groups: Sequence[tuple[str, ...]]
    """Values by `Question.group_by`; any order."""
    truncated: bool
    """There were more groups, with fewer spans."""
    hidden_spans: int
    """Spans of the range in overflow series: which of them pass the filters, nobody knows."""
    group: I32
    """(c,) row of `groups`."""
    at_us: I64
    """(c,) start of the step."""
    spans: I64
    errors: I64
    reused: I64
    """(m, c) by `Question.metrics`; 0 for `duration`, which always happens."""
    unknown: I64
    sketches: Sequence[Sequence[bytes | None]]
    """Per metric, per row: `ingest.sketch` bytes, several one after the other; None when nothing was measured."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Sampled spans that answer a question no view covers: a struct of arrays, one row per span."""

    from_us: int
    to_us: int
    step_us: int
    """The range as widened, and as far back as samples are kept."""
    groups: Sequence[tuple[str, ...]]
    """As in `Cells`."""
    truncated: bool
    group: I32
    """(n,) row of `groups`."""
    at_us: I64
    """(n,) start of the step."""
    error: Mask
    weight: F64
    """(n,) how many spans each one stands for."""
    values_us: I64
    """(m, n) by `Question.metrics`, with the marks `ingest.model.REUSED` and `UNKNOWN`."""


@dataclass(frozen=True, slots=True)
class App:
    """An app, as its owner may see it."""

    app_id: int
    name: str
    client_key: str | None
    """The oldest client key. Client keys are public."""


@dataclass(frozen=True, slots=True)
class TraceSearch:
    """Which traces to list: those that hold a sampled span of the range which passes all of this."""

    app_id: int
    from_us: int
    to_us: int
    filters: Mapping[str, tuple[str, ...]]
    min_us: int
    errors: bool
    """Only failed spans pass."""
    limit: int


class Reader(Protocol):
    """What the query API reads of the store. Every answer is of one moment: one snapshot of the database.

    Every method raises `ingest.errors.Unavailable` when the store cannot be reached or the answer takes too long.
    """

    async def apps(self) -> Sequence[App]:
        """Every app, by id."""

    async def cells(self, question: Question, views: Sequence[str]) -> Cells:
        """Counts and sketches over all spans, from whichever of these views has the fewest series to read."""

    async def samples(self, question: Question) -> Samples:
        """The same from the fair sample: any filter, any grouping."""

    async def traces(self, search: TraceSearch) -> Sequence[Mapping[str, Any]]:
        """Traces with `trace_id`, `name`, `route`, `start_us`, `duration_us`, `spans`, `errors`, `version`, `country`,
        `device_class`; newest first."""

    async def trace(self, app_id: int, trace_id: bytes) -> Sequence[Mapping[str, Any]]:
        """The sampled spans of a trace by start, at most 10,000: every stored column, `start_us` for `start_at`."""

    async def ledger(self, app_id: int, from_us: int, to_us: int) -> Sequence[LedgerRow]:
        """One row per hour and outcome of the hours that start in the range."""

    async def newest_window(self, app_id: int) -> int | None:
        """Start of the newest window that holds spans, µs since 1970; None when there is none."""

    async def check(self) -> None:
        """Returns when the store answers."""
