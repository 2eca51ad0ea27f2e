"""Login by a reverse proxy that has told who the user is: a header, believed from the proxy alone.

Whoever reaches the port past the proxy could write any name into the header, so it counts only from peers of the
networks that are set; from anybody else it is ignored. The proxy must replace what users send under that name: a header
that comes twice is refused, because one of the two may be the user's own.

A browser sends what the proxy knows the user by (a cookie) with every request, also with one that another site's page
makes it send. So whatever changes something must carry the header `X-Firsthop`, which such a page cannot set: browsers
ask before they send it across sites, and this server never agrees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import NamedTuple

from multidict import CIMultiDictProxy

from ingest.errors import Forbidden, Unauthenticated
from ingest.settings import Settings

MARK = "X-Firsthop"
LONGEST_NAME = 200
_SAFE = ("GET", "HEAD", "OPTIONS")
EVERYBODY = "*"


class Role(NamedTuple):
    """What a user or a group may do."""

    role: str
    app: str
    """Name or id; "" with a role of every app."""


class User(NamedTuple):
    """Whom the proxy let in."""

    name: str
    roles: Sequence[Role]
    """Empty when no setting names them."""


@dataclass(frozen=True, slots=True)
class ProxyLogin:
    """Whose word is taken, and what those whom they name may do."""

    networks: Sequence[str]
    user_header: str
    groups_header: str
    """"": the proxy tells no groups."""
    roles: Mapping[str, Sequence[Role]]
    """By user, `group:<name>`, or `*` for everybody whom the proxy lets in."""

    @classmethod
    def of(cls, settings: Settings) -> "ProxyLogin | None":
        """As configured; None when no header is."""
        if not settings["FIRSTHOP_PROXY_USER_HEADER"]:
            return None
        roles: dict[str, list[Role]] = {}
        for who, role, app in settings["FIRSTHOP_PROXY_ROLES"]:
            roles.setdefault(who, []).append(Role(role, app))
        return cls(
            settings["FIRSTHOP_PROXY_NETWORKS"],
            settings["FIRSTHOP_PROXY_USER_HEADER"],
            settings["FIRSTHOP_PROXY_GROUPS_HEADER"],
            roles,
        )

    def user(self, headers: "CIMultiDictProxy[str]", peer: str) -> User | None:
        """Whom the headers name; None when the peer is not believed, or names nobody.

        Raises:
            Unauthenticated: a believed peer sent a header twice, or a name that cannot be one.
        """
        if not self._believes(peer):
            return None
        name, groups = self._one(headers, self.user_header), self._one(headers, self.groups_header)
        if not name:
            return None
        if len(name) > LONGEST_NAME or not name.isprintable():
            raise Unauthenticated("proxy_header", f"The proxy's name for the user has over {LONGEST_NAME} characters.")
        held = [name, *(f"group:{group.strip()}" for group in groups.split(",")), EVERYBODY]
        return User(name, [role for who in dict.fromkeys(held) for role in self.roles.get(who, ())])

    def check_sender(self, headers: "CIMultiDictProxy[str]", method: str) -> None:
        """Returns when no other site's page can have made the browser send this.

        Raises:
            Forbidden: it could.
        """
        if method in _SAFE:
            return
        if MARK not in headers or headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise Forbidden("cross_site", f"Changes under the proxy's login need the header {MARK}: 1.")

    def _believes(self, peer: str) -> bool:
        try:
            address = ip_address(peer)
        except ValueError:
            return False
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return any(address in ip_network(network) for network in self.networks)

    def _one(self, headers: "CIMultiDictProxy[str]", name: str) -> str:
        given = headers.getall(name, []) if name else []
        if len(given) > 1:
            raise Unauthenticated("proxy_header", "The proxy sent a header twice: it must replace what users send.")
        return given[0].strip() if given else ""
