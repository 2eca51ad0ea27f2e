"""The configuration that the reference client holds: what it takes, what it ignores, when it asks again."""

import base64
import json
from typing import Any

import pytest

from client_sdk_spec.config import KEPT_US, SEND_ALL, Held
from client_sdk_spec.sampling_cases import CONFIG
from ingest.signing import Signer

SIGNER = Signer(b"s" * 32)
SECOND_US = 1_000_000


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now_us = 0

    def __call__(self) -> int:
        return self.now_us


def held(clock: Clock, chance: float = 0.5, public_key: str = "") -> Held:
    return Held(clock, lambda: chance, public_key)


def body_of(**changes: Any) -> bytes:
    return json.dumps(CONFIG | changes).encode()


def test_before_the_first_answer_everything_is_sent():
    assert held(Clock()).answer == SEND_ALL


@pytest.mark.parametrize(("chance", "after_s"), [(0.0, 300), (0.5, 315), (0.999, 329.97)])
def test_it_is_asked_for_again_after_its_time_and_up_to_a_tenth(chance: float, after_s: float):
    clock = Clock()
    config = held(clock, chance)
    assert config.ask_at_us == 0, "at once"
    clock.now_us = 7 * SECOND_US
    config.answered(200, body_of(), {"ETag": '"a"'})
    assert config.ask_at_us == int((7 + after_s) * SECOND_US)
    assert config.etag == '"a"'


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, body_of(v=2)),
        (200, b"<html>"),
        (200, b"[]"),
        (200, b'{"v":1}'),
        (200, body_of(sampling=None)),
        (200, body_of(ttl_s="soon")),
        (404, body_of(send=False)),
        (0, b""),
        (302, b""),
    ],
)
def test_an_answer_that_cannot_be_used_changes_nothing(status: int, body: bytes):
    clock = Clock()
    config = held(clock)
    config.answered(200, body_of(), {"ETag": '"a"'})
    before = config.answer
    clock.now_us = config.ask_at_us
    config.answered(status, body, {"ETag": '"b"'})
    assert (config.answer, config.etag) == (before, '"a"')
    assert config.ask_at_us > clock.now_us, "it is asked again later, not at once"


def test_fields_that_nobody_knows_are_ignored():
    config = held(Clock())
    config.answered(200, body_of(planet="earth", sampling=CONFIG["sampling"] | {"colour": "blue"}), {})
    assert config.answer["sampling"] == CONFIG["sampling"]


def test_what_nobody_confirms_for_a_day_holds_no_more():
    clock = Clock()
    config = held(clock)
    config.answered(200, body_of(), {})
    clock.now_us = KEPT_US
    assert config.answer["sampling"]["th"] == "8"
    config.answered(304, b"", {})
    clock.now_us = 2 * KEPT_US
    config.answered(503, b"", {})
    assert config.answer["sampling"]["th"] == "8", "304 confirmed it"
    clock.now_us += 1
    assert config.answer == SEND_ALL


def test_only_what_the_key_signed_is_taken_where_it_is_built_in():
    config = held(Clock(), public_key=SIGNER.public_key)
    body = body_of()
    good = SIGNER.sign(body)
    other = Signer(b"o" * 32).sign(body)
    for signature in ("", "ed25519=", "ed25519=!!", other, good[:-4] + "AAA="):
        config.answered(200, body, {"Firsthop-Signature": signature})
        assert config.answer == SEND_ALL, signature
    config.answered(200, body + b" ", {"Firsthop-Signature": good})
    assert config.answer == SEND_ALL
    config.answered(200, body, {"Firsthop-Signature": good})
    assert config.answer["sampling"]["th"] == "8"
    assert base64.b64decode(SIGNER.public_key)
