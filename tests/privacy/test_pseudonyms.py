"""Pseudonyms are stable under their key and say nothing without it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import pseudonym

KEY = b"0123456789abcdef"


@given(st.text(min_size=1))
def test_a_pseudonym_is_twenty_hex_digits_and_depends_on_the_key(text: str) -> None:
    name = pseudonym(KEY, text)
    assert len(name) == 20
    assert set(name) <= set("0123456789abcdef")
    assert name == pseudonym(KEY, text)
    assert name != pseudonym(KEY + b"!", text)


def test_nothing_stays_nothing() -> None:
    assert pseudonym(KEY, "") == ""


def test_a_lone_surrogate_has_a_pseudonym_too() -> None:
    assert pseudonym(KEY, "\ud800")


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(ValueError, match="empty"):
        pseudonym(b"", "jane")
