"""Erasing people, against a real database: what goes, what stays, and what comes late."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.journal.postgres import PostgresJournal
from ingest.journal.record import decode, encode
from ingest.outcome import Outcome
from ingest.pipeline.identify import identity_of
from ingest.pipeline.process import process
from ingest.settings import AppPolicy
from ingest.store.erase import ERASABLE
from ingest.store.erasures import PostgresErasures
from privacy.policy import Action, Policy
from privacy.pseudonyms import period_of
from tests.aggregate.turns import append, closes, counted, ledger
from tests.batches import DAY_US, NOW_US, policy, reception, spans_of
from tests.store.people import Pool, everything, forget, name, sessions, store, visit


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
