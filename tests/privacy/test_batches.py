"""A batch gives what its texts give alone, whatever they hold."""

import pytest
from hypothesis import given

from privacy import scrub, scrub_batch, scrub_many
from privacy.detect import GROUPS, PRECEDENCE, RULE_NAMES
from privacy.scrubber import MOST_MATCHES
from tests.privacy.texts import KINDS, glued, rows

Rows = list[tuple[str, str, str]]


@given(rows)
def test_a_batch_gives_what_its_texts_give_one_by_one(rows: Rows) -> None:
    kinds, keys, texts = zip(*rows, strict=True) if rows else ((), (), ())
    assert scrub_many(kinds, keys, texts) == [scrub(*row) for row in rows]


@given(rows)
def test_scrubbing_twice_changes_nothing(rows: Rows) -> None:
    kinds, keys, texts = zip(*rows, strict=True) if rows else ((), (), ())
    once = scrub_many(kinds, keys, texts)
    twice = scrub_batch(kinds, keys, once)
    assert twice.texts == once
    assert not twice.finds


@given(glued)
def test_no_rule_finds_anything_in_a_text_that_shows_no_sign(text: str) -> None:
    line = text.replace("\0", "").encode("utf-8", "surrogatepass")
    joined = b"\0" + line + b"\0"
    for group in GROUPS:
        if not group.gate.search(line):
            for rule in group.rules:
                finds = [rule.resolve(joined, *match.span()) for match in rule.pattern.finditer(joined)]
                assert not any(finds), rule.name


def test_every_rule_has_a_rank_and_a_name_that_metrics_know() -> None:
    used = {rule.name for group in GROUPS for rule in group.rules}
    assert used | {"encoded"} == set(PRECEDENCE)
    assert used < RULE_NAMES


def test_texts_without_personal_data_come_back_as_the_same_objects_in_their_order() -> None:
    texts = ["GET /checkout", "a@b.example", "CartScreen", "", "1.8.0", "c@d.example"]
    scrubbed = scrub_many(["message"] * 6, [""] * 6, texts)
    assert scrubbed == ["GET /checkout", "{email}", "CartScreen", "", "1.8.0", "{email}"]
    assert all(scrubbed[row] is texts[row] for row in (0, 2, 3, 4))


def test_every_find_is_told_with_its_row_and_rule() -> None:
    scrubbed = scrub_batch(
        ["message", "url", "attribute", "sql"],
        ["", "", "password", ""],
        ["a@b.example and c@d.example from 203.0.113.9", "/s?pwd=1x&a=b%40c.example", "hunter2", "SELECT 'x'"],
    )
    assert sorted(scrubbed.finds) == [
        (0, "email"), (0, "email"), (0, "ipv4"), (1, "email"), (1, "url"), (2, "key"), (3, "sql"),
    ]  # fmt: skip
    assert scrubbed.hits == {"email": 3, "ipv4": 1, "url": 1, "key": 1, "sql": 1}


def test_an_empty_batch_gives_an_empty_list() -> None:
    assert scrub_many([], [], []) == []


def test_sequences_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="differ in length"):
        scrub_many(["url"], [], ["/a"])


ADVERSARIES = (
    "a", "a@", "a.", "4-", "%25", "a:", "/users/", "eyJa.", "\"'", "QUJD", "&k=v", '{"a":', "Bearer ", "://", "/?a",
    "/home/", "a=", "token=", "user:", "password='", '" .', "'\\'", "$a$", "/*", "--", "1.2.3.4 ", "1:", "4 ", "((",
    "a%40b.co%2C", ";a", "Mozilla/5 (", "-----BEGIN PRIVATE KEY-----", "DE89370400440532013000 ", "ssn 1", "aB1/",
    "\ud800", "\0", "ü@é.",
)  # fmt: skip


@pytest.mark.parametrize("piece", ADVERSARIES)
def test_a_text_made_to_be_slow_is_scrubbed_like_any_other(piece: str) -> None:
    text = (piece * 16_384)[:16_384]
    scrubbed = scrub_many(KINDS, [""] * len(KINDS), [text] * len(KINDS))
    assert scrub_many(KINDS, [""] * len(KINDS), scrubbed) == scrubbed


def test_a_text_with_more_matches_than_can_be_judged_is_not_passed_on_and_its_neighbours_are() -> None:
    crowded = "10.1.2.3 " * (MOST_MATCHES + 1)
    lively = "10.1.2.3 " * 20
    texts = ["from jane@example.com", crowded, lively, "fine"]
    scrubbed = scrub_batch(["message"] * 4, [""] * 4, texts)
    assert scrubbed.texts == ["from {email}", "{unexamined}", "{ip} " * 20, "fine"]
    assert scrubbed.texts == [scrub("message", "", text) for text in texts]
    assert scrubbed.hits["unexamined"] == 1


def test_a_text_with_more_urls_than_can_be_taken_apart_is_not_passed_on() -> None:
    assert scrub("message", "", "https://a.example/?q=1 " * 200) == "{unexamined}"


@pytest.mark.parametrize(("kind", "key"), [("url", ""), ("message", ""), ("attribute", "url.query")])
def test_a_text_with_more_parameters_than_can_be_judged_is_not_passed_on(kind: str, key: str) -> None:
    few, many = ("&".join(f"k{n}=v" for n in range(count)) for count in (257, 258))
    start = "" if key else "https://a.example/?"
    assert scrub(kind, key, start + few) == start + few
    scrubbed = scrub_batch([kind], [key], [start + many])
    assert scrubbed.texts == ["{unexamined}"]
    assert scrubbed.hits == {"unexamined": 1}


def test_a_text_with_more_layers_of_encoding_than_can_be_taken_off_is_not_passed_on_and_its_neighbours_are() -> None:
    layered = "ZmlsbGVyIHRleHQgZm9yIGEgbGF5ZXI= " * 700
    texts = ["jane%40example.com", layered[:16_000], "fine"]
    assert scrub_many(["message"] * 3, [""] * 3, texts) == ["{email}", "{unexamined}", "fine"]
