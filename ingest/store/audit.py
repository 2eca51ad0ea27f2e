"""The audit log: `write` adds a row in the transaction of the change that it tells of."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import orjson

from ingest.ports import Actor, Change, Changed
from ingest.store.database import reachable


async def write(connection: Any, change: Change) -> None:
    """Adds the row of a change, in the transaction that makes it: there is neither without the other."""
    await connection.execute(
        "INSERT INTO audit (app_id, actor, role, action, subject, before, after) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        change.app_id,
        change.actor.name,
        change.actor.role,
        change.action,
        change.subject,
        _json(change.before),
        _json(change.after),
    )


class PostgresAudit:
    """The changes of an app (`ingest.ports.Audit`)."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def changes(self, app_id: int, *, before_id: int | None, limit: int) -> Sequence[Changed]:
        """The newest first, of those before this one."""
        async with reachable():
            rows = await self._pool.fetch(
                "SELECT *, (extract(epoch FROM changed_at) * 1000000)::bigint AS at_us FROM audit"
                " WHERE app_id = $1 AND ($2::bigint IS NULL OR audit_id < $2) ORDER BY audit_id DESC LIMIT $3",
                app_id,
                before_id,
                limit,
            )
        return [
            Changed(
                row["audit_id"],
                row["at_us"],
                Change(
                    app_id=row["app_id"],
                    actor=Actor(row["actor"], row["role"]),
                    action=row["action"],
                    subject=row["subject"],
                    before=_read(row["before"]),
                    after=_read(row["after"]),
                ),
            )
            for row in rows
        ]


def _json(state: Mapping[str, Any] | None) -> str | None:
    return None if state is None else orjson.dumps(state).decode()


def _read(text: str | None) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = None if text is None else orjson.loads(text)
    return found
