"""Sessions of the sample: the list, and the timeline of one across its traces."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import asyncpg
import numpy as np
import pytest
import pytest_asyncio

from tests.query.conftest import OTHER_TOKEN, Get, add_apps, serve
from tests.query.trace_rows import START_US, Made, server, store
from tests.query.world import World, at

SESSION = f"{1364:020x}"
"""Of the world's first span."""
ANNE, BOB = f"{0xA:020x}", f"{0xB:020x}"


def of(session: int) -> str:
    """The pseudonym of a session of the world."""
    return f"{session:020x}"


async def test_sessions_come_newest_first_with_what_they_saw(get: Get, world: World) -> None:
    answer = await get("/api/v1/sessions", {"from": "-2h", "limit": "10"})
    assert len(answer["sessions"]) == 10
    sampled = np.arange(len(world.start_us)) % 6 < 3
    newest = sorted(np.flatnonzero(sampled), key=lambda place: -world.start_us[place])[:40]
    assert [row["session"] for row in answer["sessions"]] == list(
        dict.fromkeys(of(world.session[place]) for place in newest)
    )[:10]
    for row in answer["sessions"]:
        mine = sampled & (world.session == int(row["session"], 16))
        slowest = world.metrics["duration"][mine].max()
        assert (row["spans"], row["errors"]) == (mine.sum(), world.error[mine].sum())
        assert (row["slowest_us"], row["traces"]) == (slowest, len(np.unique(np.flatnonzero(mine) // 3)))
        last = mine & (world.start_us == world.start_us[mine].max())
        assert row["device_class"] == world.dims["device_class"][last][0]


async def test_the_first_span_of_the_world_is_in_its_session(get: Get) -> None:
    answer = await get(f"/api/v1/sessions/{SESSION}")
    assert "span 0" in {span["name"] for span in answer["spans"]}


async def test_a_session_is_listed_when_one_of_its_spans_passes_every_filter(get: Get, world: World) -> None:
    query = {"from": "-2h", "min_ms": "300", "errors": "true", "country": "DE", "limit": "500"}
    answer = await get("/api/v1/sessions", query)
    passes = world.where(country="DE") & world.error & (world.metrics["duration"] >= 300_000)
    expected = {of(world.session[place]) for place in np.flatnonzero(passes).tolist() if place % 6 < 3}
    assert {row["session"] for row in answer["sessions"]} == expected


async def test_the_list_goes_on_page_by_page(get: Get) -> None:
    whole = [row["session"] for row in (await get("/api/v1/sessions", {"from": "-2h", "limit": "30"}))["sessions"]]
    found, place = [], ""
    while len(found) < 30:
        page = await get("/api/v1/sessions", {"from": "-2h", "limit": "10", "cursor": place})
        found += [row["session"] for row in page["sessions"]]
        place = page["next"]
    assert found == whole


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("sessions/jane", 400, "bad_parameter"),
        (f"sessions/{'f' * 20}", 404, "unknown_session"),
        (f"sessions/{of(1)}?cursor=x", 400, "bad_parameter"),
        ("sessions?limit=501", 400, "bad_parameter"),
        ("sessions?oversized=true", 400, "bad_parameter"),
    ],
)
async def test_what_is_no_session_is_refused(ask: Any, path: str, status: int, error: str) -> None:
    response = await ask(f"/api/v1/{path}")
    assert (response.status, (await response.json())["error"]) == (status, error)


async def test_sessions_of_another_app_are_not_found(ask: Any, get: Get) -> None:
    (newest, *_) = (await get("/api/v1/sessions", {"from": "-2h"}))["sessions"]
    assert (await ask(f"/api/v1/sessions/{newest['session']}", token=OTHER_TOKEN)).status == 404


class Visitors:
    """A server over spans of a test's own."""

    def __init__(self, client: Any, pool: "asyncpg.Pool[Any]") -> None:
        self._client, self._pool = client, pool

    async def keep(self, made: Sequence[Made]) -> None:
        async with self._pool.acquire() as connection:
            await store(connection, made)

    async def session(self, pseudonym: str, status: int = 200, **query: str) -> Any:
        path, headers = f"/api/v1/sessions/{pseudonym}", {"Authorization": "Bearer fh_tok_shop"}
        response = await self._client.get(path, params=query, headers=headers)
        answer = await response.json()
        assert response.status == status, answer
        return answer


@pytest_asyncio.fixture
async def visitors(pool: "asyncpg.Pool[Any]") -> AsyncIterator[Visitors]:
    async with pool.acquire() as connection:
        await add_apps(connection)
    async with serve(pool) as client:
        yield Visitors(client, pool)


def made(session: str) -> Callable[..., Made]:
    def make(id: int, start: int, name: str, **rest: Any) -> Made:  # noqa: A002 - as in Made
        given = {"segment": 5, "offset": 0, "err_ms": 20, "trace_id": bytes([id]) * 16, **rest}
        return Made(id, start=start, name=name, session=session, **given)

    return make


async def test_a_timeline_runs_through_all_traces_of_the_session(visitors: Visitors) -> None:
    anne, bob = made(ANNE), made(BOB)
    await visitors.keep(
        [
            anne(3, 9_000, "pay", failed=True),
            anne(1, 1_000, "open"),
            anne(2, 4_000, "search", us=2_500),
            bob(4, 2_000, "look"),
            server(5, 3, 9_100, 500, trace_id=bytes([3]) * 16),
        ]
    )
    answer = await visitors.session(ANNE.upper())
    assert answer["session"] == ANNE
    assert [span["name"] for span in answer["spans"]] == ["open", "search", "pay"]
    assert [span["start_us"] for span in answer["spans"]] == [0, 3_000, 8_000]
    assert [span["failed"] for span in answer["spans"]] == [False, False, True]
    assert answer["spans"][1]["trace_id"] == "02" * 16
    assert answer["duration_us"] == 9_000
    assert answer["counts"] == {"spans": 3, "errors": 1, "traces": 3, "more": False, "signals": {"request": 3}}
    assert answer["start_at"].startswith(at(START_US + 1_000).isoformat()[:19])
    assert answer["next"] is None


async def test_spans_of_one_clock_keep_their_order_whatever_the_server_made_of_each(visitors: Visitors) -> None:
    """The second batch was placed 5 ms too early; by the device's own clock its span came last."""
    anne = made(ANNE)
    await visitors.keep([anne(1, 6_000, "first", offset=0), anne(2, 2_000, "second", offset=-5_000, err_ms=30)])
    answer = await visitors.session(ANNE)
    assert [span["name"] for span in answer["spans"]] == ["first", "second"]
    assert answer["spans"][1]["start_us"] - answer["spans"][0]["start_us"] == 1_000
    assert all(0 < span["err_us"] <= 30_000 for span in answer["spans"])
    assert [clock["grade"] for clock in answer["clocks"]] == ["B"]


async def test_a_clock_that_nothing_bounds_says_so(visitors: Visitors) -> None:
    await visitors.keep([made(ANNE)(1, 0, "alone", err_ms=None, segment=0)])
    answer = await visitors.session(ANNE)
    assert answer["spans"][0]["err_us"] is None
    assert answer["clocks"][0]["err_us"] is None


async def test_pages_follow_each_other_without_gap_or_double(visitors: Visitors) -> None:
    anne = made(ANNE)
    spans = [anne(1 + number % 4, 1_000 * number, f"span {number}") for number in range(7)]
    await visitors.keep(spans)
    names, cursor = [], ""
    while cursor is not None:
        page = await visitors.session(ANNE, limit="2", cursor=cursor)
        names += [span["name"] for span in page["spans"]]
        cursor = page["next"]
    assert names == [f"span {number}" for number in range(7)]
    refused = await visitors.session(ANNE, 400, cursor=f"{99:016x}0000")
    assert refused["parameter"] == "cursor"
