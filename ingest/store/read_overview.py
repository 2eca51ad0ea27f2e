"""PostgreSQL as the overview reads it: `PostgresOverviews` implements `ingest.ports.Overviews`."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import numpy as np

from ingest.model import F64, I64, METRICS, UNKNOWN, Kind
from ingest.ports import FailedSpans, Question, ServerTimes, Suppressed
from ingest.store.disclose import Cell, Visits, hidden_cells, passes
from ingest.store.plan import TIERS, Retention
from ingest.store.read_samples import FAILED, about, dimension, span_of
from ingest.store.snapshot import micros, moment, snapshot

MOST_FAILED = 20_000
"""More would hardly narrow the intervals."""
MOST_REQUESTS = 10_000
"""Each is looked up in its trace."""

_TTFB = f"phases_us[{METRICS.index('ttfb')}]"

_HOW = """
    CASE WHEN signal = 'report' THEN coalesce(error_type, 'unknown')
         WHEN http_status = 0 THEN 'no_answer'
         WHEN http_status BETWEEN 400 AND 499 THEN '4xx'
         WHEN http_status >= 500 THEN '5xx'
         ELSE 'other' END
"""

# The last backend span to start counts, as in a trace (`ingest.query.first_byte`). A server answers while its client
# waits, but by another clock: a day either way is looked at, so that not every partition is.
_TOLD = f"""
    coalesce((SELECT told.duration_us FROM span told
              WHERE told.app_id = span.app_id AND told.trace_id = span.trace_id AND told.parent_span_id = span.span_id
                AND told.origin = 'backend' AND told.kind = {Kind.SERVER:d}
                AND told.start_at BETWEEN span.start_at - interval '1 day' AND span.start_at + interval '1 day'
              ORDER BY told.start_at DESC LIMIT 1), server_us, {UNKNOWN})
"""  # noqa: S608 - holds no value


_TELLING = ("app_id", "trace_id", "span_id", "start_at", "server_us", "phases_us")


class PostgresOverviews:
    """Reads through a pool; holds nothing but it and how long spans are kept."""

    def __init__(self, pool: asyncpg.Pool, retention: Retention) -> None:
        self._pool = pool
        self._retention = retention

    async def failed(self, question: Question) -> FailedSpans:
        select = _Select(
            FAILED,
            MOST_FAILED,
            ("signal", "http_status", "error_type", "duration_us"),
            {"kind": _HOW, "duration_us": "duration_us"},
        )
        async with snapshot(self._pool) as connection:
            rows = await select.read(connection, question, self._retention)
        shown, suppressed = await asyncio.to_thread(_shown, rows, question)
        kinds, kind = np.unique(np.array([row["kind"] for row in shown], np.str_), return_inverse=True)
        return FailedSpans(
            kinds=kinds.tolist(),
            kind=kind.astype(np.int32),
            duration_us=_column(shown, "duration_us"),
            weight=_weights(shown),
            cluster=_column(shown, "randomness"),
            suppressed=suppressed,
        )

    async def server_times(self, question: Question) -> ServerTimes:
        # Those of whom a server told are a kind of their own: a figure about few of them is not shown.
        select = _Select(f"{_TTFB} >= 0", MOST_REQUESTS, _TELLING, {"ttfb_us": _TTFB, "server_us": _TOLD})
        async with snapshot(self._pool) as connection:
            rows = await select.read(connection, question, self._retention)
        told = [row for row in rows if row["server_us"] != UNKNOWN]
        shown, _ = await asyncio.to_thread(_shown, told, question)
        shown += [row for row in rows if row["server_us"] == UNKNOWN and passes(_dimensions(row, question), question)]
        return ServerTimes(
            ttfb_us=_column(shown, "ttfb_us"),
            server_us=_column(shown, "server_us"),
            weight=_weights(shown),
            cluster=_column(shown, "randomness"),
        )

    async def began(self, app_id: int) -> int | None:
        """A coarse window may begin before its first span; a finer tier that still holds that span knows better."""
        began: int | None = None
        async with snapshot(self._pool) as connection:
            for tier in reversed(TIERS):
                oldest = await connection.fetchval(_oldest_window(tier.table), app_id)
                if oldest is not None and (began is None or micros(oldest) < began + TIERS[-1].width_us):
                    began = micros(oldest)
        return began


@dataclass(frozen=True, slots=True)
class _Select:
    """Sampled client spans of a question's signal and range, whatever its filters, one row each."""

    where: str
    most: int
    """Beyond this many they are thinned and weigh more."""
    found: Sequence[str]
    """Columns that the expressions are about."""
    columns: Mapping[str, str]
    """Name → expression, of those that are left after thinning."""

    async def read(
        self, connection: asyncpg.Connection, question: Question, retention: Retention
    ) -> list[Mapping[str, Any]]:
        span = span_of(question, retention)
        names = ", ".join(dict.fromkeys((*self.found, *question.partition)))
        columns = {name: dimension(name) for name in question.partition} | dict(self.columns)
        chosen = "".join(f", {expression} AS {name}" for name, expression in columns.items())
        # One look at the spans: counting them first would read them twice.
        rows = await connection.fetch(
            f"WITH found AS MATERIALIZED (SELECT weight, randomness, session, {names} FROM span"  # noqa: S608 - names from DIMENSIONS
            f"   WHERE {about(question)} AND {self.where}),"
            " size AS (SELECT 1 << greatest(ceil(log(2, greatest(count(*), 1) / $4::numeric)), 0)::int AS thinned_by"
            "   FROM found)"
            f" SELECT weight * thinned_by AS weight, randomness, hashtextextended(session, 0) AS session{chosen}"
            f" FROM found AS span, size WHERE (hashint8(randomness) & (thinned_by - 1)) = 0",
            question.app_id,
            moment(span.from_us),
            moment(span.to_us),
            self.most,
        )
        return list(rows)


Row = Mapping[str, Any]


def _dimensions(row: Row, question: Question) -> Cell:
    return tuple(row[name] for name in question.partition)


def _shown(rows: Sequence[Row], question: Question) -> tuple[list[Row], Suppressed]:
    """Of the rows those that pass the filters, without cells of too few sessions; cells are cut by `kind`, too."""
    of_row = [(*_dimensions(row, question), row.get("kind", "")) for row in rows]
    cells = sorted(set(of_row))
    number = {cell: place for place, cell in enumerate(cells)}
    known = [place for place, row in enumerate(rows) if row["session"] is not None]
    visits = Visits(
        cell=np.array([number[cell] for cell in of_row], np.int64),
        step=np.zeros(len(rows), np.int64),
        spans=_weights(rows),
        row=np.array(known, np.int64),
        session=np.array([rows[place]["session"] for place in known], np.int64),
    )
    hidden, suppressed = hidden_cells(cells, visits, question.least_sessions)
    return [
        row for cell, row in zip(of_row, rows, strict=True) if not hidden[number[cell]] and passes(cell[:-1], question)
    ], suppressed


def _column(rows: Sequence[Row], name: str) -> I64:
    return np.array([row[name] for row in rows], np.int64)


def _weights(rows: Sequence[Row]) -> F64:
    return np.array([row["weight"] for row in rows], np.float64)


def _oldest_window(table: str) -> str:
    # As the newest: every span counts in view `all`.
    return (
        f"SELECT min(window_at) FROM {table} WHERE app_id = $1"  # noqa: S608 - a name from TIERS
        " AND series_id = ANY (ARRAY(SELECT series_id FROM series WHERE app_id = $1 AND view = 'all'))"
    )
