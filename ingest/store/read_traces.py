"""Reading the list of traces: those with the newest client spans that pass."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import asyncpg

from ingest.ports import Question, Suppressed, TraceSearch
from ingest.store.disclose import Cell
from ingest.store.plan import TIERS, Retention
from ingest.store.read_samples import FAILED
from ingest.store.shown import shown_cells, within
from ingest.store.snapshot import micros, moment

_SPANS_LOOKED_AT = 200_000

_CLIENT = "origin = 'client'"
_OVERSIZED = "EXISTS (SELECT FROM trace_overflow o WHERE o.app_id = $1 AND o.trace_id = {trace_id})"

_SUMMARIES = f"""
    WITH mine AS (SELECT trace_id, span_id, parent_span_id, name, route, version, country, device_class, weight,
                         stratum, start_at, start_at + duration_us * interval '1 microsecond' AS end_at,
                         {FAILED} AS failed, {_CLIENT} AS client
                  FROM span WHERE app_id = $1 AND trace_id = ANY($2)),
    head AS (SELECT DISTINCT ON (trace_id) trace_id, name, route, version, country, device_class, weight, stratum
             FROM mine WHERE client ORDER BY trace_id, parent_span_id IS NOT NULL, start_at, span_id),
    whole AS (SELECT trace_id, min(start_at) AS start_at, max(end_at) AS end_at, count(*) AS spans,
                     count(*) FILTER (WHERE failed) AS errors FROM mine WHERE client GROUP BY trace_id),
    behind AS (SELECT trace_id, count(*) AS backend_spans FROM mine WHERE NOT client GROUP BY trace_id)
    SELECT *, {_OVERSIZED.format(trace_id="head.trace_id")} AS oversized
    FROM head JOIN whole USING (trace_id) LEFT JOIN behind USING (trace_id) ORDER BY start_at DESC, trace_id
"""  # noqa: S608 - holds no value

_HEAD = ("trace_id", "name", "route", "version", "country", "device_class", "weight", "stratum")
_WHOLE = ("spans", "errors", "oversized")


async def read_traces(
    connection: asyncpg.Connection, search: TraceSearch, views: Sequence[str], retention: Retention
) -> tuple[Sequence[Mapping[str, Any]], Suppressed]:
    """See `ingest.ports.Reader.traces`."""
    shown, suppressed = await listed_cells(connection, search, views, retention)
    if shown is not None and not shown:
        return [], suppressed
    found = await newest(connection, search, shown, "trace_id")
    rows = await connection.fetch(_SUMMARIES, search.app_id, list(found))
    return [
        {
            **{name: row[name] for name in (*_HEAD, *_WHOLE)},
            "backend_spans": row["backend_spans"] or 0,
            "newest_us": found[row["trace_id"]],
            "start_us": micros(row["start_at"]),
            "duration_us": micros(row["end_at"]) - micros(row["start_at"]),
        }
        for row in rows
    ], suppressed


async def listed_cells(
    connection: asyncpg.Connection, search: TraceSearch, views: Sequence[str], retention: Retention
) -> tuple[Sequence[Cell] | None, Suppressed]:
    """The cells whose spans may be listed; None when all may."""
    question = Question(
        app_id=search.app_id,
        from_us=search.from_us,
        to_us=search.to_us,
        now_us=search.now_us,
        step_us=TIERS[0].width_us,
        signal=search.signal,
        over_time=False,
        filters=search.filters,
        least_sessions=search.least_sessions,
    )
    return await shown_cells(connection, question, views, retention)


async def newest(
    connection: asyncpg.Connection, search: TraceSearch, shown: Sequence[Cell] | None, column: str
) -> Mapping[Any, int]:
    """The traces or sessions (by the column `trace_id` or `session`) with the newest passing spans, and when these
    start, µs since 1970.

    Looks at ever more of the newest spans until they are of enough traces: grouping all spans of the range by trace
    would read all of them to show the last few.
    """
    passes, values = _conditions(search, shown)
    passes += f" AND {column} IS NOT NULL"
    place = len(values)
    older = ""
    if search.before is not None:
        older = f" AND (start_at, {column}) < (${place + 1}, ${place + 2})"
        values += [moment(search.before[0]), search.before[1]]
    statement = (
        f"SELECT {column} AS id, start_at FROM span WHERE {passes}{older}"  # noqa: S608
        f" ORDER BY start_at DESC, {column} DESC LIMIT ${len(values) + 1}"
    )
    listed = (
        f"SELECT DISTINCT {column} AS id FROM span WHERE {passes} AND NOT (TRUE{older})"  # noqa: S608
        f" AND {column} = ANY(${{}})"
    )
    look = search.limit * 4
    while True:
        rows = await connection.fetch(statement, *values, look)
        found = {row["id"]: micros(row["start_at"]) for row in reversed(rows)}
        found = dict(sorted(found.items(), key=lambda item: (item[1], item[0]), reverse=True))
        if older and found:
            # Older spans of one that a page before this one has listed.
            for row in await connection.fetch(listed.format(len(values) + 1), *values, list(found)):
                del found[row["id"]]
        if len(found) >= search.limit or len(rows) < look or look >= _SPANS_LOOKED_AT:
            return dict(islice(found.items(), search.limit))
        look *= 8


def _conditions(search: TraceSearch, shown: Sequence[Cell] | None) -> tuple[str, list[Any]]:
    """What a span must be to pass, and the values of its parameters."""
    values: list[Any] = [search.app_id, moment(search.from_us), moment(search.to_us), search.min_us]
    filtered, more = within(search.filters, tuple(search.filters), shown, first=len(values) + 1)
    values += more
    failed = f" AND {FAILED}" if search.errors else ""
    oversized = f" AND {_OVERSIZED.format(trace_id='span.trace_id')}" if search.oversized else ""
    passes = (
        "app_id = $1 AND start_at >= $2 AND start_at < $3 AND duration_us >= $4"
        f" AND {_CLIENT} AND signal = '{search.signal.word}'{failed}{oversized}{filtered}"
    )
    return passes, values
