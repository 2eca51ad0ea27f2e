"""The calls of the query API: the one table that router and OpenAPI document are made from."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import msgspec

from ingest.openmetrics import CONTENT_TYPE as OPENMETRICS
from ingest.ports import CHANGERS, READERS
from ingest.query import (
    app_settings,
    apps,
    changes,
    erasures,
    failures,
    histogram,
    latency,
    ledger,
    metrics,
    overview,
    phases,
    privacy,
    routes,
    tables,
    trace,
    trace_schemas,
    traces,
    values,
    versions,
    vitals,
)
from ingest.query.call import Call
from ingest.query.parameters import Parameter
from ingest.query.schemas import Schema


class Endpoint(NamedTuple):
    """One call."""

    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    """Of the query; of a POST without a `body`, members of the JSON object that it sends."""
    answer: Callable[[Call], Awaitable[Mapping[str, Any] | bytes]]
    """Bytes where the `media` is not JSON."""
    schema: Schema
    method: str = "GET"
    roles: tuple[str, ...] = READERS
    """Of the keys that may call it."""
    media: str = "application/json"
    """Type of what is answered."""
    body: type[msgspec.Struct] | None = None
    """What the JSON in its body must be; `Call.body` is one of these."""
    table: tables.Table | None = None
    """The answer as CSV; None: it is no table."""

    @property
    def given(self) -> tuple[Parameter, ...]:
        """All parameters: its own, and of a table which format to write it in."""
        return self.parameters if self.table is None else (*self.parameters, tables.FORMAT)


ENDPOINTS = (
    Endpoint("/api/v1/apps", "The apps that the token opens.", (), apps.apps, apps.APPS_SCHEMA),
    Endpoint(
        "/api/v1/latency",
        "Percentiles of one metric over time.",
        latency.PARAMETERS,
        latency.latency,
        latency.SCHEMA,
        table=tables.latency,
    ),
    Endpoint(
        "/api/v1/histogram",
        "How one metric is distributed, with examples.",
        histogram.PARAMETERS,
        histogram.histogram,
        histogram.SCHEMA,
        table=tables.histogram,
    ),
    Endpoint(
        "/api/v1/phases",
        "Every phase at one quantile.",
        phases.PARAMETERS,
        phases.phases,
        phases.SCHEMA,
        table=tables.phases,
    ),
    Endpoint(
        "/api/v1/routes",
        "Routes ranked by impact.",
        routes.PARAMETERS,
        routes.routes,
        routes.SCHEMA,
        table=tables.member("routes"),
    ),
    Endpoint(
        "/api/v1/overview",
        "What the dashboard shows first, in one answer.",
        overview.PARAMETERS,
        overview.overview,
        overview.SCHEMA,
    ),
    Endpoint(
        "/api/v1/vitals",
        "Web vitals against their thresholds.",
        vitals.PARAMETERS,
        vitals.vitals,
        vitals.SCHEMA,
        table=tables.member("vitals"),
    ),
    Endpoint(
        "/api/v1/versions",
        "Share of each version over time, and when it arrived.",
        versions.PARAMETERS,
        versions.versions,
        versions.SCHEMA,
        table=tables.versions,
    ),
    Endpoint(
        "/api/v1/failures",
        "Share of requests that failed, told by clients and by browsers.",
        failures.PARAMETERS,
        failures.failures,
        failures.SCHEMA,
        table=tables.failures,
    ),
    Endpoint(
        "/api/v1/values",
        "The values of one dimension.",
        values.PARAMETERS,
        values.values,
        values.SCHEMA,
        table=tables.member("values"),
    ),
    Endpoint(
        "/api/v1/traces",
        "Sampled traces, newest first.",
        traces.PARAMETERS,
        traces.traces,
        trace_schemas.LIST,
        table=tables.member("traces"),
    ),
    Endpoint(
        "/api/v1/traces/{trace_id}",
        "One sampled trace at first sight.",
        trace.SUMMARY_PARAMETERS,
        trace.summary,
        trace_schemas.SUMMARY,
    ),
    Endpoint(
        "/api/v1/traces/{trace_id}/spans",
        "Its spans by page and depth.",
        trace.PAGE_PARAMETERS,
        trace.spans,
        trace_schemas.PAGE,
    ),
    Endpoint(
        "/api/v1/traces/{trace_id}/spans/{span_id}",
        "One span of it.",
        trace.SPAN_PARAMETERS,
        trace.span,
        trace_schemas.ONE_SPAN,
    ),
    Endpoint(
        "/api/v1/ledger",
        "How every received span ended.",
        ledger.PARAMETERS,
        ledger.ledger,
        ledger.SCHEMA,
        table=tables.ledger,
    ),
    Endpoint(
        "/api/v1/privacy",
        "What was scrubbed, and which policy says so.",
        privacy.PARAMETERS,
        privacy.privacy,
        privacy.SCHEMA,
    ),
    Endpoint(
        "/api/v1/erasures",
        "Erases a user's data, now and as it arrives late.",
        erasures.ERASE_PARAMETERS,
        erasures.erase,
        erasures.RECEIPT_SCHEMA,
        method="POST",
        roles=("privacy",),
    ),
    Endpoint(
        "/api/v1/erasures",
        "Receipts of erasures, newest first; they name nobody.",
        erasures.LIST_PARAMETERS,
        erasures.erasures,
        erasures.LIST_SCHEMA,
        table=tables.member("erasures"),
        roles=(*READERS, "privacy"),
    ),
    Endpoint(
        "/api/v1/erasures/{erasure_id}",
        "One receipt.",
        erasures.ONE_PARAMETERS,
        erasures.erasure,
        erasures.RECEIPT_SCHEMA,
        roles=(*READERS, "privacy"),
    ),
    Endpoint(
        "/api/v1/metrics",
        "Requests, errors, durations and web vitals by route, for Prometheus.",
        metrics.PARAMETERS,
        metrics.metrics,
        metrics.SCHEMA,
        media=OPENMETRICS,
    ),
    Endpoint("/api/v1/health", "How fresh the data is.", apps.HEALTH_PARAMETERS, apps.health, apps.HEALTH_SCHEMA),
    Endpoint("/api/v1/me", "Who asks, and what is open to them.", (), app_settings.me, app_settings.ME_SCHEMA),
    Endpoint(
        "/api/v1/settings",
        "What an app is set to.",
        app_settings.PARAMETERS,
        app_settings.settings,
        app_settings.SCHEMA,
    ),
    Endpoint(
        "/api/v1/audit",
        "Who changed what, newest first.",
        changes.AUDIT_PARAMETERS,
        changes.audit,
        changes.AUDIT_SCHEMA,
        table=tables.audit,
    ),
    Endpoint(
        "/api/v1/apps",
        "A new app.",
        (),
        changes.create_app,
        changes.NEW_APP_SCHEMA,
        method="POST",
        roles=("admin",),
        body=changes.AppToCreate,
    ),
    Endpoint(
        "/api/v1/keys",
        "A new key of an app.",
        changes.PARAMETERS,
        changes.create_key,
        changes.NEW_KEY_SCHEMA,
        method="POST",
        roles=CHANGERS,
        body=changes.KeyToCreate,
    ),
    Endpoint(
        "/api/v1/keys/{key_id}",
        "Ends a key for good.",
        changes.PARAMETERS,
        changes.revoke_key,
        changes.REVOKED_SCHEMA,
        method="DELETE",
        roles=CHANGERS,
    ),
    Endpoint(
        "/api/v1/keys/{key_id}/origins",
        "Which web origins may use a client key.",
        changes.PARAMETERS,
        changes.set_origins,
        changes.ORIGINS_SCHEMA,
        method="PUT",
        roles=CHANGERS,
        body=changes.OriginsToSet,
    ),
)
