"""Erasing a person: everything of one app that holds one of their pseudonyms, and what arrives late.

    tombstones → sessions in which they were seen → journal, tables → files rewritten → completed

1. *Tombstones* first, alone (`TURN_LOCK`): from then on the aggregator stores nothing of theirs. A turn under way has
   ended before they stand there, so what it stored is found.
2. *Sessions*: every span that holds a pseudonym tells its session, and all spans of that session are theirs. Late data
   may tell of another session; then the aggregator adds a tombstone and reopens the erasure.
3. *Rows* go table by table, partition by partition, each in a transaction that also counts them for the receipt.
4. *Files*: PostgreSQL leaves the bytes of deleted rows where they are, and VACUUM does not overwrite them. So what was
   touched is written anew (VACUUM FULL), once no snapshot can see the deleted rows any more. Nobody can read or write
   a table meanwhile, so a large one waits for its hour, and is written once for all erasures that touched it.

Every step can be done again. What is to be done stands in `erasure` and `erased`, so whoever comes upon one that was
not completed takes it up, without the identifier it was asked for with: that is never stored.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any

import asyncpg

from ingest.ports import Position, Records, Tombstones
from ingest.store.database import TURN_LOCK

ERASABLE: Mapping[str, tuple[str, ...]] = {
    "span": ("session", "name", "url", "screen", "error_type", "protocol", "resource", "attributes", "events"),
}
"""Table → its columns that can hold a pseudonym, bare or in a mark. Each has `app_id` and `session`: a table that joins
them is erased from like the others. Dimensions hold none (`without_pseudonyms`): series and rollups stay."""
RECORDS = ("journal", "journal_dead")
"""Tables of records, which only the journal can look into."""

LOCK_SECONDS = 5.0
"""How long a rewrite waits for queries under way, and for snapshots to end; then it is tried again later."""
LARGE_BYTES = 64 << 20
"""A table up to this size is written anew at once: a matter of seconds."""
_LOOK_SECONDS = 0.1
_BEFORE_ALL = Position(-1, 0)


class Erasure:
    """One erasure being carried out on one connection."""

    def __init__(self, connection: Any, records: Records, app_id: int, erasure_id: str) -> None:
        self._connection = connection
        self._records = records
        self._app_id = app_id
        self._erasure_id = erasure_id

    async def carry_out(self, *, large: bool) -> bool:
        """Whether it is completed.

        Args:
            large: large tables are written anew as well.
        """
        state = await self._connection.fetchrow(
            "SELECT reopened, deleted_at FROM erasure WHERE app_id = $1 AND erasure_id = $2 AND completed_at IS NULL",
            self._app_id,
            self._erasure_id,
        )
        if state is None:
            return True
        if state["deleted_at"] is None:
            erased = await self._find_sessions()
            for table in ERASABLE:
                for leaf in await self._leaves(table):
                    await self._delete(table, leaf, erased)
            if not await self._mark("deleted_at", state["reopened"]):
                return False
        return await self._rewrite_all(large=large) and await self._mark("completed_at", state["reopened"])

    async def _find_sessions(self) -> Tombstones:
        """The tombstones with every session in which one of those asked for was seen. Records are done on the way."""
        while True:
            rows = await self._connection.fetch(
                "SELECT pseudonym, asked FROM erased WHERE erasure_id = $1", self._erasure_id
            )
            names = frozenset(row["pseudonym"] for row in rows if row["asked"])
            erased = Tombstones(names, frozenset(row["pseudonym"] for row in rows) - names)
            found: set[str] = set()
            for table in RECORDS:
                found |= await self._forget_records(table, erased)
            for table in ERASABLE:
                for leaf in await self._leaves(table):
                    found |= await self._sessions_in(table, leaf, erased)
            if not await self._add(found - names - erased.sessions):
                return erased

    async def _add(self, sessions: Collection[str]) -> int:
        """Tombstones for these sessions of theirs; returns how many are new."""
        if not sessions:
            return 0
        async with self._connection.transaction():
            await self._connection.execute("SELECT pg_advisory_xact_lock($1)", TURN_LOCK)
            # A session that was itself asked to be erased is the business of that erasure.
            added = await self._connection.fetch(
                "INSERT INTO erased (app_id, pseudonym, asked, erasure_id, until)"
                " SELECT app_id, session, false, erasure_id, refused_until"
                " FROM erasure, unnest($3::text[]) AS session WHERE app_id = $1 AND erasure_id = $2"
                " ON CONFLICT (app_id, pseudonym) DO UPDATE SET erasure_id = excluded.erasure_id,"
                " until = greatest(erased.until, excluded.until) WHERE NOT erased.asked RETURNING 1",
                self._app_id,
                self._erasure_id,
                sorted(sessions),
            )
        return len(added)

    async def _forget_records(self, table: str, erased: Tombstones) -> set[str]:
        """Takes them out of the journal's records; returns the sessions in which they were seen."""
        found: set[str] = set()
        after: Position | None = _BEFORE_ALL
        while after is not None:
            async with self._connection.transaction():
                portion = await self._records.forget(self._connection, table, after, {self._app_id: erased})
                rewrite = table if table == "journal_dead" else None
                await self._count(table, portion.spans, rewrite)
                await self._count("unreadable", portion.unreadable, rewrite)
            found |= {each.session for each in portion.sessions}
            after = portion.last
        return found

    async def _leaves(self, table: str) -> list[str]:
        rows = await self._connection.fetch(
            "SELECT relid::regclass::text AS leaf FROM pg_partition_tree($1::text::regclass) WHERE isleaf", table
        )
        return [row["leaf"] for row in rows]

    async def _sessions_in(self, table: str, leaf: str, erased: Tombstones) -> set[str]:
        try:
            rows = await self._connection.fetch(
                f"SELECT DISTINCT session FROM {leaf} WHERE app_id = $1 AND session IS NOT NULL AND {_holds(table)}"  # noqa: S608 - names of our tables
                " LIKE ANY($2::text[])",
                self._app_id,
                _patterns(erased),
            )
        except asyncpg.UndefinedTableError:
            # Retention was faster.
            return set()
        return {row["session"] for row in rows}

    async def _delete(self, table: str, leaf: str, erased: Tombstones) -> None:
        try:
            async with self._connection.transaction():
                gone = await self._connection.fetchval(
                    f"WITH gone AS (DELETE FROM {leaf} WHERE app_id = $1 AND (session = ANY($2::text[])"  # noqa: S608 - names of our tables
                    f" OR {_holds(table)} LIKE ANY($3::text[])) RETURNING 1) SELECT count(*) FROM gone",
                    self._app_id,
                    sorted(erased.names | erased.sessions),
                    _patterns(erased),
                )
                await self._count(table, gone, leaf)
        except asyncpg.UndefinedTableError:
            return

    async def _count(self, name: str, number: int, rewrite: str | None) -> None:
        if number:
            await self._connection.execute(
                "UPDATE erasure SET counts = counts"
                " || jsonb_build_object($3::text, coalesce((counts->>$3::text)::bigint, 0) + $4),"
                " rewrite = array_remove(array_remove(rewrite, $5) || $5::text, NULL)"
                " WHERE app_id = $1 AND erasure_id = $2",
                self._app_id,
                self._erasure_id,
                name,
                number,
                rewrite,
            )

    async def _rewrite_all(self, *, large: bool) -> bool:
        """Whether no file holds the deleted rows any more."""
        tables = await self._connection.fetch(
            "SELECT name, coalesce(pg_total_relation_size(to_regclass(name)), 0) AS bytes"
            " FROM erasure, unnest(rewrite) AS name WHERE app_id = $1 AND erasure_id = $2",
            self._app_id,
            self._erasure_id,
        )
        now = [table["name"] for table in tables if large or table["bytes"] <= LARGE_BYTES]
        if now and not await self._nobody_looks_back():
            return False
        for table in now:
            if not await self._rewrite(table):
                return False
            # One erasure deletes at a time, so what others deleted from this table has gone with it.
            await self._connection.execute(
                "UPDATE erasure SET rewrite = array_remove(rewrite, $1) WHERE $1 = ANY(rewrite)", table
            )
        return len(now) == len(tables)

    async def _nobody_looks_back(self) -> bool:
        """Waits until no transaction can see what was deleted: VACUUM would carry the rows over."""
        horizon = await self._connection.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())::text")
        end = asyncio.get_running_loop().time() + LOCK_SECONDS
        while await self._connection.fetchval(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type <> 'autovacuum worker'"
            " AND greatest(age(backend_xmin), age(backend_xid)) > age($1::text::xid8::xid))",
            horizon,
        ):
            if asyncio.get_running_loop().time() > end:
                return False
            await asyncio.sleep(_LOOK_SECONDS)
        return True

    async def _rewrite(self, table: str) -> bool:
        """Writes a table and its indexes anew, without what was deleted; False when others would not let go of it."""
        await self._connection.execute(f"SET lock_timeout = {round(LOCK_SECONDS * 1000)}")
        try:
            await self._connection.execute(f"VACUUM (FULL) {table}")
        except asyncpg.LockNotAvailableError:
            return False
        except asyncpg.UndefinedTableError:
            return True
        finally:
            if not self._connection.is_closed():
                await self._connection.execute("RESET lock_timeout")
        return True

    async def _mark(self, moment: str, reopened: int) -> bool:
        """Says that it has come so far; False when late data told of another session meanwhile."""
        done = await self._connection.fetchval(
            f"UPDATE erasure SET {moment} = now() WHERE app_id = $1 AND erasure_id = $2 AND reopened = $3"  # noqa: S608 - one of two columns
            " RETURNING true",
            self._app_id,
            self._erasure_id,
            reopened,
        )
        return bool(done)


def _holds(table: str) -> str:
    """The texts of a row as one."""
    return f"concat_ws(' ', {', '.join(ERASABLE[table])})"


def _patterns(erased: Tombstones) -> list[str]:
    return [f"%{name}%" for name in sorted(erased.names)]
