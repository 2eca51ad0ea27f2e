"""Moving rollups that rest into rows by series and stretch of time: many windows a row instead of one.

Moved are windows that have been folded on and whose time is over. A stretch that is over takes all of them; before, a
series waits until it has enough, so that one row is not written again for every window. What comes late is moved like
the rest.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import numpy as np

from ingest.store import packed_rows
from ingest.store.binary_copy import copy
from ingest.store.database import COMPACTOR_LOCK
from ingest.store.merge import PACKED_COLUMNS, SENT_COLUMNS, Partials, merge
from ingest.store.plan import Tier
from ingest.store.snapshot import moment

SETTLE_US = 300_000_000
"""Windows stay where they are for so long after their end: most of what comes late has come."""
SHARE = 4
"""A stretch under way is packed when a series has gained this part of its windows (1 / SHARE)."""
PACK_ROWS = 50_000
"""Windows of one transaction, give or take those of one row."""

_RIPE = """
    SELECT app_id, series_id, (extract(epoch FROM stretch_at) * 1000000)::bigint AS stretch_us, windows FROM (
        SELECT app_id, series_id, date_bin($1, window_at, 'epoch') AS stretch_at, count(*) AS windows FROM {table}
        WHERE window_at < $2 AND part <= $3 GROUP BY 1, 2, 3
    ) AS stretches WHERE windows >= $4 OR stretch_at < $5 ORDER BY stretch_at, app_id, series_id
"""

_WANTED = """
    (SELECT app_id, series_id, 'epoch'::timestamptz + start * interval '1 microsecond' AS start_at
     FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS keys (app_id, series_id, start)) AS wanted
"""
_TAKE = """
    WITH taken AS (
        DELETE FROM {table} AS tier USING {wanted} WHERE tier.app_id = wanted.app_id
        AND tier.series_id = wanted.series_id AND window_at >= start_at AND window_at < start_at + $6
        AND window_at < $4 AND part <= $5 RETURNING tier.*
    ) SELECT {columns} FROM taken
"""
_TAKE_PACKED = """
    WITH taken AS (
        DELETE FROM {table} AS tier USING {wanted} WHERE tier.app_id = wanted.app_id
        AND tier.series_id = wanted.series_id AND stretch_at = start_at RETURNING tier.*
    ) SELECT {columns} FROM taken
"""


async def pack(connection: Any, tier: Tier, now_us: int) -> int:
    """Moves what may rest; returns how many rows that were."""
    folded = await connection.fetchval("SELECT part FROM compaction WHERE tier = $1", tier.table)
    until_us = now_us - SETTLE_US - tier.width_us
    # The coarsest tier is folded into nothing: all of it may rest.
    limits = (moment(until_us), np.iinfo(np.int64).max if folded is None else folded)
    ripe = await connection.fetch(
        _RIPE.format(table=tier.table),
        timedelta(microseconds=tier.stretch_us),
        *limits,
        tier.stretch_us // tier.width_us // SHARE,
        moment(until_us - tier.stretch_us),
    )
    moved = 0
    for keys in _portions(ripe):
        moved += await _move(connection, tier, keys, limits)
    return moved


async def _move(connection: Any, tier: Tier, keys: Sequence[Any], limits: tuple[Any, int]) -> int:
    """One transaction. Whoever folds or packs at the same time has taken them, or finds them moved."""
    columns = tuple([key[name] for key in keys] for name in ("app_id", "series_id", "stretch_us"))
    async with connection.transaction():
        await connection.execute("SET LOCAL synchronous_commit = off")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", COMPACTOR_LOCK)
        taken = await connection.fetchrow(
            _TAKE.format(table=tier.table, wanted=_WANTED, columns=SENT_COLUMNS),
            *columns,
            *limits,
            timedelta(microseconds=tier.stretch_us),
        )
        partials = Partials.received(taken)
        moved = len(partials)
        if not moved:
            return 0
        standing = await connection.fetch(
            _TAKE_PACKED.format(table=tier.packed, wanted=_WANTED, columns=PACKED_COLUMNS), *columns
        )
        if standing:
            partials = partials.join(Partials.unpacked(standing, tier))
        rows = packed_rows.rows(merge(partials, tier.width_us), tier)
        await copy(connection, tier.packed, packed_rows.COLUMNS, rows)
    return moved


def _portions(ripe: Sequence[Any]) -> Iterator[Sequence[Any]]:
    first, windows = 0, 0
    for number, key in enumerate(ripe, start=1):
        windows += key["windows"]
        if windows >= PACK_ROWS or number == len(ripe):
            yield ripe[first:number]
            first, windows = number, 0
