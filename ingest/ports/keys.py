"""Apps, their keys and what those open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

READERS = ("token", "owner", "operator", "admin")
"""Roles that read figures: `token` and `owner` of their app, `operator` and `admin` of every app."""
CHANGERS = ("owner", "admin")
"""Those of them that change what an app is set to."""
EVERY_APP = ("operator", "admin")
"""Those whose grant is of no app but of all."""


@dataclass(frozen=True, slots=True)
class App:
    """An app, as its owner may see it."""

    app_id: int
    name: str
    client_key: str | None
    """The oldest client key. Client keys are public."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key opens."""

    app_id: int
    """0 with a role of `EVERY_APP`."""
    role: str
    """`client` (public, may send), `server` (a backend, may send), `token` (may read), `owner` (and change), `operator`
    (reads all apps), `admin` (and changes them), `privacy` (may erase)."""
    origins: tuple[str, ...] = ()
    """Web origins that may use a client key; empty: any."""
    key_id: str = ""
    """Names the key without showing it."""


class Keys(Protocol):
    """The keys of all apps."""

    async def grants(self) -> Mapping[bytes, Grant]:
        """BLAKE2b-256 of the key → what it opens. Cheap enough to call every few seconds."""
