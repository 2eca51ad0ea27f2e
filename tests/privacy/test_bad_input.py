"""What no client should send: nothing raises, work is bounded, and what was not examined is not passed on."""

import base64
import json
from functools import reduce
from itertools import product
from urllib.parse import quote

import pytest

from privacy import scrub, scrub_batch, scrub_many
from privacy.marks import UNEXAMINED
from tests.privacy.corpus.hostile import HOSTILE
from tests.privacy.texts import KINDS

NEEDLE = "jane.needle@example.com"


@pytest.mark.parametrize("name", HOSTILE)
def test_a_text_over_the_limit_is_not_passed_on(name: str) -> None:
    text = HOSTILE[name].text(50_000) + NEEDLE
    scrubbed = scrub_batch(KINDS, [""] * len(KINDS), [text] * len(KINDS))
    assert scrubbed.texts == [UNEXAMINED] * len(KINDS)
    assert scrubbed.hits["unexamined"] == len(KINDS)


@pytest.mark.parametrize("name", HOSTILE)
def test_within_the_limit_it_is_examined_or_counted(name: str) -> None:
    text = f"{NEEDLE} {HOSTILE[name].text(15_000)} {NEEDLE}"
    keys = ["app.note"] * len(KINDS)
    scrubbed = scrub_batch(KINDS, keys, [text] * len(KINDS))
    assert not any("needle" in output for output in scrubbed.texts)
    assert scrubbed.hits["unexamined"] == scrubbed.texts.count(UNEXAMINED)
    assert scrub_many(KINDS, keys, scrubbed.texts) == scrubbed.texts


def test_a_megabyte_is_not_passed_on_and_its_neighbours_are_not_touched() -> None:
    megabyte = "GET /checkout took 12 ms\n" * 42_000
    texts = ["CartScreen", megabyte, NEEDLE, megabyte + NEEDLE, "1.8.0"]
    scrubbed = scrub_batch(["message"] * 5, [""] * 5, texts)
    assert scrubbed.texts == ["CartScreen", UNEXAMINED, "{email}", UNEXAMINED, "1.8.0"]
    assert scrubbed.hits["unexamined"] == 2


def test_ten_thousand_attributes_are_each_examined() -> None:
    count = 10_000
    keys = [f"app.attribute_{number}" for number in range(count)]
    texts = [f"v{number}" if number % 100 else f"note {number}: {NEEDLE}" for number in range(count)]
    output = scrub_many(["attribute"] * count, keys, texts)
    assert [text for number, text in enumerate(output) if number % 100] == [
        text for number, text in enumerate(texts) if number % 100
    ]
    assert [output[number] for number in range(0, count, 100)] == [
        f"note {number}: {{email}}" for number in range(0, count, 100)
    ]


def test_names_of_any_length_and_content_are_read() -> None:
    names = [
        "",
        "a" * 100_000,
        "\ud800",
        "\0",
        "user.email" * 5_000,
        "é" * 9_000,
        "." * 20_000,
        "aB" * 20_000,
        "a b=c&d",
    ]
    output = scrub_many(["attribute"] * len(names), names, [NEEDLE] * len(names))
    assert all("needle" not in text for text in output)


@pytest.mark.parametrize("depth", range(1, 14))
def test_percent_encoding_is_undone_as_deep_as_it_goes_or_not_passed_on(depth: int) -> None:
    nested = reduce(lambda text, _: quote(text, safe=""), range(depth), f"https://a.example/?e={NEEDLE}&p=hunter2")
    for kind, text in product(("url", "message", "attribute"), (nested, f"https://b.example/?next={nested}")):
        output = scrub(kind, "", text)
        plain = reduce(lambda text, _: text.replace("%25", "%"), range(20), output)
        assert "needle" not in plain, (kind, depth, output)


@pytest.mark.parametrize("depth", range(1, 9))
def test_base64_in_base64_is_undone_or_not_passed_on(depth: int) -> None:
    nested = f'{{"email":"{NEEDLE}"}}'
    for _ in range(depth):
        nested = base64.b64encode(nested.encode()).decode()
    for kind, text in product(("url", "message", "attribute"), (nested, f"https://b.example/?data={quote(nested)}")):
        assert not leaks_through_base64(scrub(kind, "", text)), (kind, depth)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 5, 6])
def test_objects_in_strings_in_objects_are_opened_or_not_passed_on(depth: int) -> None:
    nested = f'{{"password":"hunter2needle","email":"{NEEDLE}"}}'
    for _ in range(depth):
        nested = json.dumps({"body": nested})
    assert "needle" not in scrub("message", "", nested)


@pytest.mark.parametrize("depth", [10, 100, 1_000, 2_500])
def test_deep_objects_are_examined_or_counted(depth: int) -> None:
    for opening, closing in (('{"a":', "}"), ("[", "]"), ('[{"a":', "}]"), ("{a=", "}"), ("a(b=", ")")):
        text = opening * depth + f'{{"password":"hunter2needle","e":"{NEEDLE}"}}' + closing * depth
        assert "needle" not in scrub("message", "", text), (opening, depth)


@pytest.mark.parametrize(
    "text",
    [
        b"caf\xe9 jane.needle@example.com".decode("utf-8", "surrogateescape"),
        b"caf\xe9 jane.needle@example.com".decode("utf-8", "replace"),
        "jane.needle@example.com".encode("utf-16-le").decode("latin-1"),
        "\ud83djane.needle@example.com\ude00",
        "\ufeffjane.needle@example.com\ufeff",
        "jane.needle\0@example.com",
        "jane.\x00needle@example.com",
        "\x1b[31mjane.needle@example.com\x1b[0m",
        "jane.needle@example.com\u2028\u2029\x85",
        "\u202ejane.needle@example.com\u202c",
        "e\u0301" * 50 + " jane.needle@example.com",
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_proper_text_is_examined_like_any_other(kind: str, text: str) -> None:
    output = scrub(kind, "", text)
    assert "needle" not in output.replace("\0", "")
    assert scrub(kind, "", output) == output


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_does_not_change_what_its_neighbours_become(name: str) -> None:
    texts = [
        "from jane@example.com",
        HOSTILE[name].text(15_000),
        "GET /checkout 200",
        "card 4111 1111 1111 1111 declined",
    ]
    alone = [scrub("message", "", text) for text in texts]
    assert scrub_many(["message"] * 4, [""] * 4, texts) == alone
    assert alone[0] == "from {email}"
    assert alone[2:] == ["GET /checkout 200", "card {card} declined"]


def leaks_through_base64(text: str) -> bool:
    """Whether the needle can be read after undoing base64 as often as it goes."""
    todo = [text]
    for _ in range(400):
        if not todo:
            return False
        now = todo.pop()
        if "needle" in now:
            return True
        for run in now.replace("%3D", "=").replace("=", " ").replace("?", " ").replace("/", " ").split():
            try:
                todo.append(base64.b64decode(run + "=" * (-len(run) % 4), validate=True).decode())
            except ValueError:
                continue
    return False
