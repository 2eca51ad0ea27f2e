"""The sentences of `SPEC.md`, and what each says that it is checked by."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

SPEC = Path(__file__).parent.parent / "SPEC.md"
_ROW = re.compile(r"^\| ([A-Z]-\d+) \| (.+) \| (.+) \|$", re.MULTILINE)
_CHECK = re.compile(r"`([^`]+)`")


class Sentence(NamedTuple):
    """One numbered sentence."""

    number: str
    text: str
    checks: tuple[str, ...]
    """What is named in its last column."""


@cache
def sentences() -> tuple[Sentence, ...]:
    """All of them, in the order of the page."""
    rows = _ROW.findall(SPEC.read_text())
    return tuple(Sentence(number, text, tuple(_CHECK.findall(checks))) for number, text, checks in rows)


def sentences_of(check: str) -> tuple[str, ...]:
    """The numbers of the sentences that name a check."""
    return tuple(sentence.number for sentence in sentences() if check in sentence.checks)
