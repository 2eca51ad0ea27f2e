"""Rules, silences and history of an app as its owner sees and changes them, each change with its row in `audit`."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import orjson

from ingest.ports import Actor, Change, Happening, Notification, Rule, Silence, Stood
from ingest.store import alert_rows, audit
from ingest.store.database import reachable
from ingest.store.snapshot import micros, moment

_LOOK_BACK = timedelta(days=30)


class PostgresAlertBook:
    """Implements `ingest.ports.AlertBook`."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def rules(self, app_id: int) -> Sequence[Rule]:
        """Those made by API."""
        async with reachable():
            rows = await self._pool.fetch("SELECT rule FROM alert_rule WHERE app_id = $1 ORDER BY name", app_id)
        return [msgspec.json.decode(row["rule"], type=Rule) for row in rows]

    async def put(self, app_id: int, rule: Rule, actor: Actor, most: int) -> bool:
        """Makes or replaces one; False when there would be more than `most`."""
        async with self._changing() as connection:
            # Of two who add the last one that there is room for, one waits here for the other.
            await connection.execute("LOCK TABLE alert_rule IN SHARE ROW EXCLUSIVE MODE")
            known = await connection.fetchval(
                "SELECT rule FROM alert_rule WHERE app_id = $1 AND name = $2", app_id, rule.name
            )
            count = await connection.fetchval("SELECT count(*) FROM alert_rule WHERE app_id = $1", app_id)
            if known is None and count >= most:
                return False
            await connection.execute(
                "INSERT INTO alert_rule (app_id, name, rule) VALUES ($1, $2, $3)"
                " ON CONFLICT (app_id, name) DO UPDATE SET rule = excluded.rule, changed_at = now()",
                app_id,
                rule.name,
                alert_rows.as_json(rule),
            )
            before = None if known is None else orjson.loads(known)
            action = "alert_rule.create" if known is None else "alert_rule.update"
            await audit.write(connection, Change(app_id, actor, action, rule.name, before, msgspec.to_builtins(rule)))
        return True

    async def remove(self, app_id: int, name: str, actor: Actor) -> bool:
        """Whether there was one of this name."""
        async with self._changing() as connection:
            gone = await connection.fetchval(
                "DELETE FROM alert_rule WHERE app_id = $1 AND name = $2 RETURNING rule", app_id, name
            )
            if gone is not None:
                await audit.write(connection, Change(app_id, actor, "alert_rule.delete", name, orjson.loads(gone)))
        return gone is not None

    async def states(self, app_id: int) -> Sequence[Stood]:
        """What is pending or firing, and what was lately."""
        async with reachable():
            rows = await self._pool.fetch(
                "SELECT * FROM alert_state WHERE app_id = $1 ORDER BY standing, started_at DESC", app_id
            )
        return [alert_rows.stood(row) for row in rows]

    async def happenings(self, app_id: int, limit: int) -> Sequence[Happening]:
        """The history, newest first."""
        async with reachable():
            rows = await self._pool.fetch(
                "SELECT * FROM alert_event WHERE app_id = $1 ORDER BY event_id DESC LIMIT $2", app_id, limit
            )
        return [
            Happening(
                app_id,
                row["rule"],
                orjson.loads(row["grouping"]),
                row["status"],
                micros(row["happened_at"]),
                row["value"],
                row["severity"],
                row["reason"],
                row["silenced"],
            )
            for row in rows
        ]

    async def silences(self, app_id: int, now_us: int) -> Sequence[Silence]:
        """Those that hold or did in the last 30 days, newest first."""
        async with reachable():
            rows = await self._pool.fetch(
                "SELECT * FROM alert_silence WHERE app_id = $1 AND until_at > $2 ORDER BY created_at DESC LIMIT 1000",
                app_id,
                moment(now_us) - _LOOK_BACK,
            )
        return [alert_rows.silence(row) for row in rows]

    async def silence(self, silence: Silence, actor: Actor) -> None:
        """Begins one."""
        async with self._changing() as connection:
            await connection.execute(
                "INSERT INTO alert_silence (app_id, silence_id, rule, grouping, reason, silenced_by, created_at,"
                " until_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                silence.app_id,
                silence.silence_id,
                silence.rule,
                alert_rows.grouping(silence.group),
                silence.reason,
                silence.by,
                moment(silence.created_us),
                moment(silence.until_us),
            )
            after = {"rule": silence.rule, "group": dict(silence.group), "reason": silence.reason}
            change = Change(silence.app_id, actor, "alert_silence.create", silence.silence_id, None, after)
            await audit.write(connection, change)

    async def lift(self, app_id: int, silence_id: str, actor: Actor, now_us: int) -> bool:
        """Ends one now; whether it held."""
        async with self._changing() as connection:
            rule = await connection.fetchval(
                "UPDATE alert_silence SET until_at = $3 WHERE app_id = $1 AND silence_id = $2 AND until_at > $3"
                " RETURNING rule",
                app_id,
                silence_id,
                moment(now_us),
            )
            if rule is not None:
                change = Change(app_id, actor, "alert_silence.end", silence_id, {"rule": rule})
                await audit.write(connection, change)
        return rule is not None

    async def enqueue(self, receivers: Sequence[str], notification: Notification, actor: Actor) -> None:
        """Puts a test into the outbox."""
        async with self._changing() as connection:
            for receiver in receivers:
                statement, values = alert_rows.enqueuing(receiver, notification)
                await connection.execute(statement, *values)
            change = Change(notification.app_id, actor, "alert_rule.test", notification.rule.name)
            await audit.write(connection, change)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[Any]:
        async with reachable(), self._pool.acquire() as connection, connection.transaction():
            yield connection
