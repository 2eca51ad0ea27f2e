"""Countries and providers of addresses, from databases in MaxMind's format."""

from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from ingest.geo import PROVIDER_CHARS, Geo, GeoError


@pytest.fixture
def providers(tmp_path: Path) -> str:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="GeoLite2-ASN")
    for network, name in (("192.0.2.0/24", "Example Telecom"), ("2001:db8::/32", "n" * 500), ("203.0.113.0/24", 7)):
        writer.insert_network(
            IPSet([network]), {"autonomous_system_number": 64496, "autonomous_system_organization": name}
        )
    path = tmp_path / "asn.mmdb"
    writer.to_db_file(str(path))
    return str(path)


def test_an_address_has_the_provider_of_its_network(providers: str):
    assert Geo("", providers).provider("192.0.2.7") == "Example Telecom"


def test_a_name_of_any_length_is_cut(providers: str):
    assert Geo("", providers).provider("2001:db8::1") == "n" * PROVIDER_CHARS


@pytest.mark.parametrize("address", ["198.51.100.1", "", "nothing", "192.0.2.7:80", "203.0.113.1"])
def test_nobody_knows_the_provider_of_what_is_no_address_or_not_in_the_database(providers: str, address: str):
    assert Geo("", providers).provider(address) == ""


def test_a_database_of_providers_knows_no_countries(providers: str):
    assert Geo(providers).country("192.0.2.7") == ""


def test_without_databases_everything_is_unknown():
    geo = Geo("")
    assert (geo.country("192.0.2.7"), geo.provider("192.0.2.7")) == ("", "")


def test_a_file_that_cannot_be_read_is_named_by_its_setting(tmp_path: Path):
    path = tmp_path / "x.mmdb"
    path.write_bytes(b"no database")
    with pytest.raises(GeoError, match=r"^FIRSTHOP_GEOIP does not name a readable country database"):
        Geo(str(path))
    with pytest.raises(GeoError, match=r"^FIRSTHOP_GEOIP_ASN does not name a readable ASN database"):
        Geo("", str(path))
