"""Delivery: in order, again and again until it is taken, one receiver never waiting for another."""

import asyncio
import logging
from contextlib import suppress
from typing import Any

import aiohttp
import asyncpg
import pytest

from ingest.alerts.deliver import Receiver, Worker
from ingest.alerts.messages import Surroundings, alertmanager_alert, webhook_body
from ingest.alerts.notices import example
from ingest.alerts.watch import Watch
from tests.alerts.stage import DASHBOARD, START_US, Stage, inbox, minutes, moment, put, rule, stage, store


async def play_live(play: Stage, until: asyncio.Event) -> None:
    """The whole role, until something came."""
    stop = asyncio.Event()
    running = asyncio.create_task(
        Watch(play.states, play.evaluator, play.receivers, play.lookups, round_s=0.1).run(stop)
    )
    try:
        async with asyncio.timeout(30):
            await until.wait()
    finally:
        stop.set()
        await running


async def test_a_receiver_that_hangs_delays_no_other_and_gets_it_later(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([3000] * 4))
    await put(pool, rule())
    async with inbox() as ops, inbox() as team, stage(pool, ops, team) as play:
        ops.hanging = True
        play.now_us = moment(4)
        await play_live(play, team.came)
        assert team.told() == [("firing", "slow")]
        assert await pool.fetchval("SELECT count(*) FROM alert_outbox WHERE receiver = 'ops'") == 1
        ops.hanging = False
        await play.states.lead()
        await play.deliver()
    assert ops.told() == [("firing", "slow")]


@pytest.mark.parametrize("statuses", [[500, 302, 404, 429], [503]])
async def test_what_is_not_taken_stays_and_goes_again_with_the_same_identity(
    pool: "asyncpg.Pool[Any]", statuses: list[int]
) -> None:
    await store(pool, minutes([3000] * 4))
    await put(pool, rule())
    async with inbox() as ops, stage(pool, ops) as play:
        ops.statuses = list(statuses)
        await play.at(4)
        for _ in statuses:
            await play.deliver()
    assert len(ops.bodies) == len(statuses) + 1
    assert len(set(ops.keys)) == 1
    assert not await pool.fetchval("SELECT count(*) FROM alert_outbox")


async def test_what_a_receiver_refuses_for_good_does_not_block_what_follows(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([3000, 3000, 200, 200]))
    await put(pool, rule())
    async with inbox() as ops, stage(pool, ops) as play:
        ops.statuses = [400]
        await play.at(2)
        await play.at(4)
    assert [body["status"] for body in ops.bodies] == ["firing", "resolved"]


async def test_waits_grow_and_an_address_is_never_logged(
    pool: "asyncpg.Pool[Any]", caplog: pytest.LogCaptureFixture
) -> None:
    await store(pool, minutes([3000] * 4))
    await put(pool, rule())
    secret = Receiver("ops", "http://127.0.0.1:1/services/T0/SECRET")
    play = Stage(pool, [secret])
    await play.states.lead()
    play.now_us = moment(4)
    await play.evaluator.round()
    with caplog.at_level(logging.DEBUG):
        async with aiohttp.ClientSession() as session:
            worker = Worker(secret, play.states, play.lookups, session, dice=lambda: 1.0)
            waits = []
            for _ in range(4):
                assert not await worker.step()
                waits.append(worker._pause_s())
    assert waits == [1.0, 2.0, 4.0, 8.0]
    assert "takes no notifications now" in caplog.text
    assert "SECRET" not in caplog.text


async def test_beyond_its_bound_the_outbox_lets_go_of_the_oldest_and_of_receivers_that_are_gone(
    pool: "asyncpg.Pool[Any]",
) -> None:
    await pool.executemany(
        "INSERT INTO alert_outbox (app_id, receiver, notification) VALUES (1, $1, '{}')",
        [("ops",)] * 5 + [("gone",)] * 2,
    )
    async with inbox() as ops, stage(pool, ops) as play:
        assert await play.states.trim(["ops"], 3) == 4
    entries = [row["entry"] for row in await pool.fetch("SELECT entry FROM alert_outbox ORDER BY entry")]
    assert entries == [3, 4, 5]


async def test_a_second_evaluator_waits_until_the_first_is_gone(pool: "asyncpg.Pool[Any]") -> None:
    async with inbox() as ops, stage(pool, ops) as play:
        standby = Stage(pool, play.receivers)
        waiting = asyncio.create_task(standby.states.lead())
        await asyncio.wait([waiting], timeout=0.5)
        assert not waiting.done()
        play.states._held.terminate()
        async with asyncio.timeout(20):
            await waiting


async def test_without_the_store_of_traces_an_alarm_goes_out_without_examples(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([3000] * 4))
    await put(pool, rule())
    async with inbox() as ops, stage(pool, ops) as play:
        await play.at(4)
    assert ops.bodies[0]["traces"] == []


def test_a_text_cannot_call_everybody_in_a_chat() -> None:
    told = example(1, rule(name="<!channel> & more"), START_US, "x")
    text = webhook_body(told, Surroundings("shop", DASHBOARD, []))["text"]
    assert "<!channel>" not in text
    assert "&lt;!channel&gt; &amp; more" in text


def test_a_test_says_that_it_is_one() -> None:
    told = example(1, rule(), START_US, "x")
    assert told.status == "test"
    assert alertmanager_alert(told, Surroundings("shop", DASHBOARD, []), START_US)["labels"]["test"] == "true"
    assert webhook_body(told, Surroundings("shop", DASHBOARD, []))["text"].startswith("*Test*")


async def test_a_database_that_goes_away_is_waited_for(pool: "asyncpg.Pool[Any]") -> None:
    await store(pool, minutes([3000] * 4))
    await put(pool, rule())
    async with inbox() as ops, stage(pool, ops) as play:
        play.now_us = moment(4)
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError):
            await pool.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        await play_live(play, ops.came)
    assert ops.told() == [("firing", "slow")]
