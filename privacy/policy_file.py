"""A policy as TOML; `privacy/policies.md` explains every key.

Reading is strict: what is not known, or goes beyond a bound, is an error that says so. A policy that is read half would
promise more than it keeps.
"""

import re
import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn, TypeAlias

import re2

from privacy import marks
from privacy.policy import Action, Consent, Extent, Names, Pattern, Policy

MOST_BYTES = 65_536
"""Of the text, in UTF-8."""
MOST_NAMES = 1000
"""Names in one list."""
MOST_WILD_NAMES = 100
"""Names with `*` in one list."""
NAME_CHARS = 200
MOST_PATTERNS = 50
PATTERN_CHARS = 1000
PATTERN_MEMORY = 1 << 20
"""Bytes that RE2 may use for one pattern."""
MOST_LEAST_SESSIONS = 96
"""As many distinct sessions as a sketch counts exactly; beyond, nothing could be proven."""
CLASSES = tuple(sorted(mark[1:-1] for mark in marks.MARKS))
"""The classes of finds, each the name of its mark."""

Table: TypeAlias = Mapping[str, Any]

_PATTERN_NAME = re.compile(r"[a-z]+(?:_[a-z]+)*\Z")
_PROBES = (b"", b"a", b" a ", b"a1 b2.", b"-/:")
"""Texts in which a pattern may not match nothing at all."""


class PolicyError(ValueError):
    """The text is no policy; the message names the key, the limit and the remedy."""


def parse(text: str) -> Policy:
    """The policy that a text describes; what it does not mention is as in the built-in one.

    Raises:
        PolicyError: it is not TOML, or says what no policy can say.
    """
    return policy(read(text))


def policy(document: Table, others: Sequence[str] = ()) -> Policy:
    """The policy that a document describes.

    Args:
        others: sections that there are besides, read elsewhere: for the message about one that there is not.

    Raises:
        PolicyError: it says what no policy can say.
    """
    unknown = next((key for key in document if key not in SECTIONS), None)
    if unknown is not None:
        _unknown(unknown, unknown, (*SECTIONS, *others))
    changes: dict[str, Any] = {}
    for section, read_section in SECTIONS.items():
        if section in document:
            changes |= read_section(document[section], document)
    return Policy(**changes)


def read(text: str) -> dict[str, Any]:
    """The document, its sections not looked into.

    Raises:
        PolicyError: it is too long, or not TOML.
    """
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise PolicyError("the policy is not valid Unicode: save the file as UTF-8") from None
    if size > MOST_BYTES:
        raise PolicyError(f"the policy is longer than {MOST_BYTES} bytes: shorten its lists, with `*` in names")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PolicyError(f"the policy is not TOML: {error}") from None
    except RecursionError:
        raise PolicyError("the policy is nested too deep: a policy has sections and lists, nothing deeper") from None


def _keys(value: Any, _: Table) -> dict[str, Any]:
    section = table(value, "keys", ("allow", "deny"))
    names = {f"{key}_keys": _names(section[key], f"keys.{key}") for key in section}
    both = [name for name in names["allow_keys"].all if name in names["deny_keys"].all] if len(names) == 2 else []
    if both:
        raise PolicyError(f'keys.allow and keys.deny both name "{both[0]}": leave it in one of them')
    return names


def _attributes(value: Any, _: Table) -> dict[str, Any]:
    section = table(value, "attributes", ("listed",))
    return {key: _names(section[key], f"attributes.{key}") for key in section}


def _actions(value: Any, document: Table) -> dict[str, Any]:
    named = document.get("patterns")
    own = [pattern.get("name") for pattern in named if isinstance(pattern, dict)] if isinstance(named, list) else []
    section = table(value, "actions", (*CLASSES, *(name for name in own if isinstance(name, str))))
    words = {action.value: action for action in Action}
    return {"actions": {f"{{{name}}}": _word(section[name], f"actions.{name}", words) for name in section}}


def _patterns(value: Any, _: Table) -> dict[str, Any]:
    if not isinstance(value, list) or not all(isinstance(pattern, dict) for pattern in value):
        raise PolicyError("patterns is a list of tables: write [[patterns]], then name = … and pattern = …")
    if len(value) > MOST_PATTERNS:
        raise PolicyError(f"there are more than {MOST_PATTERNS} patterns: join some with |")
    patterns = tuple(_pattern(given, number) for number, given in enumerate(value, 1))
    names = [pattern.name for pattern in patterns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise PolicyError(f'two patterns have the name "{twice}": join them with |, or rename one')
    return {"patterns": patterns}


def _pattern(given: Table, number: int) -> Pattern:
    where = f"pattern {number}"
    _only(given, where, ("name", "pattern"))
    name, expression = given.get("name"), given.get("pattern")
    if not isinstance(name, str) or len(name) > 32 or not _PATTERN_NAME.match(name):
        raise PolicyError(f"{where} needs a name of up to 32 lower-case letters and _, such as order_number")
    if name in CLASSES:
        raise PolicyError(f'{where}: "{name}" is the name of a class that is always looked for: choose another')
    where = f'pattern "{name}"'
    if not isinstance(expression, str) or not 0 < len(expression) <= PATTERN_CHARS:
        raise PolicyError(f"{where} needs a pattern of 1 to {PATTERN_CHARS} characters, in RE2's syntax")
    return Pattern(name, _compiled(expression, where))


def _compiled(expression: str, where: str) -> Any:
    if "\\Q" in expression.replace("\\\\", ""):
        raise PolicyError(f"{where} holds \\Q, which patterns joined with others cannot: escape characters one by one")
    options = re2.Options()
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY
    try:
        compiled = re2.compile(expression.encode(), options)
    except re2.error as error:
        reason = error.args[0]
        said = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise PolicyError(f"{where} is not RE2 (no look-around, no back-references; see its syntax): {said}") from None
    if any(match.start() == match.end() for probe in _PROBES for match in compiled.finditer(probe)):
        raise PolicyError(f"{where} matches the empty string: have it ask for at least one character")
    return compiled


def _addresses(value: Any, _: Table) -> dict[str, Any]:
    section = table(value, "addresses", ("keep_network",))
    for key, given in section.items():
        if not isinstance(given, bool):
            raise PolicyError(f"addresses.{key} must be true or false")
    return dict(section)


def _consent(value: Any, _: Table) -> dict[str, Any]:
    section = table(value, "consent", ("granted", "missing", "pending", "denied", "gpc", "dnt"))
    words = {extent.value: extent for extent in Extent}
    extents = {key: _word(section[key], f"consent.{key}", words) for key in section}
    if extents.get("denied") is Extent.EVERYTHING:
        raise PolicyError('consent.denied cannot be "everything": who said no is not taken for a yes; use "counters"')
    return {"consent": Consent(**extents)}


def _figures(value: Any, _: Table) -> dict[str, Any]:
    section = table(value, "figures", ("least_sessions",))
    for key, given in section.items():
        if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= MOST_LEAST_SESSIONS:
            raise PolicyError(f"figures.{key} must be a whole number from 1 (show all) to {MOST_LEAST_SESSIONS}")
    return dict(section)


SECTIONS: Mapping[str, Callable[[Any, Table], dict[str, Any]]] = {
    "keys": _keys,
    "attributes": _attributes,
    "actions": _actions,
    "patterns": _patterns,
    "addresses": _addresses,
    "consent": _consent,
    "figures": _figures,
}
"""Section → what its reader gives: fields of `Policy`."""


def table(value: Any, section: str, known: Collection[str]) -> Table:
    """A section with no keys but those known.

    Raises:
        PolicyError: it is none.
    """
    if not isinstance(value, dict):
        raise PolicyError(f"{section} is a section: write [{section}] on a line of its own, its keys below")
    _only(value, section, known)
    return value


def _only(table: Table, where: str, known: Collection[str]) -> None:
    for key in table:
        if key not in known:
            _unknown(f"{where}.{key}" if where else key, key, known)


def _unknown(shown: str, key: str, known: Collection[str]) -> NoReturn:
    near = get_close_matches(key, known, n=1, cutoff=0.5)
    remedy = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
    raise PolicyError(f"{shown} is not a key of policies: {remedy}")


def _names(value: Any, key: str) -> Names:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise PolicyError(f'{key} must be a list of names, such as ["order.id", "http.*"]')
    _bounded(value, key)
    return Names(value)


def _bounded(names: Sequence[str], key: str) -> None:
    if len(names) > MOST_NAMES:
        raise PolicyError(f"{key} has more than {MOST_NAMES} names: join some with *")
    if sum("*" in name for name in names) > MOST_WILD_NAMES:
        raise PolicyError(f"{key} has more than {MOST_WILD_NAMES} names with *: write some of them out")
    wrong = next((name for name in names if not 0 < len(name) <= NAME_CHARS), None)
    if wrong is not None:
        raise PolicyError(f"{key} has a name that is empty or longer than {NAME_CHARS} characters: shorten it with *")


def _word(value: Any, key: str, words: Mapping[str, Any]) -> Any:
    if not isinstance(value, str) or value not in words:
        raise PolicyError(f"{key} must be one of {', '.join(words)}")
    return words[value]
