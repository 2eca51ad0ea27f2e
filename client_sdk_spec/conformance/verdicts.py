"""What a check found, and the table of it."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

Word = Literal["holds", "broken", "not seen"]


class Broken(Exception):  # noqa: N818 - what is the case, and no error of ours
    """A sentence of the specification does not hold; the message says what was seen instead."""


class NotSeen(Exception):  # noqa: N818
    """Nothing happened by which a sentence could be judged; the message says what was missing."""


class Verdict(NamedTuple):
    """One check, judged."""

    check: str
    sentences: tuple[str, ...]
    """Those of `SPEC.md` that it is about."""
    word: Word
    seen: str
    """What was seen; with a broken one, what is wrong."""


def require(holds: object, seen: str) -> None:
    """Raises `Broken` with what was seen, where something does not hold."""
    if not holds:
        raise Broken(seen)


def failed(verdicts: Iterable[Verdict]) -> bool:
    """Whether something is broken."""
    return any(verdict.word == "broken" for verdict in verdicts)


def table(title: str, verdicts: Sequence[Verdict]) -> str:
    """For a terminal: one line for each verdict, and how many there are of each word."""
    rows = [(verdict.word, verdict.check, ", ".join(verdict.sentences), verdict.seen) for verdict in verdicts]
    widths = [max(len(row[column]) for row in [*rows, ("", "", "", "")]) for column in range(3)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3]]) for row in rows
    ]
    counts = [(word, sum(row[0] == word for row in rows)) for word in ("holds", "broken", "not seen")]
    return "\n".join(
        [title, "", *(line.rstrip() for line in lines), "", ", ".join(f"{n} {word}" for word, n in counts)]
    )
