"""Families of templates → a labelled corpus. The same seed gives the same lines."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random
from typing import NamedTuple

from tests.privacy.corpus import people
from tests.privacy.corpus.matrix import matrix
from tests.privacy.corpus.template import render
from tests.privacy.score import Line

_FAMILIES = Path(__file__).with_name("families")
KINDS = frozenset({"url", "header", "attribute", "message", "path", "sql", "user_agent"})
_KEYED = frozenset({"header", "attribute"})


class Template(NamedTuple):
    """One line of a family."""

    family: str
    kind: str
    key: str
    text: str


def generate(seed: int, *, draws: int = 2) -> list[Line]:
    """`draws` lines of every template, no text twice, in the order of the files."""
    lines: dict[tuple[str, str, str], Line] = {}
    for template in templates():
        rng = Random(f"{seed} {template}")
        for _ in range(draws):
            line = _fair_line(template, rng)
            lines.setdefault((line.kind, line.key, line.text), line)
    return list(lines.values())


def _fair_line(template: Template, rng: Random) -> Line:
    """A line in which no personal value happens to stand in what must survive."""
    while True:
        rendered = render(template.text, rng, people.invent(rng))
        kept = "\0".join(rendered.keep).casefold()
        if not any(label.value.casefold() in kept for label in rendered.personal):
            return Line(
                template.family,
                template.kind,
                template.key,
                rendered.text,
                tuple(rendered.personal),
                tuple(rendered.keep),
            )


@cache
def templates() -> tuple[Template, ...]:
    """All templates: `families/*.txt`, then the matrix."""
    written = [template for path in sorted(_FAMILIES.glob("*.txt")) for template in _read(path)]
    return *written, *(Template(*row) for row in matrix())


def _read(path: Path) -> Iterator[Template]:
    """`== family kind` opens a family; then one template a line, headers and attributes as `key :: template`."""
    family = kind = ""
    for row in path.read_text(encoding="utf-8").splitlines():
        if row.startswith("== "):
            family, kind = row[3:].split()
            assert kind in KINDS, row
        elif row and not row.startswith("# "):
            assert kind, f"{path.name}: a template before the first family: {row}"
            key, separator, text = row.partition(" :: ") if kind in _KEYED else ("", " :: ", row)
            assert separator, f"{path.name}: no key: {row}"
            yield Template(family, kind, key, text)
