"""IP addresses: read in every form that peers and proxies write them, and cut to the network they are in."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

PREFIX = {4: 24, 6: 48}
"""Bits that are left: what is beyond them names a line or a person."""
_LONGEST = 64
"""Characters: the longest address has 45, and a zone is short."""


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address, without a zone; IPv4 inside IPv6 (`::ffff:192.0.2.1`) as IPv4. None when it is none."""
    if len(text) > _LONGEST:
        return None
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def truncate(address: str) -> str:
    """The network the address is in: `192.0.2.0/24`, `2001:db8:1::/48`; "" when the text is no address.

    A 6to4 network (RFC 3056: `2002:c000:201::/48`) spells a whole IPv4 address, so it is cut as that.
    """
    found = read_address(address)
    if found is None:
        return ""
    found = getattr(found, "sixtofour", None) or found
    return str(ip_network((found, PREFIX[found.version]), strict=False))
