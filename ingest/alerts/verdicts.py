"""From figures to verdicts: what a rule says of each window of each group. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan, log
from statistics import median

from ingest.alerts.ask import BASELINE_DAYS, DAY_US, HOUR_US, Grid
from ingest.alerts.judge import Verdict, Window
from ingest.ports import Point, Rule, Series
from ingest.ports.alert_rules import Deviation, Errors, Latency, PhaseShare, Traffic

LEAST_DAYS = 3
"""Other days that must be known before anything is compared with them."""
_MAD = 1.4826
"""The median absolute deviation of normally distributed values in units of their standard deviation."""
LEAST_SPREAD = 0.05
"""Of logarithms: days that are all alike must not make every change of a few percent an alarm."""
_NOTHING = Point(0, 0, (), (), (), (), ())

Values = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was measured for a rule."""

    series: Series
    reports: Series | None = None
    """What browsers report by themselves, where that counts."""
    baseline: Series | None = None
    """By hours, where other days count."""


@dataclass(frozen=True, slots=True)
class _Days:
    """The same hour on other days, of one group."""

    points: Mapping[int, Point] = field(default_factory=dict)

    def of(self, window_us: int) -> Sequence[Point]:
        hour = window_us // HOUR_US * HOUR_US
        days = (self.points.get(hour - day * DAY_US) for day in range(1, BASELINE_DAYS + 1))
        return [point for point in days if point is not None]


def verdicts(
    rule: Rule, grid: Grid, evidence: Evidence, remembered: Iterable[Values] = ()
) -> Mapping[Values, Sequence[Window]]:
    """The windows of every group of which anything is known, and of those that are remembered."""
    groups: dict[Values, None] = dict.fromkeys((*remembered, *evidence.series.points))
    if evidence.reports is not None:
        groups |= dict.fromkeys(evidence.reports.points)
    if evidence.baseline is not None and isinstance(rule.when, Traffic):
        groups |= dict.fromkeys(evidence.baseline.points)
    if isinstance(rule.when, Traffic) and not rule.group_by:
        groups[()] = None
    return {group: [_window(rule, grid, evidence, group, start) for start in grid.starts_us] for group in groups}


def _window(rule: Rule, grid: Grid, evidence: Evidence, group: Values, start_us: int) -> Window:
    if evidence.series.step_us != grid.width_us:
        # Rollups as fine as these windows are gone: nothing can be said of them.
        return Window(start_us, start_us + grid.width_us, Verdict.UNDECIDED, None)
    point = evidence.series.points.get(group, {}).get(start_us)
    report = evidence.reports.points.get(group, {}).get(start_us) if evidence.reports is not None else None
    days = _Days(evidence.baseline.points.get(group, {})) if evidence.baseline is not None else _Days()
    match rule.when:
        case Latency() as when:
            value = _quantile(point, rule.min_spans)
            met = value is not None and value > when.above_ms * 1000
        case Errors() as when:
            value = _failed(point, report, rule.min_spans)
            met = value is not None and value > when.above
        case PhaseShare() as when:
            value = _share(point, when.of, rule.min_spans)
            met = value is not None and value > when.above
        case Traffic() as when:
            value = None if point is None and evidence.series.withheld else float((point or _NOTHING).spans)
            bound = _expected(when, days.of(start_us), grid.width_us)
            value = None if bound is None else value
            met = value is not None and bound is not None and value < bound
        case Deviation() as when:
            value = _sigmas(_quantile(point, rule.min_spans), days.of(start_us), rule.min_spans)
            met = value is not None and value > when.sigma
    verdict = Verdict.UNDECIDED if value is None else Verdict.MET if met else Verdict.CLEAR
    return Window(start_us, start_us + grid.width_us, verdict, value)


def _quantile(point: Point | None, least: int) -> float | None:
    if point is None or point.measured[0] < least or isnan(point.quantile_us[0]):
        return None
    return point.quantile_us[0]


def _failed(point: Point | None, report: Point | None, least: int) -> float | None:
    """The least share of requests that can have failed; see `GET /api/v1/failures`."""
    requests, reported = point or _NOTHING, report or _NOTHING
    failed = max(requests.errors, reported.errors)
    spans = requests.spans + failed - requests.errors
    return failed / spans if spans >= least else None


def _share(point: Point | None, of: str, least: int) -> float | None:
    if point is None or point.spans < least:
        return None
    if of == "time":
        whole, phase = point.total_us
        return phase / whole if whole > 0 else None
    happened, reused, unknown = point.measured[1], point.reused[1], point.unknown[1]
    whole = happened + reused + unknown
    return (reused if of == "reused" else unknown) / whole if whole >= least else None


def _expected(when: Traffic, days: Sequence[Point], width_us: int) -> float | None:
    """Spans below which a window has too few; None while other days tell too little."""
    if when.below_share is None:
        return when.below_spans
    if len(days) < LEAST_DAYS:
        return None
    return when.below_share * median(day.spans for day in days) * width_us / HOUR_US


def _sigmas(value: float | None, days: Sequence[Point], least: int) -> float | None:
    known = [_quantile(day, least) for day in days]
    logs = [log(day) for day in known if day is not None and day > 0]
    if value is None or value <= 0 or len(logs) < LEAST_DAYS:
        return None
    middle = median(logs)
    spread = max(_MAD * median(abs(each - middle) for each in logs), LEAST_SPREAD)
    return (log(value) - middle) / spread
