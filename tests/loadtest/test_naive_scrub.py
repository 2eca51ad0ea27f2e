"""The yardstick of scrubbing does the same work: a yardstick that finds less would flatter nobody but itself."""

import pytest

import privacy
from loadtest import naive_scrub
from tests.privacy.corpus import DEVELOPMENT
from tests.privacy.score import load


@pytest.mark.parametrize(
    ("kind", "key", "text"),
    [
        ("message", "", "mail jane.roe@example.org or call +49 30 901820"),
        ("message", "", "paid with 4111 1111 1111 1111 from 203.0.113.7"),
        ("url", "", "https://api.shop.example/orders/7?email=jane@example.org&page=2"),
        ("attribute", "screen.name", "checkout"),
        ("header", "Authorization", "Bearer abcdefghijklmnop"),
        ("message", "", ""),
    ],
)
def test_it_gives_what_the_scrubber_gives_where_nothing_is_encoded(kind: str, key: str, text: str) -> None:
    assert naive_scrub.scrub(kind, key, text) == privacy.scrub(kind, key, text)


def test_it_gives_the_same_for_four_fifths_of_the_corpus() -> None:
    lines = load(DEVELOPMENT)
    texts = [(line.kind, line.key or "", line.text) for line in lines]
    scrubbed = privacy.scrub_many(*zip(*texts, strict=True))
    alike = [naive_scrub.scrub(*text) == new for text, new in zip(texts, scrubbed, strict=True)]
    assert sum(alike) >= 0.8 * len(lines)
