"""The aggregate role: journal → store, and keeping the store in shape. One works, an advisory lock sees to it."""

import asyncio
import time
from collections.abc import Callable

from ingest.aggregate.consume import Aggregator
from ingest.app_file import parse
from ingest.compose.connect import open_pool_or_explain
from ingest.journal.postgres import PostgresJournal
from ingest.policy_book import PolicyBook
from ingest.settings import Settings
from ingest.store.erasures import PostgresErasures
from ingest.store.plan import Retention
from ingest.store.policies import PostgresPolicies
from ingest.store.retain import Compactor
from ingest.store.slow_routes import PostgresSlowRoutes
from ingest.store.write import PostgresStore

CONNECTIONS = 8


async def run(settings: Settings, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Consumes until `stop`, and then until the journal is empty.

    Raises:
        StartError: it cannot start.
    """
    pool = await open_pool_or_explain(settings["DATABASE_URL"], CONNECTIONS)
    store = PostgresStore(pool, export=bool(settings["FIRSTHOP_EXPORT_URL"]))
    journal = PostgresJournal(pool)
    aggregator = Aggregator(
        store,
        journal,
        _now_us,
        series_limit=settings["FIRSTHOP_SERIES_LIMIT"],
        trace_spans=settings["FIRSTHOP_TRACE_SPANS"],
    )
    batch_ids_us = settings["FIRSTHOP_BATCH_ID_DAYS"] * 86_400_000_000
    dead_us = settings["FIRSTHOP_DEAD_DAYS"] * 86_400_000_000
    book = PolicyBook(PostgresPolicies(pool), parse)
    await book.refresh()
    fresh = asyncio.create_task(book.keep_fresh())
    compactor = Compactor(
        pool,
        Retention.of(settings),
        batch_ids_us,
        _now_us,
        dead_us=dead_us,
        least_sessions=lambda app_id: book.of(app_id).rules.least_sessions,
    )
    erasures = PostgresErasures(pool, journal)
    routes = PostgresSlowRoutes(pool, settings["FIRSTHOP_SLOW_QUANTILE"], _now_us)
    on_ready()
    try:
        await asyncio.gather(aggregator.run(stop), compactor.run(stop), erasures.run(stop), routes.run(stop))
    finally:
        fresh.cancel()
        # Not closed: that would wait for the connection that holds the writer's lock, which ends with this process.
        pool.terminate()


def _now_us() -> int:
    return time.time_ns() // 1000
