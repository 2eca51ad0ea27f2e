"""The line of time against the vectors of a backend's bound (`vectors/clock/backend.json`)."""

import pytest

from client_sdk_spec.clock_backend import CASES
from tests.client_sdk_spec.vectors import as_json, load
from tests.query.test_timeline import timeline
from tests.query.trace_rows import START_US, Made, server

FILE = load("clock/backend.json")["cases"]
DRIFT_US = 100


def test_the_file_is_the_cases():
    assert as_json(CASES) == FILE


@pytest.mark.parametrize("name", FILE)
def test_a_client_span_is_placed_by_its_backend_as_the_vector_says(name: str):
    case = FILE[name]
    client, backend, expected = case["client"], case["backend"], case["expected"]
    line, ids = timeline(
        [
            Made(1, start=client["start_us"], us=client["duration_us"], err_ms=client["err_us"] // 1000, segment=9),
            server(2, 1, backend["start_us"], backend["duration_us"], err_ms=backend["err_us"] // 1000),
        ]
    )
    row = ids.index(1)
    assert bool(line.conflict[line.clock[row]]) == expected["conflict"], case["meaning"]
    assert abs(line.start_us[row] - START_US - expected["start_us"]) <= DRIFT_US
    assert abs(line.err_us[row] - expected["err_us"]) <= DRIFT_US
