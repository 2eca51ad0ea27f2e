"""Many distributions at once agree with one at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest import sketch
from ingest.ports import Sketches
from ingest.query.distribution import Bins, Distribution
from tests.query.world import to_sketch

PROBABILITIES = (0.0, 0.25, 0.5, 0.9, 0.99, 1.0)
VALUES = st.lists(st.integers(0, 2**50), max_size=30)
CELLS = st.lists(st.tuples(st.integers(0, 4), VALUES), max_size=12)


@given(CELLS)
def test_quantiles_of_many_sketches_are_those_of_each_merged_alone(cells: list[tuple[int, list[int]]]) -> None:
    sketches = [to_sketch(np.array(values, dtype=np.int64)) for _, values in cells]
    owner = np.array([owner for owner, _ in cells], dtype=np.int64)
    together = Distribution.of_bins(Bins.parse(Sketches.of(sketches)), owner, 5)
    for number in range(5):
        mine = [blob for blob, (of, _) in zip(sketches, cells, strict=True) if of == number and blob]
        alone = sketch.quantiles(sketch.merge(mine), PROBABILITIES)
        np.testing.assert_allclose(together.quantiles(PROBABILITIES)[:, number], alone)
        assert together.weights()[number] == sum(len(values) for of, values in cells if of == number)


@given(CELLS, st.floats(0, 1e9))
def test_the_excess_is_within_one_percent_of_what_was_above_the_target(
    cells: list[tuple[int, list[int]]], target: float
) -> None:
    sketches = [to_sketch(np.array(values, dtype=np.int64)) for _, values in cells]
    owner = np.array([owner for owner, _ in cells], dtype=np.int64)
    excess = Distribution.of_bins(Bins.parse(Sketches.of(sketches)), owner, 5).excess_us(target)
    for number in range(5):
        values = np.array([v for of, some in cells if of == number for v in some], dtype=np.float64)
        assert abs(excess[number] - np.maximum(values - target, 0).sum()) <= 0.0101 * values.sum() + 1e-6


@given(CELLS)
def test_unit_weights_give_the_exact_rank(cells: list[tuple[int, list[int]]]) -> None:
    values = np.array([v for _, some in cells for v in some], dtype=np.int64)
    owner = np.array([of for of, some in cells for _ in some], dtype=np.int64)
    found = Distribution.of_samples(values, np.ones(len(values)), owner, 5)
    for number in range(5):
        mine = np.sort(values[owner == number])
        for row, q in enumerate(PROBABILITIES):
            got = found.quantiles(PROBABILITIES)[row, number]
            assert np.isnan(got) if not len(mine) else got == mine[int(q * (len(mine) - 1))]


@given(st.lists(st.tuples(st.integers(0, 10**9), st.floats(1, 1e4)), min_size=1, max_size=50))
def test_weighted_quantiles_rise_and_stay_among_the_samples(samples: list[tuple[int, float]]) -> None:
    values, weights = np.array([v for v, _ in samples]), np.array([w for _, w in samples])
    distribution = Distribution.of_samples(values, weights, np.zeros(len(samples), dtype=np.int64), 1)
    found = distribution.quantiles(PROBABILITIES)[:, 0]
    assert (np.diff(found) >= 0).all()
    assert set(found.tolist()) <= {float(v) for v in values}


def test_owners_without_values_have_no_quantile() -> None:
    nothing = Distribution.of_bins(Bins.parse(Sketches.of([None, b""])), np.array([0, 1]), 3)
    assert np.isnan(nothing.quantiles((0.5,))).all()
    assert nothing.excess_us(1.0).tolist() == [0, 0, 0]


def test_a_sparse_table_is_added_up_by_sorting_and_says_the_same() -> None:
    sketches = [to_sketch(np.array([1, 2**50], dtype=np.int64)), to_sketch(np.array([1], dtype=np.int64))]
    sparse = Distribution.of_bins(Bins.parse(Sketches.of(sketches)), np.array([4999, 4999]), 5000)
    assert sparse.weights()[4999] == 3
    assert sparse.quantiles((0.0, 1.0))[:, 4999] == pytest.approx([1, 2**50], rel=0.0101)
