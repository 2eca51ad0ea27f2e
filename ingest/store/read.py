"""PostgreSQL as the query API reads it: `PostgresReader` implements `ingest.ports.Reader`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import asyncpg

from ingest.outcome import Note, Outcome
from ingest.ports import (
    App,
    Cells,
    LedgerRow,
    PolicyText,
    Question,
    Receipt,
    Samples,
    ScrubRow,
    Suppressed,
    TraceRead,
    TraceSearch,
)
from ingest.store.erasures import read_receipt, read_receipts
from ingest.store.plan import TIERS, Retention, Tier
from ingest.store.read_privacy import read_policies, read_scrubs
from ingest.store.read_rollups import read_cells
from ingest.store.read_samples import read_samples
from ingest.store.read_trace import read_trace, read_trace_spans
from ingest.store.read_traces import read_traces
from ingest.store.snapshot import micros, moment, snapshot

_HOUR_US = 3_600_000_000

_APPS = """
    SELECT app_id, name, (SELECT shown FROM app_key WHERE app_key.app_id = app.app_id AND role = 'client'
                            AND revoked_at IS NULL ORDER BY created_at, digest LIMIT 1) AS client_key
    FROM app ORDER BY app_id
"""

_LEDGER = """
    SELECT hour_at, outcome, sum(spans)::bigint AS spans FROM ledger
    WHERE app_id = $1 AND hour_at >= $2 AND hour_at < $3 GROUP BY hour_at, outcome ORDER BY hour_at, outcome
"""


# What was received in an hour may have begun before it, never after: so all hours since the range began are looked at.
_NOTED = f"""
    SELECT coalesce(sum(spans) FILTER (WHERE outcome = 'noted:{Note.WEIGHTED.label}'), 0)::bigint AS weighted,
           coalesce(sum(spans) FILTER (WHERE outcome = 'noted:{Note.SKETCH_REMAPPED.label}'), 0)::bigint AS remapped,
           coalesce(sum(spans) FILTER (
               WHERE outcome IN ('{Outcome.COUNTED_NO_CONSENT.label}', 'noted:{Note.UNSAMPLED.label}',
                                 'noted:{Note.TRACE_FULL.label}')), 0)::bigint AS unstored
    FROM ledger WHERE app_id = $1 AND hour_at >= date_trunc('hour', $2::timestamptz)
"""  # noqa: S608 - holds no value


class PostgresReader:
    """Reads through a pool of its own choosing; holds nothing but it and how long things are kept."""

    def __init__(self, pool: asyncpg.Pool, retention: Retention) -> None:
        self._pool = pool
        self._retention = retention

    async def apps(self) -> Sequence[App]:
        async with snapshot(self._pool) as connection:
            return [App(*row) for row in await connection.fetch(_APPS)]

    async def cells(self, question: Question, views: Sequence[str]) -> Cells:
        async with snapshot(self._pool) as connection:
            cells = await read_cells(connection, question, views, self._retention)
            noted = await connection.fetchrow(_NOTED, question.app_id, moment(cells.from_us))
            return replace(cells, weighted_spans=noted["weighted"], remapped_spans=noted["remapped"])

    async def samples(self, question: Question) -> Samples:
        async with snapshot(self._pool) as connection:
            samples = await read_samples(connection, question, self._retention)
            noted = await connection.fetchrow(_NOTED, question.app_id, moment(samples.from_us))
            return replace(samples, hidden_spans=noted["unstored"])

    async def traces(self, search: TraceSearch, views: Sequence[str]) -> tuple[Sequence[Mapping[str, Any]], Suppressed]:
        async with snapshot(self._pool) as connection:
            return await read_traces(connection, search, views, self._retention)

    async def trace(self, app_id: int, trace_id: bytes) -> TraceRead | None:
        async with snapshot(self._pool) as connection:
            return await read_trace(connection, app_id, trace_id)

    async def trace_spans(
        self, app_id: int, trace_ids: tuple[bytes, bytes], span_ids: Sequence[bytes]
    ) -> Sequence[Mapping[str, Any]]:
        async with snapshot(self._pool) as connection:
            return await read_trace_spans(connection, app_id, trace_ids, span_ids)

    async def ledger(self, app_id: int, from_us: int, to_us: int) -> Sequence[LedgerRow]:
        async with snapshot(self._pool) as connection:
            rows = await connection.fetch(_LEDGER, app_id, moment(from_us), moment(to_us))
        return [LedgerRow(app_id, micros(row["hour_at"]) // _HOUR_US, row["outcome"], row["spans"]) for row in rows]

    async def newest_window(self, app_id: int) -> int | None:
        async with snapshot(self._pool) as connection:
            for tier in TIERS:
                newest = await connection.fetchval(_newest_window(tier), app_id)
                if newest is not None:
                    return micros(newest)
        return None

    async def check(self) -> None:
        async with snapshot(self._pool) as connection:
            await connection.fetchval("SELECT 1")

    async def scrubs(self, app_id: int, from_us: int, to_us: int) -> Sequence[ScrubRow]:
        async with snapshot(self._pool) as connection:
            return await read_scrubs(connection, app_id, from_us, to_us)

    async def policies(self, app_id: int) -> Sequence[PolicyText]:
        async with snapshot(self._pool) as connection:
            return await read_policies(connection, app_id)

    async def receipts(self, app_id: int, *, before: tuple[int, str] | None, limit: int) -> Sequence[Receipt]:
        async with snapshot(self._pool) as connection:
            return await read_receipts(connection, app_id, before, limit)

    async def receipt(self, app_id: int, erasure_id: str) -> Receipt | None:
        async with snapshot(self._pool) as connection:
            return await read_receipt(connection, app_id, erasure_id)


def _newest_window(tier: Tier) -> str:
    # Every span counts in view `all`, which has one series per app and signal: a few looks into the primary key.
    mine = "app_id = $1 AND series_id = ANY (ARRAY(SELECT series_id FROM series WHERE app_id = $1 AND view = 'all'))"
    newest = f"SELECT max(window_at) AS at FROM {tier.table} WHERE {mine}"  # noqa: S608 - a name from TIERS
    if not tier.stretch_us:
        return newest
    width = f"interval '{tier.width_us} microseconds'"
    return (
        f"SELECT max(at) FROM ({newest} UNION ALL SELECT max(stretch_at + windows[cardinality(windows)] * {width})"  # noqa: S608 - names from TIERS
        f" FROM {tier.packed} WHERE {mine}) AS newest"
    )
