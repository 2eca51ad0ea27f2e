"""The server and the reference client against the clock vectors of the client specification."""

import json
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from client_sdk_spec.clock import DeviceClock
from client_sdk_spec.clock_cases import CASES, EXCHANGES
from ingest.edge.receive import read_stamp
from ingest.model import NOT_MEASURED, UNKNOWN, ClockQuality
from ingest.outcome import Outcome
from tests.pipeline.clocks import Body, anchored

FOLDER = Path(__file__).parents[2] / "client_sdk_spec" / "vectors" / "clock"


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


def known(numbers: list[int]) -> list[int | None]:
    return [None if number in (UNKNOWN, NOT_MEASURED) else number for number in numbers]


@pytest.mark.parametrize("path", sorted(FOLDER.glob("case_*.json")), ids=lambda path: path.stem)
def test_the_server_makes_of_a_request_what_the_vector_says(path: Path):
    vector = load(path.name)
    spans = [(start, duration) for start, duration in vector["spans"]]
    found = anchored(Body(vector["clock"], spans, read_stamp(vector["stamp"]), vector["received_us"]))
    expected = vector["expected"]
    assert {ClockQuality(quality).name for quality in found.quality.tolist()} == {expected["quality"]}
    assert found.start_at_us.tolist() == [start + expected["offset_us"] for start, _ in spans]
    assert known(found.err_ms.tolist()) == expected["err_ms"]
    assert found.conflict.tolist() == [expected["conflict"]] * len(spans)
    assert {Outcome(fate).label for fate in found.fates.tolist()} == {expected["fate"]}
    for name, column in (("skew_ms", found.skew_ms), ("upload_delay_ms", found.upload_delay_ms)):
        if name in expected:
            assert known(column.tolist()) == [expected[name]] * len(spans)


def test_the_vectors_are_the_cases():
    assert CASES
    assert {path.stem.removeprefix("case_") for path in FOLDER.glob("case_*.json")} == set(CASES)
    assert all(load(f"case_{name}.json") == json.loads(json.dumps(case)) for name, case in CASES.items())
    assert load("exchanges.json")["exchanges"] == EXCHANGES


@pytest.mark.parametrize("exchange", EXCHANGES, ids=lambda exchange: exchange["meaning"])
def test_the_reference_client_makes_of_an_answer_what_the_vector_says(exchange: dict[str, Any]):
    names = (f"b{number}" for number in count(1))
    client = DeviceClock(lambda: exchange["t1"], lambda: 0, counts_sleep=True, names=names)
    client.answered(exchange["t1"], exchange["t4"], exchange["received_us"], exchange["replied_us"])
    anchor = client.anchors.get("b1")
    assert (None if anchor is None else anchor._asdict()) == exchange["anchor"]
