"""Who may read what: the bearer token, and the app that it opens."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from hashlib import blake2b

from ingest.errors import Forbidden, Unauthenticated
from ingest.ports import EVERY_APP, App, Grant, Keys, Reader
from ingest.query.parameters import BadParameter

FRESH_S = 5.0
"""How long keys and apps are remembered: a revoked token works no longer than this."""

_WRONG_ROLE = {
    "client": "This key may send, not read; use the app's token.",
    "server": "This key may send, not read; use the app's token.",
    "privacy": "Only a privacy key of the app erases, and it does nothing else; `firsthop app key` makes one.",
    "token": "This token reads; changes need the app's owner or an admin. `firsthop app key` makes such a key.",
    "operator": "This token reads; changes need the app's owner or an admin. `firsthop app key` makes such a key.",
    "owner": "This needs an admin's token.",
}


class Access:
    """The grants of all keys and the apps by name, read again every few seconds."""

    def __init__(self, reader: Reader, keys: Keys, clock: Callable[[], float]) -> None:
        self._reader = reader
        self._keys = keys
        self._clock = clock
        self._grants: Mapping[bytes, Grant] = {}
        self._apps: Sequence[App] = ()
        self._stale_at = float("-inf")
        self._refreshing = asyncio.Lock()

    async def grant(self, authorization: str | None, roles: Collection[str]) -> Grant:
        """What the token of an Authorization header opens.

        Raises:
            Unauthenticated: there is no token, or it is of no key.
            Forbidden: it is a key of another role than these.
        """
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("no_token", "Send a token in the header Authorization: Bearer <token>.")
        digest = blake2b(token.strip().encode("utf-8", "surrogatepass"), digest_size=32).digest()
        await self._refresh()
        # The time of a look-up tells something of digests at most, and nobody can choose a token by its digest.
        grant = self._grants.get(digest)
        if grant is None:
            raise Unauthenticated("unknown_token", "This token opens nothing; `firsthop app` makes one.")
        if grant.role not in roles:
            raise Forbidden("wrong_role", _WRONG_ROLE["privacy" if tuple(roles) == ("privacy",) else grant.role])
        return grant

    async def apps(self, grant: Grant) -> Sequence[App]:
        """The apps that the grant opens."""
        await self._refresh()
        return [app for app in self._apps if grant.role in EVERY_APP or app.app_id == grant.app_id]

    async def app_id(self, grant: Grant, asked: str | None) -> int:
        """The app that a request is about.

        Raises:
            BadParameter: an operator's request names no app, or one that does not exist.
            Forbidden: another app's data is asked for. Whether that app exists is not told.
        """
        if asked is None:
            if grant.role in EVERY_APP:
                raise BadParameter("app", "is needed with an operator's token: an id or name from /api/v1/apps.")
            return grant.app_id
        apps = await self.apps(grant)
        found = next((app for app in apps if str(app.app_id) == asked), None)
        found = found or next((app for app in apps if app.name == asked), None)
        if found is not None:
            return found.app_id
        if grant.role in EVERY_APP:
            raise BadParameter("app", "must be the id or the name of an app, as /api/v1/apps lists them.")
        raise Forbidden("other_app", "This token opens its own app alone.")

    async def _refresh(self) -> None:
        async with self._refreshing:
            if self._clock() >= self._stale_at:
                self._apps = await self._reader.apps()
                self._grants = await self._keys.grants()
                self._stale_at = self._clock() + FRESH_S
