"""No expression of `re` in `privacy` can try a text in exponentially many ways.

That happens when a repeat stands in a repeat and both can take the same character: `(a+)+`, `(?:[0-9.]+|x)[.]+`. The
parse trees are looked through for it: what may stand at the end of one round of the outer repeat must not be what the
next round may begin with. (RE2, with which the searching is done, cannot go back at all.)
"""

import importlib
import pkgutil
import re
from collections.abc import Iterator, Sequence
from re import _constants as op  # type: ignore[attr-defined]
from re import _parser  # type: ignore[attr-defined]
from typing import Any

import pytest

import privacy

Characters = frozenset[str]
Nodes = Sequence[tuple[Any, Any]]

ALPHABET = frozenset(map(chr, range(0x250)))
"""Enough to tell the classes of characters apart."""
REPEATS = {op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT}
FEW = 3
"""A repeat of so few rounds is not a danger."""


def expressions() -> Iterator[tuple[str, "re.Pattern[Any]"]]:
    """Every compiled expression in the modules of `privacy`, with its name."""
    for module in pkgutil.iter_modules(privacy.__path__):
        for name, value in vars(importlib.import_module(f"privacy.{module.name}")).items():
            found = value.values() if isinstance(value, dict) else (value,)
            yield from ((f"{module.name}.{name}", one) for one in found if isinstance(one, re.Pattern))


def ambiguous(pattern: "re.Pattern[Any]") -> bool:
    """Whether some repeat can divide the same text into rounds in several ways."""
    return _ambiguous(list(_parser.parse(pattern.pattern, pattern.flags & ~re.DEBUG)))


def _ambiguous(nodes: Nodes, *, at_end: bool = True) -> bool:
    for place, (code, argument) in enumerate(nodes):
        # Where nothing follows, nothing can fail: the first division is taken.
        last = at_end and place == len(nodes) - 1
        if code in {op.MAX_REPEAT, op.MIN_REPEAT}:
            _, most, body = argument
            if most > FEW and not last and _first(list(body))[0] & _last(list(body)):
                return True
        # What is possessive or atomic is never taken apart again, whatever is in it.
        if code not in {op.POSSESSIVE_REPEAT, op.ATOMIC_GROUP}:
            within = last and code not in REPEATS
            if any(_ambiguous(part, at_end=within) for part in _parts(code, argument)):
                return True
    return False


def _parts(code: Any, argument: Any) -> list[Nodes]:
    if code in REPEATS:
        return [list(argument[2])]
    if code is op.SUBPATTERN:
        return [list(argument[3])]
    if code is op.ATOMIC_GROUP:
        return [list(argument)]
    return [list(part) for part in argument[1]] if code is op.BRANCH else []


def _first(nodes: Nodes) -> tuple[Characters, bool]:
    """The characters that may begin a match, and whether it may be empty."""
    begin: Characters = frozenset()
    for code, argument in nodes:
        if code in {op.AT, op.ASSERT, op.ASSERT_NOT}:
            continue
        characters, empty = _first_of(code, argument)
        begin |= characters
        if not empty:
            return begin, False
    return begin, True


def _first_of(code: Any, argument: Any) -> tuple[Characters, bool]:
    parts = [_first(part) for part in _parts(code, argument)]
    if not parts:
        return _characters(code, argument), False
    characters = frozenset[str]().union(*(part for part, _ in parts))
    return characters, any(empty for _, empty in parts) or (code in REPEATS and argument[0] == 0)


def _last(nodes: Nodes) -> Characters:
    """The characters by which a match may be made longer at its end: those of the repeats that may stand there."""
    longer: Characters = frozenset()
    for code, argument in reversed(nodes):
        if code in {op.AT, op.ASSERT, op.ASSERT_NOT}:
            continue
        parts = _parts(code, argument)
        if code in REPEATS and code is not op.POSSESSIVE_REPEAT and argument[1] > 1:
            longer |= _first(parts[0])[0]
        longer = longer.union(*(_last(part) for part in parts)) if code is not op.POSSESSIVE_REPEAT else longer
        if not _first([(code, argument)])[1]:
            break
    return longer


def _characters(code: Any, argument: Any) -> Characters:
    """The characters of one place."""
    if code is op.LITERAL:
        return frozenset({chr(argument).lower(), chr(argument).upper()})
    if code is op.NOT_LITERAL:
        return ALPHABET - {chr(argument)}
    if code is op.RANGE:
        return frozenset(letter for letter in ALPHABET if argument[0] <= ord(letter) <= argument[1])
    if code is op.CATEGORY:
        category = {op.CATEGORY_DIGIT: r"\d", op.CATEGORY_SPACE: r"\s", op.CATEGORY_WORD: r"\w"}
        negated = {op.CATEGORY_NOT_DIGIT: r"\D", op.CATEGORY_NOT_SPACE: r"\S", op.CATEGORY_NOT_WORD: r"\W"}
        return frozenset(filter(re.compile((category | negated)[argument]).match, ALPHABET))
    if code is op.IN:
        members = [one for one in argument if one[0] is not op.NEGATE]
        characters = frozenset[str]().union(*(_characters(*one) for one in members))
        return ALPHABET - characters if len(members) < len(argument) else characters
    return ALPHABET


def test_no_repeat_can_share_a_text_with_the_repeat_around_it() -> None:
    found = list(expressions())
    assert len(found) > 50
    assert [name for name, pattern in found if ambiguous(pattern)] == []


@pytest.mark.parametrize(
    "dangerous", ["(a+)+b", "(?:[ .]+(?:is)?)+$", r"(?:\d+|[a-z]+)(?:[.]+(?:[0-9.]+|x))*$", "(a*)*$", "(?:a?b*)+c"]
)
def test_the_search_knows_a_dangerous_expression(dangerous: str) -> None:
    assert ambiguous(re.compile(dangerous))


@pytest.mark.parametrize(
    "harmless", ["(?:[ .]++(?:is)?+)*+$", "[a-z]+(?:_[a-z]+)*$", r"(?:\([^()]*\)\s*,\s*)*x", "(?:[^'\\\\]|\\\\.)*"]
)
def test_the_search_lets_a_harmless_one_pass(harmless: str) -> None:
    assert not ambiguous(re.compile(harmless))
