"""Privacy policies: every one that was applied, so that it can be said what was promised when."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from ingest.ports import PolicyText
from ingest.store.database import reachable

_COLUMNS = "app_id, version, text, (extract(epoch FROM applied_at) * 1000000)::bigint AS applied_at_us"


class PostgresPolicies:
    """The privacy policies of all apps (`ingest.ports.Policies`)."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def newest(self) -> Sequence[PolicyText]:
        """The newest of each app, and of 0."""
        async with reachable():
            rows = await self._pool.fetch(
                f"SELECT DISTINCT ON (app_id) {_COLUMNS} FROM policy ORDER BY app_id, version DESC"  # noqa: S608
            )
        return [PolicyText(**row) for row in rows]

    async def history(self) -> Sequence[PolicyText]:
        """All that were ever applied, newest first."""
        async with reachable():
            rows = await self._pool.fetch(f"SELECT {_COLUMNS} FROM policy ORDER BY version DESC")  # noqa: S608
        return [PolicyText(**row) for row in rows]

    async def apply(self, app_id: int, text: str) -> int:
        """Puts a policy in force; returns its version, that of the newest when that has the same text.

        0 when an app that never had a policy of its own is to have none.
        """
        async with reachable(), self._pool.acquire() as connection, connection.transaction():
            # Whoever applies waits here for whoever else does, so that the same text never gets two versions.
            await connection.execute("LOCK TABLE policy IN SHARE ROW EXCLUSIVE MODE")
            newest = await connection.fetchrow(
                "SELECT version, text FROM policy WHERE app_id = $1 ORDER BY version DESC LIMIT 1", app_id
            )
            if newest is not None and newest["text"] == text:
                return int(newest["version"])
            if newest is None and not text:
                return 0
            return int(
                await connection.fetchval(
                    "INSERT INTO policy (app_id, text) VALUES ($1, $2) RETURNING version", app_id, text
                )
            )
