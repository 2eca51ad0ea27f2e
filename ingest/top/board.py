"""From an answer to lines of text: rows by the chosen figure, columns that fit the width. No terminal in here."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from ingest.client.answers import LatencyGroup, Tally
from ingest.top import QUANTILES, SORTS
from ingest.top.ask import TREND_POINTS, Snapshot
from ingest.top.figures import NONE, count, duration

_WIDTHS = (8, 8, 9, 9, 9, 9)
_BARS = "▁▂▃▄▅▆▇█"
_FAILING = 0.01
"""Share of failed spans from which a row stands out."""


class Line(NamedTuple):
    """A line of the screen."""

    text: str
    style: str = ""
    """`head`, `bad`, `soft` or none."""


@dataclass(frozen=True, slots=True)
class Board:
    """How the table is looked at."""

    sort: str = "spans"
    first: int = 0
    """The row at the top."""
    paused: bool = False
    unicode: bool = True
    """Whether the terminal can show bars and dashes."""

    def scrolled(self, rows: int, by: int) -> "Board":
        """With another row at the top, one that is there."""
        return replace(self, first=max(0, min(self.first + by, rows - 1)))


def lines(board: Board, snapshot: Snapshot, width: int, height: int) -> list[Line]:
    """The whole screen, at most `height` lines of at most `width` cells."""
    rows = table(board, snapshot)
    head, shown = rows[0], rows[1 + board.first :]
    top = [Line(summary(snapshot)), Line(counts(board, snapshot), "soft"), Line(""), head]
    bottom = [Line(footer(board, snapshot), "bad" if snapshot.error else "soft")]
    room = max(0, height - len(top) - len(bottom))
    filled = shown[:room] + [Line("")] * (room - len(shown))
    return [Line(_cut(_plain(board, line.text), width), line.style) for line in (top + filled + bottom)[:height]]


def text(board: Board, snapshot: Snapshot) -> Sequence[str]:
    """Everything as plain lines, for pipes: nothing is cut."""
    return [
        _plain(board, line)
        for line in (summary(snapshot), counts(board, snapshot), "", *(row.text for row in table(board, snapshot)))
    ]


def table(board: Board, snapshot: Snapshot) -> list[Line]:
    """Head and rows, whole: the value last, because it alone may be long."""
    question = snapshot.question
    heads = [
        f"{'>' if name == board.sort else ''}{name}".rjust(width) for name, width in zip(SORTS, _WIDTHS, strict=True)
    ]
    trend = f"  {'p95 trend':<{TREND_POINTS}}" if board.unicode else ""
    head = Line(f"{''.join(heads)}{trend}  {question.by}", "head")
    groups = snapshot.groups.groups if snapshot.groups else []
    ordered = sorted(groups, key=lambda group: _figure(group.total, board.sort), reverse=True)
    return [head, *(_row(board, group, snapshot) for group in ordered)]


def summary(snapshot: Snapshot) -> str:
    """All spans in one line."""
    every = snapshot.all.groups[0].total if snapshot.all and snapshot.all.groups else None
    if every is None or not every.spans:
        return "No spans with these filters, or of too few sessions."
    quantiles = "  ".join(
        f"p{quantile * 100:g} {duration(us)}" for quantile, us in zip(QUANTILES, every.quantiles, strict=True)
    )
    failed = every.errors / every.spans
    return f"{count(every.spans)} spans  {failed:.2%} failed  {quantiles}"


def counts(board: Board, snapshot: Snapshot) -> str:
    """What the figures are about, and how they came about."""
    question, groups = snapshot.question, snapshot.groups
    said = [question.app, question.signal, f"last {_length(question.last_s)}"]
    said += [f"{name}={'|'.join(values)}" for name, values in question.filters.items() if values]
    if groups is not None and not groups.exact:
        said.append(groups.basis)
    if groups is not None and groups.suppressed.groups:
        said.append(f"{groups.suppressed.groups} left out: fewer than {groups.suppressed.least_sessions} sessions")
    if groups is not None and groups.truncated:
        said.append("the largest only")
    if board.paused:
        said.append("paused")
    return (" · " if board.unicode else ", ").join(said)


def footer(board: Board, snapshot: Snapshot) -> str:
    """The keys, or what is wrong."""
    if snapshot.error:
        return f"These figures are from before: {snapshot.error}"
    return "q quit  g group  p pause  sort: n spans  e errors  5 p50  7 p75  9 p95  0 p99"


def _figure(total: Tally, sort: str) -> float:
    if sort == "spans":
        return total.spans
    if sort == "errors":
        return total.errors / total.spans if total.spans else 0.0
    return total.quantiles[SORTS.index(sort) - 2] or 0.0


def _row(board: Board, group: LatencyGroup, snapshot: Snapshot) -> Line:
    total = group.total
    failed = _figure(total, "errors")
    cells = [count(total.spans), f"{failed:.1%}", *map(duration, total.quantiles)]
    figures = "".join(cell.rjust(width) for cell, width in zip(cells, _WIDTHS, strict=True))
    trend = f"  {_trend(group, snapshot):<{TREND_POINTS}}" if board.unicode else ""
    value = group.group.get(snapshot.question.by) or "not given"
    return Line(f"{figures}{trend}  {_printable(value)}", "bad" if failed >= _FAILING else "")


def _trend(group: LatencyGroup, snapshot: Snapshot) -> str:
    """p95 step by step, the newest last; a space where nothing was counted."""
    answer = snapshot.groups
    if answer is None:
        return ""
    by_step: dict[int, float] = {}
    for point in group.points:
        us = point.quantiles[QUANTILES.index(0.95)]
        if us is not None:
            by_step[int((answer.to - point.at).total_seconds() // answer.step_s)] = us
    most = max(by_step.values(), default=0.0)
    bars = [
        _BARS[min(len(_BARS) - 1, int(by_step[back] / most * len(_BARS)))] if by_step.get(back) else " "
        for back in range(TREND_POINTS, 0, -1)
    ]
    return "".join(bars)


def _length(seconds: int) -> str:
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _printable(text: str) -> str:
    """Clients choose what routes and versions are called: nothing of it may move the cursor or change its colour."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _plain(board: Board, text: str) -> str:
    return text if board.unicode else text.replace(NONE, "-")


def _cut(text: str, width: int) -> str:
    """As much of it as fits into so many cells of a terminal; East Asian letters take two."""
    taken = 0
    for place, letter in enumerate(text):
        taken += _cells(letter)
        if taken > width:
            return text[:place]
    return text


def _cells(letter: str) -> int:
    if unicodedata.combining(letter):
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1
