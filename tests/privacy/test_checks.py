"""The exact tests behind the patterns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import checks


@given(st.text("0123456789", min_size=1, max_size=18))
def test_exactly_one_last_digit_satisfies_luhn(digits: str) -> None:
    assert sum(checks.is_luhn(digits + last) for last in "0123456789") == 1


@pytest.mark.parametrize("digits", ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117"])
def test_test_numbers_of_the_issuers_are_cards(digits: str) -> None:
    assert checks.is_card(digits)
    assert not checks.is_card(digits[:-1] + str((int(digits[-1]) + 1) % 10))


def test_digits_of_no_issuer_are_no_card() -> None:
    numbers = [f"170000000000000{last}" for last in range(10)]
    assert any(map(checks.is_luhn, numbers))
    assert not any(map(checks.is_card, numbers))


@pytest.mark.parametrize("iban", ["DE89370400440532013000", "GB29NWBK60161331926819", "NO9386011117947"])
def test_example_accounts_of_the_registry_are_accounts(iban: str) -> None:
    assert checks.iban_length(iban + "REST") == len(iban)
    assert checks.iban_length(iban[:-1]) == 0
    assert checks.iban_length("XX" + iban[2:]) == 0


@given(st.ip_addresses(v=4).filter(lambda address: not address.is_loopback and int(address)))
def test_every_ipv4_address_is_one(address: object) -> None:
    assert checks.is_ipv4(str(address))


@pytest.mark.parametrize("text", ["127.0.0.1", "0.0.0.0", "1.2.3", "1.2.3.256", "2024.01.02.03", "1.02.3.4"])
def test_loopback_and_other_dotted_numbers_are_nobodys(text: str) -> None:
    assert not checks.is_ipv4(text)


@pytest.mark.parametrize("text", ["::1", "::", "::ffff:127.0.0.1", "12:30:45", "dead::beef", ":::"])
def test_loopback_times_and_names_are_no_ipv6_address(text: str) -> None:
    assert not checks.is_ipv6(text)


@pytest.mark.parametrize("text", ["2001:db8::1", "fe80::1", "1:2:3:4:5:6:7:8", "::ffff:203.0.113.9"])
def test_ipv6_addresses_are_addresses(text: str) -> None:
    assert checks.is_ipv6(text)
