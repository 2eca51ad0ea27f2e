"""One trace, thought through: tree, line of time, groups, path. And which of its spans a page shows. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np

from ingest.model import I64, Origin
from ingest.ports.traces import TraceRead
from ingest.query.critical_path import Path, critical_path, waited_for
from ingest.query.first_byte import FirstBytes, split
from ingest.query.fold import Groups, fold
from ingest.query.timeline import BACKEND, Timeline, align, number_clocks
from ingest.query.trace_tree import NONE, Top, Tree, grow

WHOLE_SPANS = 200
"""A trace of no more is answered whole."""
FIRST_UNITS = 100
"""Of the first levels of a larger trace."""
FIRST_DEPTHS = (3, 2, 1)
MOST_ERRORS = 50
MOST_ON_PATH = 50
MOST_SHOWN = 400
"""With the ancestors of failed spans and of those on the critical path."""


class Unit(NamedTuple):
    """What a page lists: a span, or a folded group by its earliest member."""

    row: int
    group: int
    """Or NONE."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of the n spans of a trace."""

    read: TraceRead
    tree: Tree
    line: Timeline
    groups: Groups
    first_bytes: FirstBytes
    root: int
    """The top that the critical path is about: a client's before the backend's, a root before others, the earliest."""
    path: Path

    @property
    def begin_us(self) -> int:
        """Where the line of time begins, µs since 1970."""
        return int(self.line.start_us.min())

    @property
    def end_us(self) -> int:
        """Where it ends."""
        return int((self.line.start_us + self.read.spans.duration_us).max())

    def units(self, tops: Sequence[int], depth: int, opened: int = NONE) -> Iterator[Unit]:
        """The spans `tops` and what hangs below them, `depth` levels in all, parents first, siblings by start.

        Groups, but the one that is opened, stand for their members and what is below those.
        """
        of_row, leader = self.groups.of_row, self.groups.leader
        waiting = [(row, depth) for row in reversed(tops)]
        while waiting:
            row, levels = waiting.pop()
            group = int(of_row[row])
            if group in {NONE, opened}:
                yield Unit(row, NONE)
                if levels > 1:
                    waiting += [(child, levels - 1) for child in self.tree.children(row)[::-1].tolist()]
            elif leader[group] == row:
                yield Unit(row, group)

    def alike(self, row: int) -> list[int]:
        """Rows of the span's group by start; of a span in no group, it alone."""
        group = self.groups.of_row[row]
        if group == NONE:
            return [row]
        return self.by_start(np.flatnonzero(self.groups.of_row == group))

    def first_units(self) -> tuple[list[Unit], bool]:
        """As many levels as fit into `FIRST_UNITS`, at least one, and whether something of that level is left out."""
        tops = self.tree.tops.tolist()
        for depth in FIRST_DEPTHS:
            units = list(islice(self.units(tops, depth), FIRST_UNITS + 1))
            if len(units) <= FIRST_UNITS:
                return units, False
        return units[:FIRST_UNITS], True

    def remarkable(self, units: Sequence[Unit]) -> list[int]:
        """Rows of a summary by start: the units', failed ones, those that hold most of the path, and what is above."""
        chosen = dict.fromkeys(unit.row for unit in units if unit.group == NONE)
        chosen.update(dict.fromkeys(self.failed[:MOST_ERRORS]))
        chosen.update(dict.fromkeys(self.longest_on_path[:MOST_ON_PATH]))
        for row in list(chosen):
            above = int(self.tree.parent[row])
            while above != NONE and above not in chosen and len(chosen) < MOST_SHOWN:
                chosen[above] = None
                above = int(self.tree.parent[above])
        return self.by_start(list(chosen))

    def by_start(self, rows: Sequence[int] | I64) -> list[int]:
        """These rows in the order of their starts."""
        given = np.asarray(rows, np.int64)
        ordered: list[int] = given[np.lexsort((given, self.line.start_us[given]))].tolist()
        return ordered

    @property
    def failed(self) -> list[int]:
        """Rows of failed spans by start."""
        return self.by_start(np.flatnonzero(self.read.spans.failed))

    @property
    def longest_on_path(self) -> list[int]:
        """Rows on the critical path, those with the most time of their own on it first."""
        own = np.zeros(len(self.tree), np.int64)
        np.add.at(own, self.path.row, self.path.to_us - self.path.from_us)
        rows = np.flatnonzero(own)
        ordered: list[int] = rows[np.lexsort((rows, -own[rows]))].tolist()
        return ordered


def shape(read: TraceRead) -> Shape:
    """Thinks a trace of at least one span through."""
    spans = read.spans
    clock = number_clocks(spans)
    # Who claims whose id, and where a client's clock stands, must be settled before children can be put in order.
    rough = grow(spans.span_id, spans.parent_id, clock, spans.start_us)
    line = align(spans, rough, clock)
    tree = rough if not line.shift_us.any() else grow(spans.span_id, spans.parent_id, clock, line.start_us)
    root = _root(read, tree, line.start_us)
    slack = np.where(clock == BACKEND, -1 - np.arange(len(spans)), clock)
    waited = waited_for(tree, line.start_us, spans.duration_us, line.err_us, slack)
    return Shape(
        read=read,
        tree=tree,
        line=line,
        groups=fold(spans, tree, line.start_us),
        first_bytes=split(spans, tree, line.start_us),
        root=root,
        path=critical_path(tree, root, line.start_us, spans.duration_us, waited),
    )


def _root(read: TraceRead, tree: Tree, start_us: I64) -> int:
    tops = tree.tops
    keys = (tops, start_us[tops], tree.top[tops] != Top.ROOT, read.spans.origin[tops] != Origin.CLIENT)
    return int(tops[np.lexsort(keys)[0]])
