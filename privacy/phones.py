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
    """Whether ten digits are a number of the North American plan: area and exchange begin with 2 to 9."""
    digits = _NOT_DIGITS.sub("", number)
    return len(digits) == 10 and digits[0] in "23456789" and digits[3] in "23456789" and digits[1:3] != "11"


@lru_cache(maxsize=2048)
def is_french(number: str) -> bool:
    """Whether five pairs of digits are a number as the French write theirs."""
    return phonenumbers.is_possible_number(phonenumbers.parse(number, "FR"))
