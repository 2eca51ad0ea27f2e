"""The calls about alerts: part of the table in `ingest.query.endpoints`."""

from ingest.ports import CHANGERS, Rule
from ingest.query import alert_schemas, alerts
from ingest.query.endpoint import Endpoint

ENDPOINTS = (
    Endpoint(
        "/api/v1/alerts",
        "What fires, and what is about to.",
        alerts.LIST_PARAMETERS,
        alerts.alerts,
        alert_schemas.ALERTS,
    ),
    Endpoint(
        "/api/v1/alerts/rules",
        "The alert rules in force.",
        alerts.LIST_PARAMETERS,
        alerts.alert_rules,
        alert_schemas.RULES,
    ),
    Endpoint(
        "/api/v1/alerts/rules",
        "Makes an alert rule, or replaces the one of its name.",
        alerts.PUT_PARAMETERS,
        alerts.put_alert_rule,
        alert_schemas.RULE,
        method="PUT",
        roles=CHANGERS,
        body=Rule,
    ),
    Endpoint(
        "/api/v1/alerts/rules",
        "Removes an alert rule; what fires of it ends.",
        alerts.NAMED_PARAMETERS,
        alerts.delete_alert_rule,
        alert_schemas.REMOVED,
        method="DELETE",
        roles=CHANGERS,
    ),
    Endpoint(
        "/api/v1/alerts/history",
        "What began to fire and ceased, newest first.",
        alerts.HISTORY_PARAMETERS,
        alerts.alert_history,
        alert_schemas.HISTORY,
    ),
    Endpoint(
        "/api/v1/alerts/silences",
        "Silences that hold, and those that ended in the last 30 days.",
        alerts.LIST_PARAMETERS,
        alerts.alert_silences,
        alert_schemas.SILENCES,
    ),
    Endpoint(
        "/api/v1/alerts/silences",
        "Begins a silence.",
        alerts.SILENCE_PARAMETERS,
        alerts.silence_alerts,
        alert_schemas.SILENCE,
        method="POST",
        roles=CHANGERS,
        body=alerts.NewSilence,
    ),
    Endpoint(
        "/api/v1/alerts/silences/{silence_id}",
        "Ends a silence now.",
        alerts.LIST_PARAMETERS,
        alerts.end_alert_silence,
        alert_schemas.ENDED,
        method="DELETE",
        roles=CHANGERS,
    ),
    Endpoint(
        "/api/v1/alerts/test",
        "Sends a test through the receivers of a rule.",
        alerts.NAMED_PARAMETERS,
        alerts.test_alert_rule,
        alert_schemas.TESTED,
        method="POST",
        roles=CHANGERS,
    ),
    Endpoint(
        "/api/v1/alerts/dry-run",
        "What a rule would have done over stored history.",
        alerts.DRY_RUN_PARAMETERS,
        alerts.rehearse_alert_rule,
        alert_schemas.REHEARSED,
        method="POST",
        body=alerts.DryRun,
    ),
)
