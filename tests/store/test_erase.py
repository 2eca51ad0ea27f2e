"""Erasing people, against a real database: what goes, what stays, what comes late, and crashes in between."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest

from ingest.errors import Unavailable
from ingest.journal.postgres import PostgresJournal
from ingest.journal.record import decode, encode
from ingest.model import Processed
from ingest.outcome import Outcome
from ingest.pipeline.identify import identity_of
from ingest.pipeline.process import process
from ingest.settings import AppPolicy
from ingest.store import erase, erasures
from ingest.store.database import open_pool
from ingest.store.erase import ERASABLE
from ingest.store.erasures import PostgresErasures
from privacy import pseudonym
from privacy.policy import Action, Policy
from privacy.pseudonyms import period_of
from tests.aggregate.test_consume import aggregate, append, closes, counted, ledger
from tests.batches import DAY_US, NOW_US, built_in, policy, reception, spans_of
from tests.postgres_proxy import cutting_proxy

Pool = asyncpg.Pool
RING = policy().ring
UNTIL_US = NOW_US + 8 * DAY_US


def name(text: str, app_id: int = 1, at_us: int = NOW_US) -> str:
    """The pseudonym of an id at a moment."""
    return pseudonym(RING.key(app_id, period_of(at_us)), text)


def visit(
    session: str = "",
    batch: int = 1,
    *,
    user: str = "",
    installation: str = "",
    app_id: int = 1,
    at_us: int = NOW_US,
    spans: int = 3,
    **span: Any,
) -> Processed:
    """The record of one body: spans of one session, the last of which names the user."""
    given = [{"start_us": at_us - 1_000_000, **span} for _ in range(spans)]
    if user:
        given[-1] = given[-1] | {"attributes": {"user.id": user}}
    made = spans_of(given, session=session, installation=installation)
    made = replace(made, bodies=replace(made.bodies, batch_id=np.full((1, 16), batch, np.uint8)))
    return process(
        made,
        [reception(app_id=app_id, received_at_us=at_us)],
        policy(),
        policy_of=built_in,
        country_of=lambda _: "",
    )


async def store(dsn: str, pool: "Pool[Any]", *records: Processed) -> None:
    """Through the journal and the aggregator."""
    await append(pool, *records)
    await aggregate(dsn)


async def forget(pool: "Pool[Any]", *names: str, app_id: int = 1) -> Mapping[str, int]:
    """One erasure, carried out; what its receipt counts."""
    ours = PostgresErasures(pool, PostgresJournal(pool))
    begun = await ours.begin(app_id, "session", names, refused_until_us=UNTIL_US, software="1.2.3")
    assert await ours.carry_out(app_id, begun)
    receipt = await ours.receipt(app_id, begun)
    assert receipt.completed_at_us is not None
    return {table: count for table, count in receipt.counts.items() if count}


async def sessions(pool: "Pool[Any]") -> dict[str, int]:
    rows = await pool.fetch("SELECT coalesce(session, '') AS session, count(*) AS spans FROM span GROUP BY 1")
    return {row["session"]: row["spans"] for row in rows}


async def everything(pool: "Pool[Any]", *, without: str = "erased") -> str:
    """All tables but one as text."""
    tables = await pool.fetch("SELECT relname FROM pg_stat_user_tables WHERE relname <> $1", without)
    texts = [await pool.fetchval(f"SELECT string_agg(t::text, ' ') FROM {row['relname']} t") for row in tables]
    return "\n".join(text or "" for text in texts)


async def test_the_spans_of_a_session_go_and_those_of_others_and_all_figures_stay(dsn: str, pool: "Pool[Any]") -> None:
    await store(dsn, pool, visit("s-jane", 1), visit("s-joe", 2), visit("s-jane", 3, app_id=2))
    figures = await counted(pool), await ledger(pool)
    assert await forget(pool, name("s-jane")) == {"span": 3}
    assert await sessions(pool) == {name("s-joe"): 3, name("s-jane", app_id=2): 3}
    assert (await counted(pool), await ledger(pool)) == figures
    assert name("s-jane") not in await everything(pool)
    assert await forget(pool, name("s-jane")) == {}


async def test_spans_of_every_day_and_key_period_go(dsn: str, pool: "Pool[Any]") -> None:
    then = NOW_US - 5 * DAY_US
    while period_of(then) == period_of(NOW_US):
        then -= DAY_US
    await store(dsn, pool, visit("s-jane", 1), visit("s-jane", 2, at_us=then), visit("s-joe", 3, at_us=then))
    assert len(await sessions(pool)) == 3
    assert await forget(pool, name("s-jane"), name("s-jane", at_us=then)) == {"span": 6}
    assert await sessions(pool) == {name("s-joe", at_us=then): 3}


async def test_a_user_takes_every_span_of_the_sessions_in_which_they_were_seen(dsn: str, pool: "Pool[Any]") -> None:
    yesterday = NOW_US - DAY_US
    await store(
        dsn,
        pool,
        visit("s-before", 1, at_us=yesterday),
        visit("s-before", 2, user="jane-4711"),
        visit("s-after", 3, user="jane-4711"),
        visit("s-joe", 4, user="joe-4712"),
        visit("", 5, user="jane-4711"),
    )
    assert name("jane-4711") in await everything(pool)
    # Of the last visit, which has no session, only the span that names them is known to be theirs.
    assert await forget(pool, name("jane-4711")) == {"span": 10}
    assert await sessions(pool) == {name("s-joe"): 3, "": 2}
    left = await everything(pool)
    assert not [text for text in ("jane-4711", "s-before", "s-after") if name(text) in left]


async def test_an_installation_goes_with_all_its_sessions(dsn: str, pool: "Pool[Any]") -> None:
    await store(dsn, pool, visit("s-1", 1, installation="i-1"), visit("s-2", 2, installation="i-1"), visit("s-3", 3))
    assert await forget(pool, name("i-1")) == {"span": 6}
    assert await sessions(pool) == {name("s-3"): 3}


async def test_late_spans_are_counted_and_not_stored(dsn: str, pool: "Pool[Any]") -> None:
    await store(dsn, pool, visit("s-jane", 1))
    await forget(pool, name("s-jane"))
    await store(dsn, pool, visit("s-jane", 2), visit("s-joe", 3))
    assert await sessions(pool) == {name("s-joe"): 3}
    found = await ledger(pool)
    assert closes(found)
    assert (found["received"], found["kept"], found["counted_only"]) == (9, 6, 3)
    assert set((await counted(pool)).values()) == {9}
    assert name("s-jane") not in await everything(pool)


async def test_late_spans_of_a_session_not_seen_before_reopen_the_erasure_of_their_user(
    dsn: str, pool: "Pool[Any]"
) -> None:
    await store(dsn, pool, visit("s-jane", 1))
    await forget(pool, name("jane-4711"))
    assert await sessions(pool) == {name("s-jane"): 3}
    await store(dsn, pool, visit("s-jane", 2, user="jane-4711"), visit("s-joe", 3))
    ours = PostgresErasures(pool, PostgresJournal(pool))
    ((app_id, reopened),) = await ours.unfinished()
    assert await ours.carry_out(app_id, reopened)
    assert await ours.unfinished() == []
    assert (await ours.receipt(app_id, reopened)).counts["span"] == 3
    assert await sessions(pool) == {name("s-joe"): 3}
    await store(dsn, pool, visit("s-jane", 4))
    assert await sessions(pool) == {name("s-joe"): 3}


async def test_another_apps_tombstones_take_nothing(dsn: str, pool: "Pool[Any]") -> None:
    await forget(pool, name("s-jane"), app_id=2)
    await store(dsn, pool, visit("s-jane", 1))
    assert await sessions(pool) == {name("s-jane"): 3}


@pytest.mark.parametrize("table", ["journal", "journal_dead"])
async def test_records_that_wait_or_were_set_aside_lose_the_spans_and_keep_the_others(
    dsn: str, pool: "Pool[Any]", table: str
) -> None:
    await append(pool, visit("s-jane", 1, user="jane-4711"), visit("s-joe", 2))
    if table == "journal_dead":
        await pool.execute(
            "WITH moved AS (DELETE FROM journal RETURNING lane, seq, record)"
            " INSERT INTO journal_dead (lane, seq, record, reason) SELECT lane, seq, record, 'a test' FROM moved"
        )
    assert await forget(pool, name("s-jane")) == {table: 3}
    jane, joe = [decode(row["record"]) for row in await pool.fetch(f"SELECT record FROM {table} ORDER BY lane, seq")]
    assert not [text for text in jane.strings if name("s-jane") in text or name("jane-4711") in text]
    assert jane.counted.session.tolist() == [0, 0, 0]
    assert jane.ledger.outcomes[[Outcome.KEPT, Outcome.COUNTED_ONLY], 0].tolist() == [0, 3]
    assert len(jane.counted) == jane.ledger.spans.sum() == 3
    assert encode(joe) == encode(visit("s-joe", 2))
    assert joe.counted.session.tolist() == [identity_of(name("s-joe"))] * 3


async def test_a_user_found_in_a_record_set_aside_takes_their_session_everywhere(dsn: str, pool: "Pool[Any]") -> None:
    await store(dsn, pool, visit("s-jane", 1))
    await pool.execute(
        "INSERT INTO journal_dead (lane, seq, record, reason) VALUES (1, 0, $1, 'a test')",
        encode(visit("s-jane", 2, user="jane-4711")),
    )
    assert await forget(pool, name("jane-4711")) == {"journal_dead": 3, "span": 3}
    assert await sessions(pool) == {}


async def test_a_record_set_aside_that_nobody_can_read_is_deleted_and_one_in_the_journal_left(
    pool: "Pool[Any]",
) -> None:
    for table, reason in (("journal_dead", ", reason"), ("journal", "")):
        value = ", 'a test'" if reason else ""
        await pool.execute(f"INSERT INTO {table} (lane, seq, record{reason}) VALUES (9, 0, '\\x0900'{value})")
    assert await forget(pool, name("s-jane")) == {"unreadable": 1}
    assert await pool.fetchval("SELECT count(*) FROM journal_dead") == 0
    assert await pool.fetchval("SELECT count(*) FROM journal") == 1


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


async def test_a_pseudonym_in_a_mark_is_found_in_every_text_of_a_span_and_in_no_figure(
    dsn: str, pool: "Pool[Any]"
) -> None:
    hashing = AppPolicy(1, Policy(actions={"{email}": Action.HASH}))
    fields = {
        "name": "hello jane@shop.example",
        "url": "https://shop.example/u/jane@shop.example",
        "route": "/u/jane@shop.example/x",
        "screen": "/jane@shop.example",
        "error_type": "no jane@shop.example",
        "attributes": {"note": "of jane@shop.example"},
    }
    given = [{field: value} for field, value in fields.items()] + [{}]
    made = process(
        spans_of(given, version="jane@shop.example", network="jane@shop.example"),
        [reception()],
        policy(),
        policy_of=lambda _: hashing,
        country_of=lambda _: "",
    )
    await store(dsn, pool, made)
    theirs = name("jane@shop.example")
    shared = [row["t"] for row in await pool.fetch("SELECT s::text AS t FROM series s")]
    assert shared
    assert not [text for text in shared if theirs in text]
    # The route is a dimension: it says that there was an address, not whose.
    assert await pool.fetchval("SELECT count(*) FROM span WHERE span::text LIKE $1", f"%{theirs}%") == len(fields) - 1
    await forget(pool, theirs)
    assert theirs not in await everything(pool)


def test_every_table_that_can_be_erased_from_names_app_and_session() -> None:
    assert all("session" in columns for columns in ERASABLE.values())


async def test_tombstones_and_receipts_go_when_their_time_is_over(pool: "Pool[Any]") -> None:
    from tests.store.test_retain import compactor

    await forget(pool, name("s-jane"))
    await compactor(pool, NOW_US + 7 * DAY_US).retire()
    assert await pool.fetchval("SELECT count(*) FROM erased") == 1
    await compactor(pool, NOW_US + 9 * DAY_US).retire()
    assert await pool.fetchval("SELECT count(*) FROM erased") == 0
    assert await pool.fetchval("SELECT count(*) FROM erasure") == 1
    asked = await pool.fetchval("SELECT requested_at FROM erasure")
    later = asked - datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=1101)
    await compactor(pool, later // timedelta(microseconds=1)).retire()
    assert await pool.fetchval("SELECT count(*) FROM erasure") == 0
