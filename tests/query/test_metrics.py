"""Counters of an app's routes for Prometheus: true, never going back, and never about a few."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import numpy as np
import pytest

from ingest.errors import Unavailable
from ingest.model import OTHER
from ingest.ports.totals import BOUND_BUCKETS, BOUNDS_US, MOST_ROUTES, bound_of
from ingest.settings import Settings
from ingest.sketch import bucket
from ingest.store import totals
from ingest.store.plan import TIERS, Retention
from ingest.store.retain import Compactor
from ingest.store.totals import Gain, Key, Total, settle
from tests.query import world as seeded
from tests.query.conftest import OTHER_TOKEN, TOKEN, add_apps, serve, show_from
from tests.query.test_suppression import Crowd
from tests.query.world import NOW, NOW_US

Pool = asyncpg.Pool
Samples = Mapping[tuple[str, str, str], float]
"""(name, route, le) → value"""
CART, SEARCH, LOGIN = (f"GET api.shop.example/{name}" for name in ("cart", "search", "login"))


def samples(text: str) -> Samples:
    """What stands in a text of OpenMetrics."""
    assert text.endswith("# EOF\n")
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, label, value = re.fullmatch(r"(\w+)\{(.*?)\} ([0-9.e+-]+)( # .*)?", line).group(1, 2, 3)
            values = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', label))
            assert values["app"] == "shop"
            found[name, values["route"], values.get("le", "")] = float(value)
    return found


class Shop:
    """An app whose spans come in turns of the aggregator, folded by the compactor, scraped in between."""

    def __init__(self, pool: "Pool[Any]", client: Any, least: int | Callable[[int], int]) -> None:
        self._pool, self._client, self._part = pool, client, 0
        least_of = least if callable(least) else lambda _: least
        self._compactor = Compactor(
            pool, Retention.of(Settings.from_env({})), 0, lambda: NOW_US, least_sessions=least_of
        )

    async def comes(self, crowd: Crowd) -> None:
        """Spans of a crowd, of which no span is sampled."""
        world = crowd.world()
        self._part = await self._pool.fetchval("SELECT nextval('rollup_part')")
        async with self._pool.acquire() as connection:
            await seeded.store(connection, world, np.ones(len(world.start_us), bool), self._part)

    async def fold(self) -> None:
        for tier in TIERS[:-1]:
            await self._compactor.fold(tier)

    async def scrape(self, token: str = TOKEN) -> Samples:
        return samples(await self.text(token))

    async def text(self, token: str = TOKEN) -> str:
        response = await self._client.get("/api/v1/metrics", headers={"Authorization": f"Bearer {token}"})
        assert response.status == 200, await response.text()
        assert response.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        return str(await response.text())


@pytest.fixture
async def shop(pool: "Pool[Any]", request: pytest.FixtureRequest) -> Any:
    """Its policy wants five sessions, unless the test says otherwise."""
    least = getattr(request, "param", 5)
    async with pool.acquire() as connection:
        await add_apps(connection)
    policy = show_from(least if isinstance(least, int) else 5)
    async with serve(pool, policy_of=lambda _: policy) as client:
        yield Shop(pool, client, least)


def crowd(sessions: int, first: int = 0, **dims: Any) -> Crowd:
    """Two spans each of so many sessions, numbered from `first` on."""
    made = Crowd()
    made._sessions = first
    made.come(sessions, spans=2, **dims)
    return made


async def test_every_span_is_counted_once_however_often_it_is_folded_and_scraped(shop: Shop) -> None:
    for first in range(0, 30, 10):
        await shop.comes(crowd(10, first, route=CART))
        await shop.fold()
        await shop.fold()
        assert (await shop.scrape())["firsthop_requests_total", CART, ""] == 2 * (first + 10)


async def test_buckets_hold_exactly_the_durations_below_their_bounds(shop: Shop) -> None:
    made = crowd(400, route=CART)
    world = made.world()
    await shop.comes(made)
    await shop.fold()
    found = await shop.scrape()
    durations = world.metrics["duration"]
    name = "firsthop_request_duration_seconds"
    for bound in BOUNDS_US.tolist():
        le = f"{bound / 1e6:.6f}".rstrip("0")
        assert found[f"{name}_bucket", CART, le] == (durations <= bound).sum()
    assert found[f"{name}_bucket", CART, "+Inf"] == found[f"{name}_count", CART, ""] == len(durations)
    assert found[f"{name}_sum", CART, ""] == pytest.approx(durations.sum() / 1e6, rel=0.01)


def test_bounds_are_round_numbers_within_one_per_cent_and_the_thresholds_of_the_vitals() -> None:
    for wanted_us in (100_000, 200_000, 250_000, 500_000, 800_000, 1_800_000, 2_500_000, 3_000_000, 4_000_000):
        assert np.abs(BOUNDS_US / wanted_us - 1).min() < 0.0101
    for bound in BOUNDS_US.tolist():
        below, above = bucket(np.array([bound, bound + 1]))
        assert bound_of(np.array([below]))[0] < bound_of(np.array([above]))[0]
    assert len(set(BOUND_BUCKETS.tolist())) == len(BOUND_BUCKETS)


async def test_a_change_is_told_once_it_is_of_enough_sessions(shop: Shop) -> None:
    await shop.comes(crowd(4, route=CART))
    await shop.fold()
    assert await shop.scrape() == {}
    await shop.comes(crowd(1, 4, route=CART))
    await shop.fold()
    assert (await shop.scrape())["firsthop_requests_total", CART, ""] == 10
    for first in range(5, 9):
        await shop.comes(crowd(1, first, route=CART))
        await shop.fold()
        assert (await shop.scrape())["firsthop_requests_total", CART, ""] == 10
    await shop.comes(crowd(1, 9, route=CART))
    await shop.fold()
    assert (await shop.scrape())["firsthop_requests_total", CART, ""] == 20


@pytest.mark.parametrize("shop", [1], indirect=True)
async def test_an_app_that_shows_anybody_tells_at_once(shop: Shop) -> None:
    await shop.comes(crowd(1, route=CART))
    await shop.fold()
    assert (await shop.scrape())["firsthop_requests_total", CART, ""] == 2


def refuse(_: int) -> int:
    raise Unavailable("policy", "cannot be read now")


@pytest.mark.parametrize("shop", [refuse], indirect=True)
async def test_while_the_policy_cannot_be_read_nothing_is_told_and_nothing_lost(shop: Shop, pool: "Pool[Any]") -> None:
    await shop.comes(crowd(50, route=CART))
    await shop.fold()
    assert await shop.scrape() == {}
    assert await pool.fetchval("SELECT new_spans FROM route_total") == 100


async def test_a_fold_that_fails_is_counted_once_when_it_succeeds(shop: Shop, pool: "Pool[Any]") -> None:
    faults = [RuntimeError("while counting")]

    def least(_: int) -> int:
        if faults:
            raise faults.pop()
        return 5

    faulty = Shop(pool, shop._client, least)
    await faulty.comes(crowd(10, route=CART))
    with pytest.raises(RuntimeError, match="while counting"):
        await faulty.fold()
    assert await faulty.scrape() == {}
    await faulty.fold()
    assert (await faulty.scrape())["firsthop_requests_total", CART, ""] == 20


async def test_retention_takes_nothing_away(shop: Shop, pool: "Pool[Any]") -> None:
    await shop.comes(crowd(10, route=CART))
    await shop.fold()
    before = await shop.scrape()
    for tier in TIERS:
        await pool.execute(f"DELETE FROM {tier.table}")
    assert await shop.scrape() == before
    await shop.comes(crowd(10, 10, route=CART))
    await shop.fold()
    assert (await shop.scrape())["firsthop_requests_total", CART, ""] == 40


async def test_an_app_sees_its_own_totals_alone(shop: Shop) -> None:
    await shop.comes(crowd(10, route=CART))
    await shop.fold()
    assert await shop.scrape(OTHER_TOKEN) == {}


async def test_an_operator_names_the_app_and_a_route_may_hold_any_text(shop: Shop) -> None:
    odd = 'GET x/"\\\n{id}'
    await shop.comes(crowd(10, route=odd))
    await shop.fold()
    assert ("firsthop_requests_total", 'GET x/\\"\\\\\\n{id}', "") in await shop.scrape()
    response = await shop._client.get("/api/v1/metrics", headers={"Authorization": "Bearer fh_ops_all"})
    assert response.status == 400
    assert (await response.json())["parameter"] == "app"


async def test_beside_a_bucket_stands_the_newest_trace_that_fell_into_it(shop: Shop, pool: "Pool[Any]") -> None:
    made = crowd(12, route=CART, minutes_ago=2)
    # Too few, and as many more as would give them away.
    made.come(2, spans=2, route=SEARCH, minutes_ago=2)
    made.come(6, spans=2, route=LOGIN, minutes_ago=2)
    world = made.world()
    await shop.comes(made)
    async with pool.acquire() as connection:
        await seeded.store_spans(connection, world, np.ones(len(world.start_us)))
    await shop.fold()
    text = await shop.text()
    found = re.findall(r'le="([^"]+)"\} \d+ # \{trace_id="(\w{32})"\} ([0-9.]+) ([0-9.]+)$', text, re.MULTILINE)
    assert found
    for le, trace_id, seconds, at in found:
        assert float(seconds) <= float(le)
        assert float(at) <= NOW_US / 1e6
        assert int(trace_id[16:], 16) <= 12 * 2 / 3  # three spans make a trace
    assert SEARCH not in text


KEY = Key(1, "request", CART)


def gain(spans: int, first: int) -> Gain:
    """One span each of so many sessions."""
    ids = np.arange(first + 1, first + 1 + spans)
    seen = totals.sessions.sketches(np.zeros(spans, np.int64), ids, 1)[0]
    return Gain(spans, 0, 1000.0 * spans, [spans, *[0] * len(BOUNDS_US)], seen)


def test_beyond_so_many_routes_the_next_are_one_and_no_route_ever_moves() -> None:
    rows: dict[Key, Total] = {}
    own: dict[tuple[int, str], int] = {}
    routes = [Key(1, "request", f"GET x/{number}") for number in range(MOST_ROUTES + 3)]
    told: dict[Key, int] = {}
    for turn in range(3):
        settle(rows, {key: gain(6, turn * 6) for key in routes}, own, lambda _: 5, NOW)
        now_told = {key: row.told.spans for key, row in rows.items()}
        assert all(now_told[key] >= spans for key, spans in told.items())
        told = now_told
        assert sum(told.values()) == 6 * len(routes) * (turn + 1)
    assert len(rows) == MOST_ROUTES + 1
    assert told[KEY.other] == 3 * 6 * 3


def test_a_route_of_too_few_is_counted_under_other_after_a_day() -> None:
    rows: dict[Key, Total] = {}
    settle(rows, {KEY: gain(3, 0)}, {}, lambda _: 5, NOW)
    settle(rows, {}, {}, lambda _: 5, NOW + totals.WAITS)
    assert set(rows) == {KEY}
    settle(rows, {KEY.other: gain(2, 10)}, {}, lambda _: 5, NOW + totals.WAITS * 1.01)
    assert {key: row.told.spans for key, row in rows.items()} == {KEY.other: 5}
    assert KEY.other.route == OTHER


async def test_the_service_says_what_it_answered_and_what_waits(pool: "Pool[Any]") -> None:
    async with pool.acquire() as connection:
        await add_apps(connection)
        await connection.execute("INSERT INTO journal (lane, seq, record) VALUES (1, 1, 'x'), (1, 2, 'x')")
    async with serve(pool) as client:
        await client.get("/api/v1/apps")
        text = await (await client.get("/metrics")).text()
        assert 'firsthop_query_answers_total{role="query",status="401"} 1' in text
        assert 'firsthop_query_seconds_count{role="query"} 1' in text
        assert 'firsthop_journal_records{role="query"} 2.0' in text
        assert 'firsthop_store_up{role="query"} 1.0' in text
        pool.terminate()
        text = await (await client.get("/metrics")).text()
        assert 'firsthop_store_up{role="query"} 0.0' in text
        assert "firsthop_journal_records" not in text
