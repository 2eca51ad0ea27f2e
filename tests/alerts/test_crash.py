"""Killed before any statement, the evaluator still tells every firing and every end, each under one identity."""

import asyncio
import multiprocessing
import signal
from typing import Any

import asyncpg

from tests.alerts import crashing
from tests.alerts.stage import inbox, minutes, moment, put, rule, store

CYCLE = [200, 200, 3000, 3000, 200, 200]
"""Minutes: the rule fires at the third and is over after the sixth."""
MOST_STATEMENTS = 30


async def run(dsn: str, url: str, minute: float, die_before: int) -> bool:
    """Whether a process lived to the end."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.alerts.crashing"])
    process = context.Process(target=crashing.evaluate_once, args=(dsn, url, moment(minute), die_before))
    process.start()
    await asyncio.to_thread(process.join)
    assert process.exitcode in {0, -signal.SIGKILL}
    return process.exitcode == 0


async def test_a_crash_before_any_statement_neither_loses_nor_doubles_what_is_told(
    dsn: str, pool: "asyncpg.Pool[Any]"
) -> None:
    await store(pool, minutes(CYCLE * MOST_STATEMENTS, spans=25))
    await put(pool, rule())
    crashes = 0
    async with inbox() as ops:
        for cycle in range(MOST_STATEMENTS):
            first, lived = cycle * len(CYCLE), []
            for minute in (first + 3, first + 6):
                lived.append(await run(dsn, ops.url, minute, die_before=cycle + 1))
                if not lived[-1]:
                    crashes += 1
                    assert await run(dsn, ops.url, minute, die_before=0)
            told = ops.told()[2 * cycle :]
            assert [status for status, _ in told] == ["firing", "resolved"], f"crash before statement {cycle + 1}"
            if all(lived):
                break
        assert crashes >= 16, "the statements are no longer counted"
        assert all(lived), "there are more statements than cycles"
        for body in ops.bodies:
            assert body["id"] in ops.keys
        assert await pool.fetchval("SELECT count(*) FROM alert_event") == 2 * (cycle + 1)
