"""Addresses in every form that peers and proxies write them, and what is left of them."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.addresses import PREFIX, read_address, truncate


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("2001:DB8:0001::7", "2001:db8:1::/48"),
        ("::1", "::/48"),
    ],
)
def test_an_address_is_cut_to_its_network(address: str, network: str):
    assert truncate(address) == network


@pytest.mark.parametrize("address", ["::ffff:192.0.2.77", "::ffff:c000:24d", "0:0:0:0:0:ffff:192.0.2.77"])
def test_ipv4_inside_ipv6_is_cut_as_ipv4(address: str):
    assert truncate(address) == "192.0.2.0/24"


def test_a_6to4_network_that_spells_an_ipv4_address_is_cut_as_that():
    assert truncate("2002:c000:24d::1") == "192.0.2.0/24"


@pytest.mark.parametrize("address", ["fe80::1%eth0", "fe80::1%25eth0", "fe80::1%"])
def test_a_zone_is_no_part_of_the_network(address: str):
    assert truncate(address) == "fe80::/48"


@pytest.mark.parametrize(
    "address",
    ["", "unknown", "192.0.2", "192.0.2.1:80", "[2001:db8::1]", "1.2.3.4.5", "192.0.2.1 ", "x" * 70, "\ud800"],
)
def test_what_is_no_address_has_no_network(address: str):
    assert truncate(address) == ""
    assert read_address(address) is None


def test_an_endless_zone_is_not_even_read():
    assert read_address("fe80::1%" + "z" * 1_000_000) is None


@given(st.ip_addresses())
def test_all_addresses_of_a_network_look_the_same(address):
    cut = truncate(str(address))
    network = ip_network(cut)
    assert network.prefixlen == PREFIX[network.version]
    assert truncate(str(network.network_address)) == truncate(str(network.broadcast_address)) == cut


@given(st.text(max_size=80))
def test_no_text_at_all_makes_it_fail(text: str):
    cut = truncate(text)
    assert cut == "" or ip_address(cut.partition("/")[0])
