"""Schema migrations."""

import asyncio
from typing import Any

import asyncpg
import pytest

from ingest.errors import Unavailable
from ingest.store.database import migrate, open_pool, reachable
from ingest.store.embedded import EmbeddedPostgres
from tests.conftest import database_dsn


async def test_many_processes_may_migrate_an_empty_database_at_once(postgres: EmbeddedPostgres) -> None:
    server = postgres.start()
    connection = await asyncpg.connect(server)
    await connection.execute("CREATE DATABASE unmigrated")
    pools = [await open_pool(database_dsn(server, "unmigrated"), connections=1) for _ in range(4)]
    versions = await asyncio.gather(*(migrate(pool) for pool in pools))
    assert len(set(versions)) == 1
    assert await pools[0].fetchval("SELECT count(*) FROM schema_version") == versions[0]
    assert await pools[0].fetchval("SELECT count(*) FROM app") == 0
    for pool in pools:
        await pool.close()
    await connection.execute("DROP DATABASE unmigrated")
    await connection.close()


async def test_every_table_carries_the_app_first_in_its_primary_key(pool: "asyncpg.Pool[Any]") -> None:
    """What lets a cluster distribute by it; the journal's tables and what is the same for all apps stay local."""
    rows = await pool.fetch(
        "SELECT relname, attname FROM pg_index JOIN pg_class c ON c.oid = indrelid JOIN pg_attribute a"
        " ON a.attrelid = indrelid AND a.attnum = indkey[0]"
        " WHERE indisprimary AND relnamespace = 'public'::regnamespace"
    )
    first = {row["relname"]: row["attname"] for row in rows}
    local = {"journal", "journal_dead", "compaction", "schema_version", "view_since"}
    assert {name for name, column in first.items() if column != "app_id"} == local


async def test_a_fault_of_the_data_is_told_from_one_that_passes(pool: "asyncpg.Pool[Any]") -> None:
    async def execute(statement: str) -> None:
        async with reachable():
            await pool.execute(statement)

    with pytest.raises(ValueError, match="refuses"):
        await execute("SELECT 1/0")
    with pytest.raises(ValueError, match="refuses"):
        await execute("INSERT INTO app (name) VALUES (NULL)")
    with pytest.raises(Unavailable):
        await execute("SELECT pg_terminate_backend(pg_backend_pid())")
