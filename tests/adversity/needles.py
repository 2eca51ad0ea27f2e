"""Needles: made-up personal data of every class, each value once, and how a client would let it slip.

Values are put together at run time, so that no file looks as if it held a live key. Every value has eight characters
at least, none of which occurs by chance.
"""

import base64
import json
import random
import string
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import quote

LETTERS, DIGITS, DRAWN = string.ascii_lowercase, string.digits, string.ascii_letters + string.digits


class Needle(NamedTuple):
    """One value, where it was planted, and what would betray it."""

    kind: str
    value: str
    key: str
    """Name of an attribute, header or parameter that such a value has."""
    sentence: str
    """A text that holds it as clients write such things."""


class _Chance:
    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)

    def draw(self, alphabet: str, length: int) -> str:
        return "".join(self._rng.choices(alphabet, k=length))

    def word(self, length: int = 9) -> str:
        """A word that no text holds by chance: consonants and vowels in turn."""
        pairs = [self._rng.choice("bdfgklmnprstvz") + self._rng.choice("aeiou") for _ in range(length)]
        return "".join(pairs)[:length]

    def number(self, low: int, high: int) -> int:
        return self._rng.randint(low, high)


def _luhn(digits: str) -> str:
    total = sum(sum(divmod(int(d) * (2 if place % 2 == 0 else 1), 10)) for place, d in enumerate(reversed(digits)))
    return digits + str(-total % 10)


def _iban(chance: _Chance) -> str:
    account = chance.draw(DIGITS, 18)
    check = 98 - int(account + "131400") % 97  # D = 13, E = 14
    return f"DE{check:02d}{account}"


def _jwt(chance: _Chance) -> str:
    head, body = ({"alg": "HS256", "typ": "JWT"}, {"sub": chance.draw(DIGITS, 10), "name": chance.word()})
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (head, body)]
    return ".".join([*parts, chance.draw(DRAWN + "-_", 43)])


def _ipv4(chance: _Chance) -> str:
    return f"{chance.number(130, 190)}.{chance.number(100, 255)}.{chance.number(100, 255)}.{chance.number(100, 255)}"


def _ipv6(chance: _Chance) -> str:
    return "2a02:" + ":".join(f"{chance.number(0x1000, 0xFFFF):x}" for _ in range(7))


def _mac(chance: _Chance) -> str:
    return ":".join(["a2", *(f"{chance.number(16, 255):02x}" for _ in range(5))])


def _uuid(chance: _Chance) -> str:
    return "-".join(chance.draw("0123456789abcdef", size) for size in (8, 4, 4, 4, 12))


def _private_key(chance: _Chance) -> str:
    return "MIIE" + chance.draw(DRAWN, 60)


def _begin(kind: str) -> str:
    return f"-----{kind} RSA " + "PRIVATE KEY-----"


CLASSES: dict[str, tuple[Callable[[_Chance], str], str, str]] = {
    "email": (lambda c: f"{c.word()}.{c.word(5)}@{c.word(7)}.example", "user.email", "user {} not found"),
    "plus-email": (lambda c: f"{c.word()}+{c.word(4)}@{c.word(7)}.co.uk", "contact", "bounced: <{}>"),
    "phone": (lambda c: f"+4915{c.number(1, 2)}{c.draw('23456789', 8)}", "phone", "could not call {}"),
    "card": (lambda c: _luhn("453957" + c.draw(DIGITS, 9)), "card_number", "charge of {} declined"),
    "iban": (_iban, "iban", "mandate for {} missing"),
    "ssn": (lambda c: f"5{c.number(10, 89)}-{c.number(10, 99)}-{c.number(1000, 9999)}", "ssn", "SSN {} mismatch"),
    "ipv4": (_ipv4, "client.address", "peer {} gone"),
    "ipv6": (_ipv6, "source.address", "peer [{}]:443 gone"),
    "mac": (_mac, "bssid", "access point {} lost"),
    "imei": (lambda c: _luhn("35693803" + c.draw(DIGITS, 6)), "imei", "IMEI: {} blocked"),
    "idfa": (_uuid, "idfa", "idfa={} seen"),
    "coordinates": (
        lambda c: f"{c.number(30, 59)}.{c.draw('123456789', 7)}",
        "latitude",
        "moved to lat={} lon=13.404954",
    ),
    "jwt": (_jwt, "http.request.header.authorization", "token {} rejected"),
    "bearer": (lambda c: c.draw(DRAWN, 32) + "1aB", "authorization", "sent Authorization: Bearer {}"),
    "cookie": (lambda c: c.draw(DRAWN, 26) + "2cD", "cookie", "Cookie: sessionid={}; theme=dark"),
    "session": (lambda c: c.draw(DRAWN, 24) + "3eF", "session_id", "session_id={} expired"),
    "aws key": (
        lambda c: "AKIA" + c.draw(string.ascii_uppercase + "234567", 16),
        "aws.access_key_id",
        "signing with {}",
    ),
    "github token": (lambda c: "ghp_" + c.draw(DRAWN, 36), "token", "clone with {} failed"),
    "signature": (lambda c: c.draw("0123456789abcdef", 64), "X-Amz-Signature", "GET /o?X-Amz-Signature={} expired"),
    "oauth code": (lambda c: "4/0A" + c.draw(DRAWN, 40), "code_verifier", "exchange of code_verifier={} failed"),
    "password": (lambda c: f"{c.word()}!{c.draw(DIGITS, 4)}", "password", "login failed, password={}"),
    "name": (lambda c: f"{c.word().title()}", "first_name", '{{"firstName":"{}","tier":"gold"}}'),
    "street": (lambda c: f"{c.word().title()}gasse {c.number(1, 99)}", "street_address", '{{"street":"{}","n":1}}'),
    "user path": (lambda c: c.word(10), "code.filepath", 'File "/home/{}/app/worker.py", line 54'),
    "private key": (_private_key, "tls.client.key", _begin("BEGIN") + "\n{}\n" + _begin("END")),
}
"""Class → how to draw a value, the name it stands under, and a text in which it slips out."""


def make(seed: int, count: int) -> list[Needle]:
    """`count` needles, every class as often as any other; the same for the same seed."""
    chance = _Chance(seed)
    needles = []
    for number in range(count):
        kind, (draw, key, sentence) = list(CLASSES.items())[number % len(CLASSES)]
        value = draw(chance)
        needles.append(Needle(kind, value, "" if kind == "user path" else key, sentence.format(value)))
    assert len({needle.value for needle in needles}) == count
    return needles


def in_disguise(needle: Needle, number: int) -> str:
    """The sentence as it is, or encoded as clients do."""
    ways: list[Callable[[str], str]] = [
        str,
        lambda text: "https://shop.example/cb?next=" + quote(f"https://in.example/?q={quote(text, safe='')}", safe=""),
        lambda text: json.dumps({"message": text, "n": 1}),
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: quote(text, safe=""),
    ]
    return ways[number % len(ways)](needle.sentence)


def betrayals(needle: Needle) -> Iterator[bytes]:
    """Every form in which its bytes would give it away, in lower case."""
    raw = needle.value.encode()
    yield raw.lower()
    once = quote(needle.value, safe="")
    yield once.encode().lower()
    yield quote(once, safe="").encode().lower()
    yield raw.hex().encode()
    yield json.dumps(needle.value)[1:-1].encode().lower()
    for shift in range(3):
        # Inside base64 the same bytes look different by where they begin; the ends mix with their neighbours.
        encoded = base64.b64encode(b"\0" * shift + raw).rstrip(b"=")
        yield encoded[4 if shift else 0 : len(encoded) - 1].lower()
    digits = "".join(c for c in needle.value if c.isdigit())
    if len(digits) >= 12 and needle.kind in {"card", "imei"}:
        yield " ".join(digits[at : at + 4] for at in range(0, len(digits), 4)).encode()
