"""Which country an address is in, by a country database in MaxMind's format. Addresses are not kept."""

from maxminddb import Reader, open_database
from maxminddb.const import MODE_AUTO
from maxminddb.errors import InvalidDatabaseError


class GeoError(ValueError):
    """The country database cannot be read; the message says what would do."""


class Geo:
    """Names countries.

    Args:
        path: a `.mmdb` file with `country.iso_code`; "" for none: every country is unknown then.

    Raises:
        GeoError: there is no such file, or it is none.
    """

    def __init__(self, path: str) -> None:
        self._database: Reader | None = None
        if path:
            try:
                self._database = open_database(path, MODE_AUTO)
            except (OSError, InvalidDatabaseError):
                raise GeoError("FIRSTHOP_GEOIP does not name a readable country database (.mmdb)") from None

    def country(self, address: str) -> str:
        """ISO 3166 code of the address's country, "" when unknown or not an address."""
        if self._database is None or not address:
            return ""
        try:
            found = self._database.get(address)
        except ValueError:  # no address, or IPv6 asked of a database of IPv4
            return ""
        country = found.get("country") if isinstance(found, dict) else None
        code = country.get("iso_code") if isinstance(country, dict) else None
        return code if isinstance(code, str) else ""
