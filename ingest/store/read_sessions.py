"""Reading sessions of the sample: `PostgresSessions` implements `ingest.ports.SampledSessions`."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from ingest.model import Signal
from ingest.ports import SessionRead, Suppressed, TraceSearch
from ingest.ports.sessions import MOST_SESSION_SPANS
from ingest.store.plan import Retention
from ingest.store.read_samples import FAILED
from ingest.store.read_trace import SHAPE_COLUMNS, to_columns
from ingest.store.read_traces import listed_cells, newest
from ingest.store.snapshot import micros, snapshot

_WAITED_FOR = ", ".join(
    f"'{signal.word}'" for signal in (Signal.REQUEST, Signal.OPERATION, Signal.PAGE, Signal.SCREEN, Signal.START)
)
_NEWEST = ("version", "country", "device_class", "network", "os")

_SUMMARIES = f"""
    WITH mine AS (SELECT session, trace_id, name, signal, {", ".join(_NEWEST)}, duration_us, start_at, span_id,
                         start_at + duration_us * interval '1 microsecond' AS end_at, {FAILED} AS failed
                  FROM span WHERE app_id = $1 AND session = ANY($2) AND origin = 'client'),
    whole AS (SELECT session, count(*) AS spans, count(*) FILTER (WHERE failed) AS errors,
                     count(DISTINCT trace_id) AS traces, min(start_at) AS first_at, max(end_at) AS last_at
              FROM mine GROUP BY session),
    head AS (SELECT DISTINCT ON (session) session, {", ".join(_NEWEST)} FROM mine
             ORDER BY session, start_at DESC, span_id),
    slowest AS (SELECT DISTINCT ON (session) session, name AS slowest_name, duration_us AS slowest_us
                FROM mine WHERE signal IN ({_WAITED_FOR}) ORDER BY session, duration_us DESC, span_id)
    SELECT * FROM whole JOIN head USING (session) LEFT JOIN slowest USING (session)
    ORDER BY array_position($2, session)
"""  # noqa: S608 - holds no value
_WHOLE = ("session", "spans", "errors", "traces", "slowest_name", "slowest_us", *_NEWEST)

_DETAILS = (
    "trace_id", "signal", "screen", "http_status", "error_type", "phases_us", "weight", *_NEWEST,
)  # fmt: skip
_SPANS = f"""
    SELECT {SHAPE_COLUMNS}, {", ".join(_DETAILS)} FROM span
    WHERE app_id = $1 AND session = $2 AND origin = 'client' ORDER BY start_at, span_id LIMIT {MOST_SESSION_SPANS + 1}
"""  # noqa: S608 - holds no value


class PostgresSessions:
    """Reads through a pool of its own choosing, as `ingest.store.read.PostgresReader`."""

    def __init__(self, pool: asyncpg.Pool, retention: Retention) -> None:
        self._pool = pool
        self._retention = retention

    async def sessions(
        self, search: TraceSearch, views: Sequence[str]
    ) -> tuple[Sequence[Mapping[str, Any]], Suppressed]:
        async with snapshot(self._pool) as connection:
            shown, suppressed = await listed_cells(connection, search, views, self._retention)
            if shown is not None and not shown:
                return [], suppressed
            found = await newest(connection, search, shown, "session")
            rows = await connection.fetch(_SUMMARIES, search.app_id, list(found))
        return [
            {
                **{name: row[name] for name in _WHOLE},
                "newest_us": found[row["session"]],
                "first_us": micros(row["first_at"]),
                "last_us": micros(row["last_at"]),
            }
            for row in rows
        ], suppressed

    async def session(self, app_id: int, pseudonym: str) -> SessionRead | None:
        async with snapshot(self._pool) as connection:
            rows = await connection.fetch(_SPANS, app_id, pseudonym)
        if not rows:
            return None
        read, strings = rows[:MOST_SESSION_SPANS], {"": 0}
        spans = to_columns(read, strings)
        return SessionRead(
            strings=list(strings),
            spans=spans,
            details=[{name: row[name] for name in _DETAILS} for row in read],
            more=len(rows) > len(read),
        )
