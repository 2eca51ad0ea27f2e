"""What the query API asks of the store, and the shape of the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from ingest.model import DIMENSIONS, F64, I32, I64, Mask, Signal
from ingest.ports.erasures import Receipt
from ingest.ports.keys import App
from ingest.ports.policies import PolicyText
from ingest.ports.store import LedgerRow, ScrubRow
from ingest.ports.traces import TraceRead
from ingest.sketch import Bins
from privacy import BUILT_IN


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
    signal: Signal
    """What the figures are about."""
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
    least_sessions: int = BUILT_IN.least_sessions
    """Cells with fewer distinct sessions are left out, and what would give them away; 1: none are."""
    with_sessions: bool = False
    """Whether `Cells.sessions` and `Samples.session` are wanted."""

    @property
    def partition(self) -> tuple[str, ...]:
        """The dimensions that cut the app's spans into cells, in the order of `ingest.model.DIMENSIONS`.

        What may be shown is decided for these cells over the whole range, whatever values the filters let pass.
        """
        return tuple(name for name in DIMENSIONS if name in self.group_by or name in self.filters)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What is not shown because too few sessions are in it, or to keep it from being computed.

    Of the whole partition, not of what the filters let pass: else the count itself would say who is there.
    """

    groups: int = 0
    """Cells."""
    points: int = 0
    """Steps of cells that are shown."""


@dataclass(frozen=True, slots=True)
class Sketches:
    """Many sketches at rest (`ingest.sketch`), one after the other; each may itself be several."""

    sizes: I64
    """(c,) bins of each; 0 when nothing was measured."""
    bins: npt.NDArray[np.void]
    """`ingest.sketch.Bins` of all."""

    @classmethod
    def of(cls, sketches: Sequence[bytes | None]) -> "Sketches":
        """Of sketches apart; None has no bins."""
        sizes = np.array([len(each) if each else 0 for each in sketches], np.int64)
        return cls(sizes // Bins.itemsize, np.frombuffer(b"".join(filter(None, sketches)), Bins))

    @classmethod
    def join(cls, parts: Sequence["Sketches"]) -> "Sketches":
        """Those of all parts."""
        return cls(np.concatenate([part.sizes for part in parts]), np.concatenate([part.bins for part in parts]))

    def where(self, chosen: Mask) -> "Sketches":
        """Of each whether it is among them."""
        return self if chosen.all() else Sketches(self.sizes[chosen], self.bins[np.repeat(chosen, self.sizes)])


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
    suppressed: Suppressed
    group: I32
    """(c,) row of `groups`."""
    at_us: I64
    """(c,) start of the step."""
    point: Mask
    """(c,) counts in the point of its step; else in the total of its group alone."""
    spans: I64
    errors: I64
    reused: I64
    """(m, c) by `Question.metrics`; 0 for `duration`, which always happens."""
    unknown: I64
    sketches: Sequence[Sketches]
    """Per metric, of the rows."""
    weighted_spans: int = 0
    """Spans of the app received since the range began that counted for more than themselves (`Note.WEIGHTED`)."""
    remapped_spans: int = 0
    """The same of those in sketches of other buckets than ours (`Note.SKETCH_REMAPPED`)."""
    sessions: F64 | None = None
    """(g,) distinct sessions by `groups`, within 3.3 %, if `Question.with_sessions`."""


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
    suppressed: Suppressed
    group: I32
    """(n,) row of `groups`."""
    at_us: I64
    """(n,) start of the step."""
    point: Mask
    """(n,) as in `Cells`."""
    error: Mask
    weight: F64
    """(n,) how many spans each one stands for."""
    cluster: I64
    """(n,) what decided over it: spans of one cluster are kept or left together."""
    values_us: I64
    """(m, n) by `Question.metrics`, with the marks `ingest.model.REUSED` and `UNKNOWN`."""
    hidden_spans: int = 0
    """Spans of the app received since the range began that count, and for which no sampled one stands: their users
    agreed to counting alone, their trace was full, or the rate of their kind was 0."""
    session: I64 | None = None
    """(n,) tells sessions apart, if `Question.with_sessions`; of a span without one, what decided over it."""


@dataclass(frozen=True, slots=True)
class TraceSearch:
    """Which traces to list: those that hold a sampled client span of the range which passes all of this."""

    app_id: int
    from_us: int
    to_us: int
    signal: Signal
    filters: Mapping[str, tuple[str, ...]]
    min_us: int
    errors: bool
    """Only failed spans pass."""
    oversized: bool
    """Only traces that had no room for some of their spans."""
    limit: int
    now_us: int
    least_sessions: int
    """As in `Question`: only spans of cells that may be shown pass."""
    before: tuple[int, bytes | str] | None = None
    """`newest_us` and id of the trace, or session, that ended the page before: only later ones in the list."""


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

    async def traces(self, search: TraceSearch, views: Sequence[str]) -> tuple[Sequence[Mapping[str, Any]], Suppressed]:
        """Traces newest first: `trace_id`; `name`, `route`, `version`, `country`, `device_class`, `weight`, `stratum`
        of the client span that stands for it; `newest_us`, when the newest span that passes starts; `start_us`,
        `duration_us`, `spans`, `errors` of the client spans;
        `backend_spans`; `oversized`: spans were left out for want of room."""

    async def trace(self, app_id: int, trace_id: bytes) -> TraceRead | None:
        """What the shape and the times of a trace are made from; None when the sample holds no span of it."""

    async def trace_spans(
        self, app_id: int, trace_ids: tuple[bytes, bytes], span_ids: Sequence[bytes]
    ) -> Sequence[Mapping[str, Any]]:
        """Those spans of a trace (its id, and `TraceRead.known_as`) by start: every stored column, `start_us` for
        `start_at`; several where several claim one id."""

    async def ledger(self, app_id: int, from_us: int, to_us: int) -> Sequence[LedgerRow]:
        """One row per hour and outcome of the hours that start in the range."""

    async def newest_window(self, app_id: int) -> int | None:
        """Start of the newest window that holds spans, µs since 1970; None when there is none."""

    async def check(self) -> None:
        """Returns when the store answers."""

    async def scrubs(self, app_id: int, from_us: int, to_us: int) -> Sequence[ScrubRow]:
        """One row per hour and rule of the hours that start in the range."""

    async def policies(self, app_id: int) -> Sequence[PolicyText]:
        """The newest privacy policy of the app, and the newest of app 0, of those that were ever applied."""

    async def receipts(self, app_id: int, *, before: tuple[int, str] | None, limit: int) -> Sequence[Receipt]:
        """Of the app's erasures, newest first; of those after this one (when it was asked for, its id)."""

    async def receipt(self, app_id: int, erasure_id: str) -> Receipt | None:
        """One of them; None when the app has none of this id, a UUID."""
