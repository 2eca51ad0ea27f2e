"""The reference client clock against what `vectors/clock/stories.json` says that a client says."""

from itertools import count
from typing import Any

import pytest

from client_sdk_spec.clock import DeviceClock
from client_sdk_spec.clock_stories import STORIES
from ingest.edge.receive import read_stamp
from tests.client_sdk_spec.vectors import as_json, load

FILE = load("clock/stories.json")["stories"]


def test_the_file_is_the_stories():
    assert as_json(STORIES) == FILE


def told(client: DeviceClock, step: dict[str, Any]) -> Any:
    if step["do"] == "sample":
        client.sample()
        return {"epoch": client.epoch}
    if step["do"] == "seal":
        client.sample()
        return client.sealed(step["epoch"])
    if step["do"] == "stamp":
        stamp = client.stamp(step["batch_epoch"], background=step["background"])
        assert read_stamp(stamp) is not None, "the server can read it"
        return stamp
    client.answered(step["sent_us"], step["mono_us"], step["received_us"], step["replied_us"])
    return None


@pytest.mark.parametrize("name", FILE)
def test_the_reference_says_of_its_clocks_what_the_story_says(name: str):
    story = FILE[name]
    shown = dict(story["begin"])
    names = (f"e{number}" for number in count())
    client = DeviceClock(
        lambda: shown["mono_us"], lambda: shown["wall_us"], counts_sleep=story["counts_sleep"], names=names
    )
    for number, step in enumerate(story["steps"]):
        shown.update(mono_us=step["mono_us"], wall_us=step["wall_us"])
        assert told(client, step) == step.get("expected"), f"step {number}: {story['meaning']}"
