"""Who may send: from the key in a request to the app it opens.

Grants are cached and read again every few seconds, so a worker admits without a round trip and goes on while the
database is away. A key the cache does not know may have been made a moment ago: then the cache is read again before the
request is refused, at most once a second whoever asks; digests found unknown are remembered until the next reading.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping

from multidict import CIMultiDictProxy

from ingest.errors import Forbidden, Unauthenticated, Unavailable
from ingest.ports import Grant, Keys

log = logging.getLogger("ingest.edge")

_UNKNOWN_KEYS = 4096
SENDING_ROLES = ("client", "server")


class Gate:
    """The grants of all keys, kept fresh.

    Args:
        keys: where grants come from.
        every_s: seconds between two readings.
        again_s: least time between two readings for unknown keys.
    """

    def __init__(self, keys: Keys, every_s: float = 5.0, again_s: float = 1.0) -> None:
        self._keys, self._every_s, self._again_s = keys, every_s, again_s
        self._grants: Mapping[bytes, Grant] | None = None
        self._read_at = float("-inf")
        self._asking = asyncio.Lock()
        self._unknown: set[bytes] = set()
        self.reachable = True
        """The last reading succeeded."""

    @property
    def open(self) -> bool:
        """Grants have been read at least once."""
        return self._grants is not None

    async def refresh(self) -> None:
        """Reads the grants again; when that fails, the ones known so far stay."""
        self._read_at = asyncio.get_running_loop().time()
        try:
            self._grants = await self._keys.grants()
            self._unknown.clear()
            self.reachable = True
        except Exception as error:  # noqa: BLE001 - whatever keeps the keys away, those admitted stay admitted
            if self.reachable:
                log.warning("keys cannot be read: %s; those known stay valid", type(error).__name__)
            self.reachable = False

    async def keep_fresh(self) -> None:
        """Refreshes for ever; cancel to stop."""
        while True:
            await self.refresh()
            await asyncio.sleep(self._every_s if self.open else self._again_s)

    async def admit(self, key: str, origin: str) -> Grant:
        """What the key opens, if it may send from this web origin ("" from outside a browser).

        Raises:
            Unauthenticated: no key.
            Forbidden: an unknown key, one that may not send, or one that does not serve this origin.
            Unavailable: no grants could be read yet.
        """
        if not key:
            raise Unauthenticated(
                "no_key", "no key was sent: use the header x-api-key, Authorization: Bearer, or ?key= in the address"
            )
        digest = hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=32).digest()
        grant = self._grants.get(digest) if self._grants is not None else None
        if grant is None:
            grant = await self._look_again(digest)
        if grant.role not in SENDING_ROLES:
            raise Forbidden("role", "this key may not send: use the app's client or server key")
        if origin and grant.origins and origin not in grant.origins:
            raise Forbidden("origin", "the key does not serve this web origin: add it to the origins of the key")
        return grant

    async def _look_again(self, digest: bytes) -> Grant:
        if digest not in self._unknown:
            await self._read_after(asyncio.get_running_loop().time())
        if self._grants is None:
            raise Unavailable("starting", "keys could not be read yet: send the same request again later")
        grant = self._grants.get(digest)
        if grant is None:
            if len(self._unknown) < _UNKNOWN_KEYS:
                self._unknown.add(digest)
            raise Forbidden("unknown_key", "the key opens nothing here: `firsthop app list` shows the keys there are")
        return grant

    async def _read_after(self, asked_at: float) -> None:
        """Returns when the grants have been read at or after this time; however many ask, they share a reading."""
        async with self._asking:
            if self._read_at < asked_at:
                await asyncio.sleep(self._read_at + self._again_s - asked_at)
                await self.refresh()


def find_key(headers: "CIMultiDictProxy[str]", query: Mapping[str, str], in_path: str) -> str:
    """The key of a request: header x-api-key, else Authorization: Bearer, else ?key=, else the path; "" for none."""
    key = headers.get("X-Api-Key")
    if key:
        return key.strip()
    scheme, _, credentials = headers.get("Authorization", "").partition(" ")
    if credentials and scheme.lower() == "bearer":
        return credentials.strip()
    return query.get("key") or in_path
