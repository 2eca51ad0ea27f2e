"""What an app's owner and an admin may change: apps, keys, origins."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from ingest.ports.audit import Actor, Audit
from ingest.ports.keys import Keys

APP_ROLES = ("client", "server", "token", "owner", "privacy")
"""Roles of an app's keys."""
MOST_KEYS = 1000
"""Of an app, those revoked apart."""
LABEL_CHARS = 100
MOST_ORIGINS = 100


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. All but client keys are shown this once."""

    key_id: str
    key: str


@dataclass(frozen=True, slots=True)
class NewApp:
    """An app just created. The token is shown this once."""

    app_id: int
    client_key: str
    token: str


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """A key as its app's readers may see it: never the key itself, unless it is public."""

    key_id: str
    role: str
    label: str
    shown: str | None
    """The key, of client keys alone."""
    origins: tuple[str, ...]
    created_at_us: int
    last_used_on: date | None
    """Of keys that read or change."""
    revoked_at_us: int | None


class Administration(Keys, Audit, Protocol):
    """Apps, their keys, and who changed them. Every change stands in the audit log, or was not made.

    Every method raises `ingest.errors.Unavailable` when the database cannot be reached.
    """

    async def keys(self, app_id: int) -> Sequence[KeyRecord]:
        """All of the app's, oldest first; those revoked too."""

    async def create_app(self, name: str, *, origins: Sequence[str] = (), role: str = "token", actor: Actor) -> NewApp:
        """An app with a client key, which only these web origins may use (none given: any), and a token of this role.

        Raises:
            ValueError: the name is empty, longer than 100 characters or taken.
        """

    async def issue_key(
        self, app_id: int, role: str, *, label: str = "", origins: Sequence[str] = (), actor: Actor
    ) -> NewKey:
        """Another key of an app, of one of `APP_ROLES`.

        Raises:
            LookupError: there is no such app.
            ValueError: the app has `MOST_KEYS`, or there is no such role of an app.
        """

    async def revoke_key(self, app_id: int, key_id: str, *, actor: Actor) -> bool:
        """Ends a key for good; False: the app has none of this id that is not revoked."""

    async def set_origins(self, app_id: int, key_id: str, origins: Sequence[str], *, actor: Actor) -> bool:
        """Which web origins may use a client key (none: any); False: the app has no such client key."""

    async def used(self, key_ids: Collection[str]) -> None:
        """Notes that these keys were used today."""
