"""Who may do what: the bearer token or the proxy's user, and the apps that these open."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from multidict import CIMultiDictProxy

from ingest.errors import Forbidden, Unauthenticated, Unavailable
from ingest.ports import EVERY_APP, Actor, Administration, App, Grant, Reader
from ingest.query.parameters import BadParameter
from ingest.query.proxy_login import ProxyLogin, Role

FRESH_S = 5.0
"""How long keys and apps are remembered: a revoked token works no longer than this."""

_WRONG_ROLE = {
    "client": "This key may send, not read; use the app's token.",
    "server": "This key may send, not read; use the app's token.",
    "privacy": "Only a privacy key of the app erases, and it does nothing else; `firsthop app key` makes one.",
    "token": "This token reads; changes need the app's owner or an admin. `firsthop app key` makes such a key.",
    "operator": "This token reads; changes need the app's owner or an admin. `firsthop app token` makes such a key.",
    "owner": "This needs an admin's token.",
}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, and all that it opens to them."""

    name: str
    """Of the actor: `key:…` or `user:…`. Questions of one name take turns with those of others."""
    grants: tuple[Grant, ...]
    """Of a token one; of a user at the proxy any number, at least one."""

    @property
    def reads_every_app(self) -> bool:
        """Whether it is enough to be anybody's app."""
        return any(grant.role in EVERY_APP for grant in self.grants)

    def able(self, roles: Collection[str]) -> "Visitor":
        """The same with the grants of these roles alone.

        Raises:
            Forbidden: there are none.
        """
        able = tuple(grant for grant in self.grants if grant.role in roles)
        if not able:
            key = "privacy" if tuple(roles) == ("privacy",) else self.grants[0].role
            raise Forbidden("wrong_role", _WRONG_ROLE[key])
        return Visitor(self.name, able)

    def role_in(self, app_id: int) -> str:
        """By which they may ask about this app, the one that opens most; "" for none."""
        held = {grant.role for grant in self.grants if grant.app_id == app_id or grant.role in EVERY_APP}
        return next((role for role in ("admin", "owner", "operator", "token", "privacy") if role in held), "")

    def actor(self, app_id: int) -> Actor:
        """Whose a change of this app is; 0: of no app."""
        return Actor(self.name, self.role_in(app_id))


class Access:
    """The grants of all keys and the apps by name, read again every few seconds.

    Args:
        reader: tells the apps.
        keys: tell what opens them.
        clock: seconds of a clock that never steps.
        proxy: whose word is taken for who a user is; None: nobody's.
    """

    def __init__(
        self, reader: Reader, keys: Administration, clock: Callable[[], float], proxy: ProxyLogin | None
    ) -> None:
        self._reader = reader
        self._keys = keys
        self._clock = clock
        self._proxy = proxy
        self._grants: Mapping[bytes, Grant] = {}
        self._apps: Sequence[App] = ()
        self._stale_at = float("-inf")
        self._refreshing = asyncio.Lock()
        self._used: set[str] = set()

    async def visitor(self, headers: "CIMultiDictProxy[str]", peer: str, method: str) -> Visitor:
        """Who sends these headers, by a token or, from a peer that is believed, by the proxy's word.

        Raises:
            Unauthenticated: there is neither, or the token is of no key, or the user of no role.
            Forbidden: another site's page may have sent the request (`ProxyLogin.check_sender`).
        """
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        token = token.strip() if scheme.lower() == "bearer" else ""
        # A proxy may add a token of its own to what it passes on; ours all begin alike.
        if self._proxy is not None and not token.startswith("fh_"):
            user = self._proxy.user(headers, peer)
            if user is not None:
                self._proxy.check_sender(headers, method)
                await self._refresh()
                return self._known(user.name, user.roles)
        if not token:
            raise Unauthenticated("no_token", "Send a token in the header Authorization: Bearer <token>.")
        digest = blake2b(token.encode("utf-8", "surrogatepass"), digest_size=32).digest()
        await self._refresh()
        # The time of a look-up tells something of digests at most, and nobody can choose a token by its digest.
        grant = self._grants.get(digest)
        if grant is None:
            raise Unauthenticated("unknown_token", "This token opens nothing; `firsthop app` makes one.")
        self._used.add(grant.key_id)
        return Visitor(f"key:{grant.key_id}", (grant,))

    def _known(self, name: str, roles: Sequence[Role]) -> Visitor:
        ids = {app.name: app.app_id for app in self._apps} | {str(app.app_id): app.app_id for app in self._apps}
        grants = [
            Grant(0 if role.role in EVERY_APP else ids[role.app], role.role)
            for role in roles
            if role.role in EVERY_APP or role.app in ids
        ]
        if not grants:
            raise Unauthenticated("unknown_user", "This user opens nothing here; FIRSTHOP_PROXY_ROLES says who does.")
        return Visitor(f"user:{name}", tuple(grants))

    async def apps(self, visitor: Visitor) -> Sequence[App]:
        """The apps that are open to them."""
        await self._refresh()
        return [app for app in self._apps if visitor.role_in(app.app_id)]

    async def app_id(self, visitor: Visitor, asked: str | None) -> int:
        """The app that a request is about.

        Raises:
            BadParameter: the request names no app and more than one is open, or one that does not exist.
            Forbidden: another app's data is asked for. Whether that app exists is not told.
        """
        if asked is None:
            if visitor.reads_every_app or len({grant.app_id for grant in visitor.grants}) > 1:
                raise BadParameter("app", "is needed where several are open: an id or name from /api/v1/apps.")
            return visitor.grants[0].app_id
        apps = await self.apps(visitor)
        found = next((app for app in apps if str(app.app_id) == asked), None)
        found = found or next((app for app in apps if app.name == asked), None)
        if found is not None:
            return found.app_id
        if visitor.reads_every_app:
            raise BadParameter("app", "must be the id or the name of an app, as /api/v1/apps lists them.")
        raise Forbidden("other_app", "This token opens its own app alone, and for what its role may do.")

    def forget(self) -> None:
        """Something was changed: keys and apps are read again before the next answer."""
        self._stale_at = float("-inf")

    async def _refresh(self) -> None:
        async with self._refreshing:
            if self._clock() >= self._stale_at:
                self._apps = await self._reader.apps()
                self._grants = await self._keys.grants()
                self._stale_at = self._clock() + FRESH_S
                await self._note_used()

    async def _note_used(self) -> None:
        used, self._used = self._used, set()
        if used:
            try:
                await self._keys.used(used)
            except Unavailable:
                _log.warning("when keys were used last could not be noted")
