"""Invented identifiers and personal data: what careless clients put into URLs. Reserved names and test numbers only."""

import numpy as np

_GIVEN = ("ana", "joao", "priya", "lukas", "mia", "wei", "fatima", "tom", "lucia", "kenji", "amara", "ole")
_FAMILY = ("silva", "souza", "sharma", "weber", "jones", "chen", "diallo", "rossi", "garcia", "sato", "okafor", "berg")
_WORDS = ("shoes", "red%20dress", "usb-c", "tent", "coffee", "bike", "lamp", "sofa", "phone", "rucksack")
_IBANS = ("DE89370400440532013000", "GB29NWBK60161331926819", "FR1420041010050500013M02606", "ES9121000418450200051332")
_CARDS = ("4111111111111111", "5555555555554444", "378282246310005", "6011111111111117")


def fill(text: str, rng: np.random.Generator) -> str:
    """The text with every `{placeholder}` replaced by an invented value.

    Raises:
        KeyError: a placeholder nobody has values for.
    """
    head, *parts = text.split("{")
    filled = [head]
    for part in parts:
        name, _, rest = part.partition("}")
        filled.append(_VALUES[name](rng))
        filled.append(rest)
    return "".join(filled)


def email(rng: np.random.Generator) -> str:
    """An address under a reserved domain (RFC 2606)."""
    given, family = rng.integers(len(_GIVEN)), rng.integers(len(_FAMILY))
    return f"{_GIVEN[given]}.{_FAMILY[family]}{rng.integers(90) + 10}@example.com"


def _token(rng: np.random.Generator) -> str:
    return f"eyJhbGciOiJIUzI1NiJ9.{rng.bytes(12).hex()}.{rng.bytes(16).hex()}"


def _uuid(rng: np.random.Generator) -> str:
    text = rng.bytes(16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


_VALUES = {
    "id": lambda rng: str(rng.integers(10_000, 9_999_999)),
    "small": lambda rng: str(rng.integers(1, 40)),
    "hash": lambda rng: rng.bytes(10).hex(),
    "uuid": _uuid,
    "word": lambda rng: _WORDS[rng.integers(len(_WORDS))],
    "email": email,
    "phone": lambda rng: f"%2B1555{rng.integers(1_000_000, 9_999_999)}",
    "place": lambda rng: f"{rng.uniform(-60, 60):.5f},{rng.uniform(-170, 170):.5f}",
    "iban": lambda rng: _IBANS[rng.integers(len(_IBANS))],
    "card": lambda rng: _CARDS[rng.integers(len(_CARDS))],
    "token": _token,
}
