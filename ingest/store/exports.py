"""The queue of spans to export, in PostgreSQL: filled in the aggregator's own transaction, emptied by one exporter."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson

from ingest.model import Origin
from ingest.outcome import Note
from ingest.ports import Portion, Sampled
from ingest.store.database import EXPORT_LOCK, lock, reachable
from ingest.store.snapshot import micros

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COLUMNS = ("app_id", "start_at", "trace_id", "span_id")
_JSON = ("resource", "attributes", "events", "links")
_TAKE_OUT = """
    WITH gone AS (DELETE FROM export_queue WHERE entry <= $2 RETURNING app_id),
    counted AS (INSERT INTO ledger (app_id, hour_at, outcome, part, spans)
                SELECT app_id, date_trunc('hour', now()), $1, nextval('rollup_part'), count(*) FROM gone
                GROUP BY app_id HAVING $1::text <> '')
    SELECT count(*) FROM gone
"""


async def enqueue(connection: Any, sampled: Sequence[Sampled]) -> None:
    """Puts the client spans among these into the queue, in the caller's transaction."""
    rows = [row for each in sampled for row in _rows(each)]
    if rows:
        await connection.copy_records_to_table("export_queue", records=rows, columns=_COLUMNS)


def _rows(sampled: Sampled) -> Iterator[tuple[int, datetime, bytes, bytes]]:
    spans, assigned = sampled.kept.batch.spans, sampled.kept.assigned
    chosen = assigned.origin == Origin.CLIENT
    trace_ids, span_ids = spans.trace_id[chosen], spans.span_id[chosen]
    return zip(
        sampled.app_id[chosen].tolist(),
        (_EPOCH + timedelta(microseconds=start) for start in assigned.start_at_us[chosen].tolist()),
        (trace_id.tobytes() for trace_id in trace_ids),
        (span_id.tobytes() for span_id in span_ids),
        strict=True,
    )


class PostgresExports:
    """Implements `ingest.ports.Exports`."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._connection: Any = None

    async def lead(self) -> None:
        """Returns when this process is the one exporter.

        Raises:
            Unavailable: the database cannot be reached now.
        """
        async with reachable():
            if self._connection is not None:
                lost, self._connection = self._connection, None
                with suppress(asyncpg.InterfaceError):
                    lost.terminate()
                await self._pool.release(lost)
            connection = await self._pool.acquire()
            try:
                await lock(connection, EXPORT_LOCK)
            except BaseException:
                connection.terminate()
                await self._pool.release(connection)
                raise
            self._connection = connection

    async def next(self, limit: int) -> Portion | None:
        """The oldest spans in the queue."""
        async with reachable():
            queued = await self._connection.fetch(
                "SELECT entry, app_id, start_at, trace_id, span_id FROM export_queue ORDER BY entry LIMIT $1", limit
            )
            if not queued:
                return None
            columns = [[row[name] for row in queued] for name in _COLUMNS]
            spans = await self._connection.fetch(
                "SELECT DISTINCT ON (span.app_id, span.trace_id, span.span_id, span.start_at) span.* FROM span"
                " JOIN unnest($1::int[], $2::timestamptz[], $3::bytea[], $4::bytea[])"
                " AS queued (app_id, start_at, trace_id, span_id)"
                " USING (app_id, start_at, trace_id, span_id) WHERE origin = 'client'",
                *columns,
            )
        return Portion(queued[-1]["entry"], [_whole(row) for row in spans])

    async def finish(self, portion: Portion, *, refused: bool) -> None:
        """Takes a portion out of the queue."""
        await self._take_out(portion.last, Note.EXPORT_REFUSED if refused else None)

    async def trim(self, most: int) -> int:
        """Takes the oldest spans beyond `most` out of the queue."""
        async with reachable():
            newest_gone = await self._connection.fetchval(
                "SELECT entry FROM export_queue ORDER BY entry DESC OFFSET $1 LIMIT 1", most
            )
        if newest_gone is None:
            return 0
        return await self._take_out(newest_gone, Note.EXPORT_DROPPED)

    async def _take_out(self, last: int, note: Note | None) -> int:
        label = f"noted:{note.label}" if note is not None else ""
        async with reachable():
            gone: int = await self._connection.fetchval(_TAKE_OUT, label, last)
        return gone


def _whole(row: asyncpg.Record) -> Mapping[str, Any]:
    span = dict(row)
    span["start_us"] = micros(span.pop("start_at"))
    for name in _JSON:
        span[name] = orjson.loads(span[name])
    return span
