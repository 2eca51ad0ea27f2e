"""What names a device or says where it is."""

from random import Random
from uuid import UUID

from tests.privacy.corpus.people import Person, plain


def ipv4(rng: Random, kind: str) -> str:
    """An address that is not loopback: `private`, of a documentation range, or of any network."""
    if kind == "private":
        return rng.choice(
            (
                f"10.{rng.randint(0, 255)}.{rng.randint(0, 255)}.{rng.randint(2, 254)}",
                f"192.168.{rng.randint(0, 255)}.{rng.randint(2, 254)}",
                f"172.{rng.randint(16, 31)}.{rng.randint(0, 255)}.{rng.randint(2, 254)}",
            )
        )
    if rng.random() < 0.4:
        return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randint(2, 254)}"
    first = rng.choice((23, 46, 79, 81, 91, 109, 151, 178, 185, 212))
    return ".".join(str(octet) for octet in (first, *rng.choices(range(30, 251), k=3)))


def ipv6(rng: Random) -> str:
    """An address in full, shortened, link-local or mapped from IPv4."""
    groups = [f"{rng.randint(1, 0xFFFF):x}" for _ in range(4)]
    return rng.choice(
        (
            f"2001:db8:{groups[0]}:{groups[1]}::{groups[2]}",
            f"2a02:{groups[0]}:{groups[1]}:{groups[2]}:{rng.randint(0x1000, 0xFFFF):x}:{groups[3]}:9:ab3",
            f"fe80::{groups[0]}:{rng.randint(16, 255):x}ff:fe{rng.randint(16, 255):x}:{groups[2]}",
            f"2600:1700:{groups[0]}::{rng.randint(1, 99)}",
            f"::ffff:{ipv4(rng, '')}",
            f"fd{rng.randint(16, 255):x}:{groups[0]}::{groups[1]}",
        )
    )


def mac(rng: Random, separator: str) -> str:
    """A hardware address."""
    octets = [f"{octet:02x}" for octet in (0xA4, *rng.randbytes(5))]
    joined = (separator or ":").join(octets)
    return joined.upper() if rng.random() < 0.5 else joined


def uuid(rng: Random) -> str:
    """A version 4 UUID."""
    return str(UUID(bytes=rng.randbytes(16), version=4))


def coordinate(rng: Random, most: int) -> str:
    """A latitude (most 90) or longitude (most 180) that finds a house."""
    return f"{rng.uniform(-0.9, 0.9) * most:.{rng.choice((5, 6, 7))}f}"


def device_name(rng: Random, person: Person) -> str:
    """What the owner's name becomes on a new device."""
    first = plain(person.first).capitalize()
    return rng.choice((f"{first}'s iPhone", f"{first}s-MacBook-Pro.local", f"{first}’s iPad", f"iPhone von {first}"))


def serial(rng: Random) -> str:
    """A serial number."""
    return rng.choice("CDFR") + "".join(rng.choices("0123456789ABCDEFGHJKLMNPQRSTVWXYZ", k=10)) + rng.choice("4567")
