"""Reading the fair sample as figures: weights and values per (group, step), for questions that no view covers."""

import asyncio
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import timedelta

import asyncpg
import numpy as np

from ingest.model import METRICS
from ingest.ports import Question, Samples, Suppressed
from ingest.sketch import ABSENT
from ingest.store.disclose import Cell, Visits, hidden_cells, hidden_points, passes
from ingest.store.plan import TIERS, Retention, ceil, floor
from ingest.store.snapshot import micros, moment

MOST_SAMPLES = 200_000
"""More would not narrow the interval that anyone looks at; beyond this they are thinned and weigh more."""

_CLIENTS = "app_id = $1 AND start_at >= $2 AND start_at < $3 AND origin = 'client' AND weight > 0"
"""Spans that stand for clients' spans: what a backend measured is none; of weight 0 are those others stand for."""
_THINNED = "(hashint8(randomness) & ${}::int) = 0"
"""Whole clusters stay or go: what comes together stays together."""

SIXTEENTH = "(hashint8(randomness) & 15) = 0"
"""Of all spans one in sixteen, whole clusters again; they have an index of their own."""

FAILED = "(status = 2 OR coalesce(http_status >= 400 OR http_status = 0, false))"
"""`ingest.model.Spans.failed` in SQL."""


def dimension(name: str) -> str:
    """A dimension of `span` in the words of the rollups."""
    return f"coalesce({name}, 'unknown')"


def about(question: Question) -> str:
    """The condition on spans that an answer is made of; the range is $2 to $3."""
    return f"{_CLIENTS} AND signal = '{question.signal.word}'"


def passing(filters: Mapping[str, tuple[str, ...]], first: int) -> tuple[str, list[object]]:
    """Conditions for the filters, bound from parameter `first` on, and their arguments."""
    conditions = "".join(f" AND {dimension(name)} = ANY(${number})" for number, name in enumerate(filters, start=first))
    return conditions, [list(values) for values in filters.values()]


async def read_samples(connection: asyncpg.Connection, question: Question, retention: Retention) -> Samples:
    """See `ingest.ports.Reader.samples`."""
    span = span_of(question, retention)
    shown = await _judge(connection, question, span)
    conditions, values = passing(question.filters, first=4)
    arguments = [question.app_id, moment(span.from_us), moment(span.to_us), *values]
    where = f"{about(question)}{conditions}"
    thinned_by = await _thinned_by(connection, where, arguments)
    rows = await connection.fetch(
        _select(question, where, len(arguments) + 1), *arguments, thinned_by - 1, _width(question, span.step_us)
    )
    rows = [row for row in rows if shown.cell(_cell(row, question))]
    return _to_samples(rows, question, span, shown, thinned_by)


async def read_sampled_shown(
    connection: asyncpg.Connection, question: Question, retention: Retention
) -> tuple[Sequence[Cell], Suppressed]:
    """As `ingest.store.read_rollups.read_shown`, for a partition that no view covers."""
    shown = await _judge(connection, replace(question, over_time=False), span_of(question, retention))
    cells = [cell for cell in shown.cells if shown.cell(cell) and passes(cell, question)]
    return cells, shown.suppressed


@dataclass(frozen=True, slots=True)
class SampledRange:
    """The range as widened, as far back as samples are kept."""

    from_us: int
    to_us: int
    step_us: int


@dataclass(frozen=True, slots=True)
class _Shown:
    """What of the sampled partition may be shown."""

    cells: Sequence[Cell]
    hidden_cells: Set[Cell]
    hidden_points: Set[tuple[Cell, int]]
    """(cell, start of the step)"""
    suppressed: Suppressed

    def cell(self, cell: Cell) -> bool:
        return cell not in self.hidden_cells

    def point(self, cell: Cell, at_us: int) -> bool:
        return (cell, at_us) not in self.hidden_points


def span_of(question: Question, retention: Retention) -> SampledRange:
    """The range of the samples that answer a question."""
    step = ceil(question.step_us, TIERS[0].width_us)
    start = floor(max(question.from_us, question.now_us - retention.spans_us), step)
    return SampledRange(start, max(ceil(question.to_us, step), start), step)


async def about_how_many(connection: asyncpg.Connection, where: str, arguments: Sequence[object]) -> int:
    """How many spans pass, within a few per cent where they are many: counting them all would read them all."""
    sixteenth: int = await connection.fetchval(
        f"SELECT count(*) FROM span WHERE {where} AND {SIXTEENTH}",  # noqa: S608
        *arguments,
    )
    return sixteenth * 16


async def _thinned_by(connection: asyncpg.Connection, where: str, arguments: Sequence[object]) -> int:
    """One in how many is enough: a power of two."""
    found = max(await about_how_many(connection, where, arguments), 1)
    return 1 << (-(-found // MOST_SAMPLES) - 1).bit_length()


async def _judge(connection: asyncpg.Connection, question: Question, span: SampledRange) -> _Shown:
    """What may be shown: sessions in the sample are a lower bound of those that there were."""
    if question.least_sessions <= 1:
        return _Shown((), frozenset(), frozenset(), Suppressed())
    arguments = [question.app_id, moment(span.from_us), moment(span.to_us)]
    spans = about(question)
    thinned_by = await _thinned_by(connection, spans, arguments)
    columns = "".join(f", {dimension(name)} AS {name}" for name in question.partition)
    positions = "".join(f", {number}" for number in range(2, len(question.partition) + 2))
    # By session first: DISTINCT inside an aggregate would sort every group.
    rows = await connection.fetch(
        f"SELECT at{''.join(f', {name}' for name in question.partition)}, sum(spans) AS spans,"  # noqa: S608
        " array_agg(session) FILTER (WHERE session IS NOT NULL) AS sessions"
        f" FROM (SELECT date_bin($5::interval, start_at, 'epoch') AS at{columns},"
        "   hashtextextended(session, 0) AS session, sum(weight) AS spans"
        f"   FROM span WHERE {spans} AND {_THINNED.format(4)} GROUP BY 1{positions}, {len(question.partition) + 2})"
        f" AS visits GROUP BY 1{positions}",
        *arguments,
        thinned_by - 1,
        _width(question, span.step_us),
    )
    return await asyncio.to_thread(_shown, rows, question, span)


def _shown(rows: Sequence[asyncpg.Record], question: Question, span: SampledRange) -> _Shown:
    cell_of_row = [_cell(row, question) for row in rows]
    cells = sorted(set(cell_of_row))
    number = {cell: place for place, cell in enumerate(cells)}
    starts = [micros(row["at"]) if question.over_time else span.from_us for row in rows]
    seen = [row["sessions"] or () for row in rows]
    visits = Visits(
        cell=np.array([number[cell] for cell in cell_of_row], np.int64),
        step=(np.array(starts, np.int64) - span.from_us) // span.step_us,
        spans=np.array([row["spans"] for row in rows], np.float64),
        row=np.repeat(np.arange(len(rows)), [len(each) for each in seen]),
        session=np.array([session for each in seen for session in each], np.int64),
    )
    hidden, suppressed = hidden_cells(cells, visits, question.least_sessions)
    points: Set[tuple[Cell, int]] = frozenset()
    if question.over_time:
        hidden_rows, count = hidden_points(cells, visits, question.least_sessions, whole=True)
        suppressed = replace(suppressed, points=count)
        points = {(cell_of_row[row], starts[row]) for row in np.flatnonzero(hidden_rows).tolist()}
    return _Shown(cells, {cells[place] for place in np.flatnonzero(hidden).tolist()}, points, suppressed)


def _cell(row: asyncpg.Record, question: Question) -> Cell:
    return tuple(row[name] for name in question.partition)


def _width(question: Question, step_us: int) -> timedelta:
    """Cells over time are a step wide; one cell for the whole range is wider than any range."""
    return timedelta(microseconds=step_us) if question.over_time else timedelta(days=1_000_000)


def _select(question: Question, where: str, first: int) -> str:
    grouping = "".join(f", {dimension(name)} AS {name}" for name in question.partition)
    values = "".join(f", array_agg({_column(metric)}) AS {metric}_us" for metric in question.metrics)
    if question.with_sessions:
        values += ", array_agg(coalesce(hashtextextended(session, 0), randomness)) AS sessions"
    positions = "".join(f", {number}" for number in range(2, len(question.partition) + 2))
    return (
        f"SELECT date_bin(${first + 1}::interval, start_at, 'epoch') AS at{grouping}, array_agg(weight) AS weights,"  # noqa: S608
        f" array_agg(randomness) AS clusters, array_agg({FAILED}) AS errors{values}"
        f" FROM span WHERE {where} AND {_THINNED.format(first)} GROUP BY 1{positions}"
    )


def _column(metric: str) -> str:
    if metric == "duration":
        return "duration_us"
    return f"CASE signal WHEN 'request' THEN phases_us[{METRICS.index(metric)}] ELSE {ABSENT} END"


def _to_samples(
    rows: Sequence[asyncpg.Record], question: Question, span: SampledRange, shown: _Shown, thinned_by: int
) -> Samples:
    sizes: dict[tuple[str, ...], float] = {}
    keys = [tuple(row[name] for name in question.group_by) for row in rows]
    for key, row in zip(keys, rows, strict=True):
        sizes[key] = sizes.get(key, 0.0) + sum(row["weights"])
    groups = sorted(sizes, key=lambda key: (-sizes[key], key))[: question.most_groups]
    number = {key: place for place, key in enumerate(groups)}
    chosen = [(number[key], row) for key, row in zip(keys, rows, strict=True) if key in number]
    counts = [len(row["weights"]) for _, row in chosen]

    def column(name: str) -> list[float]:
        return [value for _, row in chosen for value in row[name]]

    at_us = [micros(row["at"]) if question.over_time else span.from_us for _, row in chosen]
    points = [shown.point(_cell(row, question), at) for (_, row), at in zip(chosen, at_us, strict=True)]
    return Samples(
        from_us=span.from_us,
        to_us=span.to_us,
        step_us=span.step_us,
        groups=groups,
        truncated=len(sizes) > len(groups),
        suppressed=shown.suppressed,
        group=np.repeat(np.array([place for place, _ in chosen], dtype=np.int32), counts),
        at_us=np.repeat(np.array(at_us, dtype=np.int64), counts),
        point=np.repeat(np.array(points, dtype=np.bool_), counts),
        error=np.array(column("errors"), dtype=np.bool_),
        weight=np.array(column("weights"), dtype=np.float64) * thinned_by,
        cluster=np.array(column("clusters"), dtype=np.int64),
        values_us=np.array([column(f"{metric}_us") for metric in question.metrics], dtype=np.int64).reshape(
            len(question.metrics), sum(counts)
        ),
        session=np.array(column("sessions"), dtype=np.int64) if question.with_sessions else None,
    )
