"""The query server over a real database that holds a small world."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import numpy as np
import pytest
import pytest_asyncio
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from ingest.compose.query import sources
from ingest.query.installation import Installation
from ingest.query.server import LINE_BYTES, build
from ingest.settings import AppPolicy, Settings
from ingest.store.database import open_pool
from ingest.store.embedded import EmbeddedPostgres
from ingest.store.keys import digest
from ingest.store.plan import TIERS, Retention
from ingest.store.policies import PostgresPolicies
from ingest.store.retain import Compactor
from privacy import Policy
from tests.conftest import create_database, database_dsn
from tests.query import world as seeded

TOKEN, OTHER_TOKEN, OPERATOR, CLIENT_KEY = "fh_tok_shop", "fh_tok_other", "fh_ops_all", "fh_pub_shop"
OWNER, OTHER_OWNER, ADMIN = "fh_own_shop", "fh_own_other", "fh_adm_all"
WORLD_SECONDS = 5400
ERASURE = "0b6f1f0e-6f2c-4c39-9b39-2a0f5f6f6a11"
"""Id of a receipt of the app `shop`."""

LEDGER = """
    INSERT INTO ledger (app_id, hour_at, outcome, part, spans) VALUES
    (1, '2026-03-01 10:00Z', 'received', 1, 100), (1, '2026-03-01 10:00Z', 'received', 2, 20),
    (1, '2026-03-01 10:00Z', 'kept', 1, 30), (1, '2026-03-01 10:00Z', 'counted_only', 1, 80),
    (1, '2026-03-01 10:00Z', 'rejected:future', 2, 10), (1, '2026-03-01 10:00Z', 'client:queue_overflow', 1, 7),
    (1, '2026-03-01 10:00Z', 'noted:clock_e', 1, 9),
    (1, '2026-03-01 11:00Z', 'received', 1, 5), (1, '2026-03-01 11:00Z', 'duplicate', 1, 5),
    (2, '2026-03-01 11:00Z', 'received', 1, 9), (2, '2026-03-01 11:00Z', 'kept', 1, 8)
"""

Get = Callable[..., Awaitable[Any]]


@pytest.fixture(scope="session")
def world() -> seeded.World:
    """Spans of the app `shop` in the last 90 minutes before NOW."""
    return seeded.make(1, 1500, WORLD_SECONDS, seed=7)


@pytest.fixture(scope="session")
def everything(world: seeded.World) -> seeded.World:
    """The world with its late spans."""
    late = seeded.make(1, 60, WORLD_SECONDS, seed=8)
    return seeded.World(
        app_id=1,
        start_us=np.concatenate([world.start_us, late.start_us]),
        dims={name: np.concatenate([world.dims[name], late.dims[name]]) for name in world.dims},
        metrics={name: np.concatenate([world.metrics[name], late.metrics[name]]) for name in world.metrics},
        error=np.concatenate([world.error, late.error]),
        session=np.concatenate([world.session, late.session]),
    )


@pytest.fixture(scope="session")
def world_dsn(postgres: EmbeddedPostgres, world: seeded.World) -> str:
    """A database that holds the world; tests only read it."""
    name = "query_world"
    with asyncio.Runner() as runner:
        runner.run(_make(postgres.start(), name, world))
    return database_dsn(postgres.start(), name)


async def _make(server: str, name: str, world: seeded.World) -> None:
    dsn = await create_database(server, name)
    pool = await open_pool(dsn, connections=2)
    async with pool.acquire() as connection:
        await add_apps(connection)
        half = np.arange(len(world.start_us)) % 2 == 0
        await seeded.store(connection, world, half, 1)
        await seeded.store(connection, world, ~half, 2)
    await compact(pool)
    async with pool.acquire() as connection:
        # The last part came after the compactor's last turn, and late: it is in the finest tier alone.
        late = seeded.make(1, 60, WORLD_SECONDS, seed=8)
        await seeded.store(connection, late, np.ones(60, dtype=bool), 3)
        await connection.execute(LEDGER)
        await connection.execute(
            "INSERT INTO erasure (app_id, erasure_id, identifier, software, refused_until)"
            f" VALUES (1, '{ERASURE}', 'session', '1.2.3', '2026-03-10')"
        )
        await seeded.store_spans(connection, world, np.where(np.arange(len(world.start_us)) % 6 < 3, 2.0, 0.0))
        await connection.execute("ANALYZE")
    await pool.close()


@asynccontextmanager
async def copied(server: str, world_dsn: str, name: str) -> AsyncIterator[str]:
    """A copy of the world's database, to be written to."""
    admin = await asyncpg.connect(server)
    try:
        # PostgreSQL waits for those who are just leaving the original.
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE query_world")
        yield world_dsn.replace("query_world", name)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


async def compact(pool: "asyncpg.Pool[Any]") -> None:
    """The compactor's turn, on all tiers."""
    compactor = Compactor(pool, Retention.of(Settings.from_env({})), batch_ids_us=0, now_us=lambda: seeded.NOW_US)
    for finer in TIERS[:-1]:
        await compactor.fold(finer)
    for tier in TIERS[1:]:
        await compactor.pack(tier)


async def add_apps(connection: asyncpg.Connection) -> None:
    """The apps `shop` (1) and `other` (2) and their keys."""
    await connection.execute("INSERT INTO app (app_id, name) VALUES (1, 'shop'), (2, 'other')")
    await connection.executemany(
        "INSERT INTO app_key (app_id, digest, role, shown) VALUES ($1, $2, $3, $4)",
        [
            (1, digest(TOKEN), "token", None),
            (1, digest(CLIENT_KEY), "client", CLIENT_KEY),
            (2, digest(OTHER_TOKEN), "token", None),
            (0, digest(OPERATOR), "operator", None),
            (1, digest(OWNER), "owner", None),
            (2, digest(OTHER_OWNER), "owner", None),
            (0, digest(ADMIN), "admin", None),
        ],
    )


def show_from(sessions: int) -> AppPolicy:
    """A policy by which figures about so many sessions may be shown."""
    return AppPolicy(rules=Policy(least_sessions=sessions))


@asynccontextmanager
async def serve(pool: "asyncpg.Pool[Any]", **options: Any) -> AsyncIterator[TestClient[Any, Any]]:
    """A client of a query server on a pool; it shows figures about anybody, but for another policy."""
    options.setdefault("policy_of", lambda _: show_from(1))
    settings = Settings.from_env(
        {
            "FIRSTHOP_DATA": str(options.pop("data", "nowhere")),
            "FIRSTHOP_TRACE_LINK": options.pop("trace_link", ""),
            "FIRSTHOP_ALERT_WEBHOOKS": options.pop("webhooks", "ops=http://127.0.0.1:9/"),
        }
    )
    made = sources(pool, settings, PostgresPolicies(pool))
    app = build(
        replace(made, reader=options.pop("reader", made.reader)),
        installation=Installation.of(settings),
        now_us=lambda: seeded.NOW_US,
        **options,
    )
    server = TestServer(app)
    await server.start_server(max_line_size=LINE_BYTES)
    async with TestClient(server) as client:
        yield client


@pytest_asyncio.fixture
async def client(world_dsn: str) -> AsyncIterator[TestClient[Any, Any]]:
    """A client of the query server over the world."""
    pool = await open_pool(world_dsn, connections=8)
    try:
        async with serve(pool) as client:
            yield client
    finally:
        pool.terminate()


@pytest.fixture
def ask(client: TestClient[Any, Any]) -> Callable[..., Awaitable[ClientResponse]]:
    """GET with the shop's token; `token=None` for none."""

    async def ask(path: str, query: Any = None, token: str | None = TOKEN) -> ClientResponse:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return await client.get(path, params=query or {}, headers=headers)

    return ask


@pytest.fixture
def get(ask: Callable[..., Awaitable[ClientResponse]]) -> Get:
    """The JSON of a 200."""

    async def get(path: str, query: Any = None, token: str | None = TOKEN) -> Any:
        response = await ask(path, query, token)
        answer = await response.json()
        assert response.status == 200, answer
        return answer

    return get
