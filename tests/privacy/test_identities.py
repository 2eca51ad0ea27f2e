"""Numbers of states, of telephones and of keys are told by their check digits and forms."""

import pytest

from privacy import identities, phones, scrub


@pytest.mark.parametrize(
    "number",
    ["RSSMRA85T10A562S", "123.456.789-09", "756.9217.0769.85", "131052-308T", "900101-1234568", "11010519491231002X"],
)
def test_a_number_that_cannot_be_mistaken_needs_no_name(number: str) -> None:
    assert identities.is_unmistakable(number)
    assert scrub("message", "", f"checked {number} today") == "checked {national_id} today"
    broken = number[:-1] + ("A" if number[-1] != "A" else "B")
    assert not identities.is_unmistakable(broken)


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("SSN of the customer is 505-07-2002", "SSN of the customer is {national_id}"),
        ("NINO check failed: JG 10 37 59 A", "NINO check failed: {national_id}"),
        ("DNI no v\u00e1lido: 12345678Z", "DNI no v\u00e1lido: {national_id}"),
        ("BSN 765613141 not found", "BSN {national_id} not found"),
        ("Aadhaar 4974 8040 2501 invalid", "Aadhaar {national_id} invalid"),
        ("no. de sécurité sociale: 283047511792114", "no. de sécurité sociale: {national_id}"),
    ],
)  # fmt: skip
def test_a_number_behind_its_name_goes(text: str, scrubbed: str) -> None:
    assert scrub("message", "", text) == scrubbed


@pytest.mark.parametrize("text", ["sin(x) = 12345", "order 505-07-2002", "tin roof 2024", "passport photo 600x600"])
def test_a_number_of_a_thing_stays(text: str) -> None:
    assert scrub("message", "", text) is text


def test_international_numbers_have_the_length_of_their_country() -> None:
    assert phones.is_international("+49 171 3920093")
    assert phones.is_international("0049 171 3920093")
    assert not phones.is_international("+49 171")
    assert not phones.is_international("+999 171 3920093")


@pytest.mark.parametrize(
    "beginning",
    [
        "AKIA|IOSFODNN7EXAMPLE",
        "ghp_|abcdefghijklmnopqrstuvwxyz0123456789",
        "xoxb-|123456789012-abcdef",
        "AIza|SyA1234567890abcdefghij",
        "sk_live_|4eC39HqLyjWDarjtT1zdp7dc",
        "glpat-|x1y2z3a4b5c6d7e8f9g0",
        "npm_|a1b2c3d4e5f6g7h8i9j0k1l2",
        "hvs.|CAESIJ1234567890abcdef",
    ],
)
def test_keys_of_services_are_told_by_their_form(beginning: str) -> None:
    key = beginning.replace("|", "")
    assert scrub("message", "", f"put failed for {key}, retry") == "put failed for {token}, retry"


@pytest.mark.parametrize("text", ["pk_customer_identification_number", "key-value-store", "secret_manager_client_v2"])
def test_names_that_begin_like_keys_stay(text: str) -> None:
    assert scrub("message", "", text) is text
