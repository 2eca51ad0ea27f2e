"""Apdex from a sketch, which does not know how long the failed spans took."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import sketch
from ingest.ports import FailedSpans, Sketches, Suppressed
from ingest.query.apdex import apdex
from ingest.query.distribution import Bins, Distribution
from tests.query.world import to_sketch

TARGET_MS = 500

# Whole thousandths of the target beyond the width of a bucket: no value shares one with a limit of a zone.
DURATIONS = (
    st.integers(1, 10_000).filter(lambda us: not 1000 < us <= 1021 and not 4000 < us <= 4082).map(lambda us: us * 500)
)
SPANS = st.lists(st.tuples(DURATIONS, st.booleans()), min_size=1, max_size=60)


def sketched(durations_us: list[int]) -> Distribution:
    return Distribution.of_bins(
        Bins.parse(Sketches.of([to_sketch(np.array(durations_us, np.int64))])), np.zeros(1, np.int64), 1
    )


def sampled(durations_us: list[int]) -> FailedSpans:
    count = len(durations_us)
    return FailedSpans(
        kinds=["5xx"],
        kind=np.zeros(count, np.int32),
        duration_us=np.array(durations_us, np.int64),
        weight=np.ones(count),
        cluster=np.arange(count),
        suppressed=Suppressed(),
    )


def by_hand(spans: list[tuple[int, bool]]) -> float:
    target_us = TARGET_MS * 1000
    points = [0.0 if failed or us > 4 * target_us else 1.0 if us <= target_us else 0.5 for us, failed in spans]
    return sum(points) / len(points)


@given(SPANS)
def test_with_every_failed_span_in_the_sample_the_score_is_that_of_the_specification(spans) -> None:
    failed = [us for us, wrong in spans if wrong]
    found = apdex(sketched([us for us, _ in spans]), len(failed), sampled(failed), TARGET_MS)
    assert found is not None
    assert found["score"] == pytest.approx(by_hand(spans), abs=1e-4)


@given(SPANS)
def test_the_range_holds_the_score_whatever_the_failed_ones_took(spans) -> None:
    failed = sum(wrong for _, wrong in spans)
    found = apdex(sketched([us for us, _ in spans]), failed, None, TARGET_MS)
    assert found is not None
    low, high = found["range"]
    assert low - 1e-4 <= by_hand(spans) <= high + 1e-4
    assert (found["score"] is None) == (failed > 0)


def test_a_duration_of_exactly_the_target_satisfies() -> None:
    for target_ms in (100, 200, 500, 1000, 2500, 3000):
        found = apdex(sketched([target_ms * 1000]), 0, None, target_ms)
        assert found is not None
        assert found["score"] == 1.0


def test_without_spans_there_is_no_score() -> None:
    assert apdex(sketched([]), 0, None, TARGET_MS) is None


def test_a_limit_reaches_to_the_end_of_its_bucket_and_no_further() -> None:
    value_us = 700_000
    beyond = int(value_us * sketch.GAMMA) + 2
    assert sketched([value_us, beyond]).up_to(value_us).tolist() == [1.0]
