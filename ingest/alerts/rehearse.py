"""A dry run: what a rule would have done over stored history, by the same verdicts and the same judge."""

from collections.abc import Mapping, Sequence

from ingest.alerts import ask
from ingest.alerts.evaluate import GRACE_US
from ingest.alerts.gather import gather, gather_baseline
from ingest.alerts.judge import Verdict, Window, judge
from ingest.alerts.verdicts import verdicts
from ingest.ports import Measurer, Rehearsal, Rule, State, WouldFire
from ingest.ports.alert_rules import Deviation, Errors, Latency, PhaseShare, Traffic

MOST_WINDOWS = 2100
"""Of a dry run: a week by five minutes."""
MOST_FIRINGS = 200
MOST_LINES = 5


async def rehearse(
    measurer: Measurer, rule: Rule, *, app_id: int, from_us: int, now_us: int, least_sessions: int
) -> Rehearsal:
    """Measures everything at one go, and judges window by window as if each were the newest.

    Raises:
        ValueError: too many windows.
        Unavailable: the store cannot be reached, or it takes too long.
    """
    grid = ask.since(rule, from_us, now_us - GRACE_US)
    windows = len(grid.starts_us)
    if windows > MOST_WINDOWS:
        longest_h = MOST_WINDOWS * rule.window_us // ask.HOUR_US
        raise ValueError(f"must lie at most {longest_h} hours back with this window: begin later, or take a wider one")
    if windows < ask.LEAST_WINDOWS:
        raise ValueError(f"must lie at least {ask.LEAST_WINDOWS} windows back: begin earlier, or take a narrower one")
    asked = ask.question(rule, grid, app_id=app_id, now_us=now_us, least_sessions=least_sessions)
    baseline = await gather_baseline(measurer, rule, asked) if ask.has_baseline(rule) else None
    evidence = await gather(measurer, rule, asked, baseline)
    judged = {
        values: (of_group, _firings(rule, dict(zip(rule.group_by, values, strict=True)), of_group))
        for values, of_group in verdicts(rule, grid, evidence).items()
    }
    return _told(rule, grid, judged)


def _firings(rule: Rule, group: Mapping[str, str], windows: Sequence[Window]) -> Sequence[WouldFire]:
    back = max(-(-rule.for_us // rule.window_us) + 1, ask.LEAST_WINDOWS)
    state = State()
    found: list[WouldFire] = []
    for end in range(1, len(windows) + 1):
        judgement = judge(windows[max(end - back, 0) : end], state, for_us=rule.for_us, silenced=False)
        state = judgement.state or State()
        if judgement.changed == "firing":
            found.append(WouldFire(group, state.started_us, None, state.value))
        elif judgement.changed == "resolved":
            last = found.pop()
            found.append(WouldFire(group, last.started_us, state.resolved_us, last.value))
    return found


def _told(
    rule: Rule,
    grid: ask.Grid,
    judged: Mapping[tuple[str, ...], tuple[Sequence[Window], Sequence[WouldFire]]],
) -> Rehearsal:
    firings = sorted((each for _, found in judged.values() for each in found), key=lambda each: each.started_us)
    shown = sorted(judged.items(), key=lambda item: -len(item[1][1]))[:MOST_LINES]
    bound, unit = bound_of(rule)
    return Rehearsal(
        from_us=grid.from_us,
        to_us=grid.to_us,
        firings=firings[-MOST_FIRINGS:],
        lines=[
            (
                dict(zip(rule.group_by, values, strict=True)),
                [(window.start_us, window.value, window.verdict.value) for window in windows],
            )
            for values, (windows, _) in shown
        ],
        bound=bound,
        unit=unit,
        undecided=sum(window.verdict is Verdict.UNDECIDED for windows, _ in judged.values() for window in windows),
    )


def bound_of(rule: Rule) -> tuple[float | None, str]:
    """What values are held against, and in which unit."""
    match rule.when:
        case Latency(above_ms=above):
            return above * 1000, "us"
        case Errors(above=above) | PhaseShare(above=above):
            return above, "share"
        case Traffic(below_spans=spans):
            return (None if spans is None else float(spans)), "spans"
        case Deviation(sigma=sigma):
            return sigma, "sigma"
