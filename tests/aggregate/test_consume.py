"""Exactly once, against a real database."""

import asyncio
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ingest import sketch
from ingest.aggregate.consume import Aggregator
from ingest.errors import Unavailable
from ingest.journal.postgres import PostgresJournal
from ingest.model import METRICS, VIEWS, Processed, Scrubs
from ingest.ports import Position
from ingest.store.database import open_pool
from ingest.store.write import PostgresStore
from tests.aggregate.turns import STEPS, Crash, Pool, aggregate, append, closes, contents, counted, ledger
from tests.postgres_proxy import cutting_proxy
from tests.records import NOW_US, make_record


async def test_every_span_is_counted_in_every_view_and_the_kept_ones_are_stored(dsn: str, pool: "Pool[Any]") -> None:
    records = [make_record(seed, rejected=3, drops=2) for seed in range(3)]
    await append(pool, *records)
    aggregator = await aggregate(dsn)
    assert set((await counted(pool)).values()) == {180}
    assert await pool.fetchval("SELECT count(*) FROM span") == sum(len(record.kept.assigned) for record in records)
    found = await ledger(pool)
    assert closes(found)
    assert (found["received"], found["rejected:future"], found["client:queue_overflow"]) == (189, 9, 6)
    assert await pool.fetchval("SELECT count(*) FROM journal") == 0
    assert aggregator.progress.spans == 189


@pytest.mark.parametrize("step", STEPS)
async def test_a_crash_at_any_step_changes_nothing_and_the_next_life_completes_the_turn(
    dsn: str, pool: "Pool[Any]", step: str
) -> None:
    await append(pool, *[make_record(seed, rejected=1) for seed in range(3)])
    before = await contents(pool)
    with pytest.raises(Crash):
        await aggregate(dsn, step=step)
    assert await contents(pool) == before
    await aggregate(dsn)
    assert set((await counted(pool)).values()) == {180}
    found = await ledger(pool)
    assert closes(found)
    assert "duplicate" not in found


async def test_a_commit_whose_answer_was_lost_is_not_done_twice(dsn: str, pool: "Pool[Any]") -> None:
    await append(pool, make_record(1))
    # The day's partition is there, so that the next commit is the turn's own.
    await aggregate(dsn)
    await append(pool, make_record(2))
    async with cutting_proxy(dsn) as (proxied, cut):
        cuttable = await open_pool(proxied)
        store = PostgresStore(cuttable)
        aggregator = Aggregator(store, PostgresJournal(cuttable), lambda: NOW_US, series_limit=1000)
        await store.lead()
        cut.before = b"COMMIT\0Z"
        with pytest.raises(Unavailable):
            await aggregator.turn()
        assert cut.cuts == 1
        await store.lead()
        assert await aggregator.turn() == 0
        cuttable.terminate()
    assert set((await counted(pool)).values()) == {120}
    found = await ledger(pool)
    assert closes(found)
    assert "duplicate" not in found


async def test_a_batch_that_comes_again_counts_as_duplicate_within_a_turn_and_across_turns(
    dsn: str, pool: "Pool[Any]"
) -> None:
    record, again = make_record(1, rejected=2, drops=5), make_record(1, rejected=2, drops=5)
    await append(pool, record, again)
    await aggregate(dsn)
    await append(pool, again)
    await aggregate(dsn)
    assert set((await counted(pool)).values()) == {60}
    assert await pool.fetchval("SELECT count(*) FROM span") == len(record.kept.assigned)
    found = await ledger(pool)
    assert closes(found)
    assert (found["received"], found["duplicate"], found["rejected:future"]) == (186, 124, 2)
    assert found["client:queue_overflow"] == 5


async def test_only_the_repeated_body_of_a_record_is_left_out(dsn: str, pool: "Pool[Any]") -> None:
    one, two = make_record(1), make_record(2)
    ids = two.ledger.batch_id.copy()
    ids[0] = one.ledger.batch_id[0]
    two = replace(two, ledger=replace(two.ledger, batch_id=ids))
    await append(pool, one, two)
    await aggregate(dsn)
    repeated = int(two.ledger.spans[0])
    assert set((await counted(pool)).values()) == {120 - repeated}
    found = await ledger(pool)
    assert closes(found)
    assert found["duplicate"] == repeated
    kept_of_second = int(two.ledger.outcomes[0, 1])
    assert await pool.fetchval("SELECT count(*) FROM span") == len(one.kept.assigned) + kept_of_second


async def test_the_same_batch_id_of_another_app_is_another_batch(dsn: str, pool: "Pool[Any]") -> None:
    await append(pool, make_record(1, app_id=1), make_record(1, app_id=2))
    await aggregate(dsn)
    rows = await pool.fetch("SELECT app_id, sum(spans)::int AS spans FROM rollup_10s GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in rows] == [(1, 60 * len(VIEWS)), (2, 60 * len(VIEWS))]


async def test_sketches_hold_every_measured_value_of_all_records(dsn: str, pool: "Pool[Any]") -> None:
    records = [make_record(seed) for seed in range(3)]
    await append(pool, *records[:2])
    await aggregate(dsn)
    await append(pool, records[2])
    await aggregate(dsn)
    buckets = np.concatenate([record.counted.buckets for record in records], axis=1)
    for view in ("all", "route_version", "who"):
        for metric, row in zip(METRICS, buckets, strict=True):
            stored = await pool.fetch(
                f"SELECT {metric} AS sketch FROM rollup_10s JOIN series USING (app_id, series_id)"
                f" WHERE view = $1 AND {metric} IS NOT NULL",
                view,
            )
            found = sketch.merge([each["sketch"] for each in stored])
            values, counts = np.unique(row[(row >= 0) | (row == sketch.ZERO)], return_counts=True)
            assert found["bucket"].tolist() == values.tolist()
            assert found["count"].tolist() == counts.tolist()


async def test_reused_and_unknown_phases_and_errors_are_counted_beside_the_sketches(
    dsn: str, pool: "Pool[Any]"
) -> None:
    record = make_record(5, spans=300)
    await append(pool, record)
    await aggregate(dsn)
    rows = await pool.fetch(
        "SELECT reused, unknown, errors FROM rollup_10s JOIN series USING (app_id, series_id) WHERE view = 'os_version'"
    )
    phases = record.counted.buckets[1:]
    assert np.sum([row["reused"] for row in rows], axis=0).tolist() == (phases == sketch.REUSED).sum(axis=1).tolist()
    assert np.sum([row["unknown"] for row in rows], axis=0).tolist() == (phases == sketch.UNKNOWN).sum(axis=1).tolist()
    assert sum(row["errors"] for row in rows) == int(record.counted.error.sum())


async def test_beyond_a_views_limit_spans_count_in_the_overflow_series(dsn: str, pool: "Pool[Any]") -> None:
    await append(pool, make_record(1, spans=200, routes=20))
    await aggregate(dsn, series_limit=5)
    await append(pool, make_record(2, spans=200, routes=40))
    await aggregate(dsn, series_limit=5)
    assert set((await counted(pool)).values()) == {400}
    rows = await pool.fetch("SELECT view, count(*) AS series FROM series GROUP BY 1")
    series = {row["view"]: row["series"] for row in rows}
    assert series["all"] == 1
    assert series["route"] == 6
    assert max(series.values()) <= 6
    overflow = await pool.fetchrow("SELECT * FROM series WHERE view = 'route_country' AND route = '{other}'")
    assert overflow["country"] == "{other}"
    assert overflow["version"] is None


def scrubbed(record: Processed, **finds: int) -> Processed:
    """The record with what was scrubbed in the spans of its app."""
    known = len(record.strings)
    app_id = np.full(len(finds), record.ledger.app_id[0], np.int32)
    rules = np.arange(known, known + len(finds), dtype=np.int32)
    strings = [*record.strings, *finds]
    record = replace(record, strings=strings, scrubs=Scrubs(app_id, rules, np.array([*finds.values()], np.int64)))
    return replace(record, kept=replace(record.kept, batch=replace(record.kept.batch, strings=strings)))


async def test_what_was_scrubbed_is_counted_by_app_hour_and_rule_and_not_for_duplicates(
    dsn: str, pool: "Pool[Any]"
) -> None:
    hour_us = 3_600_000_000
    await append(
        pool,
        scrubbed(make_record(1), email=3, url=40),
        scrubbed(make_record(2), email=4),
        scrubbed(make_record(3, app_id=2), email=5),
        scrubbed(make_record(4, now_us=NOW_US - hour_us), email=6),
        make_record(5),
        scrubbed(make_record(2), email=4),
    )
    await aggregate(dsn)
    await append(pool, scrubbed(make_record(1), email=3, url=40))
    await aggregate(dsn)
    rows = await pool.fetch(
        "SELECT app_id, extract(epoch FROM hour_at)::bigint / 3600 AS hour, rule, finds FROM scrub_count"
    )
    hour = NOW_US // hour_us
    assert {tuple(row) for row in rows} == {
        (1, hour, "email", 7),
        (1, hour, "url", 40),
        (2, hour, "email", 5),
        (1, hour - 1, "email", 6),
    }


async def test_one_apps_overflow_leaves_room_to_another(dsn: str, pool: "Pool[Any]") -> None:
    await append(pool, make_record(1, spans=200, app_id=1, routes=50), make_record(2, spans=40, app_id=2, routes=3))
    await aggregate(dsn, series_limit=5)
    other = await pool.fetchval("SELECT count(*) FROM series WHERE app_id = 2 AND view = 'route' AND route = '{other}'")
    assert other == 0


async def test_a_second_aggregator_waits_until_the_first_is_gone(dsn: str, pool: "Pool[Any]") -> None:
    first, second = await open_pool(dsn), await open_pool(dsn)
    leader, standby = PostgresStore(first), PostgresStore(second)
    await leader.lead()
    waiting = asyncio.create_task(standby.lead())
    asked = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle'"
        " AND backend_xmin IS NULL AND query LIKE 'SELECT pg_try_advisory_lock%'"
    )
    # Both have asked, and neither holds a snapshot, which would keep deleted rows from being cleared away.
    while await pool.fetchval(asked) < 2:
        await asyncio.sleep(0.01)
    assert not waiting.done()
    first.terminate()
    await waiting
    second.terminate()


async def test_records_that_somebody_else_stored_are_not_stored_again(dsn: str, pool: "Pool[Any]") -> None:
    await append(pool, make_record(1))
    store = PostgresStore(pool)
    await store.lead()
    before = await contents(pool)

    async def store_what_is_gone() -> None:
        async with store.transaction() as transaction:
            await transaction.claim([(1, bytes(16), NOW_US)])
            await pool.execute("DELETE FROM journal")
            await transaction.consume([Position(1, 0)])

    with pytest.raises(Unavailable, match="Another aggregator"):
        await store_what_is_gone()
    assert await pool.fetchval("SELECT count(*) FROM batch") == before[3]


async def test_a_record_that_cannot_be_stored_is_set_aside_and_the_others_are_stored(
    dsn: str, pool: "Pool[Any]"
) -> None:
    broken = make_record(2)
    broken = replace(broken, counted=replace(broken.counted, series=broken.counted.series + np.int32(1000)))
    await append(pool, make_record(1), broken, make_record(3))
    await aggregate(dsn)
    assert set((await counted(pool)).values()) == {120}
    assert closes(await ledger(pool))
    dead = await pool.fetch("SELECT seq, reason FROM journal_dead")
    assert [row["seq"] for row in dead] == [1]
    assert "IndexError" in dead[0]["reason"]


async def test_the_loop_outlives_its_connections_and_drains_the_journal_when_stopped(
    dsn: str, pool: "Pool[Any]"
) -> None:
    own = await open_pool(dsn)
    aggregator = Aggregator(
        PostgresStore(own), PostgresJournal(own), lambda: NOW_US, series_limit=1000, turn_seconds=0.01
    )
    stop = asyncio.Event()
    running = asyncio.create_task(aggregator.run(stop))
    for seed in range(3):
        await append(pool, make_record(seed))
        await pool.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity a JOIN pg_locks USING (pid)"
            " WHERE locktype = 'advisory' AND datname = current_database()"
        )
        while await pool.fetchval("SELECT count(*) FROM journal"):
            assert not running.done(), running.exception()
            await asyncio.sleep(0.01)
    await append(pool, make_record(3), make_record(4))
    stop.set()
    await running
    assert set((await counted(pool)).values()) == {300}
    assert closes(await ledger(pool))
    own.terminate()


async def test_a_series_is_known_again_after_a_restart_and_limits_start_anew_each_day(
    dsn: str, pool: "Pool[Any]"
) -> None:
    await append(pool, make_record(1))
    await aggregate(dsn)
    day = NOW_US // 86_400_000_000
    store = PostgresStore(pool)
    known = await store.known_series(day)
    assert len(known) == await pool.fetchval("SELECT count(*) FROM series")
    assert set(known.values()) == {(1, row["view"]) for row in await pool.fetch("SELECT view FROM series")}
    assert await store.known_series(day + 1) == {}


async def test_text_that_postgresql_cannot_hold_is_stored_without_it(dsn: str, pool: "Pool[Any]") -> None:
    record = make_record(1, spans=3, keep=1.0)
    strings = [text and f"{text}\0\ud800é" for text in record.strings]
    record = replace(
        record, strings=strings, kept=replace(record.kept, batch=replace(record.kept.batch, strings=strings))
    )
    await append(pool, record)
    await aggregate(dsn)
    assert set((await counted(pool)).values()) == {3}
    stored = await pool.fetchrow("SELECT name, resource->>'service' AS service FROM span")
    assert stored["name"] == "GET\ufffd?é"
    assert stored["service"] == "service 1\ufffd?é"
    assert await pool.fetchval("SELECT count(*) FROM journal_dead") == 0
