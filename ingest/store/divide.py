"""The partition that a question is about: its cells, and the series that make them up, of the view that costs least."""

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from ingest.model import OTHER, VIEWS
from ingest.ports import Question
from ingest.store.disclose import Cell
from ingest.store.snapshot import moment

_SERIES = "FROM series WHERE app_id = $1 AND view = $2 AND signal = $3 AND used_on >= $4"
"""Those that may hold something of the range."""


@dataclass(frozen=True, slots=True)
class Partition:
    """All series of one view, in the cells of the partition that a question is about."""

    view: str
    cells: Sequence[Cell]
    """Values by `Question.partition`, ascending."""
    series: Sequence[Sequence[int]]
    """Ids by cell."""

    @property
    def cost(self) -> tuple[bool, bool, int]:
        """Lowest is best: something found, nothing in overflow, few series to read.

        The same whatever the filters let pass, so that a partition is always judged by one view.
        """
        return not self.cells, any(OTHER in cell for cell in self.cells), sum(map(len, self.series))

    def keys(self, numbers: Sequence[int]) -> tuple[list[int], list[int]]:
        """Series ids of these cells, and for each the number of its cell."""
        pairs = [(series_id, number) for number in numbers for series_id in self.series[number]]
        return [series_id for series_id, _ in pairs], [number for _, number in pairs]


async def divide(
    connection: asyncpg.Connection, question: Question, views: Sequence[str], earliest_us: int
) -> Partition:
    """The partition, by whichever view costs least.

    Views of many dimensions have a hundred times the series of others, so they are read only where they can win: no
    view has fewer series than one that cuts by nothing but the partition's dimensions.

    Args:
        earliest_us: start of the range, however it is widened.
    """
    since = moment(earliest_us)
    young = {row["view"] for row in await connection.fetch("SELECT view FROM view_since WHERE since > $1", since)}
    first, *others = sorted((view for view in views if view not in young), key=lambda view: len(VIEWS[view]))
    best = await _read(connection, question, first, earliest_us)
    for view in others:
        nothing, overflow, _ = best.cost
        if nothing or overflow or await _wins(connection, question, view, best, earliest_us):
            best = min(best, await _read(connection, question, view, earliest_us), key=lambda partition: partition.cost)
    return best


async def _wins(
    connection: asyncpg.Connection, question: Question, view: str, best: Partition, earliest_us: int
) -> bool:
    """Whether the view has fewer series than `best`."""
    series = best.cost[-1]
    if series == len(best.cells):
        return False
    counted = await connection.fetchval(
        f"SELECT count(*) FROM (SELECT {_SERIES} LIMIT $5) AS counted",  # noqa: S608 - no values
        *_arguments(question, view, earliest_us),
        series,
    )
    return bool(counted < series)


async def _read(connection: asyncpg.Connection, question: Question, view: str, earliest_us: int) -> Partition:
    names = question.partition
    columns = "".join(f", {name}" for name in names)
    rows = await connection.fetch(
        f"SELECT array_agg(series_id) AS ids{columns} {_SERIES}"
        + (f" GROUP BY {columns[2:]}" if names else " HAVING count(*) > 0"),
        *_arguments(question, view, earliest_us),
    )
    cells = {tuple(row[name] for name in names): row["ids"] for row in rows}
    return Partition(view, sorted(cells), [cells[cell] for cell in sorted(cells)])


def _arguments(question: Question, view: str, earliest_us: int) -> tuple[object, ...]:
    """What `_SERIES` takes."""
    # A series is marked on the day on which its spans arrive, by a clock that may be behind theirs.
    since = moment(earliest_us - 86_400_000_000).date()
    return question.app_id, view, question.signal.word, since
