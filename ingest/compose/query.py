"""The query role: store → API and dashboard."""

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
from aiohttp import web

from ingest.alerts.desk import Desk
from ingest.app_file import parse
from ingest.compose import alerts
from ingest.compose.connect import open_pool_or_explain
from ingest.compose.erase import Eraser
from ingest.compose.listen import bind
from ingest.policy_book import PolicyBook
from ingest.ports import Policies
from ingest.query.installation import Installation
from ingest.query.proxy_login import ProxyLogin
from ingest.query.series import FigureSeries
from ingest.query.server import LINE_BYTES, build
from ingest.query.sources import Sources
from ingest.settings import Settings
from ingest.store.administration import PostgresAdministration
from ingest.store.alert_book import PostgresAlertBook
from ingest.store.backlog import PostgresBacklogs
from ingest.store.plan import Retention
from ingest.store.policies import PostgresPolicies
from ingest.store.read import PostgresReader
from ingest.store.read_exemplars import PostgresExemplars
from ingest.store.read_overview import PostgresOverviews
from ingest.store.read_sessions import PostgresSessions
from ingest.store.totals import PostgresTotals

CONNECTIONS = 8


def sources(pool: "asyncpg.Pool[Any]", settings: Settings, policies: Policies) -> Sources:
    """What answers are made from, in a PostgreSQL database."""
    retention = Retention.of(settings)
    reader = PostgresReader(pool, retention)
    receivers = [each.name for each in alerts.receivers(settings)]
    return Sources(
        reader=reader,
        overviews=PostgresOverviews(pool, retention),
        sessions=PostgresSessions(pool, retention),
        exemplars=PostgresExemplars(pool, retention),
        totals=PostgresTotals(pool),
        backlogs=PostgresBacklogs(pool),
        alerts=Desk(PostgresAlertBook(pool), FigureSeries(reader), policies, receivers),
        erasures=Eraser(pool, settings),
        administration=PostgresAdministration(pool),
    )


async def run(settings: Settings, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Serves until `stop`.

    Raises:
        StartError: it cannot start.
    """
    pool = await open_pool_or_explain(settings["DATABASE_URL"], CONNECTIONS)
    policies = PostgresPolicies(pool)
    book = PolicyBook(policies, parse)
    await book.refresh()
    fresh = asyncio.create_task(book.keep_fresh())
    app = build(
        sources(pool, settings, policies),
        policy_of=book.of,
        installation=Installation.of(settings),
        proxy=ProxyLogin.of(settings),
    )
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0, max_line_size=LINE_BYTES)
    await runner.setup()
    await web.SockSite(runner, bind(settings["FIRSTHOP_QUERY_HOST"], settings["FIRSTHOP_QUERY_PORT"])).start()
    on_ready()
    try:
        await stop.wait()
    finally:
        fresh.cancel()
        await runner.cleanup()
        # Not closed: that would wait for an erasure under way, which the aggregator's process takes up again.
        pool.terminate()
