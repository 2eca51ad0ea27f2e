"""Sketches: 1 % relative error at any quantile, the same buckets as DDSketch, and merging that forgets nothing."""

import numpy as np
import pytest
from ddsketch import DDSketch
from hypothesis import given
from hypothesis import strategies as st

from ingest import sketch

QUANTILES = (0.0, 0.01, 0.5, 0.75, 0.95, 0.99, 0.999, 1.0)


def bins_of(values: np.ndarray) -> np.ndarray:
    buckets, counts = np.unique(sketch.bucket(values), return_counts=True)
    bins = np.empty(len(buckets), dtype=sketch.Bins)
    bins["bucket"], bins["count"] = buckets, counts
    return bins


def exact(values: np.ndarray, q: float) -> float:
    return float(np.sort(values)[int(np.floor(q * (len(values) - 1)))])


@pytest.mark.parametrize("shape", ["log-normal", "uniform", "two-humps"])
def test_percentiles_of_a_million_durations_are_within_one_percent_of_the_exact_ones(shape):
    rng = np.random.default_rng(7)
    values = {
        "log-normal": lambda: rng.lognormal(11.5, 1.4, 1_000_000),
        "uniform": lambda: rng.uniform(1, 5e6, 1_000_000),
        "two-humps": lambda: np.concatenate([rng.normal(8e4, 9e3, 700_000), rng.normal(2.4e6, 2e5, 300_000)]),
    }[shape]().astype(np.int64)
    found = sketch.quantiles(bins_of(values), QUANTILES)
    for q, estimate in zip(QUANTILES, found, strict=True):
        assert estimate == pytest.approx(exact(values, q), rel=sketch.ALPHA)


def test_quantiles_agree_with_the_ddsketch_package():
    values = np.random.default_rng(8).lognormal(11, 2, 20_000).astype(np.int64)
    theirs = DDSketch(relative_accuracy=sketch.ALPHA)
    for value in values.tolist():
        theirs.add(value)
    ours = sketch.quantiles(bins_of(values), QUANTILES)
    assert ours == pytest.approx([theirs.get_quantile_value(q) for q in QUANTILES], rel=1e-6)


def test_buckets_agree_with_the_ddsketch_package_one_by_one():
    mapping = DDSketch(relative_accuracy=sketch.ALPHA)._mapping
    values = np.unique(np.geomspace(1, 1 << 53, 5000).astype(np.int64))
    assert sketch.bucket(values).tolist() == [mapping.key(int(value)) for value in values]
    assert sketch.bucket(values).max() < sketch.BUCKET_LIMIT


def test_marks_and_zero_are_no_measurements_of_something_else():
    found = sketch.bucket(np.array([0, sketch.REUSED, sketch.UNKNOWN, 1]))
    assert found.tolist() == [sketch.ZERO, sketch.REUSED, sketch.UNKNOWN, 0]
    assert sketch.value(np.array([sketch.ZERO], dtype=np.int16)).tolist() == [0.0]


def test_an_empty_sketch_has_no_quantiles():
    assert np.isnan(sketch.quantiles(sketch.merge([]), [0.5])).all()


@given(st.lists(st.lists(st.integers(0, 1 << 40), max_size=30), max_size=6))
def test_merging_parts_in_any_order_equals_the_whole(parts):
    arrays = [np.array(part, dtype=np.int64) for part in parts]
    whole = bins_of(np.concatenate([np.zeros(0, dtype=np.int64), *arrays]))
    blobs = [bins_of(array).tobytes() for array in arrays]
    assert sketch.merge(blobs).tobytes() == sketch.merge(reversed(blobs)).tobytes() == whole.tobytes()


def test_a_bin_never_wraps_around_however_much_is_merged_into_it():
    half = np.array([(7, 1 << 31)], dtype=sketch.Bins).tobytes()
    assert sketch.merge([half]).tolist() == [(7, 1 << 31)]
    assert sketch.merge([half, half, half]).tolist() == [(7, sketch.MOST)]
