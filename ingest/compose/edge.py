"""The edge role: requests → journal. One process per core shares the port."""

import asyncio
import gc
from collections.abc import Callable
from functools import partial

from ingest.compose.connect import open_pool_or_explain
from ingest.compose.home import Home
from ingest.compose.listen import bind
from ingest.decode.formats import DECODERS
from ingest.edge.receive import now_us
from ingest.edge.server import EdgeParts, serve
from ingest.geo import Geo
from ingest.journal.postgres import PostgresJournal, open_lane
from ingest.pipeline.process import process
from ingest.policy_book import PolicyBook
from ingest.settings import Settings
from ingest.store.keys import PostgresKeys
from ingest.store.policies import PostgresPolicies
from ingest.user_agent import UserAgents
from privacy.policy_file import parse
from privacy.pseudonyms import period_of

CONNECTIONS = 4
"""Two commits under way, one for keys, one for policies."""


async def run(settings: Settings, worker: int, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Serves until `stop`; then answers everything it has accepted.

    Raises:
        StartError, HomeError, GeoError: it cannot start.
    """
    # What arrives belongs to the present period or a later one: earlier keys have no business here.
    ring = Home(settings["FIRSTHOP_DATA"]).secrets().ring.since(period_of(now_us()))
    policy = settings.policy(ring)
    geo, agents = Geo(settings["FIRSTHOP_GEOIP"], settings["FIRSTHOP_GEOIP_ASN"]), UserAgents()
    pool = await open_pool_or_explain(settings["DATABASE_URL"], CONNECTIONS)
    book = PolicyBook(PostgresPolicies(pool), parse)
    parts = EdgeParts(
        journal=PostgresJournal(pool, await open_lane(pool), limit_bytes=settings["FIRSTHOP_JOURNAL_BYTES"]),
        keys=PostgresKeys(pool),
        decoders=DECODERS,
        process=partial(
            process,
            policy=policy,
            policy_of=book.of,
            country_of=geo.country,
            provider_of=geo.provider,
            os_of=agents.os_of,
        ),
        policy_of=book.of,
        limits=settings.limits(),
        queue_bytes=settings["FIRSTHOP_QUEUE_BYTES"],
        commit_wait_s=settings["FIRSTHOP_COMMIT_MS"] / 1000,
        trusted_proxies=settings["FIRSTHOP_TRUSTED_PROXIES"],
        labels=(("worker", str(worker)),),
    )
    listening = bind(settings["FIRSTHOP_EDGE_HOST"], settings["FIRSTHOP_EDGE_PORT"])
    # What exists now lives as long as the process: the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    # Decoding makes thousands of objects that all live until their micro-batch ends: looking for cycles among them
    # every 700, the default, cost OTLP a tenth of its CPU.
    gc.set_threshold(50_000, 20, 50)
    await book.refresh()
    fresh = asyncio.create_task(book.keep_fresh())
    try:
        await serve(parts, listening, stop, on_ready)
    finally:
        fresh.cancel()
        await pool.close()
