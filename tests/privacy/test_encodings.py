"""What is encoded is decoded, looked into, and put back around the marks."""

import base64
import html
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import scrub
from privacy.encodings import DEEPEST, decode_base64

MAIL = "jane.doe@example.com"


def percent(text: str) -> str:
    return quote(text, safe="")


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def every_character(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        (f"/u/{percent(MAIL)}/x", "/u/{email}/x"),
        (f"/u/{percent(percent(percent(MAIL)))}/x", "/u/{email}/x"),
        (f"/u/{every_character(MAIL)}/x", "/u/{email}/x"),
        ("mail jane&#64;example.com, jane&#x40;example.com", "mail {email}, {email}"),
        ("mail jane\\u0040example.com, jane\\\\u0040example.com", "mail {email}, {email}"),
        ("mail jane%u0040example.com", "mail {email}"),
        (html.escape('{"password":"hunter 2"}'), '{"password":"{password}"}'),
        ("peer%20203.0.113.9%20gone", "peer%20{ip}%20gone"),
        ("/s?q=my+card+4111+1111+1111+1111", "/s?q=my+card+{card}"),
        ("data " + b64(f"email={MAIL}&src=app"), "data {email}"),
        ("data " + b64(b64(f'{{"email":"{MAIL}"}}')), "data {email}"),
        ("data " + b64('{"card":"4111111111111111","email":"a@b.example"}'), "data {value}"),
        ("data " + b64("203.0.113.155"), "data {ip}"),
        ("d=" + percent(b64(f"a={MAIL}")), "d={email}"),
        ("\uff14\uff11\uff11\uff11 1111\u00a01111 1111 \uff0c\u518d\u89c1", "{card} \uff0c\u518d\u89c1"),
        ("call +1\u2011415\u2011555\u20112671 now", "call {phone} now"),
        ("jane.needle\u200b@example.com", "{email}"),
    ],
)
def test_what_an_encoding_hides_is_found(text: str, scrubbed: str) -> None:
    assert scrub("message", "", text) == scrubbed


@pytest.mark.parametrize(
    "text",
    [
        "red%20dress%20%26%20shoes",
        "5%25 off",
        "a &amp; b &lt; c",
        "caf\\u00e9",
        b64('{"page":2,"sort":"price"}'),
        "https%3A%2F%2Fshop.example%2Fcart%3Fpage%3D2",
        "com.example.shop.CheckoutActivityViewModelFactory",
    ],
)
def test_what_holds_nothing_stays_encoded_as_it_was(text: str) -> None:
    assert scrub("message", "", text) is text


@given(st.integers(1, DEEPEST + 4), st.sampled_from(["url", "path", "message", "attribute"]))
def test_no_depth_of_percent_encoding_hides_an_address(depth: int, kind: str) -> None:
    text = MAIL
    for _ in range(depth):
        text = percent(text)
    scrubbed = scrub(kind, "", f"/u/{text}/x")
    assert "jane" not in scrubbed
    assert "{" in scrubbed


@given(st.text(min_size=9))
def test_text_in_base64_is_read_whatever_alphabet_and_padding(text: str) -> None:
    standard = base64.b64encode(text.encode())
    for run in (standard, base64.urlsafe_b64encode(text.encode()), standard.rstrip(b"=")):
        assert decode_base64(run) in {text, None}
        if text.isprintable() and not run.islower():
            assert decode_base64(run) == text
