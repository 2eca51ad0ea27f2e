"""The way into PostgreSQL: a pool of connections, and the schema brought up to date."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

import asyncpg

from ingest.errors import Unavailable

SCHEMA = resources.files("ingest.store") / "schema"

MIGRATION_LOCK = 0x6669_7273_7401
"""Advisory lock of the process that migrates."""
WRITER_LOCK = 0x6669_7273_7402
"""Advisory lock of the one aggregator."""
COMPACTOR_LOCK = 0x6669_7273_7403
"""Advisory lock of the one compactor."""
TURN_LOCK = 0x6669_7273_7405
"""Advisory lock that every turn of the aggregator shares, and that new tombstones take alone."""
ERASURE_LOCK = 0x6669_7273_7406
"""Advisory lock of the one erasure that is being carried out."""
SLOW_ROUTES_LOCK = 0x6669_7273_7407
"""Advisory lock of whoever learns from which duration on routes are slow."""

EXPORT_LOCK = 0x6669_7273_7408
"""Advisory lock of the one exporter."""

ALERT_LOCK = 0x6669_7273_7409
"""Advisory lock of the one evaluator of alerts."""

LOCK_POLL_SECONDS = 0.1

DRIVER_ERRORS = (asyncpg.InternalClientError,)
"""What asyncpg says of a connection that was lost while it was copying: it is in a state that nothing leads out of."""


async def open_pool(dsn: str, *, connections: int = 4) -> "asyncpg.Pool[asyncpg.Record]":
    """A pool of up to this many connections, opened as they are needed.

    Raises:
        OSError, asyncpg.PostgresError: nobody answers under the DSN, or it lets us not in.
    """
    pool: asyncpg.Pool[asyncpg.Record] = await asyncpg.create_pool(
        dsn,
        min_size=1,
        max_size=connections,
        server_settings={"application_name": "firsthop", "timezone": "UTC"},
    )
    return pool


async def migrate(pool: "asyncpg.Pool[Any]") -> int:
    """Applies every schema file that has not been applied, in order, each whole or not at all; returns the version.

    Any number of processes may call it at once: one works, the others wait and find nothing to do.
    """
    files = sorted((file for file in SCHEMA.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    async with pool.acquire() as connection:
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        try:
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS schema_version"
                " (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"
            )
            applied = await connection.fetchval("SELECT coalesce(max(version), 0) FROM schema_version")
            for file in files:
                version = int(file.name.split("_")[0])
                if version <= applied:
                    continue
                script = await asyncio.to_thread(file.read_text, "utf-8")
                async with connection.transaction():
                    await connection.execute(script)
                    await connection.execute("INSERT INTO schema_version (version) VALUES ($1)", version)
                applied = version
        finally:
            await connection.execute("SELECT pg_advisory_unlock($1)", MIGRATION_LOCK)
    return int(applied)


async def lock(connection: Any, number: int) -> None:
    """Returns when the connection holds an advisory lock, until it is unlocked or the connection ends.

    Asks again and again: a statement that waits in the database for days would hold a snapshot all the time, and
    VACUUM could clear away nothing that was deleted since.
    """
    while True:
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", number):
            return
        await asyncio.sleep(LOCK_POLL_SECONDS)


@asynccontextmanager
async def reachable() -> AsyncIterator[None]:
    """Tells what may pass by itself (a lost connection, a restart, a full disk) from what is wrong with the data.

    Raises:
        Unavailable: the same may succeed later.
        ValueError: the database does not take this data, now or later.
    """
    try:
        yield
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
        raise ValueError(f"the database refuses the data ({type(error).__name__})") from error
    except (asyncpg.PostgresError, asyncpg.InterfaceError, *DRIVER_ERRORS, OSError, TimeoutError) as error:
        raise Unavailable(
            "store_unreachable", f"The database cannot be reached or cannot work now ({type(error).__name__})."
        ) from error
