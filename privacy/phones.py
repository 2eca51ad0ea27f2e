"""Telephone numbers, as libphonenumber knows them."""

import re
from functools import lru_cache

import phonenumbers

_NOT_DIGITS = re.compile(r"[^0-9]+")


@lru_cache(maxsize=2048)
def is_international(number: str) -> bool:
    """Whether digits behind `+` or `00` begin with a country's code and are as many as numbers there have.

    Invented numbers count (films, examples), so ranges are not asked for.
    """
    digits = _NOT_DIGITS.sub("", number)
    digits = digits if number.startswith("+") else digits.removeprefix("00")
    try:
        parsed = phonenumbers.parse("+" + digits, None)
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number_with_reason(parsed) == phonenumbers.ValidationResult.IS_POSSIBLE


@lru_cache(maxsize=2048)
def is_north_american(number: str) -> bool:
    """Whether ten digits, behind a 1 or not, are of the North American plan: area and exchange begin with 2 to 9."""
    digits = _NOT_DIGITS.sub("", number).removeprefix("1")
    return len(digits) == 10 and digits[0] in "23456789" and digits[3] in "23456789" and digits[1:3] != "11"


@lru_cache(maxsize=2048)
def is_french(number: str) -> bool:
    """Whether five pairs of digits are a number as the French write theirs."""
    return phonenumbers.is_possible_number(phonenumbers.parse(number, "FR"))


_TRUNK = ("GB", "DE", "FR", "NL", "IT", "BE", "AT", "CH", "SE", "IE", "AU", "NZ", "ZA", "IN", "TR", "JP", "BR")
"""States whose numbers are dialled with a 0 in front."""
_NO_TRUNK = ("ES", "IT", "PT", "PL", "US", "NO", "DK", "CZ", "GR", "MX")
"""States whose numbers are dialled as they are."""


@lru_cache(maxsize=2048)
def is_subscriber(number: str) -> bool:
    """Whether digits without a country's code are a number somebody has, in a state that dials them so.

    Of nine digits, one state or another takes most: ask only beside a word of telephony.
    """
    digits = _NOT_DIGITS.sub("", number)
    if not 8 <= len(digits) <= 12 or digits.startswith("00"):
        return False
    regions = _TRUNK if digits[0] == "0" else _NO_TRUNK
    return any(phonenumbers.is_valid_number(phonenumbers.parse(digits, region)) for region in regions)
