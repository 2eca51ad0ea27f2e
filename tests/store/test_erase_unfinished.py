"""Erasures on their way to the files: crashes, lost connections, queries and writers beside them."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from ingest.errors import Unavailable
from ingest.journal.postgres import PostgresJournal
from ingest.store import erase, erasures
from ingest.store.database import open_pool
from ingest.store.erasures import PostgresErasures
from tests.aggregate.turns import aggregate, append, closes, ledger
from tests.postgres_proxy import cutting_proxy
from tests.store.people import UNTIL_US, Pool, forget, name, sessions, store, visit


def files_with(directory: Path, text: str) -> set[str]:
    return {str(file) for file in directory.rglob("*") if file.is_file() and text.encode() in file.read_bytes()}


async def test_the_bytes_leave_the_files_of_tables_indexes_and_statistics(dsn: str, pool: "Pool[Any]") -> None:
    await store(dsn, pool, *[visit(f"s-{n}", n, url="https://shop.example/" + "long/" * 400) for n in range(1, 40)])
    await store(dsn, pool, *[visit("s-jane", 100 + n, user="jane-4711", installation="i-9") for n in range(20)])
    await pool.execute("ANALYZE")
    data = await pool.fetchval("SHOW data_directory")
    oid = await pool.fetchval("SELECT oid::text FROM pg_database WHERE datname = current_database()")
    directory = Path(data) / "base" / oid
    await pool.execute("CHECKPOINT")
    assert files_with(directory, name("s-jane"))
    await forget(pool, name("s-jane"))
    await pool.execute("DELETE FROM erased")
    await pool.execute("VACUUM (FULL) erased")
    await pool.execute("CHECKPOINT")
    assert files_with(directory, name("s-jane")) == set()
    assert files_with(directory, name("jane-4711")) == set()
    assert files_with(directory, name("s-7"))


class Stop(BaseException):
    """The process ends here: nothing catches it."""


STEPS = ("_find_sessions", "_delete", "_rewrite_all", "_mark")


@pytest.mark.parametrize("step", STEPS)
async def test_an_erasure_whose_process_ended_is_taken_up_by_another(
    dsn: str, pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    await store(dsn, pool, visit("s-jane", 1, user="jane-4711"), visit("s-jane", 2), visit("s-joe", 3))
    dying = await erasures_open(dsn)
    begun = await dying.begin(1, "user", {name("jane-4711")}, refused_until_us=UNTIL_US, software="1.2.3")

    async def end(*_: Any, **__: Any) -> None:
        raise Stop

    with monkeypatch.context() as patched:
        patched.setattr(erase.Erasure, step, end)
        with pytest.raises(Stop):
            await dying.carry_out(1, begun)
    dying._pool.terminate()

    other = PostgresErasures(pool, PostgresJournal(pool))
    assert await other.unfinished() == [(1, begun)]
    assert await other.carry_out(1, begun)
    assert await other.unfinished() == []
    assert (await other.receipt(1, begun)).counts["span"] == 6, "what was counted before the end counts once"
    assert await sessions(pool) == {name("s-joe"): 3}


@pytest.mark.parametrize("answer", [b"UPDATE 1", b"COMMIT", b"VACUUM"])
async def test_an_erasure_whose_connection_is_lost_is_done_again(dsn: str, pool: "Pool[Any]", answer: bytes) -> None:
    await store(dsn, pool, visit("s-jane", 1, user="jane-4711"), visit("s-jane", 2), visit("s-joe", 3))
    async with cutting_proxy(dsn) as (proxied, cut):
        cuttable = await open_pool(proxied, connections=1)
        ours = PostgresErasures(cuttable, PostgresJournal(cuttable))
        begun = await ours.begin(1, "user", {name("jane-4711")}, refused_until_us=UNTIL_US, software="1.2.3")
        cut.before = answer
        with pytest.raises(Unavailable):
            await ours.carry_out(1, begun)
        assert cut.cuts == 1
        cuttable.terminate()
    other = PostgresErasures(pool, PostgresJournal(pool))
    assert await other.carry_out(1, begun)
    assert (await other.receipt(1, begun)).counts["span"] == 6
    assert await sessions(pool) == {name("s-joe"): 3}


async def erasures_open(dsn: str) -> PostgresErasures:
    own = await asyncpg.create_pool(dsn, min_size=1, max_size=2)
    return PostgresErasures(own, PostgresJournal(own))


async def test_the_aggregators_process_completes_what_others_began(
    dsn: str, pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(dsn, pool, visit("s-jane", 1))
    ours = PostgresErasures(pool, PostgresJournal(pool))
    begun = await ours.begin(1, "session", {name("s-jane")}, refused_until_us=UNTIL_US, software="1.2.3")
    monkeypatch.setattr(erasures, "TAKE_UP_SECONDS", 0.01)
    stop = asyncio.Event()
    running = asyncio.create_task(ours.run(stop))
    async with asyncio.timeout(30):
        while (await ours.receipt(1, begun)).completed_at_us is None:
            await asyncio.sleep(0.01)
    stop.set()
    await running
    assert await sessions(pool) == {}


async def test_a_query_that_still_sees_the_rows_puts_the_rewriting_off(
    dsn: str, pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erase, "LOCK_SECONDS", 0.2)
    await store(dsn, pool, visit("s-jane", 1))
    ours = PostgresErasures(pool, PostgresJournal(pool))
    begun = await ours.begin(1, "session", {name("s-jane")}, refused_until_us=UNTIL_US, software="1.2.3")
    async with pool.acquire() as reader, reader.transaction(isolation="repeatable_read", readonly=True):
        assert await reader.fetchval("SELECT count(*) FROM batch") == 1
        assert not await ours.carry_out(1, begun)
        assert (await ours.receipt(1, begun)).completed_at_us is None
        assert await sessions(pool) == {}
    assert await ours.carry_out(1, begun)


async def test_a_large_table_is_rewritten_later_once_for_all_who_were_erased_from_it(
    dsn: str, pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    await store(dsn, pool, visit("s-jane", 1), visit("s-joe", 2), visit("s-jim", 3))
    ours = PostgresErasures(pool, PostgresJournal(pool))
    monkeypatch.setattr(erase, "LARGE_BYTES", 0)
    begun = []
    for person in ("s-jane", "s-joe"):
        begun.append(await ours.begin(1, "session", {name(person)}, refused_until_us=UNTIL_US, software="1.2.3"))
        assert not await ours.carry_out(1, begun[-1])
        receipt = await ours.receipt(1, begun[-1])
        assert receipt.deleted_at_us is not None
        assert receipt.completed_at_us is None
    assert await sessions(pool) == {name("s-jim"): 3}

    rewritten = []
    rewrite = erase.Erasure._rewrite

    async def noted(self: erase.Erasure, table: str) -> bool:
        rewritten.append(table)
        return await rewrite(self, table)

    async def again(*_: Any) -> None:
        raise AssertionError("rows that have gone are looked for again")

    monkeypatch.setattr(erase.Erasure, "_rewrite", noted)
    monkeypatch.setattr(erase.Erasure, "_find_sessions", again)
    assert [await ours.carry_out(1, each, large=True) for each in begun] == [True, True]
    assert len(rewritten) == 1
    assert await ours.unfinished() == []


async def test_spans_stored_while_erasures_run_are_never_left_behind(dsn: str, pool: "Pool[Any]") -> None:
    """Whatever the order in which turns and tombstones commit."""
    people = [f"s-{n}" for n in range(6)]
    records = [visit(person, 1 + place * 8 + n) for n in range(8) for place, person in enumerate(people)]

    async def ingest() -> None:
        for at in range(0, len(records), 6):
            await append(pool, *records[at : at + 6])
            await aggregate(dsn)

    async def erase_half() -> None:
        for person in people[::2]:
            await forget(pool, name(person))

    await asyncio.gather(ingest(), erase_half())
    assert await sessions(pool) == {name(person): 24 for person in people[1::2]}
    found = await ledger(pool)
    assert closes(found)
    assert found["received"] == 144


async def test_two_who_ask_for_the_same_at_once_both_get_a_receipt(dsn: str, pool: "Pool[Any]") -> None:
    await store(dsn, pool, visit("s-jane", 1))
    counts = await asyncio.gather(*(forget(pool, name("s-jane")) for _ in range(3)))
    assert sum(each.get("span", 0) for each in counts) == 3
    assert await sessions(pool) == {}
