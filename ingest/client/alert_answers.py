"""What the query API answers about alerts, as types; as `answers`."""

from datetime import datetime

from msgspec import field

from ingest.client.answers import Answer, Group, Json


class Alert(Answer, frozen=True):
    """What a rule holds of a group now: `pending` or `firing`."""

    rule: str
    group: Group
    standing: str
    severity: str
    since_at: datetime
    started_at: datetime | None
    value: float | None
    text: str
    silenced: bool
    from_: datetime = field(name="from")
    """Start of the view that shows it."""
    to: datetime


class AlertsNow(Answer, frozen=True):
    """`alerts`."""

    alerts: list[Alert]


class RuleInForce(Answer, frozen=True):
    """A rule, and whether the app's file or the API made it."""

    source: str
    rule: Json


class AlertRules(Answer, frozen=True):
    """`alert_rules`."""

    rules: list[RuleInForce]
    receivers: list[str]
    may_change: bool


class Turn(Answer, frozen=True):
    """A beginning or an end."""

    rule: str
    group: Group
    status: str
    at: datetime
    value: float | None
    severity: str
    reason: str | None
    silenced: bool


class AlertHistory(Answer, frozen=True):
    """`alert_history`: newest first."""

    history: list[Turn]


class Silence(Answer, frozen=True):
    """Nobody is told of what begins while it `holds`."""

    id: str
    rule: str | None
    group: Group
    reason: str
    by: str
    created_at: datetime
    until: datetime
    holds: bool


class Silences(Answer, frozen=True):
    """`alert_silences`."""

    silences: list[Silence]
