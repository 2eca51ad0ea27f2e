"""The journal as a PostgreSQL table: an insert is a durable append, the aggregator's transaction deletes.

`append` answers once the row is committed with `synchronous_commit = on`. A writer's lane comes from a sequence, so no
two lives of any process ever share one, and a retry after a lost connection can say `ON CONFLICT DO NOTHING`: the row
in the way can only be its own.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from ingest.errors import Unavailable
from ingest.journal.record import RecordError, decode, encode
from ingest.model import Processed
from ingest.pipeline.forget import forget
from ingest.ports import Entry, ErasedSession, Forgotten, Position, Tombstones

APPEND_SECONDS = 2.0
"""Longest time that an append is tried before its requests are told to come again."""
SIZE_CHECK_SECONDS = 3.0
READ_BYTES = 8 << 20
"""Encoded records of one read: a backlog of any size is worked off in bounded memory."""
FORGET_RECORDS = 16
"""Of one transaction that takes people out of records."""

_LOST = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
)
_RETRY_SECONDS = 0.05
_log = logging.getLogger(__name__)


async def open_lane(pool: "asyncpg.Pool[Any]") -> int:
    """A lane that nobody ever had. Take one per process and life."""
    lane: int = await pool.fetchval("SELECT nextval('journal_lane')")
    return lane


class PostgresJournal:
    """Both ends of the journal: `ingest.ports.Journal` for the writer of a lane, `JournalReader` for the aggregator.

    Args:
        lane: from `open_lane`; a reader needs none.
        limit_bytes: encoded records that may wait here; beyond, appends are refused until the aggregator has caught up.
    """

    def __init__(self, pool: "asyncpg.Pool[Any]", lane: int = 0, *, limit_bytes: int = 4 << 30) -> None:
        self._pool = pool
        self._lane = lane
        self._seq = 0
        self._limit_bytes = limit_bytes
        self._full = False
        self._check_at = 0.0

    async def append(self, record: Processed) -> None:
        """Returns only after the record is durably committed.

        Raises:
            Unavailable: nothing may be acknowledged: the database cannot be reached, or the journal is full.
        """
        if self._lane == 0:
            raise ValueError("this journal was opened for reading; take a lane with open_lane to append")
        seq, data = self._seq, encode(record)
        self._seq += 1
        try:
            async with asyncio.timeout(APPEND_SECONDS):
                await self._check_size()
                await self._insert(seq, data)
        except (TimeoutError, *_LOST):
            raise Unavailable(
                "journal_unreachable", "The journal cannot be reached now; nothing was kept, send the same batch again."
            ) from None
        except asyncpg.InsufficientResourcesError:
            raise Unavailable(
                "journal_resources",
                "The database is out of disk or connections; nothing was kept, send it again later.",
            ) from None

    async def _insert(self, seq: int, data: bytes) -> None:
        # The first attempt must meet no row; only after a lost answer may one stand there, and then it is this one.
        statement = "INSERT INTO journal (lane, seq, record) VALUES ($1, $2, $3)"
        while True:
            try:
                await self._pool.execute(statement, self._lane, seq, data)
            except _LOST:
                statement = "INSERT INTO journal (lane, seq, record) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                return

    async def _check_size(self) -> None:
        now = asyncio.get_running_loop().time()
        if now >= self._check_at:
            # Set before the query, so that of many appends under way one asks.
            self._check_at = now + SIZE_CHECK_SECONDS
            # What waits, not what the table takes: space that deleted rows left behind is free to be used again.
            waiting = await self._pool.fetchval("SELECT coalesce(sum(octet_length(record)), 0) FROM journal")
            self._full = waiting > self._limit_bytes
        if self._full:
            raise Unavailable("journal_full", "The journal is full; nothing was kept, send the same batch again later.")

    async def read(self, limit: int) -> Sequence[Entry]:
        """Up to `limit` records not consumed yet, oldest first; fewer when they are large.

        Raises:
            Unavailable: the database cannot be reached now.
        """
        async with _reachable():
            rows = await self._pool.fetch(
                "WITH oldest AS (SELECT lane, seq, octet_length(record) AS size, appended_at FROM journal"
                " ORDER BY appended_at, lane, seq LIMIT $1),"
                " counted AS (SELECT *, sum(size) OVER (ORDER BY appended_at, lane, seq) - size AS before FROM oldest)"
                " SELECT lane, seq, record FROM counted JOIN journal USING (lane, seq) WHERE before < $2"
                " ORDER BY counted.appended_at, lane, seq",
                limit,
                READ_BYTES,
            )
        entries: list[Entry] = []
        for row in rows:
            position = Position(row["lane"], row["seq"])
            try:
                entries.append(Entry(position, decode(row["record"])))
            except RecordError as error:
                await self.set_aside(position, str(error))
        return entries

    async def set_aside(self, position: Position, reason: str) -> None:
        """Moves the record into `journal_dead`.

        Raises:
            Unavailable: the database cannot be reached now; the record is still in the journal.
        """
        _log.error("record %d of lane %d is set aside: %s", position.seq, position.lane, reason)
        async with _reachable():
            await self._pool.execute(
                "WITH dead AS (DELETE FROM journal WHERE lane = $1 AND seq = $2 RETURNING lane, seq, record)"
                " INSERT INTO journal_dead (lane, seq, record, reason) SELECT lane, seq, record, $3 FROM dead",
                position.lane,
                position.seq,
                reason,
            )

    async def forget(self, connection: Any, table: str, after: Position, erased: Mapping[int, Tombstones]) -> Forgotten:
        """Takes people who were erased out of the next records of `journal` or `journal_dead`.

        A record of `journal_dead` that nobody can read is deleted: it may hold anybody. One of `journal` is left: it is
        read within seconds, by an aggregator that knows who was erased, or set aside.
        """
        rows = await connection.fetch(
            f"SELECT lane, seq, record FROM {table} WHERE (lane, seq) > ($1, $2) ORDER BY lane, seq LIMIT $3",  # noqa: S608 - one of two names
            after.lane,
            after.seq,
            FORGET_RECORDS,
        )
        spans = unreadable = 0
        sessions: list[ErasedSession] = []
        for row in rows:
            try:
                data, gone, found = await asyncio.to_thread(_forgotten, row["record"], erased)
            except RecordError:
                if table == "journal_dead":
                    await connection.execute(
                        "DELETE FROM journal_dead WHERE lane = $1 AND seq = $2", row["lane"], row["seq"]
                    )
                    unreadable += 1
                continue
            sessions += found
            if data is not None:
                spans += gone
                statement = f"UPDATE {table} SET record = $3 WHERE lane = $1 AND seq = $2"  # noqa: S608
                await connection.execute(statement, row["lane"], row["seq"], data)
        last = Position(rows[-1]["lane"], rows[-1]["seq"]) if rows else None
        return Forgotten(last, spans, unreadable, sessions)


def _forgotten(data: bytes, erased: Mapping[int, Tombstones]) -> tuple[bytes | None, int, Sequence[ErasedSession]]:
    """The record without them, None when it holds nothing of theirs; how many spans that takes; and their sessions."""
    record = decode(data)
    without, theirs = forget(record, erased)
    changed = None if without is record else encode(without)
    return changed, int(theirs.kept.sum()), theirs.sessions


@asynccontextmanager
async def _reachable() -> AsyncIterator[None]:
    try:
        yield
    except (TimeoutError, asyncpg.InsufficientResourcesError, *_LOST):
        raise Unavailable("journal_unreachable", "The journal cannot be reached now; try again shortly.") from None
