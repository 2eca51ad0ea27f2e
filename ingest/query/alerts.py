"""/api/v1/alerts: what fires, the rules, their history, silences, tests and dry runs. `alerts.md` describes them."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any
from uuid import UUID, uuid4

import msgspec
from msgspec import Meta

from ingest.errors import Malformed, UnknownPath
from ingest.model import DIMENSIONS
from ingest.ports import CHANGERS, Happening, Rehearsal, Rule, Silence, Standing, Stood
from ingest.ports.alert_rules import MOST_RULES, Text, storable
from ingest.query.call import Call
from ingest.query.parameters import APP, LIMIT, BadParameter, Moment, Parameter, parse_moment, parse_value
from ingest.query.times import rfc3339

LONGEST_SILENCE_US = 90 * 86_400_000_000

NAME = Parameter("name", "Name of the rule.", parse_value, {"type": "string"})
LIST_PARAMETERS = PUT_PARAMETERS = SILENCE_PARAMETERS = DRY_RUN_PARAMETERS = (APP,)
NAMED_PARAMETERS = (APP, NAME)
HISTORY_PARAMETERS = (APP, LIMIT)


class NewSilence(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What shall be silent, why and until when."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    until: str
    """RFC 3339, at most 90 days ahead."""
    rule: Annotated[str, Meta(max_length=100)] = ""
    """Left out: every rule of the app."""
    group: dict[str, Text] = {}
    """Only groups with these values."""


class DryRun(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule to try on what is stored."""

    rule: Rule
    begin: str = msgspec.field(default="-24h", name="from")
    """RFC 3339, or relative such as -7d."""


async def alerts(call: Call) -> Mapping[str, Any]:
    """What fires and what is pending."""
    stood = await call.sources.alerts.book.states(call.app_id)
    silences = await call.sources.alerts.book.silences(call.app_id, call.now_us)
    rules = {rule.name: rule for rule, _ in await _rules(call)}
    found = [
        _standing(call, rules[each.rule], each, silences)
        for each in stood
        if each.state.standing is not Standing.INACTIVE and each.rule in rules
    ]
    return {"alerts": sorted(found, key=lambda each: (each["standing"] != "firing", each["since_at"]))}


async def alert_rules(call: Call) -> Mapping[str, Any]:
    """The rules in force, and where notifications can go."""
    return {
        "rules": [{"source": source, "rule": msgspec.to_builtins(rule)} for rule, source in await _rules(call)],
        "receivers": list(call.sources.alerts.receivers),
        "may_change": call.actor.role in CHANGERS,
    }


async def put_alert_rule(call: Call) -> Mapping[str, Any]:
    """Makes a rule, or replaces the one of its name.

    Raises:
        BadParameter: its name is taken by the app's file, or it names a receiver that there is not.
        Malformed: there are too many.
    """
    rule: Rule = call.body
    if any(rule.name == other.name for other in await call.sources.alerts.file_rules(call.app_id)):
        raise BadParameter("name", "is of a rule in the app's file: change it there, or take another name.")
    if any(name not in call.sources.alerts.receivers for name in rule.receivers):
        known = ", ".join(call.sources.alerts.receivers) or "none yet"
        raise BadParameter("receivers", f"must be of those that the operator set: {known}.")
    if not await call.sources.alerts.book.put(call.app_id, rule, call.actor, MOST_RULES):
        raise Malformed("too_many_rules", f"An app has at most {MOST_RULES} rules; one with group_by does for several.")
    return {"source": "api", "rule": msgspec.to_builtins(rule)}


async def delete_alert_rule(call: Call) -> Mapping[str, Any]:
    """Removes a rule; what fires of it ends.

    Raises:
        UnknownPath: there is none of this name that was made by API.
    """
    name = _needed(call, NAME)
    if not await call.sources.alerts.book.remove(call.app_id, name, call.actor):
        raise UnknownPath("unknown_rule", "No rule of this name was made by API; those of the app's file go there.")
    return {"removed": name}


async def alert_history(call: Call) -> Mapping[str, Any]:
    """What began to fire and ceased, newest first."""
    found = await call.sources.alerts.book.happenings(call.app_id, call.values["limit"])
    return {"history": [_happened(each) for each in found]}


async def alert_silences(call: Call) -> Mapping[str, Any]:
    """Silences that hold, and those that ended in the last 30 days."""
    return {
        "silences": [
            _silence(each, call.now_us) for each in await call.sources.alerts.book.silences(call.app_id, call.now_us)
        ]
    }


async def silence_alerts(call: Call) -> Mapping[str, Any]:
    """Begins a silence.

    Raises:
        BadParameter: names the member, the limit and the remedy.
    """
    asked: NewSilence = call.body
    until = _moment("until", asked.until).at(call.now_us)
    if not call.now_us < until <= call.now_us + LONGEST_SILENCE_US:
        raise BadParameter("until", "must lie ahead, by at most 90 days.")
    if any(name not in DIMENSIONS for name in asked.group):
        raise BadParameter("group", f"must have names of {', '.join(DIMENSIONS)}.")
    if not all(map(storable, (asked.reason, asked.rule, *asked.group.values()))):
        raise BadParameter("reason", "and all other texts must be valid Unicode without NUL.")
    silence = Silence(
        silence_id=str(uuid4()),
        app_id=call.app_id,
        rule=asked.rule,
        group=asked.group,
        reason=asked.reason,
        by=call.actor.name,
        created_us=call.now_us,
        until_us=until,
    )
    await call.sources.alerts.book.silence(silence, call.actor)
    return _silence(silence, call.now_us)


async def end_alert_silence(call: Call) -> Mapping[str, Any]:
    """Ends a silence now.

    Raises:
        BadParameter: the id is no UUID.
        UnknownPath: none of this id holds.
    """
    try:
        silence_id = str(UUID(call.path["silence_id"]))
    except ValueError:
        raise BadParameter("silence_id", "must be a UUID, as a silence has it.") from None
    if not await call.sources.alerts.book.lift(call.app_id, silence_id, call.actor, call.now_us):
        raise UnknownPath("unknown_silence", "No silence of this id holds.")
    return {"ended": silence_id}


async def test_alert_rule(call: Call) -> Mapping[str, Any]:
    """Sends a test through the receivers of a rule.

    Raises:
        UnknownPath: there is none of this name.
        Malformed: there is no receiver to send it to.
    """
    name = _needed(call, NAME)
    rule = next((rule for rule, _ in await _rules(call) if rule.name == name), None)
    if rule is None:
        raise UnknownPath("unknown_rule", "The app has no rule of this name.")
    receivers = [each for each in call.sources.alerts.receivers if not rule.receivers or each in rule.receivers]
    if not receivers:
        settings = "FIRSTHOP_ALERTMANAGER_URL or FIRSTHOP_ALERT_WEBHOOKS"
        raise Malformed("no_receivers", f"There is nowhere to send it; the operator sets {settings}.")
    told = call.sources.alerts.example(call.app_id, rule, call.now_us, str(uuid4()))
    await call.sources.alerts.book.enqueue(receivers, told, call.actor)
    return {"id": told.id, "receivers": receivers}


async def rehearse_alert_rule(call: Call) -> Mapping[str, Any]:
    """What a rule would have done over stored history.

    Raises:
        BadParameter: it begins too early, or too late.
    """
    asked: DryRun = call.body
    begin = _moment("from", asked.begin).at(call.now_us)
    try:
        found = await call.sources.alerts.rehearse(call.app_id, asked.rule, begin, call.now_us, call.least_sessions)
    except ValueError as error:
        raise BadParameter("from", f"{error}.") from None
    return _rehearsed(call, asked.rule, found)


async def _rules(call: Call) -> Sequence[tuple[Rule, str]]:
    """The rules in force by name, and where each comes from."""
    of_file = await call.sources.alerts.file_rules(call.app_id)
    made = await call.sources.alerts.book.rules(call.app_id)
    found = {rule.name: (rule, "api") for rule in made} | {rule.name: (rule, "file") for rule in of_file}
    return [found[name] for name in sorted(found)]


def _needed(call: Call, parameter: Parameter) -> str:
    value: str | None = call.values[parameter.name]
    if value is None:
        raise BadParameter(parameter.name, "is needed.")
    return value


def _moment(member: str, text: str) -> Moment:
    try:
        return parse_moment(text)
    except ValueError as error:
        raise BadParameter(member, str(error)) from None


def _standing(call: Call, rule: Rule, stood: Stood, silences: Sequence[Silence]) -> Mapping[str, Any]:
    state, told = stood.state, stood.notification
    return {
        "rule": stood.rule,
        "group": stood.group,
        "standing": state.standing.value,
        "severity": rule.severity,
        "since_at": rfc3339(state.since_us),
        "started_at": rfc3339(state.started_us) if state.started_us else None,
        "value": state.value,
        "text": call.sources.alerts.describe(rule, state.value),
        "silenced": any(each.covers(stood.rule, stood.group, call.now_us) for each in silences),
        "from": rfc3339(told.from_us if told else state.since_us - 2 * rule.window_us),
        "to": rfc3339(max(told.to_us if told else 0, call.now_us)),
    }


def _happened(happening: Happening) -> Mapping[str, Any]:
    return {
        "rule": happening.rule,
        "group": happening.group,
        "status": happening.status,
        "at": rfc3339(happening.at_us),
        "value": happening.value,
        "severity": happening.severity,
        "reason": happening.reason or None,
        "silenced": happening.silenced,
    }


def _silence(silence: Silence, now_us: int) -> Mapping[str, Any]:
    return {
        "id": silence.silence_id,
        "rule": silence.rule or None,
        "group": silence.group,
        "reason": silence.reason,
        "by": silence.by,
        "created_at": rfc3339(silence.created_us),
        "until": rfc3339(silence.until_us),
        "holds": silence.created_us <= now_us < silence.until_us,
    }


def _rehearsed(call: Call, rule: Rule, found: Rehearsal) -> Mapping[str, Any]:
    return {
        "from": rfc3339(found.from_us),
        "to": rfc3339(found.to_us),
        "unit": found.unit,
        "bound": found.bound,
        "undecided": found.undecided,
        "firings": [
            {
                "group": each.group,
                "started_at": rfc3339(each.started_us),
                "ended_at": None if each.ended_us is None else rfc3339(each.ended_us),
                "value": each.value,
                "text": call.sources.alerts.describe(rule, each.value),
            }
            for each in found.firings
        ],
        "lines": [
            {
                "group": group,
                "windows": [
                    {"at": rfc3339(at_us), "value": value, "verdict": verdict} for at_us, value, verdict in windows
                ],
            }
            for group, windows in found.lines
        ],
    }
