"""Reading rollups: series of a view → partials per (group, step), sketches strung together by the database.

A sketch at rest is a list of bins and merging is adding, so `string_agg` of the bytes is a merge put off: the database
returns one row per cell instead of one per partial, and numpy adds up the bins of all cells at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import asyncpg
import numpy as np

from ingest.model import DIMENSIONS, METRICS, OTHER
from ingest.ports import Cells, Question
from ingest.store.plan import TIERS, Piece, Plan, Retention, ceil, plan
from ingest.store.snapshot import micros, moment

MOST_PARTIALS = 500_000
"""About as many as PostgreSQL adds up in half a second; a question that needs more is answered in coarser steps."""

_HIDDEN = -1


@dataclass(frozen=True, slots=True)
class _Selection:
    """The series of one view that a question is about."""

    view: str
    groups: Mapping[tuple[str, ...], list[int]]
    """Values by `Question.group_by` → series ids."""
    hidden: Sequence[int]
    """Overflow series that may hold spans which pass the filters."""

    @property
    def cost(self) -> tuple[bool, bool, int]:
        """Lowest is best: something found, nothing hidden, few series to read."""
        return not self.groups, bool(self.hidden), sum(map(len, self.groups.values()))


async def read_cells(
    connection: asyncpg.Connection, question: Question, views: Sequence[str], retention: Retention
) -> Cells:
    """See `ingest.ports.Reader.cells`."""
    selection = min(await _select(connection, question, views), key=lambda selected: selected.cost)
    cursors = {row["tier"]: row["part"] for row in await connection.fetch("SELECT tier, part FROM compaction")}
    groups, hidden_spans = selection.groups, 0
    truncated = len(groups) > question.most_groups
    if truncated or selection.hidden:
        totals = await _count(connection, question, selection, retention, cursors)
        hidden_spans = totals.pop(_HIDDEN, 0)
        if truncated:
            names = list(groups)
            largest = sorted(totals, key=lambda number: -totals[number])[: question.most_groups]
            groups = {names[number]: groups[names[number]] for number in largest}
    chosen = _affordable(question, retention, sum(map(len, groups.values())))
    rows = await _fetch(connection, question, _numbered(groups.values()), chosen, cursors)
    return _to_cells(
        rows,
        question,
        chosen,
        view=selection.view,
        groups=list(groups),
        truncated=truncated,
        hidden_spans=hidden_spans,
    )


def _affordable(question: Question, retention: Retention, series: int) -> Plan:
    """The plan with the step asked for, or with the first coarser tier's that reads little enough."""
    for tier in TIERS:
        chosen = plan(replace(question, step_us=ceil(question.step_us, tier.width_us)), retention)
        windows = sum((piece.to_us - piece.from_us) // piece.tier.width_us for piece in chosen.pieces)
        if windows * series <= MOST_PARTIALS:
            break
    return chosen


async def _select(connection: asyncpg.Connection, question: Question, views: Sequence[str]) -> list[_Selection]:
    """Per view the series that pass the filters, in groups."""
    dimensions = [name for name in DIMENSIONS if name in question.group_by or name in question.filters]
    columns = "".join(f", {name}" for name in dimensions)
    passes = "".join(
        f" AND ({name} = ANY(${number}) OR {name} = '{OTHER}')" for number, name in enumerate(question.filters, start=3)
    )
    rows = await connection.fetch(
        f"SELECT view, array_agg(series_id) AS ids{columns} FROM series"  # noqa: S608 - names from DIMENSIONS
        f" WHERE app_id = $1 AND view = ANY($2){passes} GROUP BY view{columns}",
        question.app_id,
        list(views),
        *map(list, question.filters.values()),
    )
    return [_in_groups(view, [row for row in rows if row["view"] == view], question) for view in views]


def _in_groups(view: str, rows: Sequence[asyncpg.Record], question: Question) -> _Selection:
    groups: dict[tuple[str, ...], list[int]] = {}
    hidden: list[int] = []
    for row in rows:
        if any(row[name] == OTHER and OTHER not in values for name, values in question.filters.items()):
            hidden += row["ids"]
        else:
            groups.setdefault(tuple(row[name] for name in question.group_by), []).extend(row["ids"])
    return _Selection(view, groups, hidden)


async def _count(
    connection: asyncpg.Connection,
    question: Question,
    selection: _Selection,
    retention: Retention,
    cursors: Mapping[str, int],
) -> dict[int, int]:
    """Spans per number of a group, and of what is hidden."""
    totals_only = replace(question, over_time=False, metrics=())
    ids, numbers = _numbered(selection.groups.values())
    keys = (ids + list(selection.hidden), numbers + [_HIDDEN] * len(selection.hidden))
    rows = await _fetch(connection, totals_only, keys, plan(totals_only, retention), cursors)
    totals: dict[int, int] = {}
    for row in rows:
        totals[row["number"]] = totals.get(row["number"], 0) + row["spans"]
    return totals


def _numbered(groups: Iterable[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Series ids, and for each the number of its group."""
    ids: list[int] = []
    numbers: list[int] = []
    for number, members in enumerate(groups):
        ids += members
        numbers += [number] * len(members)
    return ids, numbers


async def _fetch(
    connection: asyncpg.Connection,
    question: Question,
    keys: tuple[list[int], list[int]],
    chosen: Plan,
    cursors: Mapping[str, int],
) -> list[asyncpg.Record]:
    """One row per (group, step) and table that holds some of it."""
    if not keys[0] or not chosen.pieces:
        return []
    arguments: list[object] = [question.app_id, *keys]
    arguments.append(timedelta(microseconds=chosen.step_us) if question.over_time else moment(chosen.from_us))
    at = "date_bin($4::interval, window_at, 'epoch')" if question.over_time else "$4::timestamptz"
    selects = []
    for piece in chosen.pieces:
        for table, beyond in _tables(piece, cursors):
            arguments += [moment(piece.from_us), moment(piece.to_us)]
            where = f"window_at >= ${len(arguments) - 1} AND window_at < ${len(arguments)}"
            if beyond is not None:
                arguments.append(beyond)
                where += f" AND part > ${len(arguments)}"
            selects.append(_select_cells(table, at, where, question.metrics))
    return list(await connection.fetch(" UNION ALL ".join(selects), *arguments))


def _tables(piece: Piece, cursors: Mapping[str, int]) -> list[tuple[str, int | None]]:
    """The piece's own tier, and of the finer ones what the compactor has not added to it yet."""
    finer = TIERS[: TIERS.index(piece.tier)]
    return [(piece.tier.table, None), *((tier.table, cursors[tier.table]) for tier in finer)]


def _select_cells(table: str, at: str, where: str, metrics: Sequence[str]) -> str:
    columns = "".join(
        f", string_agg({metric}, ''::bytea) AS {metric}"
        + (
            ""
            if metric == "duration"
            else f", sum(reused[{METRICS.index(metric)}])::bigint AS {metric}_reused"
            f", sum(unknown[{METRICS.index(metric)}])::bigint AS {metric}_unknown"
        )
        for metric in metrics
    )
    return (
        f"SELECT number, {at} AS at, sum(spans)::bigint AS spans, sum(errors)::bigint AS errors{columns}"  # noqa: S608 - names from TIERS and METRICS
        f" FROM unnest($2::bigint[], $3::int[]) AS chosen(series_id, number)"
        f" JOIN {table} USING (series_id) WHERE app_id = $1 AND {where} GROUP BY 1, 2"
    )


def _to_cells(
    rows: Sequence[asyncpg.Record],
    question: Question,
    chosen: Plan,
    *,
    view: str,
    groups: list[tuple[str, ...]],
    truncated: bool,
    hidden_spans: int,
) -> Cells:
    def column(name: str) -> list[Any]:
        return [row[name] for row in rows]

    def marks(name: str) -> list[list[int]]:
        return [[0] * len(rows) if metric == "duration" else column(f"{metric}_{name}") for metric in question.metrics]

    shape = (len(question.metrics), len(rows))
    at_us = {at: micros(at) for at in set(column("at"))}
    return Cells(
        view=view,
        from_us=chosen.from_us,
        to_us=chosen.to_us,
        step_us=chosen.step_us,
        groups=groups,
        truncated=truncated,
        hidden_spans=hidden_spans,
        group=np.array(column("number"), dtype=np.int32),
        at_us=np.array([at_us[row["at"]] for row in rows], dtype=np.int64),
        spans=np.array(column("spans"), dtype=np.int64),
        errors=np.array(column("errors"), dtype=np.int64),
        reused=np.array(marks("reused"), dtype=np.int64).reshape(shape),
        unknown=np.array(marks("unknown"), dtype=np.int64).reshape(shape),
        sketches=[[row[metric] for row in rows] for metric in question.metrics],
    )
