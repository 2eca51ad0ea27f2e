"""The evaluator: measures every rule's newest windows, judges, and writes down what follows, again and again.

    rules, states, silences → measure → verdicts → judge → states, history and outbox in one transaction

It holds nothing that a restart would miss: states are in the database, and windows are measured anew every time. Only
complete windows are judged: their end lies `GRACE_US` back, and the journal holds nothing older that is not counted
yet, so an aggregator that lags behind is not taken for a loss of traffic.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ingest.alerts import ask, notices
from ingest.alerts.ask import HOUR_US
from ingest.alerts.gather import ask_alone, gather, gather_baseline
from ingest.alerts.judge import Judgement, judge
from ingest.alerts.verdicts import verdicts
from ingest.errors import Unavailable
from ingest.ports import AlertStates, Measurer, Question, Rule, Series, Silence, Standing, State, Stood, Turned
from ingest.ports.alert_rules import Traffic

ROUND_S = 10.0
GRACE_US = 30_000_000
"""How long a window may be added to before it is judged: clients send what they have every few seconds."""
_EVERY_US = (10_000_000, 60_000_000)
"""A rule is evaluated six times in a window, but neither more nor less often than this."""

log = logging.getLogger("ingest.alerts")


@dataclass(frozen=True, slots=True)
class Scene:
    """What all rules of a round have in common."""

    now_us: int
    counted_until_us: int
    silences: Sequence[Silence]
    stood: Mapping[tuple[int, str], Sequence[Stood]]
    """App and rule → what is remembered of its groups."""


@dataclass(slots=True)
class _Seen:
    """Of a rule since this process began."""

    rule: Rule
    due_us: int = 0
    hour: int = -1
    baseline: Series | None = None
    failing: bool = False


@dataclass(slots=True)
class Evaluator:
    """Evaluates all rules of all apps."""

    states: AlertStates
    measurer: Measurer
    rules_of: Callable[[], Awaitable[Mapping[int, Sequence[Rule]]]]
    """App → its rules."""
    least_sessions: Callable[[int], int]
    """App → what figures must at least be about."""
    receivers: Sequence[str]
    now_us: Callable[[], int]
    _seen: dict[tuple[int, str], _Seen] = field(default_factory=dict)

    async def round(self) -> None:
        """Evaluates what is due.

        Raises:
            Unavailable: the store cannot be reached; what was written until then is whole.
        """
        now = self.now_us()
        rules = await self.rules_of()
        stood: dict[tuple[int, str], list[Stood]] = {}
        for each in await self.states.states():
            stood.setdefault((each.app_id, each.rule), []).append(each)
        counted = await self.states.counted_until_us(now)
        scene = Scene(now, counted - GRACE_US, await self.states.silences(now), stood)
        there = {(app_id, rule.name) for app_id, of_app in rules.items() for rule in of_app}
        for app_id, name in stood.keys() - there:
            await self.states.turn(app_id, self._ends(scene, stood[app_id, name]))
        self._seen = {key: seen for key, seen in self._seen.items() if key in there}
        for app_id, of_app in rules.items():
            for rule in of_app:
                await self._evaluate_safely(scene, app_id, rule)

    async def _evaluate_safely(self, scene: Scene, app_id: int, rule: Rule) -> None:
        seen = self._seen.get((app_id, rule.name))
        if seen is None or seen.rule != rule:
            seen = self._seen[app_id, rule.name] = _Seen(rule)
        if scene.now_us < seen.due_us:
            return
        low, high = _EVERY_US
        seen.due_us = scene.now_us + max(low, min(rule.window_us // 6, high))
        try:
            await self._evaluate(scene, app_id, rule, seen)
        except Unavailable as error:
            if error.reason == "store_unreachable":
                raise
            if not seen.failing:
                log.warning("a rule of app %d waits: %s", app_id, error.message)
            seen.failing = True
        except Exception:  # a fault in one rule must not keep the others from being looked at
            if not seen.failing:
                log.exception("a rule of app %d cannot be evaluated", app_id)
            seen.failing = True
        else:
            seen.failing = False

    async def _evaluate(self, scene: Scene, app_id: int, rule: Rule, seen: _Seen) -> None:
        grid = ask.newest(rule, scene.counted_until_us)
        asked = ask.question(rule, grid, app_id=app_id, now_us=scene.now_us, least_sessions=self.least_sessions(app_id))
        evidence = await gather(self.measurer, rule, asked, await self._baseline(rule, asked, seen))
        if isinstance(rule.when, Traffic) and not asked.partition and evidence.series.withheld:
            evidence = await ask_alone(self.measurer, asked, evidence)
        before: dict[tuple[str, ...], Stood] = {}
        others: list[Stood] = []
        for each in scene.stood.get((app_id, rule.name), ()):
            if each.group.keys() == set(rule.group_by):
                before[tuple(each.group[name] for name in rule.group_by)] = each
            else:
                others.append(each)
        changes = self._ends(scene, others)
        for values, windows in verdicts(rule, grid, evidence, before).items():
            group = dict(zip(rule.group_by, values, strict=True))
            stood = before.get(values)
            silenced = any(
                each.app_id == app_id and each.covers(rule.name, group, scene.now_us) for each in scene.silences
            )
            judgement = judge(windows, stood.state if stood else State(), for_us=rule.for_us, silenced=silenced)
            change = notices.turned(app_id, rule, group, judgement, stood, windows=windows, receivers=self.receivers)
            if change is not None:
                changes.append(change)
        if changes:
            await self.states.turn(app_id, changes)

    async def _baseline(self, rule: Rule, asked: Question, seen: _Seen) -> Series | None:
        if not ask.has_baseline(rule):
            return None
        hour = asked.to_us // HOUR_US
        if seen.baseline is None or seen.hour != hour:
            seen.baseline, seen.hour = await gather_baseline(self.measurer, rule, asked), hour
        return seen.baseline

    def _ends(self, scene: Scene, gone: Sequence[Stood]) -> list[Turned]:
        """Ends what fires of groups whose rule is gone, or groups by something else now."""
        changes = []
        for each in gone:
            change = Turned(each.rule, each.group, None)
            if each.state.standing is Standing.FIRING:
                state = replace(each.state, standing=Standing.INACTIVE, resolved_us=scene.now_us)
                judgement = Judgement(state, "resolved", "rule_removed", "resolved" if each.state.told else "")
                change = replace(notices.ended(each, state, None, judgement, receivers=self.receivers), state=None)
            changes.append(change)
        return changes
