"""Apps, their keys and what those open."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


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
    """0 with `operator`: every app."""
    role: str
    """`client` (public, may send), `server` (a backend, may send), `token` (may read), `operator` (reads all apps),
    `privacy` (may erase)."""
    origins: tuple[str, ...] = ()
    """Web origins that may use a client key; empty: any."""


class Keys(Protocol):
    """The keys of all apps."""

    async def grants(self) -> Mapping[bytes, Grant]:
        """BLAKE2b-256 of the key → what it opens. Cheap enough to call every few seconds."""
