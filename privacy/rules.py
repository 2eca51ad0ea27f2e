"""What a rule is, and a group of them that share a sign.

All expressions run in RE2 (linear time) over bytes: many texts in UTF-8, with NUL between them. No expression
matches across a separator, so what is found in a text does not depend on its neighbours. Encoded forms are not looked
for: `privacy.encodings` takes encodings off, and what comes out is searched like any text.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import re2

from privacy.policy import Replace
from privacy.verdicts import Resolve


class Rule(NamedTuple):
    """A pattern and the test on what it finds."""

    name: str
    pattern: Any
    resolve: Resolve
    rewrite: Callable[[str, Replace], str] | None = None
    """Gives what takes the place of a find of which more stays than a mark says."""


class Group(NamedTuple):
    """Rules that find nothing in a text without a certain sign."""

    gate: Any
    """Matches at most once in a text, from the first sign to the text's end."""
    rules: tuple[Rule, ...]
    decodes: bool = False
    """Whether encoded runs are looked for as well."""


GATE_MEMORY = 64 << 20
"""Bytes a gate's automaton may grow to. When it is full, RE2 throws it away and begins anew: over texts of many kinds
the gate of names did so in 32 MiB all the time, and every text cost 55 µs instead of 7. Ordinary texts need about 3."""


def compiled(pattern: str, memory: int = 8 << 20) -> Any:
    """An expression over UTF-8 read as Latin-1.

    Raises:
        re2.error: RE2 does not understand it.
    """
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.max_mem = memory
    options.never_capture = True
    return re2.compile(pattern.encode("latin-1"), options)


def gate(*signs: str) -> Any:
    return compiled(rf"(?:{'|'.join(signs)})[^\x00]*", GATE_MEMORY)


def rule(name: str, pattern: str, resolve: Resolve, memory: int = 8 << 20) -> Rule:
    return Rule(name, compiled(pattern, memory), resolve)
