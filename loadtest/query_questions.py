"""What `make bench-query` asks, by the reader and `measure` as the API does, and what the database takes of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import asyncpg
import numpy as np
import psutil

from ingest.model import Signal
from ingest.ports import Question
from ingest.query.call import MOST_GROUP_POINTS, MOST_GROUPS
from ingest.query.figures import Figures, measure
from ingest.store.plan import Retention
from ingest.store.read import PostgresReader
from loadtest.query_world import APP_ID, DAY_US, HOUR_US, MINUTE_US

RETENTION = Retention(tiers_us=(6 * HOUR_US, 14 * DAY_US, 400 * DAY_US, 400 * DAY_US), spans_us=7 * DAY_US)


WARM_UP = 3


def questions(now_us: int) -> dict[str, Question]:
    """By what the table calls them; each is about the time until now."""
    asked = Question(
        app_id=APP_ID,
        from_us=now_us - DAY_US,
        to_us=now_us,
        now_us=now_us,
        step_us=MINUTE_US,
        signal=Signal.REQUEST,
        over_time=True,
        metrics=("duration",),
    )
    month = replace(asked, from_us=now_us - 30 * DAY_US, step_us=2 * HOUR_US)
    return {
        "by route, 24 h, every minute": replace(
            asked, group_by=("route",), most_groups=MOST_GROUP_POINTS // (DAY_US // MINUTE_US)
        ),
        "by version, 30 days, every 2 h": replace(month, group_by=("version",), most_groups=MOST_GROUPS),
        "by route, totals of 30 days": replace(
            month, over_time=False, group_by=("route",), most_groups=MOST_GROUPS, step_us=MINUTE_US
        ),
        "all, 24 h, every minute": asked,
        "all, 30 days, every 2 h": month,
    }


def raw_questions(now_us: int) -> dict[str, tuple[str, Question]]:
    """SQL over the spans of the last day, and the question about the rollups that it stands for."""
    asked = questions(now_us)
    day = asked["all, 24 h, every minute"]
    where = f"FROM raw_span WHERE app_id = 1 AND start_at >= to_timestamp({(now_us - DAY_US) / 1e6:.0f})"
    p95 = "count(*), percentile_cont(0.95) WITHIN GROUP (ORDER BY duration_us)"
    minute = "date_bin('1 minute', start_at, 'epoch')"
    largest = f"SELECT route {where} GROUP BY 1 ORDER BY count(*) DESC LIMIT 13"
    return {
        "all, 24 h, every minute": (f"SELECT {minute}, {p95} {where} GROUP BY 1", day),
        "by version, 24 h": (
            f"SELECT version, {p95} {where} GROUP BY 1",
            replace(day, over_time=False, group_by=("version",)),
        ),
        "by route, 24 h, every minute, the 13 largest": (
            f"SELECT route, {minute}, {p95} {where} AND route IN ({largest}) GROUP BY 1, 2",
            asked["by route, 24 h, every minute"],
        ),
    }


@dataclass(frozen=True, slots=True)
class Times:
    """Of one question, asked again and again; ms, ascending."""

    database: Sequence[float]
    """What the driver waited for the database, transfer included."""
    whole: Sequence[float]
    cpu: float
    """Of the database's process, on average: what else the machine does hardly touches it."""

    def row(self) -> str:
        """Of a Markdown table: CPU, then p50, p95 and p99 of both."""
        quantiles = (np.quantile(times, (0.5, 0.95, 0.99)) for times in (self.database, self.whole))
        return " | ".join(f"{ms:.1f}" for ms in (self.cpu, *(ms for of_kind in quantiles for ms in of_kind)))


class Asker:
    """Asks through a pool whose connections tell how long their statements took."""

    def __init__(self, pool: "asyncpg.Pool[Any]", waited: list[float]) -> None:
        self.pool, self._waited = pool, waited
        self._reader = PostgresReader(pool, RETENTION)

    @classmethod
    async def open(cls, dsn: str) -> "Asker":
        """A pool of one connection, as one reader of the dashboard has."""
        waited: list[float] = []

        async def listen(connection: Any) -> None:
            connection.add_query_logger(lambda record: waited.append(record.elapsed))

        pool = await asyncpg.create_pool(dsn, min_size=1, max_size=1, init=listen, server_settings={"timezone": "UTC"})
        return cls(pool, waited)

    async def ask(self, question: Question) -> tuple[Figures, float, float]:
        """The answer, and how many ms the database and all of it took."""
        self._waited.clear()
        started = time.perf_counter()
        figures = await measure(self._reader, question)
        return figures, sum(self._waited) * 1e3, (time.perf_counter() - started) * 1e3

    async def time(self, question: Question, times: int) -> Times:
        """Asks so many times, after a few that warm the cache up."""
        backend = psutil.Process(await self.pool.fetchval("SELECT pg_backend_pid()"))
        for _ in range(WARM_UP):
            await self.ask(question)
        before = sum(backend.cpu_times()[:2])
        taken = [(await self.ask(question))[1:] for _ in range(times)]
        cpu_ms = (sum(backend.cpu_times()[:2]) - before) / times * 1e3
        database, whole = (sorted(column) for column in zip(*taken, strict=True))
        return Times(database, whole, cpu_ms)
