"""Alert rules: what a team says shall not happen to its users, as typed data, the same in TOML and JSON.

A rule looks at one signal in windows that adjoin. In each window its condition is met, not met, or cannot be told; what
follows from that is `ingest.alerts.judge`. Messages name the member, the limit and the remedy, and quote nothing.
"""

import re
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ingest.model import DIMENSIONS, METRICS, Phase, Signal

MOST_RULES = 100
"""Of one app."""
MOST_VALUES = 20
"""Of one filter."""
MOST_WINDOWS = 60
"""That `for` may span."""
MOST_TEXTS = 10
"""Annotations, or receivers."""
LONGEST_WINDOW_US = 6 * 3_600_000_000
_S = 1_000_000
_UNITS_S = {"s": 1, "m": 60, "h": 3600}
_SIGNALS = tuple(signal.word for signal in Signal)
_PHASES = tuple(phase.name.lower() for phase in Phase)

Quantile: TypeAlias = Annotated[float, Meta(gt=0, lt=1, description="Such as 0.95.")]
Share: TypeAlias = Annotated[float, Meta(gt=0, lt=1, description="Such as 0.05 for 5 %.")]
Metric: TypeAlias = Annotated[str, Meta(description="duration, or a phase.")]
Text: TypeAlias = Annotated[str, Meta(max_length=512)]


class _Struct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Strict: a misspelt member would make another rule."""


class Latency(_Struct, frozen=True, tag_field="kind", tag="latency"):
    """A quantile of the duration, or of a phase over the requests in which it happened, is above a bound."""

    above_ms: Annotated[float, Meta(gt=0, le=86_400_000)]
    """ms; of CLS, thousandths."""
    quantile: Quantile = 0.95
    metric: Metric = "duration"

    def __post_init__(self) -> None:
        _one_of("metric", self.metric, METRICS)


class Errors(_Struct, frozen=True, tag_field="kind", tag="errors"):
    """The share that failed is above a bound: by status, without an answer (0), or as only browsers could tell.

    Of requests the least share that can be true counts, as `GET /api/v1/failures` has it: a failure of which both page
    and browser told is one.
    """

    above: Share


class PhaseShare(_Struct, frozen=True, tag_field="kind", tag="phase_share"):
    """A share of one phase is above a bound."""

    phase: str
    above: Share
    of: Literal["time", "reused", "unknown"] = "time"
    """`time`: what the phase took, over all requests, of what the requests took. `reused`, `unknown`: of the requests,
    those in which it did not happen, or of which nobody knows."""

    def __post_init__(self) -> None:
        _one_of("phase", self.phase, _PHASES)


class Traffic(_Struct, frozen=True, tag_field="kind", tag="traffic"):
    """Fewer spans than a bound: of one's own choosing, or a share of what the same hour of other days had."""

    below_spans: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None
    """In a window."""
    below_share: Share | None = None
    """Of the median of the same hour on the last seven days, of which three or more must be known."""

    def __post_init__(self) -> None:
        if (self.below_spans is None) == (self.below_share is None):
            raise ValueError("needs exactly one of below_spans and below_share")


class Deviation(_Struct, frozen=True, tag_field="kind", tag="deviation"):
    """A quantile is higher than the same hour on the last seven days lets expect, of which three or more must be known.

    Logarithms of the quantile are compared: with their median, in units of their spread (1.4826 × the median absolute
    deviation, at least 5 %).
    """

    sigma: Annotated[float, Meta(ge=1, le=20)] = 3.0
    quantile: Quantile = 0.95
    metric: Metric = "duration"

    def __post_init__(self) -> None:
        _one_of("metric", self.metric, METRICS)


Condition: TypeAlias = Latency | Errors | PhaseShare | Traffic | Deviation


class Rule(_Struct, frozen=True):
    """One alert rule of an app."""

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    """Its identity in the app."""
    when: Condition
    signal: str = Signal.REQUEST.word
    filters: dict[str, Annotated[tuple[Text, ...], Meta(min_length=1, max_length=MOST_VALUES)]] = {}
    """Dimension → the values that count."""
    group_by: Annotated[tuple[str, ...], Meta(max_length=2)] = ()
    """Each group of these dimensions is judged for itself: the 50 with most spans."""
    window: str = "5m"
    """10s to 6h, in multiples of 10 s."""
    hold: str = msgspec.field(default="0s", name="for")
    """How long the condition must be met before it fires."""
    min_spans: Annotated[int, Meta(ge=1, le=1_000_000_000)] = 20
    """A window of fewer spans tells nothing. Traffic rules do without."""
    severity: Literal["info", "warning", "critical"] = "warning"
    receivers: Annotated[tuple[Annotated[str, Meta(max_length=32)], ...], Meta(max_length=MOST_TEXTS)] = ()
    """Names of the operator's receivers; none: every one."""
    annotations: Annotated[dict[str, Text], Meta(max_length=MOST_TEXTS)] = {}
    """Go along with a notification, e.g. a runbook's address."""

    def __post_init__(self) -> None:
        if not self.name.isprintable() or self.name != self.name.strip():
            raise ValueError("name must be printable text without space at its ends")
        _one_of("signal", self.signal, _SIGNALS)
        for dimension in (*self.filters, *self.group_by):
            _one_of("filters and group_by", dimension, DIMENSIONS)
        if len(set(self.group_by)) != len(self.group_by):
            raise ValueError("group_by must name each dimension once")
        texts = [value for values in self.filters.values() for value in values]
        if not all(map(storable, (*texts, *self.annotations.values(), *self.receivers))):
            raise ValueError("filters, annotations and receivers must be valid Unicode without NUL")
        if any(not re.fullmatch(r"[a-z_][a-z0-9_]{0,31}", name) for name in self.annotations):
            raise ValueError("annotations must have names such as runbook: a-z, 0-9 and _, at most 32 of them")
        if not 10 * _S <= self.window_us <= LONGEST_WINDOW_US or self.window_us % (10 * _S):
            raise ValueError("window must be a multiple of 10 s from 10s to 6h, such as 60s, 5m, 1h")
        if self.for_us > MOST_WINDOWS * self.window_us:
            raise ValueError(f"for must be at most {MOST_WINDOWS} windows: take a wider window")
        if isinstance(self.when, PhaseShare) and self.signal != Signal.REQUEST.word:
            raise ValueError("signal must be request with a phase_share: only requests have phases")

    @property
    def window_us(self) -> int:
        return _span_us("window", self.window)

    @property
    def for_us(self) -> int:
        return _span_us("for", self.hold)

    @property
    def about(self) -> Signal:
        """`signal` as the model has it."""
        return Signal[self.signal.upper()]


def storable(text: str) -> bool:
    """Whether PostgreSQL could hold it: no NUL, no half of a surrogate pair."""
    return not re.search("[\0\ud800-\udfff]", text)


def _span_us(member: str, text: str) -> int:
    found = re.fullmatch(r"([0-9]{1,6})([smh])", text)
    if not found:
        raise ValueError(f"{member} must be a time such as 30s, 5m, 1h")
    return int(found[1]) * _UNITS_S[found[2]] * _S


def _one_of(member: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise ValueError(f"{member} must be of {', '.join(known)}")


def read_rules(value: Any) -> tuple[Rule, ...]:
    """The rules of the `[[alerts]]` of an app's file.

    Raises:
        ValueError: they cannot be used; names rule, member, limit and remedy.
    """
    if not isinstance(value, list):
        raise ValueError("alerts is a list of tables: write [[alerts]] above each rule")  # noqa: TRY004 - of a file
    if len(value) > MOST_RULES:
        raise ValueError(
            f"alerts has more than {MOST_RULES} rules: group_by and filters let one do the work of several"
        )
    rules = []
    for number, table in enumerate(value, 1):
        try:
            rules.append(msgspec.convert(table, Rule))
        except msgspec.ValidationError as error:
            raise ValueError(f"alerts, rule {number}: {error}") from None
    names = [rule.name for rule in rules]
    if len(set(names)) != len(names):
        raise ValueError("alerts has two rules of one name: the name is what tells rules apart")
    return tuple(rules)
