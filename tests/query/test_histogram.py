"""How a metric is distributed, bar by bar, and the sampled spans that stand beside the bars."""

from typing import Any

import asyncpg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import sketch
from ingest.query.histogram import bars, upper_us
from tests.query.conftest import Get, add_apps, serve, show_from
from tests.query.test_suppression import Crowd, opened
from tests.query.world import NOW_US, World, store_spans

ALL = {"from": "-2h"}


def examples(answer: Any) -> list[dict[str, Any]]:
    """Those of all bars, each with the bounds of its bar."""
    return [
        {**exemplar, "bar": (bar["from_us"], bar["to_us"])} for bar in answer["bars"] for exemplar in bar["exemplars"]
    ]


def counted(values_us: np.ndarray) -> dict[float, int]:
    """Upper bound of a bar → values in it, the slow way."""
    found: dict[float, int] = {}
    for value in values_us.tolist():
        bar = -1
        while upper_us(np.array([bar]))[0] < value:
            bar += 1
        high = round(float(upper_us(np.array([bar]))[0]), 1)
        found[high] = found.get(high, 0) + 1
    return found


@pytest.mark.parametrize("metric", ["duration", "tls"])
async def test_the_bars_count_every_span_exactly_once(get: Get, everything: World, metric: str) -> None:
    answer = await get("/api/v1/histogram", {**ALL, "metric": metric})
    values = everything.metrics[metric]
    assert answer["exact"]
    assert {bar["to_us"]: bar["spans"] for bar in answer["bars"]} == counted(values[values >= 0])
    assert sum(bar["spans"] for bar in answer["bars"]) == answer["total"]["measured"]
    assert [bar["from_us"] for bar in answer["bars"]] == sorted(bar["from_us"] for bar in answer["bars"])


async def test_the_quantiles_are_those_of_latency(get: Get) -> None:
    query = {**ALL, "q": "0.5,0.99", "country": "DE"}
    total = (await get("/api/v1/latency", query))["groups"][0]["total"]
    answer = await get("/api/v1/histogram", query)
    assert answer["quantiles"] == [0.5, 0.99]
    assert answer["total"] == total


async def test_every_bar_has_examples_that_lie_in_it_where_the_sample_has_some(get: Get, world: World) -> None:
    answer = await get("/api/v1/histogram", ALL)
    sampled = world.metrics["duration"][np.arange(len(world.start_us)) % 6 < 3]
    for bar in answer["bars"]:
        inside = sampled[(sampled > bar["from_us"]) & (sampled <= bar["to_us"])]
        shown = {exemplar["why"]: exemplar for exemplar in bar["exemplars"]}
        assert bool(shown) == bool(len(inside))
        if len(inside):
            assert max(exemplar["us"] for exemplar in shown.values()) == inside.max()
        for why, exemplar in shown.items():
            place = int(exemplar["span_id"], 16) - 1
            assert exemplar["us"] == world.metrics["duration"][place]
            assert exemplar["route"] == world.dims["route"][place]
            assert exemplar["error"] == world.error[place]
            assert why != "error" or exemplar["error"]


async def test_an_example_is_a_trace_that_can_be_opened(get: Get) -> None:
    answer = await get("/api/v1/histogram", ALL)
    slowest = examples(answer)[-1]
    trace = await get(f"/api/v1/traces/{slowest['trace_id']}")
    assert slowest["span_id"] in {span["span_id"] for span in trace["spans"]}


async def test_examples_pass_the_filters(get: Get, world: World) -> None:
    for filters in ({"version": "5.2.1"}, {"os": "ios 18", "country": "DE", "network": "cell"}):
        answer = await get("/api/v1/histogram", {**ALL, **filters})
        passing = set((np.flatnonzero(world.where(**filters)) + 1).tolist())
        found = {int(exemplar["span_id"], 16) for exemplar in examples(answer)}
        assert found
        assert found <= passing


async def test_what_no_view_covers_is_estimated_from_the_sample_and_says_so(get: Get, world: World) -> None:
    filters = {"os": "ios 18", "country": "DE"}
    answer = await get("/api/v1/histogram", {**ALL, **filters})
    sampled = world.where(**filters) & (np.arange(len(world.start_us)) % 6 < 3)
    assert answer["source"] == "samples"
    assert answer["total"]["intervals"]
    assert sum(bar["spans"] for bar in answer["bars"]) == 2 * sampled.sum()


async def test_the_slowest_of_many_is_found_though_few_are_looked_at(pool: "asyncpg.Pool[Any]") -> None:
    count = 30_000
    crowd = Crowd()
    crowd.come(1)
    made = crowd.world()
    many = World(
        app_id=1,
        start_us=np.linspace(NOW_US - 3_000_000_000, NOW_US - 1_000_000, count).astype(np.int64),
        dims={name: np.repeat(values, count) for name, values in made.dims.items()},
        metrics={name: np.full(count, 20_000) for name in made.metrics},
        error=np.zeros(count, bool),
        session=np.arange(1, count + 1),
    )
    many.metrics["duration"][count // 3 + 7] = 40_000_000
    async with pool.acquire() as connection:
        await add_apps(connection)
        await store_spans(connection, many, np.ones(count))
    async with serve(pool) as client:
        query = {"from": "-1h", "os": "android 14", "country": "DE"}
        response = await client.get("/api/v1/histogram", params=query, headers={"Authorization": "Bearer fh_tok_shop"})
        answer = await response.json()
    assert [bar["spans"] for bar in answer["bars"]] == [count - 1, 1]
    assert [exemplar["span_id"] for exemplar in answer["bars"][1]["exemplars"]] == [f"{count // 3 + 8:016x}"]


async def test_examples_are_of_groups_that_are_shown_alone(pool: "asyncpg.Pool[Any]") -> None:
    crowd = Crowd()
    crowd.come(20, version="1.0", spans=3)
    crowd.come(10, version="1.1", spans=3)
    crowd.come(2, version="1.2", spans=4)
    async with opened(pool, crowd) as ask:
        shown = await ask("histogram", [("version", "1.0"), ("version", "1.2")])
        hidden = await ask("histogram", version="1.2")
    assert hidden["bars"] == []
    assert hidden["total"] is None
    assert shown["suppressed"]["groups"] == 2
    found = {int(exemplar["span_id"], 16) for exemplar in examples(shown)}
    assert found
    assert max(found) <= 20 * 3


async def test_nothing_is_shown_of_an_app_of_too_few(pool: "asyncpg.Pool[Any]") -> None:
    crowd = Crowd()
    crowd.come(4, spans=20)
    async with pool.acquire() as connection:
        await add_apps(connection)
        await store_spans(connection, crowd.world(), np.ones(80))
    async with serve(pool, policy_of=lambda _: show_from(5)) as client:
        for query in ({}, {"os": "android 14", "country": "DE"}):
            response = await client.get(
                "/api/v1/histogram", params={"from": "-1h", **query}, headers={"Authorization": "Bearer fh_tok_shop"}
            )
            answer = await response.json()
            assert answer["bars"] == []


@pytest.mark.parametrize(
    ("query", "parameter"),
    [({"metric": "speed"}, "metric"), ({"q": "2"}, "q"), ({"from": "now"}, "from"), ({"signal": "x"}, "signal")],
)
async def test_what_is_wrong_is_named(ask: Any, query: Any, parameter: str) -> None:
    response = await ask("/api/v1/histogram", query)
    assert response.status == 400
    assert (await response.json())["parameter"] == parameter


@given(st.lists(st.integers(min_value=0, max_value=1 << 53), min_size=1, max_size=50))
def test_a_value_and_the_bucket_that_stands_for_it_fall_into_one_bar(values: list[int]) -> None:
    values_us = np.array(values)
    exact, counts = bars(values_us.astype(np.float64), np.ones(len(values)))
    buckets = sketch.value(sketch.bucket(values_us))
    sketched, sketched_counts = bars(buckets, np.ones(len(values)))
    np.testing.assert_array_equal(exact, sketched)
    np.testing.assert_array_equal(counts, sketched_counts)
    assert upper_us(exact - 1)[0] < values_us.min()
    assert upper_us(exact)[-1] >= values_us.max() * (1 - 1e-6)


def test_bars_of_no_value_are_none() -> None:
    held, spans = bars(np.zeros(0), np.zeros(0))
    assert len(held) == len(spans) == 0
