"""Which spans are stored whole: W3C thresholds, strata, whole sessions, and what is asked of the rates."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.model import I32, I64, UNKNOWN, Kind, Origin, Processed, Stratum
from ingest.outcome import Note
from ingest.pipeline.process import process
from ingest.pipeline.sample import FixedRates
from ingest.pipeline.thresholds import ALL, decode, encode, low_56_bits, threshold, thresholds, weight
from ingest.ports import Allotment, Demand
from ingest.settings import Sampling
from tests.batches import built_in, policy, reception, spans_of

TEXTS = {
    1.0: "0",
    0.999: "004189374bc6a8",
    0.99: "028f5c28f5c29",
    31 / 32: "08",
    15 / 16: "1",
    0.75: "4",
    0.5: "8",
    0.25: "c",
    0.1: "e6666666666666",
    0.05: "f3333333333333",
    0.01: "fd70a3d70a3d71",
    0.001: "ffbe76c8b43958",
    2**-56: "ffffffffffffff",
}
"""Probability → `th`, worked out by hand: 2^56 − p · 2^56 in 14 digits, zeros at the end left out."""
T = st.integers(0, ALL - 1)
R = st.integers(0, ALL - 1)


@pytest.mark.parametrize(("probability", "text"), list(TEXTS.items()))
def test_known_probabilities_have_their_text_also_those_near_one(probability: float, text: str):
    assert encode(threshold(probability)) == text
    assert decode(text) == threshold(probability)
    assert weight(np.array([threshold(probability)]))[0] == pytest.approx(1 / probability)


@given(T)
def test_a_threshold_survives_its_text(number: int):
    text = encode(number)
    assert decode(text) == number
    assert text == "0" or not text.endswith("0")
    assert 1 <= len(text) <= 14


@given(T, R)
def test_the_numbers_compare_as_the_texts_do(number: int, randomness: int):
    trace_id = f"{7:018x}{randomness:014x}"
    kept = low_56_bits(np.frombuffer(bytes.fromhex(trace_id), np.uint8).reshape(1, 16)) >= number
    assert kept.tolist() == [trace_id[18:] >= encode(number).ljust(14, "0")]


@given(st.floats(0, 1), st.floats(0, 1), R)
def test_what_is_kept_at_a_rate_is_kept_at_every_higher_one(one: float, other: float, randomness: int):
    low, high = sorted((one, other))
    assert (randomness >= threshold(low)) <= (randomness >= threshold(high))
    assert thresholds(np.array([low, high])).tolist() == [threshold(low), threshold(high)]


@pytest.mark.parametrize("text", ["", "C", "0x1", "g", "1 ", "0" * 15])
def test_what_is_no_threshold_is_refused(text: str):
    with pytest.raises(ValueError, match="hex digits"):
        decode(text)


@pytest.mark.parametrize("number", [-1, ALL])
def test_a_threshold_that_keeps_nothing_has_no_text(number: int):
    with pytest.raises(ValueError, match="2\\^56"):
        encode(number)


class Asked(FixedRates):
    """Rates by route, that remember what they were asked."""

    def __init__(self, rates: dict[str, float], required: float = 1.0, slow: dict[str, int] | None = None) -> None:
        super().__init__(Sampling())
        self.rates, self.required, self.slow = rates, required, slow or {}
        self.demands: list[Demand] = []
        self.kept: list[I64] = []

    def slow_us(self, app_ids: I32, routes: Sequence[str]) -> I64:
        return np.array([self.slow.get(route, 3_000_000) for route in routes])

    def allot(self, demand: Demand) -> Allotment:
        self.demands.append(demand)
        asked = [threshold(self.rates[route]) for route in demand.routes]
        return Allotment(np.array(asked), np.full(len(asked), threshold(self.required)))

    def stored(self, demand: Demand, spans: I64) -> None:
        self.kept.append(spans)


def run(spans: Sequence[dict[str, Any]], rates: FixedRates, **resource: Any) -> Processed:
    trusted = resource.pop("trusted", False)
    batch = spans_of(spans, **resource)
    return process(batch, [reception(trusted=trusted)], policy(), policy_of=built_in, country_of=str, rates=rates)


def requests(count: int, random: Random, **given: Any) -> list[dict[str, Any]]:
    return [{"trace_id": random.randbytes(16), "route": "/a"} | given for _ in range(count)]


def test_every_route_has_its_own_rate_and_each_span_its_weight_stratum_and_randomness():
    random = Random(1)
    spans = requests(2000, random) + requests(2000, random, route="/b")
    record = run(spans, Asked({"GET /a": 0.1, "GET /b": 0.5}))
    assigned = record.kept.assigned
    of_a = assigned.weight == 10.0
    assert 150 < of_a.sum() < 250
    assert 900 < (assigned.weight == 2.0).sum() < 1100
    assert set(assigned.stratum.tolist()) == {Stratum.RANDOM}
    assert (assigned.randomness == low_56_bits(record.kept.batch.spans.trace_id)).all()
    assert (assigned.randomness >= np.where(of_a, threshold(0.1), threshold(0.5))).all()


def test_the_rates_are_asked_about_each_kind_once_and_told_what_was_kept():
    random, rates = Random(2), Asked({"GET /a": 0.25, "GET /b": 1.0})
    rejected = requests(9, random, trace_id=bytes(16))
    record = run(requests(400, random) + requests(3, random, route="/b", status=2) + rejected, rates)
    (demand,) = rates.demands
    assert demand.app_id.tolist() == [1, 1]
    assert (sorted(demand.routes), demand.ordinary.sum(), demand.required.sum()) == (["GET /a", "GET /b"], 400, 3)
    assert rates.kept[0].sum() == len(record.kept.batch.spans)
    assert rates.kept[0][demand.routes.index("GET /b")] == 3


def test_the_demand_counts_what_a_client_left_out():
    rates = Asked({"GET /a": 1.0})
    left_out = {"threshold": threshold(0.01), "randomness": UNKNOWN, "trace_id": b"\xff" * 16, "route": "/a"}
    record = run([left_out] * 5, rates)
    assert (rates.demands[0].ordinary.tolist(), rates.demands[0].received.tolist()) == ([500], [5])
    assert record.kept.assigned.weight.tolist() == [pytest.approx(100.0)] * 5


def test_a_route_is_slow_from_its_own_duration_on():
    rates = Asked({"GET /a": 0.0, "GET /b": 0.0}, slow={"GET /a": 200_000})
    spans = [{"route": "/a", "duration_us": 200_000}, {"route": "/a", "duration_us": 199_999}]
    spans += [{"route": "/b", "duration_us": 200_000}, {"route": "/a", "duration_us": 200_000, "kind": Kind.INTERNAL}]
    record = run(spans, rates)
    assert record.kept.assigned.stratum.tolist() == [Stratum.SLOW]
    assert record.kept.batch.spans.duration_us.tolist() == [200_000]


def test_a_session_that_gives_all_its_spans_one_randomness_is_kept_or_left_as_a_whole():
    random = Random(3)
    rates = Asked({"": 0.2, "GET /a": 0.001, "GET /b": 1.0})
    sessions = [random.randrange(ALL) for _ in range(300)]
    spans = [
        {"trace_id": random.randbytes(16), "randomness": session, "route": random.choice(["/a", "/b"])}
        for session in sessions
        for _ in range(5)
    ]
    record = run(spans, rates)
    kept = record.kept.assigned.randomness.tolist()
    assert all(kept.count(session) == (5 if session >= threshold(0.2) else 0) for session in sessions)
    assert 30 < len(set(kept)) < 90
    assert set(record.kept.assigned.weight.tolist()) == {5.0}
    assert rates.demands[0].routes == [""]


def test_errors_of_such_a_session_are_kept_beyond_it():
    rates = Asked({"": 0.0, "GET /a": 0.0})
    record = run([{"randomness": 5, "route": "/a"}, {"randomness": 5, "route": "/a", "status": 2}], rates)
    assert record.kept.assigned.stratum.tolist() == [Stratum.ERROR]


def test_errors_that_have_to_be_sampled_weigh_what_they_stand_for_and_are_noted():
    random = Random(4)
    record = run(requests(1000, random, status=2), Asked({"GET /a": 0.0}, required=0.25))
    kept = len(record.kept.batch.spans)
    assert 200 < kept < 300
    assert set(record.kept.assigned.weight.tolist()) == {4.0}
    noted = dict(zip(record.notes.note.tolist(), record.notes.spans.tolist(), strict=True))
    assert noted[Note.STRATUM_THINNED] == 1000


def test_spans_that_had_no_chance_are_noted_because_no_kept_one_stands_for_them():
    random = Random(8)
    spans = [*requests(200, random), *requests(50, random, route="/b"), *requests(3, random, status=2, route="/b")]
    record = run(spans, Asked({"GET /a": 0.5, "GET /b": 0.0}))
    noted = dict(zip(record.notes.note.tolist(), record.notes.spans.tolist(), strict=True))
    assert noted[Note.UNSAMPLED] == 50
    backends = run(spans, Asked({"GET /a": 0.5, "GET /b": 0.0}), trusted=True)
    assert Note.UNSAMPLED not in backends.notes.note.tolist()


def test_what_a_backend_sent_is_asked_about_apart():
    rates = Asked({"GET /a": 1.0})
    run(requests(3, Random(5)), rates, trusted=True)
    assert rates.demands[0].origin.tolist() == [Origin.BACKEND]


def test_all_that_the_edge_keeps_a_backend_that_samples_more_keeps_too():
    random = Random(6)
    record = run(requests(3000, random), Asked({"GET /a": 0.05}))
    th = encode(threshold(0.06))
    for trace_id in record.kept.batch.spans.trace_id:
        assert trace_id.tobytes().hex()[18:] >= th.ljust(14, "0")
    assert len(record.kept.batch.spans) > 100


def test_no_route_of_a_span_is_taken_for_the_route_of_sessions():
    """A span without URL and template goes by its name, which it must have: "" stays free."""
    rates = Asked({"Checkout": 1.0})
    record = run([{"name": "Checkout", "method": "", "http_status": UNKNOWN, "kind": Kind.INTERNAL}], rates)
    assert rates.demands[0].routes == ["Checkout"]
    assert len(record.kept.batch.spans) == 1


def test_the_largest_app_id_and_every_class_survive_being_packed():
    rates = Asked({"GET /a": 1.0})
    batch = spans_of([{"route": "/a"}], memory_mb=2048, cores=4, os_name="Android")
    came = [replace(reception(app_id=2**31 - 1), trusted=True)]
    process(batch, came, policy(), policy_of=built_in, country_of=str, rates=rates)
    demand = rates.demands[0]
    assert (demand.app_id.tolist(), demand.origin.tolist()) == ([2**31 - 1], [Origin.BACKEND])
    assert demand.routes == ["GET /a"]
