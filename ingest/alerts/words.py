"""What receivers and readers are told, in words: pure, and the same everywhere."""

from collections.abc import Mapping

from ingest.ports import Rule
from ingest.ports.alert_rules import Deviation, Errors, Latency, PhaseShare, Traffic

_SIGNALS = {
    "request": "requests",
    "operation": "operations",
    "page": "page loads",
    "screen": "screens",
    "exception": "exceptions",
    "long_task": "long tasks",
    "event": "events",
    "report": "browser reports",
    "start": "app starts",
}
"""Of the others the names are abbreviations."""
_SHARES = {"time": "of the time", "reused": "of requests reused", "unknown": "of requests unknown"}


def describe(rule: Rule, value: float | None) -> str:
    """What a rule found, in a sentence without its end: `p95 of duration is 2.31 s, above 2 s`."""
    match rule.when:
        case Latency() as when:
            return (
                f"p{_percent(when.quantile)} of {_what(rule, when.metric)} is {_ms(rule, value)}, above {_bound(rule)}"
            )
        case Errors():
            return f"{_share(value)} of {_what(rule, '')} failed, above {_bound(rule)}"
        case PhaseShare() as when:
            return f"{when.phase}: {_share(value)} {_SHARES[when.of]}, above {_bound(rule)}"
        case Traffic():
            return f"{_count(value)} {_what(rule, '')} in {rule.window}, below {_bound(rule)}"
        case Deviation() as when:
            middle = "unknown" if value is None else f"{value:.1f} σ"
            what = f"p{_percent(when.quantile)} of {_what(rule, when.metric)}"
            return f"{what} is {middle} above the same hour on other days, beyond {_bound(rule)}"


def _bound(rule: Rule) -> str:
    match rule.when:
        case Latency(above_ms=above):
            return _ms(rule, above * 1000)
        case Errors(above=above) | PhaseShare(above=above):
            return _share(above)
        case Traffic(below_spans=spans) if spans is not None:
            return _count(spans)
        case Traffic(below_share=share):
            return f"{_share(share)} of the same hour on other days"
        case Deviation(sigma=sigma):
            return f"{sigma:g} σ"


def title(rule: Rule, group: Mapping[str, str]) -> str:
    """Rule and group: `slow checkout (country BR)`."""
    of = ", ".join(f"{name} {value}" for name, value in group.items())
    return f"{rule.name} ({of})" if of else rule.name


def _what(rule: Rule, metric: str) -> str:
    about = _SIGNALS.get(rule.signal, rule.signal.upper())
    return about if metric in {"", "duration"} else f"the {metric} phase of {about}"


def _percent(quantile: float) -> str:
    return f"{quantile * 100:.6g}"


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value * 100:.3g} %"


def _count(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.6g}"


def _ms(rule: Rule, value_us: float | None) -> str:
    if value_us is None:
        return "unknown"
    if rule.signal == "cls":
        return f"{value_us / 1_000_000:.3g}"
    return f"{value_us / 1_000_000:.3g} s" if value_us >= 1_000_000 else f"{value_us / 1000:.3g} ms"
