"""What is asked for in the name of a person: tombstones, the erasures they stand for, and their receipts."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from typing import Any

import asyncpg
import orjson

from ingest.errors import Unavailable
from ingest.ports import ErasedSession, Receipt, Records
from ingest.store.database import ERASURE_LOCK, TURN_LOCK, lock, reachable
from ingest.store.erase import ERASABLE, RECORDS, Erasure
from ingest.store.snapshot import micros, moment

TAKE_UP_SECONDS, LARGE_SECONDS = 60.0, 3600.0
_COLUMNS = "app_id, erasure_id, identifier, software, requested_at, deleted_at, completed_at, refused_until, counts"
_log = logging.getLogger(__name__)


class PostgresErasures:
    """Begins erasures, carries them out and gives their receipts.

    Args:
        records: the journal.
    """

    def __init__(self, pool: "asyncpg.Pool[Any]", records: Records) -> None:
        self._pool = pool
        self._records = records

    async def begin(
        self, app_id: int, identifier: str, names: Collection[str], *, refused_until_us: int, software: str
    ) -> str:
        """Puts the tombstones up and returns the erasure's id: it will be carried out, by whomever.

        Raises:
            Unavailable: nothing was begun, or nobody knows.
        """
        until = moment(refused_until_us)
        async with reachable(), self._pool.acquire() as connection, connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", TURN_LOCK)
            erasure_id = await connection.fetchval(
                "INSERT INTO erasure (app_id, identifier, software, refused_until) VALUES ($1, $2, $3, $4)"
                " RETURNING erasure_id",
                app_id,
                identifier,
                software,
                until,
            )
            await connection.execute(
                "INSERT INTO erased (app_id, pseudonym, asked, erasure_id, until)"
                " SELECT $1, name, true, $3, $4 FROM unnest($2::text[]) AS name"
                " ON CONFLICT (app_id, pseudonym) DO UPDATE SET asked = true, erasure_id = excluded.erasure_id,"
                " until = greatest(erased.until, excluded.until)",
                app_id,
                sorted(names),
                erasure_id,
                until,
            )
        return str(erasure_id)

    async def carry_out(self, app_id: int, erasure_id: str, *, large: bool = False) -> bool:
        """Does what is left to do; whether that is everything. One is carried out at a time, the others wait.

        Args:
            large: large tables are written anew as well, which keeps everybody else out of them for a while.

        Raises:
            Unavailable: the rest is done the next time.
        """
        async with reachable(), self._pool.acquire() as connection:
            await lock(connection, ERASURE_LOCK)
            try:
                return await Erasure(connection, self._records, app_id, erasure_id).carry_out(large=large)
            finally:
                # A connection that was lost has freed it already.
                if not connection.is_closed():
                    await connection.execute("SELECT pg_advisory_unlock($1)", ERASURE_LOCK)

    async def receipt(self, app_id: int, erasure_id: str) -> Receipt:
        """The receipt as it stands.

        Raises:
            LookupError: there is no such erasure.
            Unavailable: not now.
        """
        async with reachable(), self._pool.acquire() as connection:
            receipt = await read_receipt(connection, app_id, erasure_id)
        if receipt is None:
            raise LookupError("there is no erasure of this id")
        return receipt

    async def run(self, stop: asyncio.Event) -> None:
        """Takes up what was not completed, every minute until the event is set; large tables every hour.

        Outlives restarts of the database.
        """
        clock = asyncio.get_running_loop().time
        large_at = clock()
        while not stop.is_set():
            large = clock() >= large_at
            if large:
                large_at = clock() + LARGE_SECONDS
            try:
                for app_id, erasure_id in await self.unfinished():
                    await self.carry_out(app_id, erasure_id, large=large)
            except (Unavailable, ValueError) as error:
                # Nothing of it may end the process: whoever else is to be erased has a right to it.
                _log.warning("erasures wait: %s", type(error).__name__)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), TAKE_UP_SECONDS)

    async def unfinished(self) -> Sequence[tuple[int, str]]:
        """(app_id, erasure_id) of the erasures that are not completed, oldest first.

        Raises:
            Unavailable: not now.
        """
        async with reachable():
            rows = await self._pool.fetch(
                "SELECT app_id, erasure_id FROM erasure WHERE completed_at IS NULL ORDER BY requested_at"
            )
        return [(row["app_id"], str(row["erasure_id"])) for row in rows]


async def add_sessions(connection: Any, sessions: Sequence[ErasedSession]) -> None:
    """Tombstones for sessions in which somebody was seen who has been erased; their erasures are reopened."""
    if not sessions:
        return
    app_ids, found, names = zip(*sessions, strict=True)
    await connection.execute(
        "WITH added AS ("
        " INSERT INTO erased (app_id, pseudonym, asked, erasure_id, until)"
        " SELECT app_id, found.session, false, theirs.erasure_id, theirs.until"
        " FROM unnest($1::int[], $2::text[], $3::text[]) AS found (app_id, session, name)"
        " JOIN erased AS theirs USING (app_id) WHERE theirs.pseudonym = found.name"
        " ON CONFLICT DO NOTHING RETURNING app_id, erasure_id"
        ") UPDATE erasure SET deleted_at = NULL, completed_at = NULL, reopened = reopened + 1"
        " WHERE (app_id, erasure_id) IN (SELECT app_id, erasure_id FROM added)",
        app_ids,
        found,
        names,
    )


async def read_receipts(connection: Any, app_id: int, before: tuple[int, str] | None, limit: int) -> Sequence[Receipt]:
    """See `ingest.ports.Reader.receipts`."""
    older = "" if before is None else " AND (requested_at, erasure_id) < ($3, $4)"
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM erasure WHERE app_id = $1{older}"  # noqa: S608
        " ORDER BY requested_at DESC, erasure_id DESC LIMIT $2",
        app_id,
        limit,
        *(() if before is None else (moment(before[0]), before[1])),
    )
    return [_receipt(row) for row in rows]


async def read_receipt(connection: Any, app_id: int, erasure_id: str) -> Receipt | None:
    """See `ingest.ports.Reader.receipt`."""
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM erasure WHERE app_id = $1 AND erasure_id = $2",  # noqa: S608
        app_id,
        erasure_id,
    )
    return None if row is None else _receipt(row)


def _receipt(row: asyncpg.Record) -> Receipt:
    return Receipt(
        app_id=row["app_id"],
        erasure_id=str(row["erasure_id"]),
        identifier=row["identifier"],
        software=row["software"],
        requested_at_us=micros(row["requested_at"]),
        deleted_at_us=None if row["deleted_at"] is None else micros(row["deleted_at"]),
        completed_at_us=None if row["completed_at"] is None else micros(row["completed_at"]),
        refused_until_us=micros(row["refused_until"]),
        counts={**dict.fromkeys((*ERASABLE, *RECORDS, "unreadable"), 0), **orjson.loads(row["counts"])},
    )
