"""The synthetic country database: which test network stands for which country."""

from pathlib import Path

import netaddr
from mmdb_writer import MMDBWriter

from loadtest.world import COUNTRIES


def write_countries(path: Path) -> None:
    """Writes a country database in MaxMind's format for the networks of `loadtest.world`."""
    writer = MMDBWriter(ip_version=4, database_type="firsthop-synthetic-Country", languages=["en"])
    for country in COUNTRIES:
        if country.code:
            writer.insert_network(netaddr.IPSet([country.network]), {"country": {"iso_code": country.code}})
    writer.to_db_file(str(path))
