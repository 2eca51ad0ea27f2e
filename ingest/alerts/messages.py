"""Notifications as receivers read them: Alertmanager's API v2, and webhooks with a `text` for chats. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.alerts import link
from ingest.alerts.words import title
from ingest.ports import Notification

RESEND_US = 60_000_000
LAPSE_US = 5 * RESEND_US
"""Alertmanager takes what fires for ended this long after it was last told."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENDS = {"recovered": "recovered", "no_data": "too little data", "rule_removed": "the rule was removed"}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a notification is sent with that is looked up when it is sent."""

    app: str
    """Name of the app."""
    dashboard: str
    """Address of the dashboard, without `?`."""
    traces: Sequence[str]
    """Ids of examples."""

    def view(self, told: Notification) -> str:
        """Address of what it is about."""
        return self.dashboard + link.view(self.app, told.rule, told.group, told.from_us, told.to_us)

    def trace(self, told: Notification, trace_id: str) -> str:
        """Address of an example in that view."""
        return f"{self.view(told)}&trace={trace_id}"


def alertmanager_alert(told: Notification, around: Surroundings, now_us: int) -> Mapping[str, Any]:
    """One element of what `POST /api/v2/alerts` takes. Labels and start are the identity by which it knows an alert."""
    labels = {"alertname": told.rule.name, "app": around.app, "severity": told.rule.severity, **told.group}
    if told.status == "test":
        labels["test"] = "true"
    annotations = {
        **told.rule.annotations,
        "summary": f"{title(told.rule, told.group)}: {told.text}",
        "dashboard": around.view(told),
    }
    if around.traces:
        annotations["traces"] = "\n".join(around.trace(told, trace_id) for trace_id in around.traces)
    return {
        "labels": labels,
        "annotations": annotations,
        "startsAt": rfc3339(told.started_us),
        "endsAt": rfc3339(now_us + LAPSE_US if told.ended_us is None else told.ended_us),
        "generatorURL": around.view(told),
    }


def webhook_body(told: Notification, around: Surroundings) -> Mapping[str, Any]:
    """What a webhook is sent."""
    return {
        "id": told.id,
        "status": told.status,
        "text": _text(told, around),
        "app": around.app,
        "rule": told.rule.name,
        "severity": told.rule.severity,
        "signal": told.rule.signal,
        "group": told.group,
        "summary": told.text,
        "value": told.value,
        "annotations": told.rule.annotations,
        "started_at": rfc3339(told.started_us),
        "ended_at": None if told.ended_us is None else rfc3339(told.ended_us),
        "reason": told.reason or None,
        "dashboard_url": around.view(told),
        "traces": [{"trace_id": trace_id, "url": around.trace(told, trace_id)} for trace_id in around.traces],
    }


def _text(told: Notification, around: Surroundings) -> str:
    """In Slack's markup, whose special characters are escaped: a route must not be able to call everybody."""
    what = _escaped(f"{around.app}: {title(told.rule, told.group)}")
    if told.ended_us is not None:
        first = f"*Resolved* {what}: {_ENDS[told.reason]}"
    else:
        word = "Test" if told.status == "test" else told.rule.severity.capitalize()
        first = f"*{word}* {what}: {_escaped(told.text)}"
    links = [f"<{_escaped(around.view(told))}|view>"]
    links += [f"<{_escaped(around.trace(told, each))}|trace {each[:8]}>" for each in around.traces]
    return f"{first}\n{' · '.join(links)}"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rfc3339(at_us: int) -> str:
    """Microseconds since 1970 as text."""
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
