"""What a rule asks of the store, and for which windows."""

from collections.abc import Sequence
from typing import NamedTuple

from ingest.model import Signal
from ingest.ports import Question, Rule
from ingest.ports.alert_rules import Deviation, Errors, Latency, PhaseShare, Traffic

LATE_US = 300_000_000
"""Windows that ended so lately are looked at again, since data of theirs may still come."""
LEAST_WINDOWS = 3
MOST_GROUPS = 50
HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
BASELINE_DAYS = 7


class Grid(NamedTuple):
    """Windows that adjoin, aligned to their width."""

    from_us: int
    to_us: int
    width_us: int

    @property
    def starts_us(self) -> Sequence[int]:
        return range(self.from_us, self.to_us, self.width_us)


def newest(rule: Rule, counted_until_us: int) -> Grid:
    """The windows that decide how a rule stands: complete ones, back as far as `for` and late data reach."""
    width = rule.window_us
    to_us = counted_until_us // width * width
    windows = max(-(-rule.for_us // width) + -(-LATE_US // width), LEAST_WINDOWS)
    return Grid(to_us - windows * width, to_us, width)


def since(rule: Rule, from_us: int, counted_until_us: int) -> Grid:
    """All complete windows since a moment."""
    width = rule.window_us
    return Grid(from_us // width * width, counted_until_us // width * width, width)


def question(
    rule: Rule, grid: Grid, *, app_id: int, now_us: int, least_sessions: int, most_points: int = 20_000
) -> Question:
    """What is asked about the windows themselves."""
    return Question(
        app_id=app_id,
        from_us=grid.from_us,
        to_us=grid.to_us,
        now_us=now_us,
        step_us=grid.width_us,
        signal=rule.about,
        over_time=True,
        metrics=metrics(rule),
        group_by=rule.group_by,
        filters=rule.filters,
        most_groups=max(min(MOST_GROUPS, most_points // max(len(grid.starts_us), 1)), 1),
        least_sessions=least_sessions,
    )


def baseline_grid(grid: Grid) -> Grid:
    """The hours of other days with which windows are compared, and those between."""
    from_us = grid.from_us // HOUR_US * HOUR_US - BASELINE_DAYS * DAY_US
    return Grid(from_us, -(-grid.to_us // HOUR_US) * HOUR_US, HOUR_US)


def has_baseline(rule: Rule) -> bool:
    """Whether a rule compares with other days."""
    return isinstance(rule.when, Deviation) or (isinstance(rule.when, Traffic) and rule.when.below_share is not None)


def metrics(rule: Rule) -> tuple[str, ...]:
    """Whose sketches a rule needs."""
    match rule.when:
        case Latency(metric=metric) | Deviation(metric=metric):
            return (metric,)
        case PhaseShare(phase=phase):
            return ("duration", phase)
        case _:
            return ()


def probability(rule: Rule) -> float:
    """Of the quantile that a rule looks at."""
    return rule.when.quantile if isinstance(rule.when, Latency | Deviation) else 0.5


def counts_reports(rule: Rule) -> bool:
    """Whether what browsers report counts beside the clients' own: failures of requests."""
    return isinstance(rule.when, Errors) and rule.about is Signal.REQUEST
