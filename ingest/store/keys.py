"""Apps and their keys.

| role | looks like | may | at rest |
|---|---|---|---|
| client | `fh_pub_…` | send; public, lives in apps and pages | readable, for snippets, and as digest |
| server | `fh_srv_…` | send as a backend service | digest |
| token | `fh_tok_…` | read its app | digest |
| operator | `fh_ops_…` | read every app | digest |
| privacy | `fh_prv_…` | erase a user's data of its app, and read the receipts | digest |

Erasing has a key of its own: a dashboard's token lives in browsers, and an operator's reads every app; neither should
be able to destroy anything.

Every key carries 144 random bits, so an unsalted digest cannot be guessed back.
"""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from ingest.ports import App, Grant

PREFIXES: Mapping[str, str] = {
    "client": "fh_pub_",
    "server": "fh_srv_",
    "token": "fh_tok_",
    "operator": "fh_ops_",
    "privacy": "fh_prv_",
}
RANDOM_BYTES = 18


def digest(key: str) -> bytes:
    """BLAKE2b-256 of a key: what is stored, and what `Keys.grants` is looked up by."""
    return hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=32).digest()


@dataclass(frozen=True, slots=True)
class NewApp:
    """An app just created. The token is shown this once."""

    app_id: int
    client_key: str
    token: str


class PostgresKeys:
    """Creates apps and keys, and tells what a key opens (`ingest.ports.Keys`)."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def grants(self) -> Mapping[bytes, Grant]:
        """BLAKE2b-256 of the key → what it opens."""
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

    async def create_app(self, name: str, *, origins: Sequence[str] = ()) -> NewApp:
        """An app with a client key, which only these web origins may use (none given: any), and a token.

        Raises:
            ValueError: the name is empty, longer than 100 characters or taken.
        """
        if not 0 < len(name.strip()) <= 100:
            raise ValueError("an app's name has 1 to 100 characters; choose another")
        async with self._pool.acquire() as connection, connection.transaction():
            try:
                app_id = await connection.fetchval("INSERT INTO app (name) VALUES ($1) RETURNING app_id", name.strip())
            except asyncpg.UniqueViolationError:
                raise ValueError("an app of this name exists; choose another name, or use that app's key") from None
            client_key = await _create(connection, app_id, "client", origins)
            token = await _create(connection, app_id, "token")
        return NewApp(app_id, client_key, token)

    async def create_key(self, app_id: int, role: str) -> str:
        """Another key of an app: `client`, `server`, `token` or `privacy`. All but client keys are shown this once.

        Raises:
            LookupError: there is no such app.
            ValueError: there is no such role of an app.
        """
        if role not in PREFIXES or role == "operator":
            raise ValueError("an app's keys have the role client, server, token or privacy; choose one of these")
        async with self._pool.acquire() as connection, connection.transaction():
            if not await connection.fetchval("SELECT true FROM app WHERE app_id = $1", app_id):
                raise LookupError("there is no app of this id; `firsthop app` lists those there are")
            return await _create(connection, app_id, role)

    async def create_operator_token(self) -> str:
        """A token that reads every app; shown this once."""
        async with self._pool.acquire() as connection:
            return await _create(connection, 0, "operator")


async def _create(connection: Any, app_id: int, role: str, origins: Sequence[str] = ()) -> str:
    key = PREFIXES[role] + secrets.token_urlsafe(RANDOM_BYTES)
    await connection.execute(
        "INSERT INTO app_key (app_id, digest, role, shown, origins) VALUES ($1, $2, $3, $4, $5)",
        app_id,
        digest(key),
        role,
        key if role == "client" else None,
        list(origins),
    )
    return key
