"""An app's policy file: what `privacy.policy_file` reads of it, and the sections about sampling, traces and alerts.

Read as strictly: what is not known, or goes beyond a bound, is an error that names key, limit and remedy.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import privacy
from ingest.ports.alert_rules import Rule, read_rules
from ingest.settings import AppSampling, AppTraces
from privacy import policy_file
from privacy.policy_file import PolicyError

LEAST_BUDGET, MOST_BUDGET = 60, 100_000_000
"""Spans a minute."""
MOST_FLOOR = 10_000
ALERTS = "alerts"
"""The list of alert rules."""
MOST_PARTNERS = 100
ORIGIN_CHARS = 200


class AppFile(NamedTuple):
    """What an app wants: the fields of `ingest.settings.AppPolicy` behind its version."""

    rules: privacy.Policy
    sampling: AppSampling
    traces: AppTraces


def parse(text: str) -> AppFile:
    """What a text describes; what it does not mention is as in the built-in policy.

    Raises:
        PolicyError: it is not TOML, or says what no policy can say.
    """
    document = policy_file.read(text)
    _rules(document.pop(ALERTS, []))
    own = {section: document.pop(section) for section in SECTIONS if section in document}
    rules = policy_file.policy(document, others=(*SECTIONS, ALERTS))
    found = {section: SECTIONS[section](value) for section, value in own.items()}
    return AppFile(rules, AppSampling(**found.get("sampling", {})), AppTraces(**found.get("traces", {})))


def alert_rules(text: str) -> tuple[Rule, ...]:
    """The alert rules in the same text.

    Raises:
        PolicyError: as `parse`.
    """
    return _rules(policy_file.read(text).get(ALERTS, []))


def _rules(value: Any) -> tuple[Rule, ...]:
    try:
        return read_rules(value)
    except ValueError as error:
        raise PolicyError(str(error)) from None


def _sampling(value: Any) -> dict[str, Any]:
    section = policy_file.table(value, "sampling", ("budget_per_minute", "floor_per_minute", "send"))
    if not isinstance(section.get("send", True), bool):
        raise PolicyError("sampling.send must be true or false")
    bounds = {"budget_per_minute": (LEAST_BUDGET, MOST_BUDGET), "floor_per_minute": (0, MOST_FLOOR)}
    for key, (low, high) in bounds.items():
        given = section.get(key, low)
        if not isinstance(given, int) or isinstance(given, bool) or not low <= given <= high:
            raise PolicyError(f"sampling.{key} must be a whole number of spans from {low} to {high}")
    return dict(section)


def _traces(value: Any) -> dict[str, Any]:
    section = policy_file.table(value, "traces", ("gateway", "partners"))
    if not isinstance(section.get("gateway", False), bool):
        raise PolicyError("traces.gateway must be true or false")
    partners = section.get("partners", [])
    if not isinstance(partners, list) or not all(isinstance(origin, str) for origin in partners):
        raise PolicyError('traces.partners must be a list of web origins, such as ["https://shop.example"]')
    if len(partners) > MOST_PARTNERS:
        raise PolicyError(f"traces.partners has more than {MOST_PARTNERS} origins: leave the gateway to the others")
    wrong = next((origin for origin in partners if not is_origin(origin)), None)
    if wrong is not None:
        raise PolicyError(
            f'traces.partners: "{wrong[:ORIGIN_CHARS]}" is no web origin: write scheme, host and port '
            "as browsers do, nothing behind them: https://shop.example"
        )
    return {**section, "partners": tuple(partners)}


def is_origin(text: str) -> bool:
    """Whether a text is a web origin as browsers write it: scheme, host and port, nothing behind them."""
    scheme, separator, host = text.partition("://")
    return (
        len(text) <= ORIGIN_CHARS
        and scheme in {"http", "https"}
        and separator != ""
        and host != ""
        and host == host.lower()
        and host.isascii()
        and not any(character in "/?#@*" or character.isspace() for character in host)
    )


SECTIONS: Mapping[str, Callable[[Any], dict[str, Any]]] = {"sampling": _sampling, "traces": _traces}
"""Section → what its reader gives: fields of `AppSampling` and `AppTraces`."""
