"""The edge role: requests → journal. One process per core shares the port."""

import asyncio
import gc
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ingest.app_file import parse
from ingest.compose.connect import open_pool_or_explain
from ingest.compose.home import Home
from ingest.compose.listen import bind
from ingest.compose.supervise import worker_count
from ingest.decode.formats import DECODERS
from ingest.edge import server
from ingest.edge.config import Configs
from ingest.edge.receive import now_us
from ingest.edge.script import Script
from ingest.edge.server import EdgeParts, serve
from ingest.geo import Geo
from ingest.journal.postgres import PostgresJournal, open_lane
from ingest.pipeline.process import process
from ingest.policy_book import PolicyBook
from ingest.rate_book import RateBook
from ingest.settings import Settings
from ingest.store.keys import PostgresKeys
from ingest.store.policies import PostgresPolicies
from ingest.store.slow_routes import PostgresSlowRoutes
from ingest.user_agent import UserAgents
from privacy.pseudonyms import period_of

CONNECTIONS = 5
"""Two commits under way, one for keys, one for policies, one for slow routes."""


def _read_script() -> Script | None:
    """The browser SDK as `client_sdk_spec/web/build.py` left it; None where nobody built it."""
    path = Path(server.__file__).parent / "sdk" / "firsthop.js"
    return Script.of(path.read_bytes()) if path.is_file() else None


async def run(settings: Settings, worker: int, stop: asyncio.Event, on_ready: Callable[[], None]) -> None:
    """Serves until `stop`; then answers everything it has accepted.

    Raises:
        StartError, HomeError, GeoError: it cannot start.
    """
    # What arrives belongs to the present period or a later one: earlier keys have no business here.
    secrets = Home(settings["FIRSTHOP_DATA"]).secrets()
    ring = secrets.ring.since(period_of(now_us()))
    policy = settings.policy(ring)
    geo, agents = Geo(settings["FIRSTHOP_GEOIP"], settings["FIRSTHOP_GEOIP_ASN"]), UserAgents()
    pool = await open_pool_or_explain(settings["DATABASE_URL"], CONNECTIONS)
    book = PolicyBook(PostgresPolicies(pool), parse)
    rates = RateBook(
        policy.sampling,
        per_minute=settings["FIRSTHOP_SPANS_PER_MINUTE"],
        workers=worker_count(settings["FIRSTHOP_WORKERS"]),
        policy_of=book.of,
        routes=PostgresSlowRoutes(pool, settings["FIRSTHOP_SLOW_QUANTILE"], now_us),
        clock=time.monotonic,
    )
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
            agent_of=agents.agent_of,
            rates=rates,
        ),
        policy_of=book.of,
        limits=settings.limits(),
        queue_bytes=settings["FIRSTHOP_QUEUE_BYTES"],
        commit_wait_s=settings["FIRSTHOP_COMMIT_MS"] / 1000,
        configs=Configs(rates, secrets.signer, agents.agent_of, may_send=lambda app_id: book.of(app_id).sampling.send),
        trusted_proxies=settings["FIRSTHOP_TRUSTED_PROXIES"],
        traces_per_key=settings["FIRSTHOP_TRACES_PER_KEY"],
        traces_per_address=settings["FIRSTHOP_TRACES_PER_ADDRESS"],
        script=_read_script(),
        labels=(("worker", str(worker)),),
    )
    listening = bind(settings["FIRSTHOP_EDGE_HOST"], settings["FIRSTHOP_EDGE_PORT"])
    # What exists now lives as long as the process: the collector need not look at it again and again.
    gc.collect()
    gc.freeze()
    # Decoding makes thousands of objects that all live until their micro-batch ends: looking for cycles among them
    # every 700, the default, cost OTLP a tenth of its CPU.
    gc.set_threshold(50_000, 20, 50)
    await asyncio.gather(book.refresh(), rates.refresh())
    fresh = [asyncio.create_task(book.keep_fresh()), asyncio.create_task(rates.keep_fresh())]
    try:
        await serve(parts, listening, stop, on_ready)
    finally:
        for task in fresh:
            task.cancel()
        await pool.close()
