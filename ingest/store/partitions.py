"""The `span` table's partitions: one per UTC day of start, made ahead of the first row, dropped when retention ends."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from ingest.store.erase import ERASABLE

DAY_US = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PREFIX = "span_d"
_LOCK = 0x6669_7273_7404
_NO_STATISTICS = ", ".join(f"ALTER COLUMN {column} SET STATISTICS 0" for column in ERASABLE["span"])
"""The planner's statistics hold values: pseudonyms would outlive their rows there."""


async def days(connection: Any) -> list[int]:
    """The days since 1970 that have a partition, ascending."""
    rows = await connection.fetch(
        "SELECT relname FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE inhparent = 'span'::regclass"
    )
    return sorted(int(row["relname"].removeprefix(_PREFIX)) for row in rows)


async def create(pool: "asyncpg.Pool[Any]", wanted: Sequence[int]) -> None:
    """Makes the partitions of these days that are not there yet.

    Attached, not created in place: that lets queries of other days go on.
    """
    async with pool.acquire() as connection:
        missing = sorted(set(wanted) - set(await days(connection)))
        for day in missing:
            start = _EPOCH + timedelta(days=day)
            table = f"{_PREFIX}{day}"
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
                if day in await days(connection):
                    continue
                await connection.execute(f"CREATE TABLE {table} (LIKE span INCLUDING ALL)")
                await connection.execute(f"ALTER TABLE {table} {_NO_STATISTICS}")
                await connection.execute(
                    f"ALTER TABLE span ATTACH PARTITION {table}"
                    f" FOR VALUES FROM ('{start.isoformat()}') TO ('{(start + timedelta(days=1)).isoformat()}')"
                )


async def drop(pool: "asyncpg.Pool[Any]", before: int) -> int:
    """Drops the partitions of days before this one; returns how many.

    Waits a second at most for queries under way, for those that come behind would wait too; what could not be
    dropped is dropped the next time.
    """
    dropped = 0
    async with pool.acquire() as connection:
        for day in await days(connection):
            if day >= before:
                break
            try:
                async with connection.transaction():
                    await connection.execute("SET LOCAL lock_timeout = '1s'")
                    await connection.execute(f"DROP TABLE {_PREFIX}{day}")
            except asyncpg.LockNotAvailableError:
                break
            dropped += 1
    return dropped
