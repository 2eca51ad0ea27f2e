"""`make bench-query`: how long questions take on the rollups of 50 million spans, and how soon new spans are counted.

    python -m loadtest.query_bench

Prints its tables, writes them into loadtest/README.md and exits with 1 when a bound is missed by more than NOISE.
"""

import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import asyncpg
import numpy as np
import uvloop
from aiohttp.test_utils import TestClient, TestServer

from ingest.compose.query import sources
from ingest.query.installation import Installation
from ingest.query.server import build
from ingest.settings import Settings
from ingest.store.database import migrate, open_pool
from ingest.store.embedded import EmbeddedPostgres
from ingest.store.keys import PostgresKeys
from ingest.store.policies import PostgresPolicies
from loadtest.bench import Bound, judge, machine, write_figures
from loadtest.query_fill import Filled, fill
from loadtest.query_live import measure_live
from loadtest.query_questions import Asker, Times, questions, raw_questions
from loadtest.query_world import APP_ID, World

README = Path(__file__).parent / "README.md"
BEGIN, END = "<!-- queries: begin -->", "<!-- queries: end -->"
TIMES = 50
TIMES_HTTP = 20
TIMES_RAW = 3
LEAST_SESSIONS = (1, 5)
BY_ROUTE, BY_VERSION = "by route, 24 h, every minute", "by version, 30 days, every 2 h"
TOTALS = "by route, totals of 30 days"
BOUNDS = {
    name: Bound(f"{name}: database, p95, groups of fewer than 5 sessions hidden", 100, "ms")
    for name in (BY_ROUTE, BY_VERSION)
}
TOTALS_BOUNDS = {
    least: Bound(f"{TOTALS}: whole answer, p95, groups of fewer than {least} sessions hidden", 1000, "ms")
    for least in LEAST_SESSIONS
}
LIVE = Bound("from POST to the answer that counts it, largest of 10", 15, "s")


@asynccontextmanager
async def running_database() -> AsyncIterator[str]:
    """The DSN of a PostgreSQL of its own, as `firsthop serve` would run it, that goes away."""
    with tempfile.TemporaryDirectory(prefix="firsthop-query-", ignore_cleanup_errors=True) as directory:
        server = EmbeddedPostgres(Path(directory) / "pg")
        try:
            dsn = server.start()
            pool = await open_pool(dsn, connections=1)
            await migrate(pool)
            await pool.close()
            yield dsn
        finally:
            server.stop()


async def measure(lines: list[str]) -> dict[Bound, float]:
    """Runs everything; adds the tables to `lines` and returns the promised figures."""
    world = World(time.time_ns() // 1000)
    async with running_database() as dsn:
        started = time.monotonic()
        pool = await open_pool(dsn, connections=1)
        filled = await fill(pool, world)
        lines += [_about(filled, await _size(pool), time.monotonic() - started), ""]
        asker = await Asker.open(dsn)
        times = {
            (name, least): await asker.time(replace(question, least_sessions=least), TIMES)
            for name, question in questions(world.now_us).items()
            for least in LEAST_SESSIONS
        }
        lines += [*_times_table(times), "", *await _raw_table(asker, world.now_us), ""]
        lines += [await _http_line(pool, world.now_us), ""]
        await asker.pool.close()
        await pool.close()
    live = await measure_live()
    lines += [f"From POST to the answer that counts it: median {median(live):.1f} s, largest {live[-1]:.1f} s.", ""]
    figures = {bound: float(np.quantile(times[name, 5].database, 0.95)) for name, bound in BOUNDS.items()}
    figures |= {bound: float(np.quantile(times[TOTALS, least].whole, 0.95)) for least, bound in TOTALS_BOUNDS.items()}
    return figures | {LIVE: live[-1]}


def _about(filled: Filled, size: str, seconds: float) -> str:
    return (
        f"{filled.spans:,} spans of 30 days in {filled.windows:,} windows of series, {size}, filled in {seconds:.0f} s;"
        f" {filled.raw:,} spans of the last day one by one."
    )


async def _size(pool: "asyncpg.Pool[Any]") -> str:
    return str(await pool.fetchval("SELECT pg_size_pretty(pg_database_size(current_database()))"))


def _times_table(times: Mapping[tuple[str, int], Times]) -> list[str]:
    rows = [
        "| question | hidden below | database CPU ms | database p50 ms | p95 | p99 | whole p50 ms | p95 | p99 |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    return rows + [f"| {name} | {least} sessions | {of_one.row()} |" for (name, least), of_one in times.items()]


async def _raw_table(asker: Asker, now_us: int) -> list[str]:
    """The same from single spans, where there are any."""
    rows = ["| the same of the last day's spans | percentile_cont ms | rollups ms | times |", "|---|--:|--:|--:|"]
    for name, (statement, question) in raw_questions(now_us).items():
        raw = []
        for _ in range(TIMES_RAW):
            started = time.perf_counter()
            async with asker.pool.acquire() as connection, connection.transaction():
                await connection.execute("SET LOCAL work_mem = '64MB'")
                await connection.fetch(statement)
            raw.append((time.perf_counter() - started) * 1e3)
        rollups = median((await asker.time(question, TIMES_HTTP)).database)
        rows.append(f"| {name} | {min(raw):,.0f} | {rollups:.1f} | {min(raw) / rollups:,.0f} |")
    return rows


async def _http_line(pool: "asyncpg.Pool[Any]", now_us: int) -> str:
    token = await PostgresKeys(pool).create_key(APP_ID, "token")
    settings = Settings.from_env({"FIRSTHOP_DATA": "nowhere"})
    app = build(
        sources(pool, settings, PostgresPolicies(pool)),
        installation=Installation.of(settings),
        now_us=lambda: now_us,
    )
    query = {"group_by": "route", "step": "60s", "from": "-24h", "q": "0.95"}
    taken = []
    async with TestClient(TestServer(app)) as client:
        for _ in range(TIMES_HTTP):
            started = time.perf_counter()
            response = await client.get("/api/v1/latency", params=query, headers={"Authorization": f"Bearer {token}"})
            body = await response.read()
            taken.append((time.perf_counter() - started) * 1e3)
            if response.status != 200:
                raise RuntimeError(f"the query API answered {response.status}")
    return f"Over HTTP, {BY_ROUTE}: median {median(taken):.0f} ms, {len(body):,} bytes."


def main() -> int:
    """Measures, prints and writes; 1 when a bound is missed by what no noise explains."""
    lines: list[str] = [machine(), ""]
    figures = uvloop.run(measure(lines))
    verdict, holds = judge(figures)
    lines += verdict
    print("\n".join(lines))
    write_figures(README, lines, BEGIN, END)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
