"""The reference of sampling: `vectors/sampling.json`, what holds of every rate, and the server's view of the same."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client_sdk_spec import sampling
from client_sdk_spec.sampling_cases import VECTORS
from ingest.pipeline import thresholds as server
from tests.client_sdk_spec.vectors import as_json, load

FILE = load("sampling.json")
RATES = st.floats(0, 1)
TH = st.text("0123456789abcdef", min_size=1, max_size=14)
RV = st.integers(0, (1 << 56) - 1).map(lambda number: f"{number:014x}")


def test_the_file_is_the_cases():
    assert as_json(VECTORS) == FILE


@pytest.mark.parametrize("case", FILE["thresholds"], ids=lambda case: case["probability"])
def test_a_share_is_written_as_the_vector_says(case: dict[str, Any]):
    found = sampling.threshold(case["probability"])
    assert sampling.written(found) == case["th"]
    if case["th"] is not None:
        assert sampling.weight(found) == pytest.approx(case["weight"], rel=1e-12)
        assert server.encode(server.threshold(case["probability"])) == case["th"]


@pytest.mark.parametrize("case", FILE["decisions"], ids=lambda case: case["meaning"])
def test_a_span_is_kept_as_the_vector_says(case: dict[str, Any]):
    threshold, randomness = sampling.read(case["th"]), sampling.randomness(case["trace_id"], case["rv"])
    assert (randomness >= threshold) == case["kept"]
    if case["kept"]:
        assert sampling.weight(threshold) == pytest.approx(case["weight"], rel=1e-12)
    ids = np.frombuffer(bytes.fromhex(case["trace_id"]), np.uint8).reshape(1, 16)
    assert server.low_56_bits(ids)[0] == sampling.randomness(case["trace_id"])
    assert server.decode(case["th"]) == threshold


@pytest.mark.parametrize(
    ("config", "case"),
    [
        (FILE[name], case)
        for name, cases in (("config", "spans"), ("config_silent", "spans_silent"))
        for case in FILE[cases]
    ],
    ids=lambda each: each.get("meaning", ""),
)
def test_a_client_sends_under_a_configuration_what_the_vector_says(config: dict[str, Any], case: dict[str, Any]):
    beside = {name: case[name] for name in ("rv", "reported") if name in case}
    found = sampling.decide(config, case["span"], case["route"], **beside)
    assert found._asdict() == case["expected"]


@pytest.mark.parametrize("rate", FILE["sessions"]["rates"], ids=lambda rate: rate["th"])
def test_a_session_is_kept_as_the_vector_says(rate: dict[str, Any]):
    kept = [rv for rv in FILE["sessions"]["rv"] if sampling.randomness("", rv) >= sampling.read(rate["th"])]
    assert kept == rate["kept"]


def config_of(th: str) -> dict[str, Any]:
    return FILE["config"] | {"sampling": {"th": th, "routes": {}, "always": ["error", "slow", "reported"]}}


@given(RV, st.lists(st.integers(0, (1 << 128) - 1), min_size=1, max_size=20), TH)
def test_all_ordinary_spans_of_a_session_share_one_decision(rv: str, traces: list[int], th: str):
    spans = [{"trace_id": f"{trace:032x}", "duration_us": 1_000} for trace in traces]
    assert len({sampling.decide(config_of(th), span, rv=rv).sent for span in spans}) == 1


@given(RV, TH, TH)
def test_a_raised_rate_keeps_the_sessions_that_were_kept(rv: str, one: str, other: str):
    lower, higher = sorted((one, other), key=sampling.read, reverse=True)
    span = {"trace_id": "0" * 32, "duration_us": 1_000}
    if sampling.decide(config_of(lower), span, rv=rv).sent:
        assert sampling.decide(config_of(higher), span, rv=rv).sent


@given(RATES)
def test_what_is_written_is_read_as_it_was(probability: float):
    th = sampling.written(sampling.threshold(probability))
    if th is None:
        assert probability < 2**-56
    else:
        assert sampling.read(th) == sampling.threshold(probability)
        assert len(th) == 1 or not th.endswith("0")


@given(RV, TH)
def test_digits_compare_as_the_numbers_do(rv: str, th: str):
    assert (rv >= th.ljust(14, "0")) == (sampling.randomness("", rv) >= sampling.read(th))
