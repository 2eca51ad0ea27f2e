"""What the evaluator remembers, in PostgreSQL: states, history and outbox change together or not at all."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import msgspec

from ingest.ports import Happening, Queued, Rule, Silence, Stood, Turned
from ingest.store import alert_rows
from ingest.store.database import ALERT_LOCK, lock, reachable
from ingest.store.snapshot import micros, moment

_REMEMBER = """
    INSERT INTO alert_state (app_id, rule, grouping, standing, since_at, started_at, resolved_at, value, told,
                             notification) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
    ON CONFLICT (app_id, rule, grouping) DO UPDATE SET standing = excluded.standing, since_at = excluded.since_at,
        started_at = excluded.started_at, resolved_at = excluded.resolved_at, value = excluded.value,
        told = excluded.told, notification = excluded.notification
"""
_HAPPENED = """
    INSERT INTO alert_event (app_id, rule, grouping, status, happened_at, value, severity, reason, silenced)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_TRIM = """
    WITH placed AS (SELECT app_id, entry, receiver,
                           row_number() OVER (PARTITION BY receiver ORDER BY entry DESC) AS place FROM alert_outbox),
    gone AS (DELETE FROM alert_outbox WHERE (app_id, entry) IN (
                 SELECT app_id, entry FROM placed WHERE place > $2 OR NOT receiver = ANY($1)) RETURNING 1)
    SELECT count(*) FROM gone
"""


class PostgresAlertStates:
    """Implements `ingest.ports.AlertStates`. Everything goes over the connection that holds the lock: who lost it, as a
    network may decide, can write nothing any more."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool
        self._held: Any = None
        self._turn = asyncio.Lock()

    async def lead(self) -> None:
        """Returns when this process is the one evaluator."""
        async with reachable():
            if self._held is not None:
                lost, self._held = self._held, None
                with suppress(asyncpg.InterfaceError):
                    lost.terminate()
                await self._pool.release(lost)
            connection = await self._pool.acquire()
            try:
                await lock(connection, ALERT_LOCK)
            except BaseException:
                connection.terminate()
                await self._pool.release(connection)
                raise
            self._held = connection

    async def counted_until_us(self, now_us: int) -> int:
        """Everything that was received before this moment is counted."""
        async with self._connection() as connection:
            oldest = await connection.fetchval("SELECT min(appended_at) FROM journal")
        return now_us if oldest is None else min(now_us, micros(oldest))

    async def rules(self) -> Sequence[tuple[int, Rule]]:
        """App and rule, of those made by API."""
        async with self._connection() as connection:
            rows = await connection.fetch("SELECT app_id, rule FROM alert_rule ORDER BY app_id, name")
        return [(row["app_id"], msgspec.json.decode(row["rule"], type=Rule)) for row in rows]

    async def silences(self, now_us: int) -> Sequence[Silence]:
        """Those that have not ended."""
        async with self._connection() as connection:
            rows = await connection.fetch("SELECT * FROM alert_silence WHERE until_at > $1", moment(now_us))
        return [alert_rows.silence(row) for row in rows]

    async def states(self) -> Sequence[Stood]:
        """Everything that is remembered."""
        async with self._connection() as connection:
            return [alert_rows.stood(row) for row in await connection.fetch("SELECT * FROM alert_state")]

    async def turn(self, app_id: int, turned: Sequence[Turned]) -> None:
        """States, history and outbox of an app, in one transaction."""
        async with self._connection() as connection, connection.transaction():
            for each in turned:
                await _remember(connection, app_id, each)
                if each.happening is not None:
                    await connection.execute(_HAPPENED, *_values(each.happening))
                for receiver, notification in each.outbox:
                    statement, values = alert_rows.enqueuing(receiver, notification)
                    await connection.execute(statement, *values)

    async def next(self, receiver: str, limit: int) -> Sequence[Queued]:
        """The oldest that this receiver is to be told."""
        async with self._connection() as connection:
            rows = await connection.fetch(
                "SELECT entry, notification FROM alert_outbox WHERE receiver = $1 ORDER BY entry LIMIT $2",
                receiver,
                limit,
            )
        found = ((row["entry"], alert_rows.read_notification(row["notification"])) for row in rows)
        return [Queued(entry, notification) for entry, notification in found if notification is not None]

    async def finish(self, entry: int) -> None:
        """Takes one out of the outbox."""
        async with self._connection() as connection:
            await connection.execute("DELETE FROM alert_outbox WHERE entry = $1", entry)

    async def trim(self, receivers: Sequence[str], most: int) -> int:
        """Takes out the oldest beyond `most` of each receiver, and all of others."""
        async with self._connection() as connection:
            return int(await connection.fetchval(_TRIM, list(receivers), most))

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        """The one connection, for one at a time."""
        async with self._turn, reachable():
            yield self._held


async def _remember(connection: Any, app_id: int, turned: Turned) -> None:
    key = (app_id, turned.rule, alert_rows.grouping(turned.group))
    state = turned.state
    if state is None:
        await connection.execute("DELETE FROM alert_state WHERE app_id = $1 AND rule = $2 AND grouping = $3", *key)
        return
    await connection.execute(
        _REMEMBER,
        *key,
        state.standing.value,
        moment(state.since_us),
        moment(state.started_us),
        moment(state.resolved_us),
        state.value,
        state.told,
        alert_rows.as_json(turned.notification),
    )


def _values(happening: Happening) -> tuple[Any, ...]:
    return (
        happening.app_id,
        happening.rule,
        alert_rows.grouping(happening.group),
        happening.status,
        moment(happening.at_us),
        happening.value,
        happening.severity,
        happening.reason,
        happening.silenced,
    )
