"""Puts `query_world` into a database as it stands under traffic: folded and packed so far, the newest not yet."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import numpy as np

from ingest import sketch
from ingest.model import DIMENSIONS, VIEWS
from ingest.ports import Rollups
from ingest.store import packed_rows, rollup_rows
from ingest.store.binary_copy import copy
from ingest.store.pack import SETTLE_US, SHARE
from ingest.store.plan import TIERS, Tier, floor
from ingest.store.snapshot import moment
from loadtest.query_world import APP_ID, DAY_US, DAYS, HOUR_US, MINUTE_US, World

ASKED = ("all", "route", "version", "os_version")
"""Views filled as far back as the questions look. The others lie between them for a while, and nobody reads them."""
OTHERS_US = {TIERS[1]: 2 * HOUR_US, TIERS[2]: 12 * HOUR_US, TIERS[3]: DAY_US}
"""How far back the others are filled."""
MINUTES_US = 25 * HOUR_US
FINEST_US = 5 * MINUTE_US
UNFOLDED_US = (40_000_000, 5 * MINUTE_US, HOUR_US)
"""How far the compactor is behind, from tier to tier: what it has not folded is read from the finer one."""
FOLDED, UNFOLDED = 1, 2
"""Parts."""


@dataclass(frozen=True, slots=True)
class Slab:
    """What is put in at once."""

    tier: Tier
    views: Sequence[str]
    from_us: int
    to_us: int
    part: int | None
    """None: packed."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How much was put in."""

    windows: int
    """Of all series, tiers and views."""
    spans: int
    """Of the whole time, by the hours of view `all`."""
    raw: int
    """Spans of the last day that stand one by one in `raw_span`."""


async def fill(pool: "asyncpg.Pool[Any]", world: World) -> Filled:
    """Fills a fresh, migrated database; ends with VACUUM ANALYZE, as days of autovacuum would."""
    windows, spans, raw, used = 0, 0, 0, _Used(world)
    async with pool.acquire() as connection:
        await connection.execute(f"INSERT INTO app (app_id, name) VALUES ({APP_ID}, 'shop')")
        await connection.execute(
            "CREATE TABLE raw_span (app_id integer, start_at timestamptz, route text, version text, duration_us bigint)"
        )
        for slab in slabs(world.now_us):
            first, last = slab.from_us // slab.tier.width_us, -(-slab.to_us // slab.tier.width_us)
            rollups = world.rollups(slab.views, np.arange(first, last), slab.tier.width_us, slab.to_us)
            used.note(slab.views, rollups, slab.to_us)
            await _append(connection, slab, rollups)
            windows += len(rollups)
            if slab.tier is TIERS[2]:
                spans += int(rollups.spans[rollups.series_id == world.series_ids["all"][0]].sum())
            elif slab.tier is TIERS[1] and slab.from_us >= world.now_us - DAY_US:
                raw += await _append_raw(connection, world, rollups)
        await used.write(connection)
        await connection.execute(f"SELECT setval('rollup_part', {UNFOLDED})")
        await connection.execute(f"UPDATE compaction SET part = {FOLDED}")
        await connection.execute("CREATE INDEX ON raw_span (app_id, start_at)")
        await connection.execute("VACUUM ANALYZE")
    return Filled(windows, spans, raw)


def slabs(now_us: int) -> Iterator[Slab]:
    """Everything, tier by tier in order of time."""
    minutes = floor(now_us - UNFOLDED_US[0], MINUTE_US)
    hours = minutes - UNFOLDED_US[1]
    days = floor(hours - UNFOLDED_US[2], HOUR_US)
    month_us = now_us - DAYS * DAY_US
    yield Slab(TIERS[0], tuple(VIEWS), now_us - FINEST_US, minutes, FOLDED)
    yield Slab(TIERS[0], tuple(VIEWS), minutes, now_us, UNFOLDED)
    yield from _folded(TIERS[1], now_us - MINUTES_US, hours, now_us)
    yield Slab(TIERS[1], tuple(VIEWS), hours, minutes, UNFOLDED)
    yield from _folded(TIERS[2], month_us, days, now_us)
    yield Slab(TIERS[2], tuple(VIEWS), days, hours, UNFOLDED)
    yield from _folded(TIERS[3], month_us, days, now_us)


def _folded(tier: Tier, begin: int, end: int, now_us: int) -> Iterator[Slab]:
    """A tier as far as it has been folded on: packed, and not packed yet."""
    packed = floor(min(end, now_us - SETTLE_US - tier.width_us), tier.stretch_us // SHARE)
    for start in range(floor(begin, tier.stretch_us), packed, tier.stretch_us):
        views = ASKED if start + tier.stretch_us < now_us - OTHERS_US[tier] or tier is TIERS[-1] else tuple(VIEWS)
        yield Slab(tier, views, max(start, floor(begin, tier.width_us)), min(start + tier.stretch_us, packed), None)
    others = max(packed, floor(now_us - OTHERS_US[tier], tier.width_us))
    if others > packed:
        yield Slab(tier, ASKED, packed, others, FOLDED)
    if end > others:
        yield Slab(tier, tuple(VIEWS), others, end, FOLDED)


async def _append(connection: Any, slab: Slab, rollups: Rollups) -> None:
    if slab.part is None:
        await copy(connection, slab.tier.packed, packed_rows.COLUMNS, packed_rows.rows(rollups, slab.tier))
    else:
        rows = rollup_rows.rows(rollups, slab.part, slab.tier.width_us)
        await copy(connection, slab.tier.table, rollup_rows.COLUMNS, rows)


async def _append_raw(connection: Any, world: World, rollups: Rollups) -> int:
    """The spans that view `route` counts, one by one: durations in the middle of their buckets, versions by chance."""
    rng = np.random.default_rng(world.seed)
    routes = world.rows("route", np.arange(len(world.series_ids["route"])))
    route = {row.series_id: row.values[0] for row in routes}
    mine = np.isin(rollups.series_id, world.series_ids["route"])
    of_duration = np.zeros_like(rollups.sizes, np.bool_)
    of_duration[mine, 0] = True
    bins = rollups.bins[np.repeat(of_duration.ravel(), rollups.sizes.ravel())]
    row = np.repeat(np.repeat(np.flatnonzero(mine), rollups.sizes[mine, 0]), bins["count"])
    values = np.repeat(sketch.value(bins["bucket"]), bins["count"])
    start_us = rollups.window[row] * MINUTE_US + rng.integers(0, MINUTE_US, len(row))
    records = zip(
        [APP_ID] * len(row),
        map(moment, start_us.tolist()),
        map(route.get, rollups.series_id[row].tolist()),
        map(str, rng.integers(0, 30, len(row)).tolist()),
        values.astype(np.int64).tolist(),
        strict=True,
    )
    await connection.copy_records_to_table("raw_span", records=records)
    return len(row)


class _Used:
    """Which series have something, and since when they have nothing."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._until_us = {view: np.zeros(len(ids), np.int64) for view, ids in world.series_ids.items()}

    def note(self, views: Sequence[str], rollups: Rollups, until_us: int) -> None:
        for view in views:
            mine = np.isin(self._world.series_ids[view], rollups.series_id)
            np.maximum.at(self._until_us[view], np.flatnonzero(mine), until_us)

    async def write(self, connection: Any) -> None:
        for view, until_us in self._until_us.items():
            places = np.flatnonzero(until_us)
            records = [
                (row.app_id, row.series_id, row.view, row.signal.word, moment(until).date(), *row.values)
                for row, until in zip(self._world.rows(view, places), until_us[places].tolist(), strict=True)
            ]
            await connection.copy_records_to_table(
                "series", columns=["app_id", "series_id", "view", "signal", "used_on", *DIMENSIONS], records=records
            )
