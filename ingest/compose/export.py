"""The export role: kept client spans → the team's own tracing backend. One works, an advisory lock sees to it."""

import asyncio
from collections.abc import Callable

from ingest.compose.connect import open_pool_or_explain
from ingest.compose.home import StartError
from ingest.export.exporter import Exporter
from ingest.settings import Settings
from ingest.store.exports import PostgresExports
from ingest.store.plan import Retention
from ingest.store.read import PostgresReader

CONNECTIONS = 3


async def run(settings: Settings, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Sends until `stop`.

    Raises:
        StartError: it cannot start.
    """
    if not settings["FIRSTHOP_EXPORT_URL"]:
        raise StartError("FIRSTHOP_EXPORT_URL is not set: there is nowhere to export to")
    pool = await open_pool_or_explain(settings["DATABASE_URL"], CONNECTIONS)
    exporter = Exporter(
        PostgresExports(pool),
        PostgresReader(pool, Retention.of(settings)),
        settings["FIRSTHOP_EXPORT_URL"],
        settings["FIRSTHOP_EXPORT_HEADERS"],
        most=settings["FIRSTHOP_EXPORT_SPANS"],
    )
    on_ready()
    try:
        await exporter.run(stop)
    finally:
        pool.terminate()
