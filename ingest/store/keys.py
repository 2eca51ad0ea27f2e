"""Apps and their keys.

| role | looks like | may | at rest |
|---|---|---|---|
| client | `fh_pub_…` | send; public, lives in apps and pages | readable, for snippets, and as digest |
| server | `fh_srv_…` | send as a backend service | digest |
| token | `fh_tok_…` | read its app | digest |
| owner | `fh_own_…` | read its app and change what it is set to | digest |
| operator | `fh_ops_…` | read every app | digest |
| admin | `fh_adm_…` | read and change every app, and make new ones | digest |
| privacy | `fh_prv_…` | erase a user's data of its app, and read the receipts | digest |

Erasing has a key of its own: a dashboard's token lives in browsers, and an operator's reads every app; none of them
should be able to destroy anything.

Every key carries 144 random bits, so an unsalted digest cannot be guessed back. Its id is drawn apart from it.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg

from ingest.ports import (
    APP_ROLES,
    COMMAND_LINE,
    MOST_KEYS,
    Actor,
    App,
    Change,
    Grant,
    NewApp,
    NewKey,
)
from ingest.store.audit import write
from ingest.store.database import reachable

PREFIXES: Mapping[str, str] = {
    "client": "fh_pub_",
    "server": "fh_srv_",
    "token": "fh_tok_",
    "owner": "fh_own_",
    "operator": "fh_ops_",
    "admin": "fh_adm_",
    "privacy": "fh_prv_",
}
RANDOM_BYTES = 18


def digest(key: str) -> bytes:
    """BLAKE2b-256 of a key: what is stored, and what `Keys.grants` is looked up by."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=32).digest()


class PostgresKeys:
    """Creates apps and keys, and tells what a key opens (`ingest.ports.Keys`)."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def grants(self) -> Mapping[bytes, Grant]:
        """BLAKE2b-256 of the key → what it opens; those revoked open nothing."""
        rows = await self._pool.fetch(
            "SELECT digest, app_id, role, origins, key_id FROM app_key WHERE revoked_at IS NULL"
        )
        return {row["digest"]: Grant(row["app_id"], row["role"], tuple(row["origins"]), row["key_id"]) for row in rows}

    async def apps(self) -> Sequence[App]:
        """Every app with its oldest client key that still opens it, by id."""
        rows = await self._pool.fetch(
            "SELECT DISTINCT ON (a.app_id) a.app_id, a.name, k.shown FROM app a"
            " LEFT JOIN app_key k ON k.app_id = a.app_id AND k.role = 'client' AND k.revoked_at IS NULL"
            " ORDER BY a.app_id, k.created_at, k.digest"
        )
        return [App(row["app_id"], row["name"], row["shown"]) for row in rows]

    async def create_app(
        self, name: str, *, origins: Sequence[str] = (), role: str = "token", actor: Actor = COMMAND_LINE
    ) -> NewApp:
        """See `ingest.ports.Administration.create_app`."""
        name = name.strip()
        if not 0 < len(name) <= 100 or "\0" in name:
            raise ValueError("an app's name has 1 to 100 characters; choose another")
        async with reachable(), self._pool.acquire() as connection, connection.transaction():
            app_id = await connection.fetchval(
                "INSERT INTO app (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING app_id", name
            )
            if app_id is not None:
                await write(connection, Change(app_id, actor, "app.create", str(app_id), None, {"name": name}))
                client = await _issue(connection, app_id, "client", actor, origins=origins)
                token = await _issue(connection, app_id, role, actor)
        if app_id is None:
            raise ValueError("an app of this name exists; choose another name, or use that app's key")
        return NewApp(app_id, client.key, token.key)

    async def issue_key(
        self, app_id: int, role: str, *, label: str = "", origins: Sequence[str] = (), actor: Actor = COMMAND_LINE
    ) -> NewKey:
        """See `ingest.ports.Administration.issue_key`."""
        if role not in APP_ROLES:
            raise ValueError(f"an app's keys have the role {', '.join(APP_ROLES)}; choose one of these")
        async with reachable(), self._pool.acquire() as connection, connection.transaction():
            # Whoever makes a key of this app waits here, so that the bound holds.
            known = await connection.fetchval("SELECT true FROM app WHERE app_id = $1 FOR UPDATE", app_id)
            held = await connection.fetchval(
                "SELECT count(*) FROM app_key WHERE app_id = $1 AND revoked_at IS NULL", app_id
            )
            if known and held < MOST_KEYS:
                return await _issue(connection, app_id, role, actor, label=label, origins=origins)
        if not known:
            raise LookupError("there is no app of this id; `firsthop app` lists those there are")
        raise ValueError(f"an app has at most {MOST_KEYS} keys; revoke one that nobody uses")

    async def create_key(self, app_id: int, role: str) -> str:
        """Another key of an app, by the command line. Raises as `issue_key`."""
        return (await self.issue_key(app_id, role)).key

    async def create_operator_token(self) -> str:
        """A token that reads every app; shown this once."""
        return await self._token_of_every_app("operator")

    async def create_admin_token(self) -> str:
        """A token that reads and changes every app, and makes new ones; shown this once."""
        return await self._token_of_every_app("admin")

    async def _token_of_every_app(self, role: str) -> str:
        async with self._pool.acquire() as connection, connection.transaction():
            return (await _issue(connection, 0, role, COMMAND_LINE)).key


async def _issue(
    connection: Any, app_id: int, role: str, actor: Actor, *, label: str = "", origins: Sequence[str] = ()
) -> NewKey:
    key = PREFIXES[role] + secrets.token_urlsafe(RANDOM_BYTES)
    key_id = await connection.fetchval(
        "INSERT INTO app_key (app_id, digest, role, shown, origins, label) VALUES ($1, $2, $3, $4, $5, $6)"
        " RETURNING key_id",
        app_id,
        digest(key),
        role,
        key if role == "client" else None,
        list(origins),
        label,
    )
    made = {"role": role, "label": label, "origins": list(origins)}
    await write(connection, Change(app_id, actor, "key.create", key_id, None, made))
    return NewKey(key_id, key)
