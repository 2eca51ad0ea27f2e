"""The edge role: requests → journal. One process per core shares the port."""

import asyncio
import gc
from collections.abc import Callable
from functools import partial

from ingest.compose.connect import open_pool_or_explain
from ingest.compose.home import Home
from ingest.compose.listen import bind
from ingest.decode.formats import DECODERS
from ingest.edge.server import EdgeParts, serve
from ingest.geo import Geo
from ingest.journal.postgres import PostgresJournal, open_lane
from ingest.pipeline.process import process
from ingest.settings import AppPolicy, Settings
from ingest.store.keys import PostgresKeys
from ingest.user_agent import UserAgents
from privacy import Ring

CONNECTIONS = 3
"""Two commits under way, and one for keys."""


async def run(settings: Settings, worker: int, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Serves until `stop`; then answers everything it has accepted.

    Raises:
        StartError, HomeError, GeoError: it cannot start.
    """
    policy = settings.policy(Ring(0, bytes.fromhex(Home(settings["FIRSTHOP_DATA"]).secrets().pseudonym_key)))

    def policy_of(app_id: int) -> AppPolicy:
        del app_id
        return AppPolicy()

    geo, agents = Geo(settings["FIRSTHOP_GEOIP"]), UserAgents()
    pool = await open_pool_or_explain(settings["DATABASE_URL"], CONNECTIONS)
    parts = EdgeParts(
        journal=PostgresJournal(pool, await open_lane(pool), limit_bytes=settings["FIRSTHOP_JOURNAL_BYTES"]),
        keys=PostgresKeys(pool),
        decoders=DECODERS,
        process=partial(process, policy=policy, policy_of=policy_of, country_of=geo.country, os_of=agents.os_of),
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
    try:
        await serve(parts, listening, stop, on_ready)
    finally:
        await pool.close()
