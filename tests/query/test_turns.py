"""Nobody starves: one asker's flood leaves room for another's question, and does not pile up."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from aiohttp.test_utils import TestClient

from ingest.query.turns import MOST_AT_ONCE, MOST_OF_ONE_AT_ONCE, MOST_OF_ONE_WAITING, Turns
from ingest.settings import Settings
from ingest.store.database import open_pool
from ingest.store.plan import Retention
from ingest.store.read import PostgresReader
from tests.query.conftest import OTHER_OWNER, OTHER_TOKEN, TOKEN, serve


class Gate(PostgresReader):
    """The real reader, which answers about app 1 only once the gate is open."""

    def __init__(self, pool: Any) -> None:
        super().__init__(pool, Retention.of(Settings.from_env({})))
        self.open = asyncio.Event()
        self.asked = Counter[int]()

    async def newest_window(self, app_id: int) -> int | None:
        self.asked[app_id] += 1
        if app_id == 1:
            await self.open.wait()
        return await super().newest_window(app_id)


@pytest_asyncio.fixture
async def gated(world_dsn: str) -> AsyncIterator[tuple[TestClient[Any, Any], Gate]]:
    pool = await open_pool(world_dsn, connections=8)
    gate = Gate(pool)
    try:
        async with serve(pool, reader=gate, answer_s=60.0) as client:
            yield client, gate
            gate.open.set()
    finally:
        pool.terminate()


def ask(client: TestClient[Any, Any], token: str) -> "asyncio.Task[tuple[int, dict[str, str]]]":
    async def answered() -> tuple[int, dict[str, str]]:
        response = await client.get("/api/v1/health", headers={"Authorization": f"Bearer {token}"})
        return response.status, dict(response.headers)

    return asyncio.create_task(answered())


async def test_while_one_token_floods_the_other_is_answered(gated: tuple[TestClient[Any, Any], Gate]) -> None:
    client, gate = gated
    flood = [ask(client, TOKEN) for _ in range(1000)]
    refused = 1000 - MOST_OF_ONE_AT_ONCE - MOST_OF_ONE_WAITING
    # Those beyond the bound are told so at once, while not one of the others is answered.
    done: set[Any] = set()
    while len(done) < refused:
        done, _ = await asyncio.wait(flood, return_when=asyncio.FIRST_COMPLETED, timeout=30)
        done = {task for task in flood if task.done()}
    assert {task.result()[0] for task in done} == {429}
    assert all(task.result()[1]["Retry-After"] for task in done)
    assert gate.asked[1] == MOST_OF_ONE_AT_ONCE
    assert [(await ask(client, OTHER_TOKEN))[0] for _ in range(20)] == [200] * 20
    assert sum(task.done() for task in flood) == refused
    gate.open.set()
    statuses = Counter(status for status, _ in await asyncio.gather(*flood))
    assert statuses == {429: refused, 200: MOST_OF_ONE_AT_ONCE + MOST_OF_ONE_WAITING}
    assert (await ask(client, TOKEN))[0] == 200


async def test_an_answer_that_takes_too_long_is_a_503_and_gives_its_turn_back(world_dsn: str) -> None:
    pool = await open_pool(world_dsn, connections=8)
    try:
        async with serve(pool, reader=Gate(pool), answer_s=0.05) as client:
            slow = await asyncio.gather(*(ask(client, TOKEN) for _ in range(20)))
            assert {status for status, _ in slow} == {503}
    finally:
        pool.terminate()


async def in_order(asks: list[str]) -> list[str]:
    """Whose questions are answered in which order, when all are asked at once and each takes one step."""
    turns, answered = Turns(), []
    hold = asyncio.Event()

    async def one(asker: str) -> None:
        async with turns.turn(asker):
            await hold.wait()
            answered.append(asker)

    tasks = [asyncio.create_task(one(asker)) for asker in asks]
    await asyncio.sleep(0)
    hold.set()
    await asyncio.gather(*tasks)
    return answered


async def test_those_who_wait_take_turns() -> None:
    order = await in_order(["a"] * 30 + ["b"] * 5 + ["c"])
    assert order[:MOST_AT_ONCE].count("a") == MOST_OF_ONE_AT_ONCE
    assert "c" in order[: MOST_AT_ONCE + 3]
    assert max(place for place, asker in enumerate(order) if asker == "b") < 20


async def test_who_goes_away_while_waiting_leaves_their_place_to_others() -> None:
    turns, hold = Turns(), asyncio.Event()
    answered: list[str] = []

    async def one(asker: str) -> None:
        async with turns.turn(asker):
            await hold.wait()
            answered.append(asker)

    tasks = [asyncio.create_task(one("a")) for _ in range(MOST_OF_ONE_AT_ONCE + 10)]
    await asyncio.sleep(0)
    for task in tasks[3:-2]:
        task.cancel()
    hold.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert answered == ["a"] * 5
    assert sum(isinstance(result, asyncio.CancelledError) for result in results) == len(tasks) - 5
    await asyncio.wait_for(one("b"), 1)


async def test_apps_do_not_wait_for_each_others_owners(gated: tuple[TestClient[Any, Any], Gate]) -> None:
    client, gate = gated
    waiting = [ask(client, TOKEN) for _ in range(30)]
    assert {(await ask(client, token))[0] for token in (OTHER_TOKEN, OTHER_OWNER)} == {200}
    gate.open.set()
    await asyncio.gather(*waiting)
