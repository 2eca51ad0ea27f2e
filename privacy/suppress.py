"""Which cells of a table may not be shown: small groups, and as many others as keep them from being computed. Pure.

A *table* is the partition of some data by a set of dimensions; its *cells* are the combinations that occur. Whoever may
ask for a table may ask for all coarser ones, so what is hidden in one of them must not come out by subtraction. With k
the least number of distinct sessions, a cell is hidden

    when it has fewer than k of them (it is *small*),
    when one of its projections on a coarser table is hidden,
    or to complement a small one, as follows.

*Lines.* In every line of a table (cells that differ in one dimension alone) the hidden cells have k sessions between
them. So what remains of a coarser figure after finer ones are subtracted is nothing, or of k sessions.

*Planes.* In a table of two dimensions somebody can go on subtracting, rows from columns. There every small cell (r, c)
stands in a box of hidden cells, rows R × columns C with r ∈ R and c ∈ C, in which row r and column c have k sessions
each. Take any sum and difference of shown cells and totals that comes out as the sum of a set S of cells. For r' ∈ R
and c' ∈ C the vector e(r,c) − e(r,c') − e(r',c) + e(r',c') is zero on all that is shown: its four cells are hidden, and
it cancels in every row and column. So it is zero on S as well: if S holds (r, c), it holds (r, c') or (r', c) too. It
cannot lack both one of the box's row r and one of its column c, hence it holds the whole of either: k sessions. And a
set without small cells has k in any of its cells. Rows whose total is hidden are told apart by nothing that is shown,
so they are taken for one, and so are such columns.

What that covers: one or two dimensions entirely; with more, what is computed from a table and one coarser table. It
supposes that nobody knows which combinations never occur: those serve as corners of boxes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Dimensions = tuple[int, ...]

_LARGEST_PLANE = 1 << 24
"""Cells, those that do not occur included. A larger plane is hidden as a whole."""
_KEY_LIMIT = 1 << 62
_PARTNERS = 8
"""Cells of a row that are tried for its boxes, the smallest ones."""
_NAMELESS = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Hidden:
    """What is hidden of a table and of all coarser ones, which are named by rows of the coordinates, ascending."""

    masks: Mapping[Dimensions, Mask]
    """(c,) by cell of the finest table: whether its projection is hidden."""
    cells: Mapping[Dimensions, int]
    """How many cells are hidden."""


@dataclass(frozen=True, slots=True)
class _Table:
    """A table, its cells numbered in the order of their coordinates."""

    coordinates: Ints
    """(d, n)"""
    of_cell: Ints
    """(c,) its cell for each cell of the finest table."""
    sizes: Floats
    sessions: Ints
    """(n,) distinct ones."""


@dataclass(frozen=True, slots=True)
class _Visits:
    """Who was where: pairs of a cell of the finest table and a session."""

    cell: Ints
    session: Ints
    """Numbered from 0."""
    sessions: int
    least: int
    """k."""

    def count(self, group_of_cell: Ints, groups: int) -> Ints:
        """(groups,) distinct sessions."""
        width = max(self.sessions, 1)
        pairs = np.unique(group_of_cell[self.cell].astype(np.int64) * width + self.session)
        return np.bincount(pairs // width, minlength=groups)


@dataclass(frozen=True, slots=True)
class _Plane:
    """A plane as dense arrays of rows and columns; changed in place."""

    occurs: Mask
    large: Mask
    """k sessions or more."""
    sizes: Floats
    hidden: Mask


def suppress(coordinates: Ints, sizes: npt.NDArray[np.number], visits: tuple[Ints, Ints], least: int) -> Hidden:
    """What to hide.

    Args:
        coordinates: (d, c) of the finest table's cells, no two the same. Codes must stand in one order whatever else is
            asked (that of their names, say), so that one table is always decided in one way.
        sizes: (c,) what is lost with a cell: of those that would serve, the smallest are hidden.
        visits: (p,) cells and (p,) sessions. Of a cell of more than `least` sessions any that many will do.
        least: k.
    """
    names, session = np.unique(visits[1], return_inverse=True)
    seen = _Visits(visits[0], session, len(names), least)
    hidden: dict[Dimensions, Mask] = {}
    masks: dict[Dimensions, Mask] = {}
    for count in range(len(coordinates) + 1):
        for chosen in combinations(range(len(coordinates)), count):
            table = _project(coordinates[list(chosen)], sizes, seen)
            mask = table.sessions < least
            totals = [masks[tuple(each for each in chosen if each != left_out)] for left_out in chosen]
            for total_hidden in totals:
                mask[table.of_cell[total_hidden]] = True
            if count == 2:
                _complement_plane(table, mask, totals, seen)
            else:
                for place in range(count):
                    _complement_lines(table, mask, place, seen)
            hidden[chosen], masks[chosen] = mask, mask[table.of_cell]
    return Hidden(masks, {chosen: int(mask.sum()) for chosen, mask in hidden.items()})


def _number(rows: Sequence[Ints], count: int) -> tuple[Ints, Ints]:
    """Of the distinct columns of these rows, in their order: where each is first, and its number for every column."""
    keys, limit = np.zeros(count, np.int64), 1
    for row in rows:
        values, code = np.unique(row, return_inverse=True)
        if limit * len(values) > _KEY_LIMIT:
            distinct, keys = np.unique(keys, return_inverse=True)
            limit = len(distinct)
        keys, limit = keys * max(len(values), 1) + code, limit * max(len(values), 1)
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    return first, number


def _project(coordinates: Ints, sizes: npt.NDArray[np.number], seen: _Visits) -> _Table:
    first, of_cell = _number(list(coordinates), len(sizes))
    return _Table(
        coordinates=coordinates[:, first],
        of_cell=of_cell,
        sizes=np.bincount(of_cell, weights=sizes, minlength=len(first)).astype(np.float64),
        sessions=seen.count(of_cell, len(first)),
    )


def _complement_lines(table: _Table, mask: Mask, place: int, seen: _Visits) -> None:
    """In every line along a dimension of which some is hidden and some shown: one more, the smallest, if need be."""
    others = [row for number, row in enumerate(table.coordinates) if number != place]
    first, line = _number(others, len(mask))
    lines = len(first)
    together = seen.count(np.where(mask, line, lines)[table.of_cell], lines + 1)[:lines]
    weak = (np.bincount(line[mask], minlength=lines) > 0) & (together < seen.least)
    shown = np.flatnonzero(~mask & weak[line])
    shown = shown[np.lexsort((shown, table.sizes[shown], line[shown]))]
    mask[shown[np.diff(line[shown], prepend=-1) > 0]] = True


def _complement_plane(table: _Table, mask: Mask, totals: Sequence[Mask], seen: _Visits) -> None:
    """Hides boxes around the small cells of a table of two dimensions.

    Args:
        totals: by dimension, whether the total of the line *along* it is hidden, for each cell of the finest table.
    """
    if mask.all() or not mask.any():
        return
    lines = []
    for values, total_hidden in zip(table.coordinates, reversed(totals), strict=True):
        nameless = np.zeros(len(mask), np.bool_)
        nameless[table.of_cell[total_hidden]] = True
        lines.append(np.where(nameless, _NAMELESS, values.astype(np.int64)))
    first, of_cell = _number(lines, len(mask))
    row, column = (np.unique(line[first], return_inverse=True)[1] for line in lines)
    if row.max() > column.max():
        row, column = column, row
    shape = (int(row.max()) + 1, int(column.max()) + 1)
    if shape[0] * shape[1] > _LARGEST_PLANE:
        mask[:] = True
        return
    plane = _Plane(
        np.zeros(shape, np.bool_), np.zeros(shape, np.bool_), np.zeros(shape, np.float64), np.zeros(shape, np.bool_)
    )
    plane.occurs[row, column] = True
    plane.large[row, column] = seen.count(of_cell[table.of_cell], len(first)) >= seen.least
    plane.sizes[row, column] = np.bincount(of_cell, weights=table.sizes, minlength=len(first))
    plane.hidden[row, column] = mask[first]
    for number in range(shape[0]):
        small = np.flatnonzero(plane.occurs[number] & ~plane.large[number])
        if len(small):
            _box(plane, number, small)
    mask |= plane.hidden[row, column][of_cell]


def _box(plane: _Plane, row: int, small: Ints) -> None:
    """Hides a box around each small cell of a row: of those that were looked at, the one by which least is lost."""
    occurs, large, hidden = plane.occurs, plane.large, plane.hidden
    price = np.where(hidden, 0.0, plane.sizes)
    # Of each small cell's column, the price of every cell that has k sessions.
    below = np.where(large[:, small], price[:, small], np.inf)
    single = np.flatnonzero(large[row])
    if len(single):
        single = single[np.argsort(price[row, single], kind="stable")[:_PARTNERS]]
        lost = []
        for each in single.tolist():
            opposite = (below + price[:, [each]]).min(axis=0)
            lost.append(price[row, each] + opposite[np.isfinite(opposite)].sum())
        partners = single[[np.argmin(lost)]]
        hidden[row, partners] = True
    else:
        # No cell of the row has k sessions. The row has, for its total is shown.
        partners = np.flatnonzero(occurs[row])
    rows = np.argmin(below + price[:, partners].sum(axis=1, keepdims=True), axis=0)
    paired = large[rows, small]
    hidden[rows[paired], small[paired]] = True
    # A column of small cells alone is its own complement.
    whole = np.flatnonzero(occurs[:, small[~paired]].any(axis=1))
    around = np.ix_(np.union1d(rows[paired], whole), partners)
    hidden[around] |= occurs[around]
