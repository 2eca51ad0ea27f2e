"""What the query API answers about groups, distributions and sessions, as types; as `answers`."""

from datetime import datetime

from ingest.client.answers import Answer, Figures, Interval, Suppressed, Tally
from ingest.client.trace_answers import PhaseState


class Exemplar(Answer, frozen=True):
    """A sampled span that stands for a bar: `slowest`, `typical` or `error`."""

    why: str
    trace_id: str
    span_id: str
    route: str
    start_at: datetime
    us: float
    error: bool


class Bar(Answer, frozen=True):
    """Spans whose values lie above `from_us`, up to `to_us`."""

    from_us: float
    to_us: float
    spans: float
    exemplars: list[Exemplar]


class Histogram(Figures, frozen=True):
    """`histogram`: how one metric is distributed."""

    metric: str
    unit: str
    quantiles: list[float]
    total: Tally | None
    bars: list[Bar]


class Estimate(Answer, frozen=True):
    """A value and its 95 % interval."""

    value: float | None
    interval: Interval


class Difference(Estimate, frozen=True):
    """b − a; `significant` where chance does not explain it."""

    significant: bool


class ComparedSide(Figures, frozen=True):
    """One of two groups."""

    filters: dict[str, list[str]]
    spans: float
    errors: float
    effective_spans: float
    """How many independent spans they are worth."""
    error_rate: Estimate
    mean_us: Estimate
    quantiles: list[Estimate]


class ComparedPhaseSide(Answer, frozen=True):
    """A phase in one of the two: at the quantile, and its part of the mean."""

    us: Estimate
    mean_us: Estimate
    measured: float
    reused: float
    unknown: float


class ComparedPhase(Answer, frozen=True):
    """A phase in both, and what differs."""

    phase: str
    a: ComparedPhaseSide
    b: ComparedPhaseSide
    us: Difference
    mean_us: Difference
    reused_share: Difference
    unknown_share: Difference


class ComparedWhole(Answer, frozen=True):
    """What differs in all."""

    us: Difference
    mean_us: Difference
    error_rate: Difference


class Rest(Answer, frozen=True):
    """Of the means, what is in no phase."""

    a_us: float | None
    b_us: float | None
    us: float | None


class Comparison(Answer, frozen=True):
    """`compare`: two groups, phase by phase. Sides are given as `**{"a.version": "5.2.0", "b.version": "5.2.1"}`."""

    quantiles: list[float]
    at: float
    a: ComparedSide
    b: ComparedSide
    difference: ComparedWhole
    phases: list[ComparedPhase]
    rest: Rest


class HeatValue(Answer, frozen=True):
    """A row, column or facet."""

    value: str
    spans: float


class HeatCell(Answer, frozen=True):
    """One group."""

    y: str
    x: str
    facet: str | None
    spans: float
    errors: float
    measured: float
    us: float | None
    interval: Interval | None = None


class Heatmap(Figures, frozen=True):
    """`heatmap`: one quantile in a grid of groups."""

    metric: str
    quantile: float
    y: str
    x: str
    facet: str | None
    rows: list[HeatValue]
    columns: list[HeatValue]
    facets: list[HeatValue]
    whole_us: float | None
    cells: list[HeatCell]


class ListedSession(Answer, frozen=True):
    """A session at a glance."""

    session: str
    first_at: datetime
    last_at: datetime
    spans: int
    errors: int
    traces: int
    slowest_name: str | None
    slowest_us: int | None
    version: str | None
    country: str | None
    network: str | None
    os: str | None
    device_class: str


class Sessions(Answer, frozen=True):
    """`sessions`: newest first."""

    suppressed: Suppressed
    sessions: list[ListedSession]
    next: str | None


class SessionCounts(Answer, frozen=True):
    """Of the sample; `more`: not all were read."""

    spans: int
    errors: int
    traces: int
    more: bool
    signals: dict[str, int]


class SessionClock(Answer, frozen=True):
    """A clock of the device."""

    clock: int
    spans: int
    grade: str
    err_us: int | None
    conflict: bool


class SessionSpan(Answer, frozen=True):
    """What happened, `start_us` after the session's beginning."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    signal: str
    name: str
    route: str | None
    screen: str | None
    failed: bool
    http_status: int | None
    error_type: str | None
    start_at: datetime
    start_us: int
    err_us: int | None
    clock: int
    duration_us: int
    phases: dict[str, PhaseState]
    weight: float
    version: str | None
    country: str | None
    network: str | None
    os: str | None
    device_class: str


class Session(Answer, frozen=True):
    """`session`: its timeline."""

    session: str
    start_at: datetime
    duration_us: int
    counts: SessionCounts
    clocks: list[SessionClock]
    spans: list[SessionSpan]
    next: str | None
