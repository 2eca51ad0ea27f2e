"""What the query API answers about an app at first sight, as types; as `answers`."""

from datetime import datetime

from msgspec import field

from ingest.client.answers import Answer, Failed, Figures, Interval, Point, Tally


class Apdex(Answer, frozen=True):
    """How satisfied users may be; `score` is None where only the `range` is known."""

    target_ms: int
    score: float | None
    range: tuple[float, float]
    satisfied: int
    tolerating: int
    frustrated: int


class Total(Tally, frozen=True, kw_only=True):
    """Of all spans."""

    apdex: Apdex | None


class Before(Answer, frozen=True, kw_only=True):
    """The period before; to be compared where it is `whole`."""

    from_: datetime = field(name="from")
    to: datetime
    whole: bool
    began_at: datetime | None
    total: Total | None


class FailureKind(Answer, frozen=True):
    """How many failed in this way."""

    kind: str
    spans: float
    spans_interval: Interval


class FailureKinds(Answer, frozen=True):
    """Estimated from the sample."""

    sampled: int
    suppressed_kinds: int
    kinds: list[FailureKind]


class OverviewFailures(Answer, frozen=True):
    """Lowest and highest share that failed, and in which ways."""

    rate: tuple[float | None, float | None]
    reports: Failed
    requests: FailureKinds
    reported: FailureKinds


class Vital(Answer, frozen=True):
    """A web vital; CLS in millionths. `good`, `needs_improvement` and `poor` are shares."""

    vital: str
    spans: float
    us: float | None
    rating: str | None
    good: float
    needs_improvement: float
    poor: float
    good_us: float
    poor_us: float
    interval: Interval | None = None


class Vitals(Figures, frozen=True):
    """`vitals`."""

    vitals: list[Vital]


class Version(Answer, frozen=True):
    """A version's share, and when it first came."""

    version: str
    spans: float
    share: float
    arrived_at: datetime | None


class VersionPoint(Answer, frozen=True):
    """Its share in one step."""

    at: datetime
    spans: float
    share: float


class VersionLine(Version, frozen=True, kw_only=True):
    """A version over time."""

    points: list[VersionPoint]
    spans_interval: Interval | None = None


class Versions(Figures, frozen=True):
    """`versions`."""

    step_s: int
    versions: list[VersionLine]


class Overview(Figures, frozen=True):
    """`overview`: a part that was not read in time is None, and named in `missing`."""

    metric: str
    unit: str
    step_s: int
    quantiles: list[float]
    total: Total | None
    points: list[Point]
    before: Before | None
    failures: OverviewFailures | None
    vitals: list[Vital] | None
    versions: list[Version] | None
    missing: list[str]
