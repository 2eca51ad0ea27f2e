"""Which country an address is in and who runs its network, by databases in MaxMind's format.

Addresses are not kept, not even in a cache: it would be a list of visitors, and a look-up takes a few microseconds.
"""

from typing import Any

from maxminddb import Reader, open_database
from maxminddb.const import MODE_AUTO
from maxminddb.errors import InvalidDatabaseError

PROVIDER_CHARS = 128
"""Of an organisation's name."""


class GeoError(ValueError):
    """A database cannot be read; the message says which setting names it."""


class Geo:
    """Names countries and providers.

    Args:
        countries: a `.mmdb` file with `country.iso_code`; "" for none: every country is unknown then.
        providers: a `.mmdb` file with `autonomous_system_organization`; "" for none.

    Raises:
        GeoError: there is no such file, or it is none.
    """

    def __init__(self, countries: str, providers: str = "") -> None:
        self._countries = _open("FIRSTHOP_GEOIP", countries, "country")
        self._providers = _open("FIRSTHOP_GEOIP_ASN", providers, "ASN")

    def country(self, address: str) -> str:
        """ISO 3166 code of the address's country, "" when unknown or not an address."""
        country = _find(self._countries, address).get("country")
        code = country.get("iso_code") if isinstance(country, dict) else None
        return code if isinstance(code, str) else ""

    def provider(self, address: str) -> str:
        """The organisation behind the address's autonomous system, "" when unknown or not an address."""
        name = _find(self._providers, address).get("autonomous_system_organization")
        return name[:PROVIDER_CHARS] if isinstance(name, str) else ""


def _open(setting: str, path: str, kind: str) -> Reader | None:
    if not path:
        return None
    try:
        return open_database(path, MODE_AUTO)
    except (OSError, InvalidDatabaseError):
        raise GeoError(f"{setting} does not name a readable {kind} database (.mmdb)") from None


def _find(database: Reader | None, address: str) -> dict[str, Any]:
    """What the database says of an address; nothing when it is none, or IPv6 asked of a database of IPv4."""
    if database is None or not address:
        return {}
    try:
        found = database.get(address)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
