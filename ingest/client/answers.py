"""What the query API answers, as types; ingest/query/README.md says what each member means.

Times are aware datetimes, members that end in `_us` microseconds. A member that a newer server adds is left out; tests
compare these with the schemas of the server beside them.
"""

from datetime import datetime
from typing import Any

from msgspec import Struct, field

Interval = tuple[float | None, float | None]
"""95 %: low and high; None where no sample bounds it."""
Group = dict[str, str]
"""Dimension → value."""


class Answer(Struct, frozen=True, kw_only=True):
    """What all answers share: they do not change."""


class App(Answer, frozen=True):
    """An app that the token opens."""

    id: int
    name: str
    client_key: str | None


class Apps(Answer, frozen=True):
    """`apps`."""

    apps: list[App]


class Health(Answer, frozen=True):
    """`health`: the newest window that holds spans, None before the first."""

    newest_window: datetime | None


class Suppressed(Answer, frozen=True):
    """What was left out for being about too few sessions."""

    least_sessions: int
    groups: int
    points: int


class Figures(Answer, frozen=True):
    """How the figures of an answer came about."""

    from_: datetime = field(name="from")
    to: datetime
    exact: bool
    basis: str
    """`exact`, `estimated` or `incomplete`."""
    source: str
    truncated: bool
    hidden_spans: int
    weighted_spans: int
    relative_error: float
    suppressed: Suppressed


class Tally(Answer, frozen=True):
    """Counts and quantiles of some spans; the intervals are there where samples answered."""

    spans: float
    errors: float
    measured: float
    reused: float
    unknown: float
    quantiles: list[float | None]
    intervals: list[Interval] | None = None
    spans_interval: Interval | None = None
    errors_interval: Interval | None = None


class Point(Tally, frozen=True, kw_only=True):
    """Those of one step."""

    at: datetime


class LatencyGroup(Answer, frozen=True):
    """One line."""

    group: Group
    total: Tally
    points: list[Point]
    """In order of time; none where nothing was counted."""


class Latency(Figures, frozen=True):
    """`latency`: one metric over time."""

    metric: str
    unit: str
    step_s: int
    quantiles: list[float]
    groups: list[LatencyGroup]


class Phase(Answer, frozen=True):
    """A phase over the requests in which it happened, beside those in which it did not."""

    phase: str
    us: float | None
    mean_us: float | None
    measured: float
    reused: float
    unknown: float
    interval: Interval | None = None


class PhaseGroup(Answer, frozen=True):
    """The phases of one group, in the order in which they happen."""

    group: Group
    spans: float
    phases: list[Phase]
    spans_interval: Interval | None = None


class TtfbPart(Answer, frozen=True):
    """Time on the network, or in the server."""

    us: float | None
    interval: Interval
    mean_us: float | None


class Ttfb(Answer, frozen=True):
    """TTFB split by what servers said, from the sample."""

    sampled: int
    coverage: float
    contradictory: int
    network: TtfbPart
    server: TtfbPart


class Phases(Figures, frozen=True):
    """`phases`."""

    ttfb: Ttfb | None
    quantile: float
    groups: list[PhaseGroup]


class Route(Answer, frozen=True):
    """A route; `impact` is in seconds."""

    route: str
    spans: float
    errors: float
    us: float | None
    impact: float
    interval: Interval | None = None
    spans_interval: Interval | None = None
    errors_interval: Interval | None = None
    line_us: list[float | None] | None = None
    """Step by step, where `line` was asked for."""


class RouteLine(Answer, frozen=True, kw_only=True):
    """The steps of `line_us`."""

    from_: datetime = field(name="from")
    step_s: int


class Routes(Figures, frozen=True, kw_only=True):
    """`routes`: greatest impact first."""

    quantile: float
    target_ms: int
    routes: list[Route]
    next: str | None
    line: RouteLine | None = None


class Failed(Answer, frozen=True):
    """Spans, and those of them that failed."""

    spans: float
    errors: float


class FailureGroup(Answer, frozen=True):
    """What clients and browsers tell of one group; `rate` is lowest and highest."""

    group: Group
    requests: Failed
    reports: Failed
    rate: tuple[float | None, float | None]


class Failures(Figures, frozen=True):
    """`failures`: most failures first."""

    groups: list[FailureGroup]


class Value(Answer, frozen=True):
    """A value of a dimension."""

    value: str
    spans: float
    errors: float
    spans_interval: Interval | None = None
    us: float | None = None
    interval: Interval | None = None


class Values(Figures, frozen=True):
    """`values`: most spans first."""

    dimension: str
    values: list[Value]
    next: str | None


class Sums(Answer, frozen=True):
    """Received spans, and how they ended: outcome, reason of clients or note → spans."""

    received: int
    outcomes: dict[str, int]
    client: dict[str, int]
    noted: dict[str, int]


class LedgerHour(Sums, frozen=True):
    """Those of one hour."""

    hour: datetime


class Ledger(Answer, frozen=True):
    """`ledger`: `closed` where received is the sum of the outcomes in every hour."""

    hours: list[LedgerHour]
    total: Sums
    closed: bool
    next: str | None


class Scrubs(Answer, frozen=True):
    """Rule → how often it replaced something; what consent kept out."""

    finds: dict[str, int]
    received: int
    outcomes: dict[str, int]


class ScrubHour(Scrubs, frozen=True):
    """Those of one hour."""

    hour: datetime


class PolicyInForce(Answer, frozen=True):
    """The privacy policy that an app is treated by."""

    version: int
    source: str
    since: datetime | None
    text: str | None


class Privacy(Answer, frozen=True):
    """`privacy`."""

    from_: datetime = field(name="from")
    to: datetime
    hours: list[ScrubHour]
    total: Scrubs
    policy: PolicyInForce
    least_sessions: int


class Receipt(Answer, frozen=True):
    """Of an erasure; it names nobody."""

    id: str
    app: int
    identifier: str
    requested_at: datetime
    deleted_at: datetime | None
    completed_at: datetime | None
    late_data_refused_until: datetime
    erased: dict[str, int]
    unreadable_records: int
    software: str


class Receipts(Answer, frozen=True):
    """`erasures`: newest first."""

    erasures: list[Receipt]
    next: str | None


Json = dict[str, Any]
