"""A real PostgreSQL for every test that wants one: one server per session, one fresh, migrated database per test."""

import asyncio
import itertools
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import settings

from ingest.store.database import migrate, open_pool
from ingest.store.embedded import EmbeddedPostgres

# The same examples on every run: a test fails for a change, not by chance.
settings.register_profile("firsthop", derandomize=True, deadline=None)
settings.load_profile("firsthop")

TEMPLATE = "firsthop_template"
_numbers = itertools.count(1)


def database_dsn(dsn: str, name: str) -> str:
    """The DSN of another database on the same server."""
    return dsn.replace("@/postgres?", f"@/{name}?")


async def create_database(server: str, name: str) -> str:
    """Makes a database with the schema in it, and tells its DSN."""
    await _execute(server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
    return database_dsn(server, name)


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A running server that the whole session shares; `postgres.start()` gives its DSN again."""
    directory = Path(tempfile.mkdtemp(prefix="firsthop-test-"))
    server = EmbeddedPostgres(directory / "pg")
    try:
        with asyncio.Runner() as runner:
            runner.run(_make_template(server.start()))
        yield server
    finally:
        server.stop()
        shutil.rmtree(directory)


@pytest_asyncio.fixture
async def dsn(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """A fresh database with the schema in it, dropped after the test whoever is still connected."""
    server, name = postgres.start(), f"test_{next(_numbers)}"
    yield await create_database(server, name)
    await _execute(postgres.start(), f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def pool(dsn: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    """Connections to the test's fresh database."""
    opened = await open_pool(dsn, connections=8)
    yield opened
    opened.terminate()


async def _make_template(server: str) -> None:
    # Tests kill processes, never the machine: what the kernel has is safe, and databases come and go faster.
    await _execute(server, "ALTER SYSTEM SET fsync = off")
    await _execute(server, "SELECT pg_reload_conf()")
    await _execute(server, f"CREATE DATABASE {TEMPLATE}")
    opened = await open_pool(database_dsn(server, TEMPLATE), connections=1)
    await migrate(opened)
    await opened.close()


async def _execute(server: str, statement: str) -> None:
    connection = await asyncpg.connect(server)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
