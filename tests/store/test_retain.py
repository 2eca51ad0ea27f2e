"""Folding and retention, against a real database."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import numpy as np
import pytest

from ingest import sessions, sketch
from ingest.aggregate.catalog import Catalog
from ingest.aggregate.turn import gather, settle
from ingest.model import METRICS, WINDOW_US, Processed
from ingest.store import partitions, retain
from ingest.store.plan import TIERS, Retention
from ingest.store.retain import Compactor
from ingest.store.write import PostgresStore
from tests.records import NOW_US, make_record

Pool = asyncpg.Pool

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000
RETENTION = Retention(tiers_us=(6 * HOUR_US, 14 * DAY_US, 400 * DAY_US, 400 * DAY_US), spans_us=7 * DAY_US)
NOW = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=NOW_US)


def compactor(pool: "Pool[Any]", now_us: int = NOW_US) -> Compactor:
    return Compactor(pool, RETENTION, 8 * DAY_US, lambda: now_us)


async def store(pool: "Pool[Any]", *turns: Processed) -> None:
    """Each record as a turn of its own."""
    writer = PostgresStore(pool)
    await writer.lead()
    catalog = Catalog(NOW_US // DAY_US, {}, 10_000)
    for record in turns:
        bodies = gather([record])
        async with writer.transaction() as transaction:
            fresh = await transaction.claim(bodies.claims)
            update = settle([record], bodies, fresh, catalog)
            await transaction.write(update)
        catalog.add(update.series)
    await pool.release(writer._connection)


async def totals(pool: "Pool[Any]", table: str, width_us: int) -> dict[tuple[int, int], Counter[Any]]:
    """(series, window of this width) → everything counted there."""
    found: dict[tuple[int, int], Counter[Any]] = {}
    for row in await pool.fetch(f"SELECT * FROM {table}"):
        window = (row["window_at"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=width_us)
        cell = found.setdefault((row["series_id"], window), Counter())
        cell.update({"app": row["app_id"] * row["spans"], "spans": row["spans"], "errors": row["errors"]})
        cell.update({("reused", phase): count for phase, count in enumerate(row["reused"])})
        cell.update({("unknown", phase): count for phase, count in enumerate(row["unknown"])})
        for metric in METRICS:
            bins = np.frombuffer(row[metric] or b"", sketch.Bins)
            cell.update({(metric, b): n for b, n in zip(bins["bucket"].tolist(), bins["count"].tolist(), strict=True)})
    return found


async def who(pool: "Pool[Any]", table: str, width_us: int) -> dict[tuple[int, int], int]:
    """(series, window of this width) → distinct sessions."""
    parts: dict[tuple[int, int], list[bytes]] = {}
    for row in await pool.fetch(f"SELECT series_id, window_at, sessions FROM {table}"):
        window = (row["window_at"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=width_us)
        parts.setdefault((row["series_id"], window), []).append(row["sessions"] or b"")
    return {key: round(sessions.count(sessions.merge(members))) for key, members in parts.items()}


async def assert_tiers_agree(pool: "Pool[Any]") -> None:
    for tier in TIERS[1:]:
        assert await totals(pool, tier.table, tier.width_us) == await totals(pool, "rollup_10s", tier.width_us)
        assert await who(pool, tier.table, tier.width_us) == await who(pool, "rollup_10s", tier.width_us)


async def fold_all(pool: "Pool[Any]") -> list[int]:
    return [await compactor(pool).fold(tier) for tier in TIERS[:-1]]


async def test_every_tier_sums_up_to_the_finest_also_with_late_data(pool: "Pool[Any]") -> None:
    await store(pool, *[make_record(seed, spread_us=2 * HOUR_US, routes=3) for seed in range(3)])
    await fold_all(pool)
    await assert_tiers_agree(pool)
    await store(pool, *[make_record(seed, spread_us=2 * HOUR_US, routes=3) for seed in range(3, 6)])
    await fold_all(pool)
    await assert_tiers_agree(pool)
    await store(pool, make_record(6, app_id=2))
    await compactor(pool).fold(TIERS[0])
    await store(pool, make_record(7, app_id=2))
    await fold_all(pool)
    await assert_tiers_agree(pool)
    assert await fold_all(pool) == [0, 0, 0]


async def test_folding_in_small_portions_comes_to_the_same(pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retain, "FOLD_ROWS", 1)
    await store(pool, *[make_record(seed, routes=3) for seed in range(4)])
    await fold_all(pool)
    await assert_tiers_agree(pool)


async def test_partials_of_a_window_become_one_and_nothing_changes_but_their_number(pool: "Pool[Any]") -> None:
    await store(pool, *[make_record(seed, spread_us=1, routes=2, versions=1, countries=1) for seed in range(4)])
    before = await totals(pool, "rollup_10s", WINDOW_US)
    partials = await pool.fetchval("SELECT count(*) FROM rollup_10s")
    await fold_all(pool)
    assert await totals(pool, "rollup_10s", WINDOW_US) == before
    for tier in TIERS:
        rows = await pool.fetchval(f"SELECT count(*) FROM {tier.table}")
        assert rows == len(before) < partials


async def test_the_day_has_one_row_per_series_however_often_it_is_folded(pool: "Pool[Any]") -> None:
    for seed in range(3):
        await store(pool, make_record(seed, spread_us=1))
        await fold_all(pool)
    rows = await pool.fetch("SELECT count(*) AS rows FROM rollup_1d GROUP BY app_id, series_id, window_at")
    assert {row["rows"] for row in rows} == {1}
    await assert_tiers_agree(pool)


async def test_a_fold_that_fails_half_way_changes_nothing(pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch) -> None:
    class Crash(BaseException):
        pass

    async def crash(*_: Any) -> None:
        raise Crash

    await store(pool, make_record(1), make_record(2))
    before = await totals(pool, "rollup_10s", WINDOW_US)
    with monkeypatch.context() as patched:
        patched.setattr(retain, "_insert", crash)
        with pytest.raises(Crash):
            await fold_all(pool)
    assert await totals(pool, "rollup_10s", WINDOW_US) == before
    assert await pool.fetchval("SELECT count(*) FROM rollup_1m") == 0
    await fold_all(pool)
    await assert_tiers_agree(pool)


async def test_each_tier_is_kept_for_its_time_and_the_coarser_keep_the_sum(pool: "Pool[Any]") -> None:
    await store(pool, make_record(1, now_us=NOW_US - 20 * DAY_US), make_record(2, now_us=NOW_US))
    await fold_all(pool)
    hours = await totals(pool, "rollup_1h", HOUR_US)
    await compactor(pool).retire()
    assert await pool.fetchval("SELECT count(*) FROM rollup_10s WHERE window_at < $1", NOW - timedelta(hours=6)) == 0
    assert await pool.fetchval("SELECT count(*) FROM rollup_10s") > 0
    assert await pool.fetchval("SELECT count(*) FROM rollup_1m WHERE window_at < $1", NOW - timedelta(days=14)) == 0
    assert await totals(pool, "rollup_1h", HOUR_US) == hours


async def test_what_has_not_been_folded_is_not_deleted_be_it_ever_so_old(pool: "Pool[Any]") -> None:
    await store(pool, make_record(1, now_us=NOW_US - 20 * DAY_US))
    before = await totals(pool, "rollup_10s", HOUR_US)
    await compactor(pool).retire()
    assert await totals(pool, "rollup_10s", HOUR_US) == before
    await fold_all(pool)
    assert await totals(pool, "rollup_1h", HOUR_US) == before


async def test_partitions_of_days_beyond_retention_are_dropped_and_others_stay(pool: "Pool[Any]") -> None:
    for days in (0, 6, 7, 8, 30):
        await store(pool, make_record(days, now_us=NOW_US - days * DAY_US, spread_us=1, keep=1.0))
    async with pool.acquire() as connection:
        assert len(await partitions.days(connection)) == 5
        await compactor(pool).retire()
        left = await partitions.days(connection)
    today = NOW_US // DAY_US
    assert left == [today - 7, today - 6, today]
    assert await pool.fetchval("SELECT count(*) FROM span") == 180


async def test_a_partition_in_use_is_dropped_the_next_time(pool: "Pool[Any]") -> None:
    await store(pool, make_record(1, now_us=NOW_US - 30 * DAY_US, keep=1.0))
    async with pool.acquire() as connection:
        async with connection.transaction():
            await connection.fetch("SELECT count(*) FROM span")
            await compactor(pool).retire()
            assert len(await partitions.days(connection)) == 1
        await compactor(pool).retire()
        assert await partitions.days(connection) == []


async def test_batch_ids_and_unused_series_go_when_their_time_is_over(pool: "Pool[Any]") -> None:
    await store(pool, make_record(1))
    await compactor(pool, NOW_US + 7 * DAY_US).retire()
    assert await pool.fetchval("SELECT count(*) FROM batch") == 2
    await compactor(pool, NOW_US + 9 * DAY_US).retire()
    assert await pool.fetchval("SELECT count(*) FROM batch") == 0
    assert await pool.fetchval("SELECT count(*) FROM series") > 0
    await fold_all(pool)
    await compactor(pool, NOW_US + 402 * DAY_US).retire()
    assert await pool.fetchval("SELECT count(*) FROM series") == 0
    assert await pool.fetchval("SELECT count(*) FROM rollup_1h") == 0
    assert await pool.fetchval("SELECT count(*) FROM ledger") == 0


async def test_the_ledgers_partials_become_one_row_an_hour_with_the_same_sum(pool: "Pool[Any]") -> None:
    await store(pool, *[make_record(seed, rejected=2, drops=3) for seed in range(3)])
    sums = "SELECT outcome, sum(spans)::bigint AS spans FROM ledger GROUP BY 1 ORDER BY 1"
    before = await pool.fetch(sums)
    await compactor(pool).retire()
    assert await pool.fetch(sums) == before
    assert await pool.fetchval("SELECT count(*) FROM ledger") == len(before)
    await store(pool, make_record(9))
    await compactor(pool).retire()
    assert await pool.fetchval("SELECT count(*) FROM ledger") == len(before)


async def test_what_was_scrubbed_becomes_one_row_an_hour_and_goes_with_the_ledger(pool: "Pool[Any]") -> None:
    await pool.executemany(
        "INSERT INTO scrub_count (app_id, hour_at, rule, part, finds) VALUES ($1, $2, $3, $4, $5)",
        [(1, NOW, "email", 1, 3), (1, NOW, "email", 2, 4), (1, NOW, "url", 2, 1), (2, NOW, "email", 2, 9)],
    )
    await compactor(pool).retire()
    rows = await pool.fetch("SELECT app_id, rule, finds FROM scrub_count ORDER BY 1, 2")
    assert [tuple(row) for row in rows] == [(1, "email", 7), (1, "url", 1), (2, "email", 9)]
    await compactor(pool, NOW_US + 399 * DAY_US).retire()
    assert await pool.fetchval("SELECT count(*) FROM scrub_count") == 3
    await compactor(pool, NOW_US + 401 * DAY_US).retire()
    assert await pool.fetchval("SELECT count(*) FROM scrub_count") == 0


async def test_records_that_could_not_be_stored_go_when_their_time_is_over(pool: "Pool[Any]") -> None:
    await pool.execute("INSERT INTO journal_dead VALUES (1, 1, '\\x00', 'a test', $1)", NOW)
    keeping = Compactor(pool, RETENTION, 8 * DAY_US, lambda: NOW_US + 3 * DAY_US, dead_us=4 * DAY_US)
    await keeping.retire()
    assert await pool.fetchval("SELECT count(*) FROM journal_dead") == 1
    await Compactor(pool, RETENTION, 8 * DAY_US, lambda: NOW_US + 3 * DAY_US, dead_us=2 * DAY_US).retire()
    assert await pool.fetchval("SELECT count(*) FROM journal_dead") == 0


async def test_only_one_compactor_works_at_a_time(pool: "Pool[Any]") -> None:
    await store(pool, *[make_record(seed) for seed in range(3)])
    await asyncio.gather(*(fold_all(pool) for _ in range(3)))
    await assert_tiers_agree(pool)
