"""From which duration on a route is slow: learned from its own sketches, written by one process, read by every edge.

The spans beyond a high quantile of a route's last hour are kept whatever the rates, so that there is something to look
at where users waited unusually long for just this. What is normally slow is not kept for it.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from ingest import sessions, sketch
from ingest.errors import Unavailable
from ingest.model import OTHER
from ingest.ports import SlowRoute
from ingest.store.database import SLOW_ROUTES_LOCK, reachable
from ingest.store.snapshot import micros, moment, snapshot

LEARN_S = 60.0
LOOK_BACK_US = 3_600_000_000
LEAST_SPANS = 200
"""Of a route in that time: of fewer, the quantile would be one unlucky user."""
LEAST_US = 100_000
"""No request is slow below this: 1 % of a fast route's spans tell nothing and fill the store."""
MOST_ROUTES = 1000
"""Of one app, those with the most spans."""
AT_ONCE = 100
"""Routes whose sketches are held at once."""

_log = logging.getLogger(__name__)

# The minutes, and of the finest tier what has not been folded into them yet.
_PARTIALS = """
    SELECT series_id, spans, duration, sessions FROM rollup_1m_windows($1, $2, 'infinity')
    UNION ALL
    SELECT series_id, spans, duration, sessions FROM rollup_10s WHERE app_id = $1 AND window_at >= $2
    AND part > (SELECT part FROM compaction WHERE tier = 'rollup_10s')
"""
_BUSIEST = f"""
    SELECT route, series_id FROM series JOIN ({_PARTIALS}) AS partials USING (series_id)
    WHERE series.app_id = $1 AND view = 'route' AND signal = 'request' AND route <> $3
    GROUP BY route, series_id HAVING sum(spans) >= $4 ORDER BY sum(spans) DESC, route LIMIT $5
"""  # noqa: S608 - no values
_SKETCHES = f"""
    SELECT series_id, string_agg(duration, ''::bytea) AS duration, array_agg(sessions) AS sessions
    FROM ({_PARTIALS}) AS partials WHERE series_id = ANY($3) AND duration IS NOT NULL GROUP BY series_id ORDER BY 1
"""  # noqa: S608 - no values


class PostgresSlowRoutes:
    """What is known about all routes (`ingest.ports.SlowRoutes`), and how it is learned.

    Args:
        quantile: of a route's durations, beyond which one is slow.
        now_us: the server's clock, µs since 1970.
    """

    def __init__(self, pool: "asyncpg.Pool[Any]", quantile: float, now_us: Callable[[], int]) -> None:
        self._pool, self._quantile, self._now_us = pool, quantile, now_us

    async def newest(self, known: int) -> tuple[int, Sequence[SlowRoute]] | None:
        """See `ingest.ports.SlowRoutes`."""
        async with reachable():
            learned_at = await self._pool.fetchval("SELECT max(learned_at) FROM slow_route")
            version = micros(learned_at) if learned_at is not None else 0
            if version == known:
                return None
            rows = await self._pool.fetch("SELECT app_id, route, slow_us, sessions FROM slow_route")
        return version, [SlowRoute(*row) for row in rows]

    async def learn(self) -> int:
        """Learns all routes anew; returns how many. Does nothing while another process is at it.

        Raises:
            Unavailable: the database cannot be reached now; what was known stays.
        """
        async with reachable(), self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", SLOW_ROUTES_LOCK):
                return 0
            found = await self._learned()
            now = moment(self._now_us())
            await connection.execute("DELETE FROM slow_route")
            await connection.executemany(
                "INSERT INTO slow_route (app_id, route, slow_us, sessions, learned_at) VALUES ($1, $2, $3, $4, $5)",
                [(*route, now) for route in found],
            )
        return len(found)

    async def run(self, stop: asyncio.Event) -> None:
        """Learns every minute until the event is set. Outlives restarts of the database."""
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), LEARN_S)
                return
            try:
                await self.learn()
            except Unavailable as error:
                _log.warning("slow routes are not learned now: %s", error.message)

    async def _learned(self) -> list[SlowRoute]:
        since = moment(self._now_us() - LOOK_BACK_US)
        found: list[SlowRoute] = []
        async with snapshot(self._pool) as connection:
            apps = [row["app_id"] for row in await connection.fetch("SELECT app_id FROM app ORDER BY app_id")]
            for app_id in apps:
                busiest = await connection.fetch(_BUSIEST, app_id, since, OTHER, LEAST_SPANS, MOST_ROUTES)
                for first in range(0, len(busiest), AT_ONCE):
                    names = {row["series_id"]: row["route"] for row in busiest[first : first + AT_ONCE]}
                    rows = await connection.fetch(_SKETCHES, app_id, since, list(names))
                    found += await asyncio.to_thread(self._judge, app_id, names, rows)
        return found

    def _judge(self, app_id: int, names: Mapping[int, str], rows: Sequence[asyncpg.Record]) -> list[SlowRoute]:
        found = []
        for row in rows:
            slow_us = sketch.quantiles(sketch.merge([row["duration"] or b""]), [self._quantile])[0]
            seen = sessions.count(sessions.merge(part for part in row["sessions"] if part))
            found.append(SlowRoute(app_id, names[row["series_id"]], max(round(slow_us), LEAST_US), round(seen)))
        return found
