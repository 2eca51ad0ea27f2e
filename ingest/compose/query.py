"""The query role: store → API and dashboard."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from ingest.compose.connect import open_pool_or_explain
from ingest.compose.listen import bind
from ingest.query.server import build
from ingest.settings import Settings
from ingest.store.keys import PostgresKeys
from ingest.store.plan import Retention
from ingest.store.read import PostgresReader

CONNECTIONS = 8


async def run(settings: Settings, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Serves until `stop`.

    Raises:
        StartError: it cannot start.
    """
    pool = await open_pool_or_explain(settings["DATABASE_URL"], CONNECTIONS)
    app = build(PostgresReader(pool, Retention.of(settings)), PostgresKeys(pool))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    await web.SockSite(runner, bind(settings["FIRSTHOP_QUERY_HOST"], settings["FIRSTHOP_QUERY_PORT"])).start()
    on_ready()
    try:
        await stop.wait()
    finally:
        await runner.cleanup()
        await pool.close()
