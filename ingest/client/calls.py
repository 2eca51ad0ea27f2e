"""The calls of the client: a new one is a line here, and a type for what it answers.

`Call` gives each client class the method that fits it: `await client.latency(…)`, or without `await` on a `SyncClient`.
"""

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from ingest.client import (
    alert_answers,
    answers,
    breakdown_answers,
    overview_answers,
    settings_answers,
    trace_answers,
)

if TYPE_CHECKING:
    from ingest.client.client import Client, SyncClient

A = TypeVar("A")


class Call(Generic[A]):
    """One GET of the query API.

    Called with what is variable in its path in order, then its parameters by name. `from` is a word of Python: say
    `from_`. A list repeats a filter; a tuple is a list separated by commas (`q`, `group_by`). None is not sent.
    Datetimes must have a zone.

    Args:
        path: below the server's address.
        answer: the type of what it answers.
    """

    def __init__(self, path: str, answer: type[A]) -> None:
        self.path = path
        self.answer = answer

    @overload
    def __get__(self, client: "Client", owner: type) -> Callable[..., Coroutine[Any, Any, A]]: ...
    @overload
    def __get__(self, client: "SyncClient", owner: type) -> Callable[..., A]: ...
    @overload
    def __get__(self, client: None, owner: type) -> "Call[A]": ...
    def __get__(self, client: Any, owner: type) -> Any:
        return self if client is None else partial(client.ask, self)


class Calls:
    """Every call that reads."""

    me = Call("/api/v1/me", settings_answers.Me)
    apps = Call("/api/v1/apps", answers.Apps)
    overview = Call("/api/v1/overview", overview_answers.Overview)
    latency = Call("/api/v1/latency", answers.Latency)
    phases = Call("/api/v1/phases", answers.Phases)
    routes = Call("/api/v1/routes", answers.Routes)
    failures = Call("/api/v1/failures", answers.Failures)
    vitals = Call("/api/v1/vitals", overview_answers.Vitals)
    versions = Call("/api/v1/versions", overview_answers.Versions)
    histogram = Call("/api/v1/histogram", breakdown_answers.Histogram)
    compare = Call("/api/v1/compare", breakdown_answers.Comparison)
    heatmap = Call("/api/v1/heatmap", breakdown_answers.Heatmap)
    values = Call("/api/v1/values", answers.Values)
    traces = Call("/api/v1/traces", trace_answers.Traces)
    trace = Call("/api/v1/traces/{trace_id}", trace_answers.Trace)
    trace_spans = Call("/api/v1/traces/{trace_id}/spans", trace_answers.SpanPage)
    span = Call("/api/v1/traces/{trace_id}/spans/{span_id}", trace_answers.OneSpan)
    sessions = Call("/api/v1/sessions", breakdown_answers.Sessions)
    session = Call("/api/v1/sessions/{session}", breakdown_answers.Session)
    alerts = Call("/api/v1/alerts", alert_answers.AlertsNow)
    alert_rules = Call("/api/v1/alerts/rules", alert_answers.AlertRules)
    alert_history = Call("/api/v1/alerts/history", alert_answers.AlertHistory)
    alert_silences = Call("/api/v1/alerts/silences", alert_answers.Silences)
    ledger = Call("/api/v1/ledger", answers.Ledger)
    privacy = Call("/api/v1/privacy", answers.Privacy)
    erasures = Call("/api/v1/erasures", answers.Receipts)
    erasure = Call("/api/v1/erasures/{erasure_id}", answers.Receipt)
    settings = Call("/api/v1/settings", settings_answers.AppSettings)
    audit = Call("/api/v1/audit", settings_answers.Changes)
    health = Call("/api/v1/health", answers.Health)
