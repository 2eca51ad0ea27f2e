"""What follows from windows: (windows, state before) → (state, what changed, whether somebody is to be told).

    inactive ──met──▶ pending ──met for long enough──▶ firing ──clear twice, or no data──▶ inactive

Nothing here counts evaluations. Every evaluation looks at the same last windows anew, late data included: it can be
done again, late, or after a pause with the same result, and a window that late data changes changes the verdict.

- The condition has been met since the start of the newest *run* of windows in which it is met. Up to two undecided
  windows in a row do not end a run: gaps of a few spans are no news.
- It fires when the run is as long as `for`, and at least one window.
- It ends when the two newest decided windows are clear, so that one quiet window among bad ones neither ends it nor
  makes it fire twice; or when the three newest windows are undecided.
- A run begins anew after an end: what was judged is not judged again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from ingest.ports import Standing, State

BRIDGED = 2
"""Undecided windows in a row that do not end a run."""
CLEAR = 2
"""Clear windows in a row that end a firing."""


class Verdict(StrEnum):
    """Of one window."""

    MET = "met"
    CLEAR = "clear"
    UNDECIDED = "undecided"
    """Too few spans, or none that may be shown."""


class Window(NamedTuple):
    """One window of one group. Windows adjoin and are of one width."""

    start_us: int
    end_us: int
    verdict: Verdict
    value: float | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one evaluation of one group came to."""

    state: State | None
    """None: nothing needs to be remembered."""
    changed: str = ""
    """`firing`, `resolved`, or neither."""
    reason: str = ""
    """Of an end: `recovered` or `no_data`."""
    tell: str = ""
    """What receivers are to be told: `firing`, `resolved`, or nothing."""


def judge(windows: Sequence[Window], before: State, *, for_us: int, silenced: bool) -> Judgement:
    """Judges the newest windows of a group.

    Args:
        windows: oldest first; three at least, and as many as `for` spans.
        before: what the last evaluation left.
        for_us: how long the condition must be met.
        silenced: nobody is to be told of what begins.
    """
    if before.standing is Standing.FIRING:
        return _while_firing(windows, before, silenced=silenced)
    fresh = [window for window in windows if window.end_us > before.resolved_us]
    run = _run(fresh, Verdict.MET)
    if not run:
        forget = before.resolved_us <= windows[0].start_us
        return Judgement(None if forget else State(resolved_us=before.resolved_us))
    needed = max(for_us, run[0].end_us - run[0].start_us)
    done = [window.end_us for window in run if window.end_us - run[0].start_us >= needed]
    state = State(Standing.PENDING, run[0].start_us, 0, before.resolved_us, run[-1].value)
    if not done:
        return Judgement(state)
    state = replace(state, standing=Standing.FIRING, started_us=done[0], told=not silenced)
    return Judgement(state, "firing", tell="" if silenced else "firing")


def _while_firing(windows: Sequence[Window], before: State, *, silenced: bool) -> Judgement:
    undecided = all(window.verdict is Verdict.UNDECIDED for window in windows[-BRIDGED - 1 :])
    clear = _run(windows, Verdict.CLEAR)
    if undecided or len(clear) >= CLEAR:
        end_us = max(windows[-1].end_us, before.started_us)
        state = State(resolved_us=end_us, started_us=before.started_us, value=clear[-1].value if clear else None)
        reason = "no_data" if undecided else "recovered"
        return Judgement(state, "resolved", reason, "resolved" if before.told else "")
    met = [window.value for window in windows if window.verdict is Verdict.MET]
    state = replace(before, value=met[-1] if met else before.value)
    if before.told or silenced:
        return Judgement(state)
    return Judgement(replace(state, told=True), tell="firing")


def _run(windows: Sequence[Window], wanted: Verdict) -> Sequence[Window]:
    """The newest windows of this verdict in a row, oldest first, gaps bridged."""
    run: list[Window] = []
    gap = 0
    for window in reversed(windows):
        if window.verdict is wanted:
            run.append(window)
            gap = 0
        elif window.verdict is Verdict.UNDECIDED and gap < BRIDGED:
            gap += 1
        else:
            break
    return run[::-1]
