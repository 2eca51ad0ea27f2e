"""One moment of the database, for reading: what every answer of the query API is made from."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import asyncpg

from ingest.errors import Unavailable

STATEMENT_TIMEOUT_MS = 5000
_ACQUIRE_TIMEOUT_S = 5.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# A plan made for the values at hand beats one made for any: ranges run from a minute to a year. What a query
# aggregates is a few megabytes of sketches, which must not go to disk for want of the default 4 MB. Starting parallel
# workers takes longer than most questions. What is asked for is nearly always in memory, where no page is far.
_PREPARE = """
    SET LOCAL statement_timeout = {timeout_ms};
    SET LOCAL plan_cache_mode = force_custom_plan;
    SET LOCAL work_mem = '64MB';
    SET LOCAL jit = off;
    SET LOCAL max_parallel_workers_per_gather = 0;
    SET LOCAL random_page_cost = 1.1
"""

# A fault of a statement is none of these: it is not cured by waiting, and shall be seen.
_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectNotInPrerequisiteStateError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what the driver makes of a connection that ends under its hands
    OSError,
    TimeoutError,
)


@asynccontextmanager
async def snapshot(pool: asyncpg.Pool) -> AsyncIterator[asyncpg.Connection]:
    """A read-only connection that sees one moment of the database until it is given back.

    Raises:
        Unavailable: the database cannot be reached, or a statement takes longer than 5 seconds.
    """
    try:
        async with (
            pool.acquire(timeout=_ACQUIRE_TIMEOUT_S) as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(_PREPARE.format(timeout_ms=STATEMENT_TIMEOUT_MS))
            yield connection
    except asyncpg.QueryCanceledError:
        raise Unavailable(
            "too_slow", "The answer takes longer than 5 seconds; ask for a shorter range or fewer groups."
        ) from None
    except _AWAY:
        raise Unavailable("store_unreachable", "The database cannot be reached now; try again shortly.") from None


def moment(at_us: int) -> datetime:
    """Microseconds since 1970 as PostgreSQL's driver takes them, without a detour by floats."""
    return _EPOCH + timedelta(microseconds=at_us)


def micros(at: datetime) -> int:
    """The way back."""
    return (at - _EPOCH) // timedelta(microseconds=1)
