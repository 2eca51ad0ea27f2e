"""The compactor: folds rollups tier by tier, 10 s → 1 min → 1 h → 1 day, and lets go of what retention no longer holds.

Why a cursor over `part` misses nothing: a tier has one writer (the aggregator writes `rollup_10s`, the compactor the
others), which draws a part from the sequence inside each of its transactions and has one transaction at a time, held
together with its lock by one connection. So parts become visible in ascending order: once a part is seen, no lower one
can still appear, and "up to the highest part seen" is a set that never changes. Merging rows of that set gives them its
highest part, so they stay in it.

What has been folded on may rest: it is packed, by series and stretch of time (`pack`), and needs no part any more. A
row moves from the tier's one table to the other in one transaction, so a snapshot finds it in one of them.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import asyncpg
import numpy as np

from ingest.errors import Unavailable
from ingest.ports import Rollups
from ingest.store import partitions, rollup_rows, totals
from ingest.store.binary_copy import copy
from ingest.store.database import COMPACTOR_LOCK, reachable
from ingest.store.merge import SENT_COLUMNS, Partials, merge
from ingest.store.pack import pack
from ingest.store.plan import TIERS, Retention, Tier
from privacy import BUILT_IN

FOLD_SECONDS = (30.0, 300.0, 3600.0)
"""How often 10 s are folded into 1 min, 1 min into 1 h, and hours into days. What is not folded yet is read from the
finer tier."""
PACK_SECONDS = (900.0, 3600.0, 21_600.0)
"""How often minutes are packed by hours, hours by days, and days by 32 of them."""
RETIRE_SECONDS = 600.0
FOLD_ROWS = 100_000
"""Partials of one transaction, give or take one part."""
LEDGER_DAYS = 400
"""Of the ledger, and of what was scrubbed."""
RECEIPT_DAYS = 1100
"""Three years: as long as somebody may ask whether they were forgotten."""
AUDIT_DAYS = 400
"""Longer than a year, so that last year's change can be looked up; not for ever, because it names people."""
ALERT_DAYS = 90
"""Of the history of alerts, and of silences since they ended."""
LEDGER_MERGE_DAYS = 9
"""How far back the ledger may still gain partials: as long as clients retry."""
_HOURLY = (("ledger", "outcome", "spans"), ("scrub_count", "rule", "finds"))
"""Tables of partials by app and hour: name, what is counted apart, the count."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_log = logging.getLogger(__name__)


class Compactor:
    """Keeps the store small. One works at a time, whoever asks.

    Args:
        retention: for how long tiers and spans are kept.
        batch_ids_us: for how long batch ids are kept, µs.
        now_us: the server's clock, µs since 1970.
        dead_us: for how long records that could not be stored are kept, µs.
        least_sessions: app → of how many a change of a total must be to be told (`ingest.store.totals`).
    """

    def __init__(
        self,
        pool: "asyncpg.Pool[Any]",
        retention: Retention,
        batch_ids_us: int,
        now_us: Callable[[], int],
        *,
        dead_us: int = 7 * partitions.DAY_US,
        least_sessions: Callable[[int], int] = lambda _: BUILT_IN.least_sessions,
    ) -> None:
        self._pool = pool
        self._retention = retention
        self._batch_ids_us = batch_ids_us
        self._dead_us = dead_us
        self._least_sessions = least_sessions
        self._now_us = now_us

    async def run(self, stop: asyncio.Event) -> None:
        """Folds and retires at their intervals until the event is set. Outlives restarts of the database."""
        loop = asyncio.get_running_loop()
        chores: list[tuple[float, Callable[[], Awaitable[object]]]] = [
            *((seconds, partial(self.fold, finer)) for seconds, finer in zip(FOLD_SECONDS, TIERS[:-1], strict=True)),
            *((seconds, partial(self.pack, tier)) for seconds, tier in zip(PACK_SECONDS, TIERS[1:], strict=True)),
            (RETIRE_SECONDS, self.retire),
        ]
        due = [loop.time() + seconds for seconds, _ in chores]
        while not stop.is_set():
            for number, (seconds, chore) in enumerate(chores):
                if loop.time() >= due[number] and not stop.is_set():
                    due[number] = loop.time() + seconds
                    try:
                        await chore()
                    except Unavailable as error:
                        _log.warning("the compactor waits: %s", error.message)
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), max(min(due) - loop.time(), 0))

    async def fold(self, finer: Tier) -> int:
        """Adds to the next coarser tier what this one has gained, and merges its partials; returns how many it read.

        Raises:
            Unavailable: the database cannot be reached now; what was folded until then is folded.
        """
        read = 0
        coarser = TIERS[TIERS.index(finer) + 1]
        gained = self._count if finer is TIERS[0] else None
        async with reachable(), self._pool.acquire() as connection:
            while rows := await _fold_some(connection, finer, coarser, gained):
                read += rows
        return read

    async def pack(self, tier: Tier) -> int:
        """Moves what of this tier may rest to its packed table; returns how many rows that were.

        Raises:
            Unavailable: the database cannot be reached now; what was moved until then is moved.
        """
        async with reachable(), self._pool.acquire() as connection:
            return await pack(connection, tier, self._now_us())

    async def _count(self, connection: Any, partials: Partials) -> None:
        now = _EPOCH + timedelta(microseconds=self._now_us())
        await totals.count(connection, partials, self._least_sessions, now)

    async def retire(self) -> None:
        """Drops and deletes what is older than its retention, and merges the partials of hours.

        Raises:
            Unavailable: the database cannot be reached now; the rest is done the next time.
        """
        now = self._now_us()
        async with reachable():
            await partitions.drop(self._pool, (now - self._retention.spans_us) // partitions.DAY_US)
            async with self._pool.acquire() as connection:
                if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", COMPACTOR_LOCK):
                    return
                try:
                    await self._delete(connection, _EPOCH + timedelta(microseconds=now))
                    for table, column, count in _HOURLY:
                        await _merge_hours(connection, table, column, count, _EPOCH + timedelta(microseconds=now))
                finally:
                    await connection.execute("SELECT pg_advisory_unlock($1)", COMPACTOR_LOCK)

    async def _delete(self, connection: Any, now: datetime) -> None:
        for tier, kept_us in zip(TIERS, self._retention.tiers_us, strict=True):
            # What has not been folded yet stays until it has, be it ever so old.
            await connection.execute(
                f"DELETE FROM {tier.table} WHERE window_at < $1"  # noqa: S608 - names from TIERS
                " AND part <= coalesce((SELECT part FROM compaction WHERE tier = $2), part)",
                now - timedelta(microseconds=kept_us),
                tier.table,
            )
            if tier.stretch_us:
                await connection.execute(
                    f"DELETE FROM {tier.packed} WHERE stretch_at < $1",  # noqa: S608 - names from TIERS
                    now - timedelta(microseconds=kept_us + tier.stretch_us),
                )
        expired = (
            ("batch", "received_at", timedelta(microseconds=self._batch_ids_us)),
            ("journal_dead", "dead_at", timedelta(microseconds=self._dead_us)),
            ("ledger", "hour_at", timedelta(days=LEDGER_DAYS)),
            ("scrub_count", "hour_at", timedelta(days=LEDGER_DAYS)),
            ("trace_overflow", "noted_at", timedelta(microseconds=self._retention.spans_us)),
            ("erased", "until", timedelta()),
            ("erasure", "requested_at", timedelta(days=RECEIPT_DAYS)),
            ("audit", "changed_at", timedelta(days=AUDIT_DAYS)),
            ("alert_event", "noted_at", timedelta(days=ALERT_DAYS)),
            ("alert_silence", "until_at", timedelta(days=ALERT_DAYS)),
        )
        for table, column, kept in expired:
            await connection.execute(f"DELETE FROM {table} WHERE {column} < $1", now - kept)  # noqa: S608 - names above
        # A day more than rollups live: a series is marked as used once a day.
        longest = timedelta(microseconds=max(self._retention.tiers_us)) + timedelta(days=1)
        await connection.execute("DELETE FROM route_total WHERE gained_at < $1", now - longest)
        await connection.execute("DELETE FROM series WHERE used_on < $1", (now - longest).date())


async def _fold_some(
    connection: Any, finer: Tier, coarser: Tier, gained: Callable[[Any, Partials], Awaitable[None]] | None
) -> int:
    """One transaction of folding: returns the partials read, 0 when there are none left.

    Args:
        gained: is told of every partial once.
    """
    async with connection.transaction():
        # Lost in a crash it is lost as a whole, the cursor included, and done again.
        await connection.execute("SET LOCAL synchronous_commit = off")
        await connection.execute("SELECT pg_advisory_xact_lock($1)", COMPACTOR_LOCK)
        cursors = {row["tier"]: row["part"] for row in await connection.fetch("SELECT tier, part FROM compaction")}
        after = cursors[finer.table]
        upto = await _highest_part(connection, finer, after)
        if upto is None:
            return 0
        row = await connection.fetchrow(
            f"SELECT {SENT_COLUMNS} FROM {finer.table} WHERE part > $1 AND part <= $2",  # noqa: S608 - names from TIERS
            after,
            upto,
        )
        partials = Partials.received(row)
        if gained is not None:
            await gained(connection, partials)
        merged = merge(partials, finer.width_us, at_least=2)
        await _take(connection, finer, merged, after, upto)
        await _insert(connection, finer, merged, upto)

        # What the coarser tier holds of the same windows and has not folded on itself is merged with it.
        folded = merge(partials, coarser.width_us)
        standing = await _take(connection, coarser, folded, cursors.get(coarser.table, 0), None)
        if len(standing):
            folded = merge(partials.join(standing), coarser.width_us)
        await _insert(connection, coarser, folded, await connection.fetchval("SELECT nextval('rollup_part')"))
        await connection.execute("UPDATE compaction SET part = $2 WHERE tier = $1", finer.table, upto)
    return len(partials)


async def _highest_part(connection: Any, tier: Tier, after: int) -> int | None:
    """The last part to fold at once, None when there is nothing to fold."""
    rows = await connection.fetch(
        f"SELECT part, count(*) AS rows FROM {tier.table} WHERE part > $1 GROUP BY part ORDER BY part",  # noqa: S608
        after,
    )
    total = 0
    for row, following in pairwise([*rows, None]):
        total += row["rows"]
        if following is None or total >= FOLD_ROWS:
            return int(row["part"])
    return None


async def _take(connection: Any, tier: Tier, rollups: Rollups, after: int, upto: int | None) -> Partials:
    """Deletes the tier's partials of these series and windows with a part in (after, upto], and returns them."""
    starts = rollups.window * tier.width_us
    row = await connection.fetchrow(
        "WITH taken AS ("  # noqa: S608 - names from TIERS
        f" DELETE FROM {tier.table} AS tier USING ("
        "  SELECT app_id, series_id, 'epoch'::timestamptz + start * interval '1 microsecond' AS window_at"
        "  FROM unnest($1::int[], $2::bigint[], $3::bigint[]) AS wanted (app_id, series_id, start)"
        " ) AS wanted WHERE tier.app_id = wanted.app_id AND tier.series_id = wanted.series_id"
        " AND tier.window_at = wanted.window_at AND part > $4 AND part <= $5 RETURNING tier.*"
        f") SELECT {SENT_COLUMNS} FROM taken",
        rollups.app_id.tolist(),
        rollups.series_id.tolist(),
        starts.tolist(),
        after,
        np.iinfo(np.int64).max if upto is None else upto,
    )
    return Partials.received(row)


async def _insert(connection: Any, tier: Tier, rollups: Rollups, part: int) -> None:
    if len(rollups):
        rows = rollup_rows.rows(rollups, part, tier.width_us)
        await copy(connection, tier.table, rollup_rows.COLUMNS, rows)


async def _merge_hours(connection: Any, table: str, column: str, count: str, now: datetime) -> None:
    """One row per app, hour and what is counted apart; the aggregator adds one per turn."""
    await connection.execute(
        "WITH several AS ("  # noqa: S608 - names from _HOURLY
        f"  SELECT app_id, hour_at, {column}, max(part) AS part FROM {table} WHERE hour_at >= $1"
        "  GROUP BY 1, 2, 3 HAVING count(*) > 1"
        "), taken AS ("
        f"  DELETE FROM {table} AS hourly USING several"
        "  WHERE hourly.app_id = several.app_id AND hourly.hour_at = several.hour_at"
        f"  AND hourly.{column} = several.{column} AND hourly.part <= several.part RETURNING hourly.*"
        f") INSERT INTO {table} (app_id, hour_at, {column}, part, {count})"
        f" SELECT app_id, hour_at, {column}, max(part), sum({count}) FROM taken GROUP BY 1, 2, 3",
        now - timedelta(days=LEDGER_MERGE_DAYS),
    )
