"""The overview's answer, against the same figures reckoned by hand from the spans."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import asyncpg
import numpy as np
import pytest

from ingest.errors import Unavailable
from ingest.ports import FailedSpans, ServerTimes, Suppressed
from ingest.query import overview as overview_call
from ingest.query.failure_kinds import failure_kinds
from ingest.query.server_share import server_share
from tests.query import trace_rows
from tests.query import world as seeded
from tests.query.conftest import TOKEN, Get, add_apps, serve, show_from
from tests.query.trace_rows import Made, server
from tests.query.world import NOW_US, World

HOUR_US = 3_600_000_000


async def test_the_headline_is_what_latency_answers(get: Get) -> None:
    query = {"from": "-1h", "step": "60s", "version": "5.2.0"}
    answer, latency = await get("/api/v1/overview", query), await get("/api/v1/latency", query)
    (group,) = latency["groups"]
    apdex = answer["total"].pop("apdex")
    assert answer["total"] == group["total"]
    assert answer["points"] == group["points"]
    assert answer["missing"] == []
    assert apdex["target_ms"] == 1000


async def test_apdex_is_reckoned_from_all_spans(get: Get, everything: World) -> None:
    answer = await get("/api/v1/overview", {"from": "-90m", "target_ms": "100"})
    found, durations = answer["total"]["apdex"], everything.metrics["duration"]
    for zone, low, high in (
        ("satisfied", -1, 100_000),
        ("tolerating", 100_000, 400_000),
        ("frustrated", 400_000, 1 << 60),
    ):
        exact = ((durations > low) & (durations <= high)).sum()
        assert found[zone] == pytest.approx(exact, abs=0.02 * len(durations))
    points = np.where(durations <= 100_000, 1.0, np.where(durations <= 400_000, 0.5, 0.0))
    exact = np.where(everything.error, 0.0, points).mean()
    assert found["range"][0] - 0.02 <= exact <= found["range"][1] + 0.02
    assert found["score"] == pytest.approx(exact, abs=0.03)


async def test_the_period_before_is_as_long_and_ends_where_the_range_begins(get: Get, everything: World) -> None:
    before = (await get("/api/v1/overview", {"from": "-30m"}))["before"]
    assert (before["from"], before["to"]) == ("2026-03-01T11:00:00Z", "2026-03-01T11:30:00Z")
    inside = (everything.start_us >= NOW_US - HOUR_US) & (everything.start_us < NOW_US - HOUR_US // 2)
    assert before["total"]["spans"] == inside.sum()
    assert before["whole"] is True


async def test_a_period_that_began_before_there_were_data_says_so(get: Get) -> None:
    before = (await get("/api/v1/overview", {"from": "-1h"}))["before"]
    assert before["from"] == "2026-03-01T10:00:00Z"
    assert before["whole"] is False
    assert before["began_at"].startswith("2026-03-01T10:30")


async def test_without_spans_there_is_no_headline(get: Get) -> None:
    answer = await get("/api/v1/overview", {"from": "-3d", "to": "-2d"})
    assert answer["total"] is None
    assert answer["points"] == []
    assert answer["before"]["total"] is None


async def test_nobody_is_frustrated_by_what_nobody_waits_for(get: Get) -> None:
    answer = await get("/api/v1/overview", {"from": "-1h", "signal": "exception"})
    assert answer["failures"] is None


async def test_a_part_that_takes_too_long_is_missing_and_the_others_are_there(
    get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def too_slow(*_: Any) -> Any:
        raise Unavailable("too_slow", "This would take too long.")

    monkeypatch.setattr(overview_call.vitals, "measure_vitals", too_slow)
    answer = await get("/api/v1/overview", {"from": "-1h"})
    assert (answer["vitals"], answer["missing"]) == (None, ["vitals"])
    assert answer["total"]["spans"] > 0


async def test_where_samples_answer_only_headline_and_failures_are_there(get: Get) -> None:
    answer = await get("/api/v1/overview", {"from": "-1h", "os": "ios 18", "country": "DE"})
    assert (answer["source"], answer["missing"]) == ("samples", ["before", "vitals", "versions"])
    assert answer["total"]["spans"] > 0
    assert answer["failures"]["requests"]["sampled"] > 0
    by_version = await get("/api/v1/overview", {"from": "-1h", "route": "GET api.shop.example/cart", "country": "DE"})
    assert (by_version["source"], by_version["missing"]) == ("view:route_country", ["versions"])


Shop = Callable[..., Any]


@pytest.fixture
async def shop(pool: "asyncpg.Pool[Any]") -> Shop:
    """Stores a world whole, rollups and samples, and asks about it; figures must be about so many sessions."""
    async with pool.acquire() as connection:
        await add_apps(connection)

    async def ask(path: str, query: dict[str, str], least: int = 1) -> Any:
        async with serve(pool, policy_of=lambda _: show_from(least)) as client:
            response = await client.get(path, params=query, headers={"Authorization": f"Bearer {TOKEN}"})
            assert response.status == 200, await response.text()
            return await response.json()

    return ask


async def keep(pool: "asyncpg.Pool[Any]", world: World) -> None:
    async with pool.acquire() as connection:
        await seeded.store(connection, world, np.ones(len(world.start_us), bool), 1)
        await seeded.store_spans(connection, world, np.ones(len(world.start_us)))


async def test_failures_are_told_by_how_they_failed(pool: "asyncpg.Pool[Any]", shop: Shop) -> None:
    world = seeded.make(1, 400, 3600, seed=11)
    await keep(pool, replace(world, error=np.arange(400) < 40))
    kinds = {"no_answer": "http_status = 0", "4xx": "http_status = 404", "5xx": "http_status = 503"}
    async with pool.acquire() as connection:
        for place, change in enumerate(kinds.values()):
            first, last = (int(each).to_bytes(8, "big") for each in (place * 10 + 1, place * 10 + 10))
            await connection.execute(f"UPDATE span SET {change} WHERE span_id BETWEEN $1 AND $2", first, last)
    failures = (await shop("/api/v1/overview", {"from": "-1h"}))["failures"]
    assert {row["kind"]: row["spans"] for row in failures["requests"]["kinds"]} == dict.fromkeys([*kinds, "other"], 10)
    assert failures["requests"]["sampled"] == 40
    assert failures["rate"] == [0.1, 0.1]


async def test_a_kind_of_failure_of_few_sessions_is_not_shown(pool: "asyncpg.Pool[Any]", shop: Shop) -> None:
    world = seeded.make(1, 400, 3600, seed=11)
    await keep(pool, replace(world, error=np.arange(400) < 40))
    async with pool.acquire() as connection:
        await connection.execute("UPDATE span SET http_status = 503 WHERE status = 2")
        await connection.execute("UPDATE span SET http_status = 404 WHERE span_id <= $1", (13).to_bytes(8, "big"))
        few = await connection.execute("UPDATE span SET http_status = 0 WHERE span_id <= $1", (3).to_bytes(8, "big"))
    assert few == "UPDATE 3"
    requests = (await shop("/api/v1/overview", {"from": "-1h"}, least=5))["failures"]["requests"]
    # One more is left out, lest the few follow from the sum of all.
    assert [row["kind"] for row in requests["kinds"]] == ["5xx"]
    assert requests["suppressed_kinds"] == 2


async def test_the_first_byte_is_split_where_a_server_told(pool: "asyncpg.Pool[Any]", shop: Shop) -> None:
    spans: list[Made] = []
    for number in range(1, 41):
        trace = number.to_bytes(16, "big")
        told = None if number > 30 else 60_000
        spans.append(Made(number * 2, us=200_000, ttfb=100_000, server_us=told, session=f"s{number}", trace_id=trace))
        if number <= 20:
            spans.append(server(number * 2 + 1, number * 2, 10_000, 80_000, trace_id=trace))
    async with pool.acquire() as connection:
        await trace_rows.store(connection, spans)
        await seeded.store(connection, seeded.make(1, 10, 3600, seed=1), np.ones(10, bool), 1)
    split = (await shop("/api/v1/phases", {"from": "-1h", "q": "0.5"}))["ttfb"]
    assert (split["sampled"], split["coverage"], split["contradictory"]) == (30, 0.75, 0)
    # Backend spans count before what answers said: 20 of 80 ms, 10 of 60 ms.
    assert (split["server"]["us"], split["network"]["us"]) == (80_000, 20_000)
    assert split["server"]["mean_us"] == pytest.approx((20 * 80_000 + 10 * 60_000) / 30, abs=0.1)
    assert (await shop("/api/v1/phases", {"from": "-1h"}, least=31))["ttfb"] is None


async def test_of_very_many_requests_the_split_is_estimated_from_a_sixteenth(
    pool: "asyncpg.Pool[Any]", shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.store.read_overview.MOST_REQUESTS", 100)
    spans = [
        Made(
            number,
            us=200_000,
            ttfb=100_000,
            server_us=30_000 if number % 4 else None,
            session=f"s{number}",
            trace_id=number.to_bytes(16, "big"),
        )
        for number in range(1, 3201)
    ]
    async with pool.acquire() as connection:
        await trace_rows.store(connection, spans)
        await connection.execute(
            "UPDATE span SET randomness = ('x' || encode(substr(trace_id, 13), 'hex'))::bit(32)::bigint * 977"
        )
        await seeded.store(connection, seeded.make(1, 10, 3600, seed=1), np.ones(10, bool), 1)
    split = (await shop("/api/v1/phases", {"from": "-1h", "q": "0.5"}))["ttfb"]
    assert 25 <= split["sampled"] <= 150
    assert split["coverage"] == pytest.approx(0.75, abs=0.1)
    assert (split["server"]["us"], split["network"]["us"]) == (30_000, 70_000)


def test_a_server_slower_than_its_first_byte_counts_in_neither_part() -> None:
    times = ServerTimes(
        ttfb_us=np.array([100_000, 100_000]),
        server_us=np.array([150_000, 40_000]),
        weight=np.array([1.0, 4.0]),
        cluster=np.array([1, 2]),
    )
    split = server_share(times, 0.75)
    assert split is not None
    assert (split["sampled"], split["contradictory"], split["network"]["us"]) == (1, 1, 60_000)
    assert split["coverage"] == 0.8


def test_kinds_of_failure_carry_an_interval_that_holds_the_truth() -> None:
    rng = np.random.default_rng(5)
    count, held = 3000, 0
    for _ in range(50):
        kept = rng.random(count) < 0.1
        failed = FailedSpans(
            kinds=["5xx"],
            kind=np.zeros(kept.sum(), np.int32),
            duration_us=np.ones(kept.sum(), np.int64),
            weight=np.full(kept.sum(), 10.0),
            cluster=np.flatnonzero(kept),
            suppressed=Suppressed(),
        )
        (row,) = failure_kinds(failed)["kinds"]
        held += row["spans_interval"][0] <= count <= row["spans_interval"][1]
    assert held >= 45
