"""What the query API answers about traces, as types; as `answers`."""

from datetime import datetime

from ingest.client.answers import Answer, Json, Suppressed


class ListedTrace(Answer, frozen=True):
    """A trace at a glance."""

    trace_id: str
    name: str
    route: str | None
    start_at: datetime
    duration_us: int
    spans: int
    errors: int
    backend_spans: int
    oversized: bool
    version: str | None
    country: str | None
    device_class: str
    weight: float
    inclusion_probability: float | None
    stratum: str


class Traces(Answer, frozen=True):
    """`traces`: newest first."""

    suppressed: Suppressed
    traces: list[ListedTrace]
    next: str | None


class PhaseState(Answer, frozen=True):
    """`measured` (with `us`), `reused` or `unknown`."""

    state: str
    us: int | None = None


class Line(Answer, frozen=True):
    """A span's place on the trace's line of time."""

    start_us: int
    shift_us: int
    err_us: int | None
    clock: int


class FirstByte(Answer, frozen=True):
    """TTFB split into network and server."""

    state: str
    network_us: int | None
    server_us: int | None
    server_span_id: str | None


class SpanEvent(Answer, frozen=True):
    """Something that happened within a span."""

    name: str
    offset_us: int


class SpanLink(Answer, frozen=True):
    """A span that its sender points at."""

    trace_id: str
    span_id: str
    kind: str


class Span(Answer, frozen=True):
    """A span of the sample."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    kind: str
    status: str
    start_at: datetime
    duration_us: int
    phases: dict[str, PhaseState]
    method: str | None
    url: str | None
    route: str | None
    error_type: str | None
    protocol: str | None
    screen: str | None
    http_status: int | None
    request_bytes: int | None
    response_bytes: int | None
    version: str | None
    country: str | None
    network: str | None
    os: str | None
    session: str | None
    device_class: str
    resource: Json
    attributes: Json
    events: list[SpanEvent]
    links: list[SpanLink]
    clock_quality: str
    clock_conflict: bool
    clock_err_ms: int | None
    clock_skew_ms: int | None
    clock_steps: int | None
    upload_delay_ms: int | None
    server_us: int | None
    origin: str
    signal: str
    weight: float
    inclusion_probability: float | None
    stratum: str
    policy_version: int
    line: Line
    first_byte: FirstByte | None
    depth: int
    children: int
    top: str | None
    shared_id: bool


class SpanGroup(Answer, frozen=True):
    """Siblings with the same name and route, folded; `like` is the id of the earliest."""

    like: str
    parent_span_id: str | None
    name: str
    route: str | None
    depth: int
    spans: int
    errors: int
    total_us: int
    min_us: int
    max_us: int
    p95_us: int
    start_us: int
    end_us: int


class Link(Answer, frozen=True):
    """A span that points, and what at."""

    span_id: str
    name: str
    start_at: datetime
    kind: str
    trace_id: str
    linked_span_id: str | None
    external_url: str | None


class Links(Answer, frozen=True):
    """At most 100; else `more`."""

    links: list[Link]
    more: bool


class SpanPage(Answer, frozen=True):
    """`trace_spans`: some spans and groups; `next` is the cursor of the next page, None on the last."""

    trace_id: str
    spans: list[Span]
    groups: list[SpanGroup]
    next: str | None


class OneSpan(Answer, frozen=True):
    """`span`: usually one; several when they claim one id."""

    trace_id: str
    spans: list[Span]
    linked_from: Links


class Counts(Answer, frozen=True):
    """Of a trace's spans."""

    spans: int
    stored: int
    dropped: int
    backend: int
    errors: int
    roots: int
    orphans: int
    cycles: int
    shared_ids: int


class Sender(Answer, frozen=True):
    """A service and the spans that it sent."""

    service: str | None
    origin: str
    spans: int


class Piece(Answer, frozen=True):
    """Of the critical path: time of a span's own."""

    span_id: str
    start_us: int
    duration_us: int


class PathShare(Answer, frozen=True):
    """Of the critical path: what spans alike have of it."""

    name: str
    route: str | None
    service: str | None
    origin: str
    spans: int
    us: int
    longest: str


class CriticalPath(Answer, frozen=True):
    """What the end of a trace waited for."""

    root: str
    duration_us: int
    pieces: list[Piece]
    omitted_pieces: int
    omitted_us: int
    shares: list[PathShare]
    other_shares_us: int


class Clock(Answer, frozen=True):
    """A client's clock."""

    clock: int
    spans: int
    grade: str
    err_before_us: int | None
    err_after_us: int | None
    shift_us: int
    conflict: bool
    tightened_by: list[str]


class Trace(Answer, frozen=True):
    """`trace`: a trace at first sight."""

    trace_id: str
    external_url: str | None
    start_at: datetime
    duration_us: int
    counts: Counts
    senders: list[Sender]
    whole: bool
    spans: list[Span]
    groups: list[SpanGroup]
    next: str | None
    critical_path: CriticalPath
    errors: list[str]
    clocks: list[Clock]
    links: Links
    linked_from: Links
