"""Puts `query_world` into a database as it stands while traffic goes on: folded so far, the newest in the finer tiers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import numpy as np

from ingest.model import DIMENSIONS, VIEWS
from ingest.ports import Rollups
from ingest.store import rollup_rows
from ingest.store.binary_copy import copy
from ingest.store.plan import TIERS, Tier
from ingest.store.snapshot import moment
from loadtest.query_world import APP_ID, DAY_US, DAYS, HOUR_US, MINUTE_US, World

ASKED = ("all", "route", "os_version")
"""Views that the questions read: filled as far back as they look."""
RECENT_US, RECENT_MINUTES_US = DAY_US, 3 * HOUR_US
"""How far back all views are filled, by hours and by minutes: they lie between the others, and nobody reads them."""
MINUTES_US = 25 * HOUR_US
FINEST_US = 5 * MINUTE_US
UNFOLDED_US = (40_000_000, 5 * MINUTE_US)
"""How far the compactor is behind, by tier: what it has not folded is read from the finer one."""
_BLOCK_ROWS = 60_000
RAW_US = DAY_US


@dataclass(frozen=True, slots=True)
class Filled:
    """How much was put in."""

    rows: int
    spans: int
    """Of the whole range, by the hours of view `all`."""
    raw: int


async def fill(pool: "asyncpg.Pool[Any]", world: World) -> Filled:
    """Fills a fresh, migrated database; ends with VACUUM ANALYZE, as days of autovacuum would."""
    async with pool.acquire() as connection:
        await connection.execute(f"INSERT INTO app (app_id, name) VALUES ({APP_ID}, 'shop')")
        folded = world.now_us - UNFOLDED_US[0]
        folded -= folded % MINUTE_US
        hourly = folded - UNFOLDED_US[1]
        fill = _Fill(connection, world)
        await fill.tier(TIERS[2], world.now_us - DAYS * DAY_US, world.now_us - RECENT_US, hourly, part=1)
        await fill.tier(TIERS[1], world.now_us - MINUTES_US, world.now_us - RECENT_MINUTES_US, hourly, part=2)
        await fill.tier(TIERS[1], hourly, hourly, folded, part=4)
        await fill.tier(TIERS[0], world.now_us - FINEST_US, world.now_us - FINEST_US, folded, part=3)
        await fill.tier(TIERS[0], folded, folded, world.now_us, part=5)
        await connection.execute("SELECT setval('rollup_part', 100)")
        await connection.execute("UPDATE compaction SET part = CASE tier WHEN 'rollup_10s' THEN 4 ELSE 3 END")
        raw = await _fill_raw(connection, world)
        await connection.execute("VACUUM ANALYZE")
        spans = await connection.fetchval(
            f"SELECT sum(spans)::bigint FROM rollup_1h JOIN series USING (app_id, series_id) WHERE view = 'all'"
        )
    return Filled(fill.rows, spans, raw)


class _Fill:
    def __init__(self, connection: Any, world: World) -> None:
        self._connection, self._world = connection, world
        self._known: set[int] = set()
        self.rows = 0

    async def tier(self, tier: Tier, start_us: int, all_from_us: int, until_us: int, *, part: int) -> None:
        """Fills a tier from start to until: the views that are asked, and all from a moment on."""
        for views, first_us, end_us in ((ASKED, start_us, all_from_us), (tuple(VIEWS), all_from_us, until_us)):
            first, last = first_us // tier.width_us, -(-end_us // tier.width_us)
            if views is not ASKED and first_us > start_us:
                first = -(-first_us // tier.width_us)
            elif views is ASKED:
                last = -(-end_us // tier.width_us)
            step = max(1, _BLOCK_ROWS // (2500 if views is ASKED else 60_000 if tier.width_us == HOUR_US else 4500))
            for window in range(first, last, step):
                windows = np.arange(window, min(window + step, last))
                rollups = self._world.rollups(views, windows, tier.width_us, until_us=until_us)
                await self._add_series(views, rollups)
                await copy(
                    self._connection, tier.table, rollup_rows.COLUMNS, rollup_rows.rows(rollups, part, tier.width_us)
                )
                self.rows += len(rollups)

    async def _add_series(self, views: Sequence[str], rollups: Rollups) -> None:
        fresh = np.setdiff1d(rollups.series_id, np.fromiter(self._known, np.int64, len(self._known)))
        if not len(fresh):
            return
        self._known.update(fresh.tolist())
        used_on = moment(int(rollups.window[0])).date()
        records = [
            (row.app_id, row.series_id, row.view, row.signal.word, *row.values)
            for view in views
            for row in self._world.series(view, np.intersect1d(fresh, self._world.series_ids[view]))
        ]
        await self._connection.copy_records_to_table(
            "series", columns=["app_id", "series_id", "view", "signal", *DIMENSIONS], records=records
        )


async def _fill_raw(connection: Any, world: World) -> int:
    """The spans of the last day as a table of their own, taken apart from the minutes of view `route`."""
    await connection.execute(
        "CREATE TABLE raw_span (app_id integer, start_at timestamptz, route text, version text, duration_us bigint)"
    )
    rng = np.random.default_rng(world.seed)
    total = 0
    return total
