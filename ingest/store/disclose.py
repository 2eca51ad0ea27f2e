"""What may be shown of the partition that a question cuts the spans into (`Question.partition`). No I/O."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.errors import Unavailable
from ingest.model import F64, I64, Mask
from ingest.ports import Question, Suppressed
from privacy.suppress import Hidden, suppress

Cell = tuple[str, ...]
"""Values of the partition's dimensions."""

_MOST_WORK = 1_500_000
"""Cells, times their coarser tables: about a second."""


@dataclass(frozen=True, slots=True)
class Visits:
    """How much happened in cells, and who was there: one row for some part of a (cell, step)."""

    cell: I64
    """(r,) number of the cell."""
    step: I64
    """(r,) number of the step; 0 throughout when time does not matter."""
    spans: F64
    row: I64
    """(v,) each with a session."""
    session: npt.NDArray[np.integer]

    def join(self, other: "Visits") -> "Visits":
        """The rows of both."""
        return Visits(
            cell=np.concatenate([self.cell, other.cell]),
            step=np.concatenate([self.step, other.step]),
            spans=np.concatenate([self.spans, other.spans]),
            row=np.concatenate([self.row, other.row + len(self.cell)]),
            session=np.concatenate([self.session, other.session]),
        )


def passes(cell: Cell, question: Question) -> bool:
    """Whether the question's filters let a cell of its partition pass."""
    return all(
        value in question.filters.get(name, (value,)) for name, value in zip(question.partition, cell, strict=True)
    )


def hidden_cells(cells: Sequence[Cell], visits: Visits, least: int) -> tuple[Mask, Suppressed]:
    """(len(cells),) what is hidden of a partition over a range. Cells without spans are not hidden.

    Raises:
        Unavailable: there are more cells than can be judged in time.
    """
    hidden = np.zeros(len(cells), np.bool_)
    if least <= 1 or not len(visits.cell):
        return hidden, Suppressed()
    occurring, place = np.unique(visits.cell, return_inverse=True)
    coordinates = _coordinates(cells)[:, occurring]
    if not _affordable(coordinates):
        raise Unavailable("too_slow", "The filters cut the spans into too many groups; leave one of them out.")
    found = _judge(coordinates, place, visits, least)
    finest = tuple(range(len(coordinates)))
    hidden[occurring] = found.masks[finest]
    return hidden, Suppressed(groups=found.cells[finest])


def hidden_points(cells: Sequence[Cell], visits: Visits, least: int, *, whole: bool) -> tuple[Mask, int]:
    """(r,) whether the point of the row's step is hidden, and how many points are.

    Args:
        cells: of the partition.
        visits: of the whole partition; or of some cells, each to be judged against its own total alone.
    """
    if least <= 1 or not len(visits.cell):
        return np.zeros(len(visits.cell), np.bool_), 0
    if not whole:
        return _points_cell_by_cell(visits, least)
    width = int(visits.step.max()) + 1
    keys, place = np.unique(visits.cell * width + visits.step, return_inverse=True)
    cell, step = np.divmod(keys, width)
    coordinates = np.concatenate([_coordinates(cells)[:, cell], step[np.newaxis]])
    if not _affordable(coordinates):
        return _points_cell_by_cell(visits, least)
    found = _judge(coordinates, place, visits, least)
    finest = tuple(range(len(coordinates)))
    hidden = found.masks[finest]
    return hidden[place], int((hidden & ~found.masks[finest[:-1]]).sum())


def _affordable(coordinates: I64) -> bool:
    """Whether a table with its coarser ones can be judged in time."""
    dimensions, cells = coordinates.shape
    return int(cells) << int(dimensions) <= _MOST_WORK


def _points_cell_by_cell(visits: Visits, least: int) -> tuple[Mask, int]:
    hidden, count = np.zeros(len(visits.cell), np.bool_), 0
    by_cell = np.argsort(visits.cell, kind="stable")
    seen_by_cell = np.argsort(visits.cell[visits.row], kind="stable")
    numbers = np.unique(visits.cell)
    bounds = [np.searchsorted(visits.cell[by_cell], numbers, side) for side in ("left", "right")]
    seen_bounds = [np.searchsorted(visits.cell[visits.row][seen_by_cell], numbers, side) for side in ("left", "right")]
    row_place = np.empty(len(visits.cell), np.int64)
    for start, end, first, last in zip(*(bound.tolist() for bound in (*bounds, *seen_bounds)), strict=True):
        rows, seen = by_cell[start:end], seen_by_cell[first:last]
        row_place[rows] = np.arange(len(rows))
        own = Visits(
            cell=visits.cell[rows],
            step=visits.step[rows],
            spans=visits.spans[rows],
            row=row_place[visits.row[seen]],
            session=visits.session[seen],
        )
        steps, place = np.unique(own.step, return_inverse=True)
        found = _judge(steps[np.newaxis], place, own, least)
        hidden[rows] = found.masks[0,][place]
        count += 0 if found.cells[()] else found.cells[0,]
    return hidden, count


def _judge(coordinates: I64, place: npt.NDArray[np.intp], visits: Visits, least: int) -> Hidden:
    sizes = np.bincount(place, weights=visits.spans, minlength=coordinates.shape[1])
    return suppress(coordinates, sizes, (place[visits.row], visits.session), least)


def _coordinates(cells: Sequence[Cell]) -> I64:
    """(d, c) by dimension, values numbered in their order."""
    dimensions = len(cells[0]) if cells else 0
    rows = []
    for number in range(dimensions):
        values = [cell[number] for cell in cells]
        codes = {value: code for code, value in enumerate(sorted(set(values)))}
        rows.append([codes[value] for value in values])
    return np.array(rows, np.int64).reshape(dimensions, len(cells))
