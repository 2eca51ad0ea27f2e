"""Whatever stands around a secret and however it is wrapped: it is gone, and what is gone stays gone."""

import re
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from privacy import scrub, scrub_batch
from privacy.marks import MARKS
from tests.privacy.corpus import people
from tests.privacy.corpus.encodings import ENCODINGS
from tests.privacy.corpus.personal import PERSONAL
from tests.privacy.score import Label, Readable
from tests.privacy.texts import KINDS, PIECES, rows

# Values that are known by their form alone, and the encodings that every reader undoes.
BY_FORM = ("email", "phone:,E164", "card", "iban", "ipv4", "ipv6", "mac", "jwt", "apikey:github", "apikey:stripe")
BY_NAME = {
    "password": ("password", "weak"),
    "access_token": ("urltoken:40", "hextoken:32", "uuidtoken"),
    "client_secret": ("secret:36",),
    "sessionId": ("session:24", "hexsession"),
    "last_name": ("last",),
    "phoneNumber": ("phone:,digits", "phone:DE,NATIONAL"),
    "ssn": ("ssn", "ssn: "),
    "imei": ("imei",),
    "idfa": ("idfa",),
    "card_number": ("card", "card: "),
}
WRAPPINGS = ("", "pct", "pct2", "pct3", "pctlow", "b64", "b64url", "b64|pct")
LEFT = ("", " ", "\n", "(", '"', "user ", "failed: ", "→ ", "is ", "[", "für ", "<", "from=", "id=7 ")
RIGHT = ("", " ", "\n", ")", '"', ", next", " failed", "; retry", "]", "\t", " (422)", ">", "…", " für")

# Beside other figures a number is another number, and after "v" four of them are a version.
PLAIN = [piece for piece in PIECES if not any(map(str.isdigit, piece)) and piece not in {"v", "version "}]

seeds = st.integers(0, 2**32 - 1)
surroundings = st.lists(st.sampled_from(PLAIN), max_size=8).map("".join)


def value(name: str, seed: int) -> Label:
    """A value of the generator's, by the name that templates use."""
    rng = Random(seed)
    kind, _, argument = name.partition(":")
    return Label(PERSONAL[kind].type, PERSONAL[kind].make(rng, people.invent(rng), argument))


def wrapped(text: str, wrapping: str) -> str:
    """The text in all encodings of the wrapping, the first innermost."""
    for encoding in filter(None, wrapping.split("|")):
        text = ENCODINGS[encoding](text)
    return text


@settings(max_examples=400)
@given(st.sampled_from(BY_FORM), seeds, st.sampled_from(WRAPPINGS), st.sampled_from(LEFT), st.sampled_from(RIGHT))
def test_what_has_a_form_of_its_own_goes_wherever_it_stands(
    name: str, seed: int, wrapping: str, left: str, right: str
) -> None:
    secret = value(name, seed)
    text = left + wrapped(f"to {secret.value} now", wrapping) + right
    assert not Readable(scrub("message", "", text)).shows(secret), text


@settings(max_examples=400)
@given(st.sampled_from([(key, name) for key, names in BY_NAME.items() for name in names]), seeds, st.data())
def test_what_is_known_by_its_name_goes_in_every_notation(
    key_and_name: tuple[str, str], seed: int, data: st.DataObject
) -> None:
    key, name = key_and_name
    secret = value(name, seed)
    escaped = wrapped(secret.value, "pct")
    notations = {
        "attribute": [secret.value],
        "url": [f"https://shop.example/a?x=1&{key}={escaped}&y=2", f"/a#{key}={escaped}", f"app://b?{key}={escaped}"],
        "message": [
            f'failed {{"{key}":"{secret.value}","n":1}}',
            f'failed {{\\"{key}\\":\\"{secret.value}\\",\\"n\\":1}}',
            f"failed {{'{key}': '{secret.value}', 'n': 1}}",
            f'{key}="{secret.value}" status=422',
            wrapped(f'{{"{key}":"{secret.value}"}}', data.draw(st.sampled_from(WRAPPINGS))),
            f"https://shop.example/a?{key}={escaped} failed",
            f"n=1&{key}={escaped}&m=2",
        ],
    }
    kind = data.draw(st.sampled_from(sorted(notations)))
    text = data.draw(st.sampled_from(notations[kind]))
    output = scrub(kind, key if kind == "attribute" else "", text)
    assert not Readable(output).shows(secret), text


@settings(max_examples=300)
@given(st.sampled_from(BY_FORM), seeds, st.sampled_from(WRAPPINGS), st.sampled_from(KINDS), surroundings, surroundings)
def test_of_a_secret_no_more_can_be_read_than_before(
    name: str, seed: int, wrapping: str, kind: str, before: str, after: str
) -> None:
    secret = value(name, seed)
    text = f"{before} {wrapped(secret.value, wrapping)} {after}"
    output = scrub(kind, "", text)
    telling = max(6, 0.6 * len(secret.value))
    assert longest_piece(secret.value, output) <= max(longest_piece(secret.value, text), telling - 1)
    assert not Readable(output).shows(secret), text


@given(rows)
def test_marks_come_from_the_closed_set_or_stood_in_the_text(rows: list[tuple[str, str, str]]) -> None:
    kinds, keys, texts = zip(*rows, strict=True) if rows else ((), (), ())
    for text, output in zip(texts, scrub_batch(kinds, keys, texts).texts, strict=True):
        new = set(re.findall(r"\{[^{}]*\}", output)) - set(re.findall(r"\{[^{}]*\}", text))
        marks = {mark for mark in new if re.fullmatch(r"\{[a-z_]+\}", mark)}
        assert marks <= MARKS, (text, output)


@given(rows)
def test_every_find_names_a_text_that_changed(rows: list[tuple[str, str, str]]) -> None:
    kinds, keys, texts = zip(*rows, strict=True) if rows else ((), (), ())
    scrubbed = scrub_batch(kinds, keys, texts)
    changed = {row for row, (text, output) in enumerate(zip(texts, scrubbed.texts, strict=True)) if text != output}
    assert {row for row, _ in scrubbed.finds} <= changed


@given(st.text(max_size=200), st.sampled_from(KINDS), st.text(max_size=30))
def test_nothing_raises_and_nothing_but_text_comes_back(text: str, kind: str, key: str) -> None:
    assert isinstance(scrub(kind, key, text), str)


def longest_piece(secret: str, text: str) -> int:
    """Characters of the longest piece of the secret that stands in the text."""
    best = 0
    for start, _ in enumerate(secret):
        while start + best < len(secret) and secret[start : start + best + 1] in text:
            best += 1
    return best
