"""The journal, against a real database."""

import asyncio
from typing import Any

import asyncpg
import pytest

from ingest.errors import Unavailable
from ingest.journal import postgres
from ingest.journal.postgres import PostgresJournal, open_lane
from ingest.journal.record import encode
from ingest.store.database import open_pool
from tests.journal.test_record import same
from tests.postgres_proxy import cutting_proxy
from tests.records import make_record

Pool = asyncpg.Pool


async def test_what_was_appended_is_read_back_oldest_first_until_it_is_consumed(pool: "Pool[Any]") -> None:
    one, two = [PostgresJournal(pool, await open_lane(pool)) for _ in range(2)]
    records = [make_record(seed) for seed in range(4)]
    for journal, record in zip((two, one, two, one), records, strict=True):
        await journal.append(record)
    reader = PostgresJournal(pool)
    first = await reader.read(3)
    assert [same(entry.record, record) for entry, record in zip(first, records, strict=False)] == [True] * 3
    assert len(await reader.read(10)) == 4


async def test_every_life_of_a_writer_gets_a_lane_of_its_own(pool: "Pool[Any]") -> None:
    lanes = await asyncio.gather(*(open_lane(pool) for _ in range(20)))
    assert len(set(lanes)) == 20
    assert 0 not in lanes


async def test_a_lane_used_twice_is_an_error_and_never_a_silent_loss(pool: "Pool[Any]") -> None:
    await PostgresJournal(pool, 7).append(make_record(1))
    with pytest.raises(asyncpg.UniqueViolationError):
        await PostgresJournal(pool, 7).append(make_record(2))


async def test_a_reader_without_a_lane_cannot_append(pool: "Pool[Any]") -> None:
    with pytest.raises(ValueError, match="open_lane"):
        await PostgresJournal(pool).append(make_record())


async def test_an_append_whose_answer_was_lost_is_retried_and_stands_there_once(dsn: str, pool: "Pool[Any]") -> None:
    async with cutting_proxy(dsn) as (proxied, cut):
        cuttable = await open_pool(proxied, connections=2)
        journal = PostgresJournal(cuttable, await open_lane(cuttable))
        await journal.append(make_record(1))
        cut.before = b"INSERT 0 1"
        await journal.append(make_record(2))
        assert cut.cuts == 1
        await journal.append(make_record(3))
        cuttable.terminate()
    rows = await pool.fetch("SELECT seq FROM journal ORDER BY seq")
    assert [row["seq"] for row in rows] == [0, 1, 2]


async def test_an_append_that_cannot_reach_the_database_is_refused_in_bounded_time(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "APPEND_SECONDS", 0.3)
    async with cutting_proxy(dsn) as (proxied, _):
        cuttable = await open_pool(proxied, connections=2)
        journal = PostgresJournal(cuttable, await open_lane(cuttable))
    await cuttable.expire_connections()
    with pytest.raises(Unavailable):
        await journal.append(make_record())
    cuttable.terminate()


async def test_an_append_that_waits_too_long_is_refused(pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres, "APPEND_SECONDS", 0.3)
    journal = PostgresJournal(pool, await open_lane(pool))
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE journal IN EXCLUSIVE MODE")
        with pytest.raises(Unavailable):
            await journal.append(make_record())
    await journal.append(make_record())
    assert await pool.fetchval("SELECT count(*) FROM journal") == 1


async def test_a_full_journal_refuses_until_the_aggregator_has_caught_up(
    pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "SIZE_CHECK_SECONDS", 0.0)
    record = make_record()
    journal = PostgresJournal(pool, await open_lane(pool), limit_bytes=len(encode(record)))
    await journal.append(record)
    await journal.append(record)
    with pytest.raises(Unavailable, match="full"):
        await journal.append(record)
    await pool.execute("DELETE FROM journal")
    await journal.append(record)


async def test_a_record_nobody_can_read_is_set_aside_and_blocks_nothing(pool: "Pool[Any]") -> None:
    journal = PostgresJournal(pool, await open_lane(pool))
    await journal.append(make_record(1))
    await pool.execute("INSERT INTO journal (lane, seq, record) VALUES (99, 0, '\\x0900')")
    await journal.append(make_record(2))
    assert len(await journal.read(10)) == 2
    dead = await pool.fetchrow("SELECT lane, seq, record, reason FROM journal_dead")
    assert (dead["lane"], dead["seq"], dead["record"]) == (99, 0, b"\x09\x00")
    assert "version" in dead["reason"]
    assert await pool.fetchval("SELECT count(*) FROM journal WHERE lane = 99") == 0


async def test_a_large_backlog_is_read_in_bounded_portions(pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch) -> None:
    journal = PostgresJournal(pool, await open_lane(pool))
    records = [make_record(seed) for seed in range(5)]
    for record in records:
        await journal.append(record)
    monkeypatch.setattr(postgres, "READ_BYTES", len(encode(records[0])) + 1)
    assert [entry.position.seq for entry in await journal.read(10)] == [0, 1]
    monkeypatch.setattr(postgres, "READ_BYTES", 1)
    assert [entry.position.seq for entry in await journal.read(10)] == [0]


async def test_many_appends_at_once_all_arrive(pool: "Pool[Any]") -> None:
    journal = PostgresJournal(pool, await open_lane(pool))
    await asyncio.gather(*(journal.append(make_record(seed, spans=5)) for seed in range(50)))
    assert await pool.fetchval("SELECT count(DISTINCT seq) FROM journal") == 50
