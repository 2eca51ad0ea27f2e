"""Apps, keys and who changed them, for the query API (`ingest.ports.Administration`)."""

from collections.abc import Collection, Sequence

from ingest.ports import Actor, Change, KeyRecord
from ingest.store.audit import PostgresAudit, write
from ingest.store.database import reachable
from ingest.store.keys import PostgresKeys

_KEYS = """
    SELECT key_id, role, label, shown, origins, last_used_on,
           (extract(epoch FROM created_at) * 1000000)::bigint AS created_at_us,
           (extract(epoch FROM revoked_at) * 1000000)::bigint AS revoked_at_us
    FROM app_key WHERE app_id = $1 ORDER BY created_at, key_id
"""


class PostgresAdministration(PostgresKeys, PostgresAudit):
    """`PostgresKeys` and `PostgresAudit`, and what changes a key that there is."""

    async def keys(self, app_id: int) -> Sequence[KeyRecord]:
        """See `ingest.ports.Administration.keys`."""
        async with reachable():
            rows = await self._pool.fetch(_KEYS, app_id)
        return [KeyRecord(**{**row, "origins": tuple(row["origins"])}) for row in rows]

    async def revoke_key(self, app_id: int, key_id: str, *, actor: Actor) -> bool:
        """See `ingest.ports.Administration.revoke_key`."""
        async with reachable(), self._pool.acquire() as connection, connection.transaction():
            was = await connection.fetchrow(
                "UPDATE app_key SET revoked_at = now() WHERE app_id = $1 AND key_id = $2 AND revoked_at IS NULL"
                " RETURNING role, label, origins",
                app_id,
                key_id,
            )
            if was is not None:
                await write(connection, Change(app_id, actor, "key.revoke", key_id, dict(was), None))
        return was is not None

    async def set_origins(self, app_id: int, key_id: str, origins: Sequence[str], *, actor: Actor) -> bool:
        """See `ingest.ports.Administration.set_origins`."""
        async with reachable(), self._pool.acquire() as connection, connection.transaction():
            before = await connection.fetchval(
                "SELECT origins FROM app_key"
                " WHERE app_id = $1 AND key_id = $2 AND role = 'client' AND revoked_at IS NULL FOR UPDATE",
                app_id,
                key_id,
            )
            if before is not None and list(origins) != before:
                await connection.execute(
                    "UPDATE app_key SET origins = $3 WHERE app_id = $1 AND key_id = $2", app_id, key_id, list(origins)
                )
                change = Change(app_id, actor, "key.origins", key_id, {"origins": before}, {"origins": list(origins)})
                await write(connection, change)
        return before is not None

    async def used(self, key_ids: Collection[str]) -> None:
        """See `ingest.ports.Administration.used`."""
        async with reachable():
            await self._pool.execute(
                "UPDATE app_key SET last_used_on = current_date"
                " WHERE key_id = ANY($1) AND last_used_on IS DISTINCT FROM current_date",
                list(key_ids),
            )
