"""The dashboard's view of what an alert is about, as its address bar writes it (`dashboard/src/view.ts`)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from ingest.ports import Rule
from ingest.ports.alert_rules import Deviation, Latency, PhaseShare

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_QUANTILES = (0.5, 0.75, 0.95, 0.99)
"""Those that the page can show."""
_NARROWED = ("version", "country", "device_class", "network", "os")
"""Dimensions of which the page takes several values; of routes it takes one."""


def view(app: str, rule: Rule, group: Mapping[str, str], from_us: int, to_us: int) -> str:
    """The query string, with `?`."""
    query = [("app", app), ("from", _text(from_us)), ("to", _text(to_us))]
    if rule.signal != "request":
        query.append(("signal", rule.signal))
    if isinstance(rule.when, Latency | Deviation) and rule.when.quantile in _QUANTILES and rule.when.quantile != 0.95:
        query.append(("q", f"{rule.when.quantile:g}"))
    metric = _metric(rule)
    if metric != "duration":
        query.append(("metric", metric))
    chosen = narrowed(rule, group)
    query += [(name, value) for name in _NARROWED for value in chosen.get(name, ())]
    if len(routes := chosen.get("route", ())) == 1:
        query.append(("route", routes[0]))
    return f"?{urlencode(query)}"


def narrowed(rule: Rule, group: Mapping[str, str]) -> Mapping[str, tuple[str, ...]]:
    """Dimension → values of the spans that one group of a rule is about."""
    return {**rule.filters, **{name: (value,) for name, value in group.items()}}


def _metric(rule: Rule) -> str:
    match rule.when:
        case Latency(metric=metric) | Deviation(metric=metric) | PhaseShare(phase=metric):
            return metric
        case _:
            return "duration"


def _text(at_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=at_us)).isoformat().replace("+00:00", "Z")
