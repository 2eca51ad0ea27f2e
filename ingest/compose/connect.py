"""Connections to the database for roles and commands, with a message instead of a traceback when there is none."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import asyncpg

from ingest.compose.home import StartError
from ingest.store.database import open_pool

CONNECT_S = 10.0

Pool: TypeAlias = "asyncpg.Pool[Any]"


async def open_pool_or_explain(dsn: str, connections: int) -> Pool:
    """A pool on the database.

    Raises:
        StartError: the database cannot be reached; says what would do.
    """
    try:
        async with asyncio.timeout(CONNECT_S):
            return await open_pool(dsn, connections=connections)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, ValueError) as error:
        raise StartError(
            f"the database cannot be reached ({type(error).__name__}): check DATABASE_URL and that PostgreSQL runs"
        ) from None


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[Pool]:
    """A small pool for administration, closed on leaving.

    Raises:
        StartError: the database cannot be reached; says what would do.
    """
    pool = await open_pool_or_explain(dsn, 2)
    try:
        yield pool
    finally:
        await pool.close()
