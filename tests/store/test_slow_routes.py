"""Learning from which duration on a route is slow, against a real database and rollups that the aggregator wrote."""

import asyncio
from dataclasses import replace
from typing import Any

import asyncpg
import numpy as np
import pytest

from ingest import sketch
from ingest.model import Processed
from ingest.ports import SlowRoute
from ingest.store import slow_routes
from ingest.store.database import SLOW_ROUTES_LOCK
from ingest.store.keys import PostgresKeys
from ingest.store.plan import TIERS
from ingest.store.slow_routes import LEAST_US, PostgresSlowRoutes
from tests.records import NOW_US, make_record
from tests.store.test_retain import compactor, store

Pool = asyncpg.Pool
HOUR_US = 3_600_000_000


def learner(pool: "Pool[Any]", now_us: int = NOW_US, quantile: float = 0.99) -> PostgresSlowRoutes:
    return PostgresSlowRoutes(pool, quantile, lambda: now_us)


async def newest(pool: "Pool[Any]") -> dict[tuple[int, str], SlowRoute]:
    found = await learner(pool).newest(0)
    return {(route.app_id, route.route): route for route in found[1]} if found is not None else {}


def lasting(record: Processed, durations_us: Any) -> Processed:
    """The record with other durations, one after the other."""
    buckets = record.counted.buckets.copy()
    buckets[0] = np.resize(sketch.bucket(np.asarray(durations_us, np.int64)), buckets.shape[1])
    return replace(record, counted=replace(record.counted, buckets=buckets))


def one_route(seed: int, durations_us: Any, spans: int = 300, **given: Any) -> Processed:
    return lasting(make_record(seed, spans=spans, routes=1, **given), durations_us)


@pytest.fixture
async def apps(pool: "Pool[Any]") -> None:
    keys = PostgresKeys(pool)
    assert [(await keys.create_app(name)).app_id for name in ("shop", "bank")] == [1, 2]


@pytest.mark.usefixtures("apps")
async def test_a_route_is_slow_beyond_the_quantile_of_its_own_last_hour(pool: "Pool[Any]") -> None:
    durations = np.arange(1, 301) * 10_000
    await store(pool, one_route(1, durations), one_route(2, durations * 3, app_id=2))
    assert await learner(pool).learn() == 2
    found = await newest(pool)
    ((_, shop), (_, bank)) = sorted(found.items())
    assert shop.slow_us == pytest.approx(2_970_000, rel=0.02)
    assert bank.slow_us == pytest.approx(8_910_000, rel=0.02)
    assert await learner(pool, quantile=0.5).learn() == 2
    assert min((await newest(pool)).values(), key=lambda each: each.app_id).slow_us == pytest.approx(
        1_500_000, rel=0.02
    )


@pytest.mark.usefixtures("apps")
async def test_it_counts_the_sessions_that_it_was_learned_from(pool: "Pool[Any]") -> None:
    record = one_route(1, [500_000])
    sessions = np.where(record.counted.body == 0, 11, 12).astype(np.int64)
    await store(pool, replace(record, counted=replace(record.counted, session=sessions)))
    await learner(pool).learn()
    assert [route.sessions for route in (await newest(pool)).values()] == [2]


@pytest.mark.usefixtures("apps")
async def test_what_was_folded_into_minutes_and_what_was_not_count_once_each(pool: "Pool[Any]") -> None:
    await store(pool, one_route(1, [1_000_000], spans=150, spread_us=60_000_000))
    await compactor(pool).fold(TIERS[0])
    await store(pool, one_route(2, [4_000_000], spans=60, spread_us=60_000_000))
    await learner(pool, quantile=0.7).learn()
    ((_, route),) = (await newest(pool)).items()
    # 150 of 210 are below: with the folded ones counted twice it were 300 of 360, without them 0 of 60.
    assert route.slow_us == pytest.approx(1_000_000, rel=0.02)
    await learner(pool, quantile=0.75).learn()
    ((_, route),) = (await newest(pool)).items()
    assert route.slow_us == pytest.approx(4_000_000, rel=0.02)


@pytest.mark.usefixtures("apps")
async def test_few_spans_teach_nothing_and_neither_do_those_of_earlier_hours(pool: "Pool[Any]") -> None:
    await store(pool, one_route(1, [500_000], spans=199), one_route(2, [500_000], now_us=NOW_US - 2 * HOUR_US))
    assert await learner(pool).learn() == 0
    assert await newest(pool) == {}


@pytest.mark.usefixtures("apps")
async def test_no_route_is_slow_below_a_tenth_of_a_second(pool: "Pool[Any]") -> None:
    await store(pool, one_route(1, [2_000]))
    await learner(pool).learn()
    assert [route.slow_us for route in (await newest(pool)).values()] == [LEAST_US]


@pytest.mark.usefixtures("apps")
async def test_only_the_busiest_routes_of_an_app_are_learned(
    pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slow_routes, "MOST_ROUTES", 3)
    monkeypatch.setattr(slow_routes, "AT_ONCE", 2)
    record = make_record(1, spans=4000, routes=8)
    await store(pool, record)
    counts: dict[str, int] = {}
    for row in record.counted.series.tolist():
        route = record.strings[record.series.values[0, row]]
        counts[route] = counts.get(route, 0) + 1
    assert await learner(pool).learn() == 3
    busiest = sorted(counts, key=lambda route: -counts[route])[:3]
    assert {route for _, route in await newest(pool)} == set(busiest)


@pytest.mark.usefixtures("apps")
async def test_two_never_learn_at_once(pool: "Pool[Any]") -> None:
    await store(pool, one_route(1, [500_000]))
    async with pool.acquire() as other, other.transaction():
        await other.execute("SELECT pg_advisory_xact_lock($1)", SLOW_ROUTES_LOCK)
        assert await learner(pool).learn() == 0
    assert await learner(pool).learn() == 1


@pytest.mark.usefixtures("apps")
async def test_what_is_known_already_is_not_read_again_and_a_route_without_traffic_is_forgotten(
    pool: "Pool[Any]",
) -> None:
    await store(pool, one_route(1, [500_000]))
    await learner(pool).learn()
    first = await learner(pool).newest(0)
    assert first is not None
    assert await learner(pool).newest(first[0]) is None
    await learner(pool, NOW_US + 3 * HOUR_US).learn()
    assert await learner(pool).newest(first[0]) == (0, [])


@pytest.mark.usefixtures("apps")
async def test_it_learns_by_itself_until_it_is_stopped(pool: "Pool[Any]", monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow_routes, "LEARN_S", 0.01)
    await store(pool, one_route(1, [500_000]))
    stop = asyncio.Event()
    running = asyncio.create_task(learner(pool).run(stop))
    async with asyncio.timeout(20):
        while not await newest(pool):
            await asyncio.sleep(0.01)
    stop.set()
    await running
