"""Exact tests on what a pattern found: is it a card, a bank account, an address, or only shaped like one?

All take ASCII text without separators (unless said otherwise) and answer in time linear in its length.
"""

import ipaddress

_IBAN_LENGTHS = {
    country: int(length)
    for length, countries in {
        "15": "NO",
        "16": "BE",
        "18": "DK FI FK FO GL NL SD",
        "19": "MK SI",
        "20": "AT BA EE KZ LT LU MN XK",
        "21": "CH CR HR LI LV",
        "22": "BG BH DE GB GE IE ME RS VA",
        "23": "AE GI IL IQ OM SO TL",
        "24": "AD CZ ES MD PK RO SA SE SK TN VG",
        "25": "LY PT ST",
        "26": "IS TR",
        "27": "BI DJ FR GR IT MC MR SM",
        "28": "AL AZ BY CY DO GT HU LB NI PL SV",
        "29": "BR EG PS QA UA",
        "30": "JO KW MU",
        "31": "MT SC",
        "33": "RU",
    }.items()
    for country in countries.split()
}
"""Country → characters of its IBAN; SWIFT IBAN registry."""


def is_luhn(digits: str) -> bool:
    """Whether the last digit is the Luhn check digit of the others (ISO/IEC 7812-1)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = ord(digit) - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


_ISSUERS = (
    (4000, 4999, {13, 16, 19}),  # Visa
    (5100, 5599, {16}),  # Mastercard
    (2221, 2720, {16}),
    (3400, 3499, {15}),  # American Express
    (3700, 3799, {15}),
    (3000, 3099, {14, 16, 17, 18, 19}),  # Diners
    (3600, 3699, {14, 16, 17, 18, 19}),
    (3800, 3999, {14, 16, 17, 18, 19}),
    (3528, 3589, {16, 17, 18, 19}),  # JCB
    (6000, 6999, {14, 15, 16, 17, 18, 19}),  # Discover, UnionPay, Maestro, RuPay
    (5000, 5099, {12, 13, 14, 15, 16, 17, 18, 19}),  # Maestro
    (5600, 5899, {12, 13, 14, 15, 16, 17, 18, 19}),
)
"""First four digits from, to → lengths of the issuer's numbers."""


def is_card(digits: str) -> bool:
    """Whether digits are a payment card's number: a known issuer's range and length, and Luhn."""
    issuer = int(digits[:4])
    known = any(low <= issuer <= high and len(digits) in lengths for low, high, lengths in _ISSUERS)
    return known and is_luhn(digits)


_LETTER_VALUES = str.maketrans({letter: str(int(letter, 36)) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"})


def iban_length(text: str) -> int:
    """How many leading characters of an upper-case alphanumeric text are an IBAN (ISO 13616, mod 97); 0 for none."""
    length = _IBAN_LENGTHS.get(text[:2], 0)
    if not length or len(text) < length:
        return 0
    iban = text[:length]
    return length if int((iban[4:] + iban[:4]).translate(_LETTER_VALUES)) % 97 == 1 else 0


def is_ipv4(text: str) -> bool:
    """Whether dotted digits are somebody's address: four parts up to 255, not loopback, not `0.0.0.0`.

    Parts with a leading zero count only when all are padded to three digits; else they are a version's or a date's.
    """
    parts = text.split(".")
    if len(parts) != 4 or any(len(part) > 3 or int(part) > 255 for part in parts):
        return False
    padded = all(len(part) == 3 for part in parts)
    if not padded and any(len(part) > 1 and part[0] == "0" for part in parts):
        return False
    return int(parts[0]) != 127 and text != "0.0.0.0"  # noqa: S104  compared, not bound


def is_ipv6(text: str) -> bool:
    """Whether text is somebody's IPv6 address: not loopback, not `::`, not a C++ name such as `dead::beef`."""
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    if address.is_loopback or address.is_unspecified:
        return False
    mapped = address.ipv4_mapped
    if mapped is not None:
        return is_ipv4(str(mapped))
    return text.count(":") > 2 or any(c.isdigit() for c in text)


def is_ssn(area: int, group: int, serial: int) -> bool:
    """Whether a US Social Security number could have been issued under the scheme before or after 2011."""
    return area not in {0, 666} and group != 0 and serial != 0
