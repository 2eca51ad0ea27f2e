"""Reading rollups: series of a view → partials per (group, step), sketches strung together by the database.

A sketch at rest is a list of bins and merging is adding, so `string_agg` of the bytes is a merge put off: the database
returns one row per cell instead of one per partial, and numpy adds up the bins of all cells at once.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import asyncpg
import numpy as np

from ingest import sessions
from ingest.model import F64, METRICS, OTHER, Mask
from ingest.ports import Cells, Question, Suppressed
from ingest.store import packed_rows
from ingest.store.cost import refuse_beyond
from ingest.store.disclose import Cell, hidden_cells, hidden_points, passes
from ingest.store.divide import Partition, divide
from ingest.store.fetched import Fetched
from ingest.store.plan import TIERS, Piece, Plan, Retention, ceil, floor, plan
from ingest.store.snapshot import moment

MOST_PARTIALS = 500_000
"""About as many as PostgreSQL adds up in half a second; a question that needs more is answered in coarser steps."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """Which cells of a partition an answer is made of."""

    groups: Mapping[Cell, list[int]]
    """Values by `Question.group_by` → numbers of cells."""
    truncated: bool
    hidden_spans: int
    suppressed: Suppressed

    @property
    def numbers(self) -> list[int]:
        """Of all cells."""
        return [number for members in self.groups.values() for number in members]


class _Rollups:
    """The rollups of one snapshot, as far as a question is about them."""

    def __init__(
        self, connection: asyncpg.Connection, question: Question, retention: Retention, cursors: Mapping[str, int]
    ) -> None:
        self._connection = connection
        self._question = question
        self._retention = retention
        self._cursors = cursors

    @classmethod
    async def open(cls, connection: asyncpg.Connection, question: Question, retention: Retention) -> "_Rollups":
        """Finds out how far each tier has been folded."""
        rows = await connection.fetch("SELECT tier, part FROM compaction")
        return cls(connection, question, retention, {row["tier"]: row["part"] for row in rows})

    async def choose(self, partition: Partition, chosen: Plan) -> _Choice:
        """The cells of the range that pass the filters and may be shown."""
        question, cells = self._question, partition.cells
        spans: F64 = np.zeros(len(cells))
        hidden, suppressed = np.zeros(len(cells), np.bool_), Suppressed()
        overflow = [number for number, cell in enumerate(cells) if _overflows(cell, question)]
        groups: dict[Cell, list[int]] = {}
        if question.least_sessions > 1 or overflow or len(cells) > question.most_groups:
            whole = replace(question, over_time=False, metrics=(), with_sessions=False)
            whole = replace(whole, from_us=chosen.from_us, to_us=chosen.to_us, step_us=chosen.step_us)
            rows = await self.fetch(whole, partition.keys(range(len(cells))), plan(whole, self._retention))
            visits = rows.visits(chosen, question.least_sessions)
            spans = np.bincount(visits.cell, weights=visits.spans, minlength=len(cells)).astype(np.float64)
            hidden, suppressed = await asyncio.to_thread(hidden_cells, cells, visits, question.least_sessions)
        for number, cell in enumerate(cells):
            if passes(cell, question) and not hidden[number]:
                groups.setdefault(_group(cell, question), []).append(number)
        largest = sorted(groups, key=lambda group: -spans[groups[group]].sum())[: question.most_groups]
        return _Choice(
            groups={group: groups[group] for group in largest},
            truncated=len(groups) > len(largest),
            hidden_spans=int(sum(spans[number] for number in overflow if not hidden[number])),
            suppressed=suppressed,
        )

    async def points(
        self, partition: Partition, numbers: Sequence[int], rows: Fetched, chosen: Plan
    ) -> tuple[Mask, int]:
        """Of each row whether it may count in a point, and how many points are hidden.

        Points are judged among those of the whole partition where so many rollups can be read, else each cell's among
        its own alone.
        """
        question = self._question
        if question.least_sessions <= 1 or not question.over_time:
            return np.ones(len(rows), np.bool_), 0
        visits = rows.visits(chosen, question.least_sessions)
        # Decided by its size alone: whatever the filters, a partition is judged in one way.
        whole = _partials(chosen) * sum(map(len, partition.series)) <= MOST_PARTIALS
        others = sorted(set(range(len(partition.cells))) - set(numbers))
        if whole and others:
            judged = replace(question, metrics=(), with_sessions=False)
            fetched = await self.fetch(judged, partition.keys(others), chosen)
            visits = visits.join(fetched.visits(chosen, question.least_sessions))
        hidden, points = await asyncio.to_thread(
            hidden_points, partition.cells, visits, question.least_sessions, whole=whole
        )
        return ~hidden[: len(rows)], points

    async def fetch(self, question: Question, keys: tuple[list[int], list[int]], chosen: Plan) -> Fetched:
        """What the series hold of the range, whichever tables hold it."""
        pieces = chosen.pieces if keys[0] else ()
        rows = await self._fetch_windows(question, keys, chosen, pieces)
        packed = [piece for piece in pieces if piece.tier.stretch_us]
        by_piece = await self._fetch_packed(question, keys, packed)
        return Fetched.join(
            [
                Fetched.of_windows(rows, question),
                *(
                    Fetched.of_packed(of_piece, question, piece, chosen)
                    for piece, of_piece in zip(packed, by_piece, strict=True)
                    if of_piece
                ),
            ]
        )

    async def _fetch_windows(
        self, question: Question, keys: tuple[list[int], list[int]], chosen: Plan, pieces: Sequence[Piece]
    ) -> Sequence[asyncpg.Record]:
        """One row per (cell, step) and table that holds some of it."""
        if not pieces:
            return []
        arguments: list[object] = [question.app_id, *keys]
        arguments.append(timedelta(microseconds=chosen.step_us) if question.over_time else moment(chosen.from_us))
        at = "date_bin($4::interval, window_at, 'epoch')" if question.over_time else "$4::timestamptz"
        selects = []
        for piece in pieces:
            for table, beyond in _tables(piece, self._cursors):
                arguments += [moment(piece.from_us), moment(piece.to_us)]
                where = f"window_at >= ${len(arguments) - 1} AND window_at < ${len(arguments)}"
                if beyond is not None:
                    arguments.append(beyond)
                    where += f" AND part > ${len(arguments)}"
                selects.append(_select_cells(table, at, where, question))
        return list(await self._connection.fetch(" UNION ALL ".join(selects), *arguments))

    async def _fetch_packed(
        self, question: Question, keys: tuple[list[int], list[int]], pieces: Sequence[Piece]
    ) -> Sequence[Sequence[asyncpg.Record]]:
        """By piece, the packed rows of the series that reach into it."""
        found: list[list[asyncpg.Record]] = [[] for _ in pieces]
        if not pieces:
            return found
        arguments: list[object] = [question.app_id, *keys]
        selects = []
        for number, piece in enumerate(pieces):
            arguments += [moment(floor(piece.from_us, piece.tier.stretch_us)), moment(piece.to_us)]
            where = f"stretch_at >= ${len(arguments) - 1} AND stretch_at < ${len(arguments)}"
            selects.append(_select_packed(number, piece, where, question))
        for row in await self._connection.fetch(" UNION ALL ".join(selects), *arguments):
            found[row["piece"]].append(row)
        return found


async def read_cells(
    connection: asyncpg.Connection, question: Question, views: Sequence[str], retention: Retention
) -> Cells:
    """See `ingest.ports.Reader.cells`."""
    rollups = await _Rollups.open(connection, question, retention)
    partition = await divide(connection, question, views, _earliest_us(question, retention))
    narrowest = _affordable(question, retention, 0)
    choice = await rollups.choose(partition, narrowest)
    chosen = _affordable(question, retention, len(partition.keys(choice.numbers)[0]))
    if (chosen.from_us, chosen.to_us) != (narrowest.from_us, narrowest.to_us):
        choice = await rollups.choose(partition, chosen)
    refuse_beyond(_partials(chosen) * len(partition.keys(choice.numbers)[0]))
    rows = await rollups.fetch(question, partition.keys(choice.numbers), chosen)
    point, points = await rollups.points(partition, choice.numbers, rows, chosen)
    suppressed = replace(choice.suppressed, points=points)
    cells = _to_cells(rows, chosen, replace(choice, suppressed=suppressed), view=partition.view, point=point)
    if not question.with_sessions:
        return cells
    counts = await asyncio.to_thread(rows.count_sessions, cells.group, len(cells.groups))
    return replace(cells, sessions=counts)


async def read_shown(
    connection: asyncpg.Connection, question: Question, views: Sequence[str], retention: Retention
) -> tuple[Sequence[Cell], Suppressed]:
    """The cells that pass the filters and may be shown, and what is not shown."""
    rollups = await _Rollups.open(connection, question, retention)
    partition = await divide(connection, question, views, _earliest_us(question, retention))
    choice = await rollups.choose(partition, plan(question, retention))
    return [partition.cells[number] for number in choice.numbers], choice.suppressed


def _overflows(cell: Cell, question: Question) -> bool:
    """Whether the cell may hold spans that the filters mean, under the name that stands for all others."""
    return any(
        name in question.filters and value == OTHER and OTHER not in question.filters[name]
        for name, value in zip(question.partition, cell, strict=True)
    ) and all(
        value in (OTHER, *question.filters.get(name, (value,)))
        for name, value in zip(question.partition, cell, strict=True)
    )


def _group(cell: Cell, question: Question) -> Cell:
    value_of = dict(zip(question.partition, cell, strict=True))
    return tuple(value_of[name] for name in question.group_by)


def _affordable(question: Question, retention: Retention, series: int) -> Plan:
    """The plan with the step asked for, or with the first coarser tier's that reads little enough."""
    for chosen in _plans(question, retention):
        if _partials(chosen) * series <= MOST_PARTIALS:
            break
    return chosen


def _plans(question: Question, retention: Retention) -> Iterator[Plan]:
    """By the step asked for, then by those of coarser tiers, up to hours: whole days would be another question."""
    for tier in TIERS[:-1]:
        yield plan(replace(question, step_us=ceil(question.step_us, tier.width_us)), retention)


def _earliest_us(question: Question, retention: Retention) -> int:
    """Start of the range, whatever it is widened to."""
    return min(chosen.from_us for chosen in _plans(question, retention))


def _partials(chosen: Plan) -> int:
    """Windows of a series to read."""
    return sum((piece.to_us - piece.from_us) // piece.tier.width_us for piece in chosen.pieces)


def _tables(piece: Piece, cursors: Mapping[str, int]) -> list[tuple[str, int | None]]:
    """The piece's own tier, and of the finer ones what the compactor has not added to it yet."""
    finer = TIERS[: TIERS.index(piece.tier)]
    return [(piece.tier.table, None), *((tier.table, cursors[tier.table]) for tier in finer)]


def _select_cells(table: str, at: str, where: str, question: Question) -> str:
    columns = "".join(
        f", string_agg({metric}, ''::bytea) AS {metric}"
        + (
            ""
            if metric == "duration"
            else f", sum(reused[{METRICS.index(metric)}])::bigint AS {metric}_reused"
            f", sum(unknown[{METRICS.index(metric)}])::bigint AS {metric}_unknown"
        )
        for metric in question.metrics
    )
    if question.least_sessions > 1 or question.with_sessions:
        # To tell that enough sessions are in it, the head of each sketch will do.
        head = f"substr(sessions, 1, {sessions.head_bytes(question.least_sessions)})"
        sketch = "sessions" if question.with_sessions else head
        columns += (
            f", string_agg({sketch}, ''::bytea) AS sessions"
            f", string_agg(int4send(octet_length({sketch})), ''::bytea) AS session_bytes"
        )
    return (
        f"SELECT number, {at} AS at, sum(spans)::bigint AS spans, sum(errors)::bigint AS errors{columns}"  # noqa: S608 - names from TIERS and METRICS
        f" FROM unnest($2::bigint[], $3::int[]) AS chosen(series_id, number)"
        f" JOIN {table} USING (series_id) WHERE app_id = $1 AND {where} GROUP BY 1, 2"
    )


def _select_packed(number: int, piece: Piece, where: str, question: Question) -> str:
    columns = packed_rows.select(
        question.metrics,
        marks=bool(set(question.metrics) - {"duration"}),
        session_column=packed_rows.session_column(question.least_sessions, whole=question.with_sessions),
    )
    return (
        f"SELECT {number} AS piece, number, {columns} FROM unnest($2::bigint[], $3::int[]) AS chosen(series_id, number)"  # noqa: S608 - names from TIERS and METRICS
        f" JOIN {piece.tier.packed} USING (series_id) WHERE app_id = $1 AND {where}"
    )


def _to_cells(fetched: Fetched, chosen: Plan, choice: _Choice, *, view: str, point: Mask) -> Cells:
    group_of = np.zeros(max(choice.numbers, default=-1) + 1, np.int32)
    for group, members in enumerate(choice.groups.values()):
        group_of[members] = group
    return Cells(
        view=view,
        from_us=chosen.from_us,
        to_us=chosen.to_us,
        step_us=chosen.step_us,
        groups=list(choice.groups),
        truncated=choice.truncated,
        hidden_spans=choice.hidden_spans,
        suppressed=choice.suppressed,
        group=group_of[fetched.cell],
        at_us=fetched.at_us,
        point=point,
        spans=fetched.spans,
        errors=fetched.errors,
        reused=fetched.reused,
        unknown=fetched.unknown,
        sketches=fetched.sketches,
    )
