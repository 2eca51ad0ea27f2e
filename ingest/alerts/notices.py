"""From a judgement to what is remembered, written into the history and told: pure."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import orjson

from ingest.alerts.judge import Judgement, Window
from ingest.alerts.words import describe
from ingest.ports import Happening, Notification, Rule, State, Stood, Turned

_AROUND = 2
"""Windows before what happened that a link shows as well."""
_LEAST_VIEW_US = 900_000_000


def turned(
    app_id: int,
    rule: Rule,
    group: Mapping[str, str],
    judgement: Judgement,
    before: Stood | None,
    *,
    windows: Sequence[Window],
    receivers: Sequence[str],
) -> Turned | None:
    """What a judgement changes; None when it changes nothing."""
    state, known = judgement.state, before.notification if before else None
    if state == (before.state if before else None):
        return None
    if judgement.changed == "resolved" and before is not None and state is not None:
        return ended(before, state, rule, judgement, receivers=receivers)
    if judgement.changed != "firing" and judgement.tell != "firing":
        return Turned(rule.name, group, state, known)
    assert state is not None  # noqa: S101 - what fires is remembered
    told = _firing(app_id, rule, group, state, windows) if judgement.tell else None
    happening = None
    if judgement.changed:
        happening = Happening(
            app_id, rule.name, group, "firing", state.started_us, state.value, rule.severity, "", not judgement.tell
        )
    outbox = [] if told is None else [(receiver, told) for receiver in chosen(rule, receivers)]
    return Turned(rule.name, group, state, told, happening, outbox)


def ended(before: Stood, state: State, rule: Rule | None, judgement: Judgement, *, receivers: Sequence[str]) -> Turned:
    """The end of a firing; its rule may be gone."""
    told = before.notification
    severity = rule.severity if rule is not None else told.rule.severity if told is not None else "warning"
    happening = Happening(
        before.app_id,
        before.rule,
        before.group,
        "resolved",
        state.resolved_us,
        state.value,
        severity,
        judgement.reason,
        not judgement.tell,
    )
    outbox: list[tuple[str, Notification]] = []
    if told is not None and judgement.tell:
        end = _end_of(told, state, judgement.reason)
        outbox = [(receiver, end) for receiver in chosen(told.rule, receivers)]
    return Turned(before.rule, before.group, state, None, happening, outbox)


def _end_of(told: Notification, state: State, reason: str) -> Notification:
    """The notification of the end of what was told."""
    return Notification(
        id=identity(told.app_id, told.rule.name, told.group, told.started_us, "resolved"),
        status="resolved",
        app_id=told.app_id,
        rule=told.rule,
        group=told.group,
        text=told.text,
        value=state.value,
        started_us=told.started_us,
        ended_us=state.resolved_us,
        reason=reason,
        from_us=told.from_us,
        to_us=max(state.resolved_us, told.to_us),
    )


def _firing(app_id: int, rule: Rule, group: Mapping[str, str], state: State, windows: Sequence[Window]) -> Notification:
    to_us = windows[-1].end_us
    from_us = min(state.since_us - _AROUND * rule.window_us, to_us - _LEAST_VIEW_US)
    return Notification(
        id=identity(app_id, rule.name, group, state.started_us, "firing"),
        status="firing",
        app_id=app_id,
        rule=rule,
        group=dict(group),
        text=describe(rule, state.value),
        value=state.value,
        started_us=state.started_us,
        from_us=from_us,
        to_us=to_us,
    )


def example(app_id: int, rule: Rule, now_us: int, name: str) -> Notification:
    """A test: as if the rule fired now; `name` tells it from all others."""
    return Notification(
        id=identity(app_id, rule.name, {"test": name}, now_us, "test"),
        status="test",
        app_id=app_id,
        rule=rule,
        group={},
        text=f"this is a test; it would say: {describe(rule, None)}",
        value=None,
        started_us=now_us,
        from_us=now_us - _LEAST_VIEW_US,
        to_us=now_us,
    )


def identity(app_id: int, rule: str, group: Mapping[str, str], started_us: int, status: str) -> str:
    """32 hex digits: the same for the same."""
    named = orjson.dumps([app_id, rule, sorted(group.items()), started_us, status])
    return blake2b(named, digest_size=16).hexdigest()


def chosen(rule: Rule, receivers: Sequence[str]) -> Sequence[str]:
    """Those of the operator's receivers that a rule's notifications go to."""
    return [name for name in receivers if not rule.receivers or name in rule.receivers]
