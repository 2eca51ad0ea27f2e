"""Packing rollups, against a real database and rollups that the aggregator wrote."""

from typing import Any

import asyncpg
import pytest

from ingest.store import pack as packing
from ingest.store import packed_rows
from ingest.store.plan import TIERS, Tier
from tests.records import NOW_US, make_record
from tests.store.test_retain import DAY_US, HOUR_US, compactor, fold_all, store, totals, who

Pool = asyncpg.Pool
MINUTES, HOURS, DAYS = TIERS[1:]
LATER_US = NOW_US + 40 * DAY_US
"""All stretches that tests fill are over."""


def every_window(tier: Tier, app_id: int = 1) -> str:
    """What to select from for all windows of a tier."""
    return f"{tier.table}_windows({app_id}, '-infinity', 'infinity')"


async def pack_all(pool: "Pool[Any]", now_us: int = LATER_US) -> list[int]:
    return [await compactor(pool, now_us).pack(tier) for tier in (MINUTES, HOURS, DAYS)]


async def rows(pool: "Pool[Any]", table: str) -> int:
    return int(await pool.fetchval(f"SELECT count(*) FROM {table}"))


@pytest.mark.parametrize("tier", [MINUTES, HOURS, DAYS], ids=["minutes", "hours", "days"])
async def test_a_packed_tier_says_what_it_said_before_in_a_row_per_series_and_stretch(
    pool: "Pool[Any]", tier: Tier
) -> None:
    spread_us = 3 * max(tier.width_us, HOUR_US)
    await store(pool, *[make_record(seed, spread_us=spread_us, routes=3) for seed in range(3)])
    await fold_all(pool)
    before, sessions = await totals(pool, tier.table, tier.width_us), await who(pool, tier.table, tier.width_us)
    assert await compactor(pool, LATER_US).pack(tier) == len(before)
    assert await rows(pool, tier.table) == 0
    assert await totals(pool, every_window(tier), tier.width_us) == before
    assert await who(pool, every_window(tier), tier.width_us) == sessions
    stretches = {(series, window * tier.width_us // tier.stretch_us) for series, window in before}
    assert await rows(pool, tier.packed) == len(stretches) < len(before)
    assert await compactor(pool, LATER_US).pack(tier) == 0


async def test_late_windows_join_the_packed_ones_of_their_stretch(pool: "Pool[Any]") -> None:
    early, late = ([make_record(seed, spread_us=HOUR_US, routes=2) for seed in seeds] for seeds in ((1, 2), (3, 4)))
    await store(pool, *early)
    await fold_all(pool)
    await pack_all(pool)
    packed = await rows(pool, HOURS.packed)
    await store(pool, *late)
    await fold_all(pool)
    for tier in (MINUTES, HOURS, DAYS):
        assert await totals(pool, every_window(tier), tier.width_us) == await totals(pool, "rollup_10s", tier.width_us)
    await pack_all(pool)
    for tier in (MINUTES, HOURS, DAYS):
        assert await rows(pool, tier.table) == 0
        assert await totals(pool, every_window(tier), tier.width_us) == await totals(pool, "rollup_10s", tier.width_us)
        assert await who(pool, every_window(tier), tier.width_us) == await who(pool, "rollup_10s", tier.width_us)
    assert await rows(pool, HOURS.packed) < 2 * packed


async def test_heads_hold_the_first_bytes_of_every_windows_sketch(pool: "Pool[Any]") -> None:
    await store(pool, *[make_record(seed, spread_us=3 * HOUR_US, spans=600, bodies=60, routes=2) for seed in range(3)])
    await fold_all(pool)
    await pack_all(pool)
    cut = (
        "SELECT string_agg(substr(sessions, coalesce(session_ends[w - 1], 0) + 1, least($1, session_ends[w]"
        " - coalesce(session_ends[w - 1], 0))), '' ORDER BY w) FROM generate_subscripts(session_ends, 1) AS w"
    )
    for tier in (MINUTES, HOURS, DAYS):
        found = await pool.fetch(
            f"SELECT session_heads, ({cut}) AS heads, sessions FROM {tier.packed}", packed_rows.HEAD_BYTES
        )
        assert all(row["session_heads"] == row["heads"] for row in found)
        assert any(row["session_heads"] != row["sessions"] for row in found)


async def test_minutes_that_are_not_in_the_hours_yet_are_not_packed(pool: "Pool[Any]") -> None:
    await store(pool, make_record(1, spread_us=HOUR_US))
    await compactor(pool).fold(TIERS[0])
    assert await compactor(pool, LATER_US).pack(MINUTES) == 0
    await compactor(pool).fold(MINUTES)
    assert await compactor(pool, LATER_US).pack(MINUTES) > 0


async def test_of_a_stretch_under_way_only_series_with_a_share_of_its_windows_are_packed(pool: "Pool[Any]") -> None:
    # Records hold the hours before NOW_US; the hour is looked at just before it ends.
    end_us = NOW_US // HOUR_US * HOUR_US
    await store(pool, *[make_record(seed, now_us=end_us, spread_us=HOUR_US, spans=60, routes=30) for seed in range(3)])
    await fold_all(pool)
    enough = HOUR_US // MINUTES.width_us // packing.SHARE
    ripe = await pool.fetchval(
        "SELECT count(*) FROM (SELECT FROM rollup_1m GROUP BY series_id HAVING count(*) >= $1) AS some_series", enough
    )
    all_series = await pool.fetchval("SELECT count(DISTINCT series_id) FROM rollup_1m")
    await compactor(pool, end_us + packing.SETTLE_US + MINUTES.width_us - 1).pack(MINUTES)
    assert 0 < await pool.fetchval("SELECT count(DISTINCT series_id) FROM rollup_1m_packed") <= ripe < all_series


async def test_windows_that_may_still_gain_are_left_alone(pool: "Pool[Any]") -> None:
    await store(pool, *[make_record(seed, spread_us=1) for seed in range(2)])
    await fold_all(pool)
    assert await pack_all(pool, NOW_US) == [0, 0, 0]


async def test_packing_that_fails_half_way_changes_nothing(pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch) -> None:
    class Crash(BaseException):
        pass

    async def crash(*_: Any) -> None:
        raise Crash

    await store(pool, make_record(1, spread_us=HOUR_US))
    await fold_all(pool)
    before = await totals(pool, "rollup_1m", MINUTES.width_us)
    with monkeypatch.context() as patch:
        patch.setattr(packing, "copy", crash)
        with pytest.raises(Crash):
            await compactor(pool, LATER_US).pack(MINUTES)
    assert await totals(pool, "rollup_1m", MINUTES.width_us) == before
    assert await compactor(pool, LATER_US).pack(MINUTES) == len(before)


async def test_packing_in_small_portions_comes_to_the_same(pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "PACK_ROWS", 7)
    await store(pool, make_record(1, spread_us=2 * HOUR_US, routes=2), make_record(2, app_id=2, spread_us=HOUR_US))
    await fold_all(pool)
    await pack_all(pool)
    found = await totals(pool, every_window(MINUTES), MINUTES.width_us)
    found |= await totals(pool, every_window(MINUTES, app_id=2), MINUTES.width_us)
    assert found == await totals(pool, "rollup_10s", MINUTES.width_us)


async def test_a_packed_stretch_goes_when_all_of_it_is_over(pool: "Pool[Any]") -> None:
    await store(pool, make_record(1, spread_us=1))
    await fold_all(pool)
    await pack_all(pool)
    await compactor(pool, NOW_US + 14 * DAY_US).retire()
    assert await rows(pool, "rollup_1m_packed") > 0
    await compactor(pool, NOW_US + 14 * DAY_US + 2 * HOUR_US).retire()
    assert await rows(pool, "rollup_1m_packed") == 0
    assert await rows(pool, "rollup_1h_packed") > 0
    await compactor(pool, NOW_US + 402 * DAY_US).retire()
    assert await rows(pool, "rollup_1h_packed") == 0


async def test_a_query_in_sql_gets_the_windows_of_its_range_alone(pool: "Pool[Any]") -> None:
    await store(pool, make_record(1, spread_us=3 * HOUR_US))
    await fold_all(pool)
    asked = "SELECT sum(spans)::bigint FROM {} WHERE window_at >= $1::timestamptz AND window_at < $2::timestamptz"
    middle, end = await pool.fetchrow(
        "SELECT max(window_at) - interval '90 minutes', max(window_at) - interval '1 minute' FROM rollup_1m"
    )
    before = await pool.fetchval(asked.format("rollup_1m"), middle, end)
    await pack_all(pool)
    assert await pool.fetchval("SELECT sum(spans)::bigint FROM rollup_1m_windows(1, $1, $2)", middle, end) == before
