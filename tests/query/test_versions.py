"""Versions over time, and when each arrived."""

from collections.abc import Callable
from typing import Any

import asyncpg
import numpy as np
import pytest

from tests.query import world as seeded
from tests.query.conftest import TOKEN, Get, add_apps, compact, serve
from tests.query.world import NOW_US, World

TEN_US = 600_000_000
Release = Callable[..., Any]


def spans(*runs: tuple[str, int, int, int]) -> World:
    """Spans by (version, from and to in tens of minutes before NOW, spans in ten minutes)."""
    start_us = np.concatenate(
        [NOW_US - np.arange(first * each, last * each, -1) * TEN_US // each for _, first, last, each in runs]
    )
    version = np.concatenate([np.repeat(version, (first - last) * each) for version, first, last, each in runs])
    made = seeded.make(1, len(start_us), 3600, seed=2)
    return World(1, start_us, {**made.dims, "version": version}, made.metrics, made.error, made.session)


@pytest.fixture
async def arrivals(pool: "asyncpg.Pool[Any]") -> Release:
    """Stores runs of versions and answers when each arrived in the last hour, by minutes."""
    async with pool.acquire() as connection:
        await add_apps(connection)

    async def ask(*runs: tuple[str, int, int, int], **query: str) -> dict[str, str | None]:
        world = spans(*runs)
        async with pool.acquire() as connection:
            await seeded.store(connection, world, np.ones(len(world.start_us), bool), 1)
        await compact(pool)
        async with serve(pool) as client:
            parameters = {"from": "-1h", "step": "10m", **query}
            response = await client.get(
                "/api/v1/versions", params=parameters, headers={"Authorization": f"Bearer {TOKEN}"}
            )
            assert response.status == 200, await response.text()
            return {row["version"]: row["arrived_at"] for row in (await response.json())["versions"]}

    return ask


async def test_a_version_arrives_when_it_has_a_hundredth_of_the_spans(arrivals: Release) -> None:
    # 10 of 1,010 spans are less than a hundredth, 12 of 1,012 are more.
    found = await arrivals(("1.0", 7, 0, 1000), ("1.1", 5, 2, 10), ("1.1", 2, 0, 12))
    assert found == {"1.0": None, "1.1": "2026-03-01T11:40:00Z"}


async def test_a_hundredth_of_few_spans_is_no_arrival(arrivals: Release) -> None:
    found = await arrivals(("1.0", 7, 0, 20), ("1.1", 5, 2, 9), ("1.1", 2, 0, 10))
    assert found["1.1"] == "2026-03-01T11:40:00Z"


async def test_a_version_known_from_before_does_not_arrive_again(arrivals: Release) -> None:
    found = await arrivals(("1.0", 30, 0, 20), ("1.1", 30, 20, 20), ("1.1", 3, 0, 20))
    assert found == {"1.0": None, "1.1": None}


async def test_where_nothing_is_kept_from_before_the_first_versions_were_there_already(arrivals: Release) -> None:
    found = await arrivals(("1.0", 4, 0, 20), ("1.1", 3, 0, 20))
    assert found == {"1.0": None, "1.1": "2026-03-01T11:30:00Z"}


async def test_spans_without_a_version_announce_none(arrivals: Release) -> None:
    found = await arrivals(("1.0", 7, 0, 20), ("unknown", 3, 0, 20))
    assert found == {"1.0": None, "unknown": None}


async def test_shares_are_of_each_step_and_of_the_whole(get: Get, everything: World) -> None:
    answer = await get("/api/v1/versions", {"from": "-1h", "step": "10m"})
    inside = everything.start_us >= NOW_US - 6 * TEN_US
    for row in answer["versions"]:
        own = inside & (everything.dims["version"] == row["version"])
        assert row["spans"] == own.sum()
        assert row["share"] == pytest.approx(own.sum() / inside.sum(), abs=1e-6)
        for point in row["points"]:
            start = int(np.datetime64(point["at"].removesuffix("Z"), "us").astype(np.int64))
            of_step = (everything.start_us >= start) & (everything.start_us < start + TEN_US)
            assert point["spans"] == (own & of_step).sum()
            assert point["share"] == pytest.approx((own & of_step).sum() / of_step.sum(), abs=1e-6)
