"""Sketches: the messages of `vectors/sketches.json`, the server's bins of them, and what they give together."""

from typing import Any

import numpy as np
import pytest

from client_sdk_spec.sketch_vectors import sketch_cases
from client_sdk_spec.sketches import ddsketch
from ingest import sketch
from ingest.decode.ddsketch_wire import read_ddsketches
from tests.client_sdk_spec.vectors import as_json, load

FILE = load("sketches.json")
LONGEST_US = 86_400_000_000


def at_rest(message: str) -> Any:
    """The server's bins of a message."""
    found = read_ddsketches([bytes.fromhex(message)], LONGEST_US)
    return np.array(list(zip(found.bucket, found.count, strict=True)), dtype=sketch.Bins)


def test_the_file_is_the_cases():
    assert as_json(sketch_cases()) == FILE


@pytest.mark.parametrize("case", FILE["sketches"], ids=lambda case: case["meaning"])
def test_the_server_makes_of_a_message_the_bins_that_the_vector_says(case: dict[str, Any]):
    assert ddsketch(case["values"], case["accuracy"]).hex() == case["message"]
    assert sketch.merge([at_rest(case["message"]).tobytes()]).tolist() == [tuple(pair) for pair in case["bins"]]


@pytest.mark.parametrize("case", FILE["merges"], ids=lambda case: str(case["sketches"]))
def test_sketches_add_up_to_what_the_vector_says(case: dict[str, Any]):
    merged = sketch.merge([at_rest(FILE["sketches"][part]["message"]).tobytes() for part in case["sketches"]])
    assert merged.tolist() == [tuple(pair) for pair in case["bins"]]
    found = sketch.quantiles(merged, [quantile["share"] for quantile in case["quantiles"]])
    for value, quantile in zip(found, case["quantiles"], strict=True):
        assert quantile["least"] * (1 - 1e-9) <= value <= quantile["most"] * (1 + 1e-9)
