"""Intervals hold the truth, chance is not called a difference, and a difference is found: seeded simulations."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from ingest.ports import Sketches
from ingest.query.differences import (
    LEVEL,
    Bounded,
    holm,
    mean,
    quantile,
    share,
    subtract,
)
from ingest.query.distribution import Bins, Distribution
from ingest.sketch import ALPHA
from tests.query.world import to_sketch

TRIALS = 400
MOST_FALSE = LEVEL + 2 * (LEVEL * (1 - LEVEL) / TRIALS) ** 0.5
"""What chance may make of 5 % in so many trials."""


@dataclass(frozen=True)
class Spans:
    """One side of a trial."""

    us: np.ndarray
    sessions: int
    failed: np.ndarray

    @property
    def effective(self) -> int:
        return min(self.sessions, len(self.us))


def sketched(us: np.ndarray) -> Distribution:
    """What is left of values in a sketch."""
    return Distribution.of_bins(Bins.parse(Sketches.of([to_sketch(us.astype(np.int64))])), np.zeros(1, np.int64), 1)


def draw(
    rng: np.random.Generator,
    sessions: int,
    *,
    alike: float,
    length: float = 6,
    slower: float = 1,
    failing: float = 0.05,
) -> Spans:
    """Spans of sessions of geometric length, so much of whose variance is their session's own."""
    lengths = rng.geometric(1 / length, sessions)
    of = np.repeat(np.arange(sessions), lengths)
    own, common = rng.normal(size=len(of)), rng.normal(size=sessions)[of]
    us = slower * np.exp(11.5 + np.sqrt(alike) * common + np.sqrt(1 - alike) * own)
    return Spans(us, sessions, rng.random(len(of)) < failing * np.where(common > 0.5, 2, 0.5))


def share_different(differs: Callable[[np.random.Generator], bool], seed: int) -> float:
    rng = np.random.default_rng(seed)
    return sum(differs(rng) for _ in range(TRIALS)) / TRIALS


def at(q: float, a: Spans, b: Spans, level: float = LEVEL) -> Bounded:
    sides = (quantile(sketched(side.us), side.effective, q, level) for side in (b, a))
    return subtract(*sides, relative_error=ALPHA)


@pytest.mark.parametrize("alike", [0.0, 0.4, 0.7])
@pytest.mark.parametrize("q", [0.5, 0.95])
def test_of_quantiles_alike_one_in_twenty_is_told_apart_at_most(alike: float, q: float) -> None:
    def differs(rng: np.random.Generator) -> bool:
        return at(q, draw(rng, 300, alike=alike), draw(rng, 150, alike=alike)).excludes_zero

    assert share_different(differs, 1) <= MOST_FALSE


def test_spans_taken_for_independent_would_be_told_apart_too_often() -> None:
    def differs(rng: np.random.Generator) -> bool:
        a, b = (draw(rng, 300, alike=0.4) for _ in range(2))
        return at(0.5, Spans(a.us, len(a.us), a.failed), Spans(b.us, len(b.us), b.failed)).excludes_zero

    assert share_different(differs, 2) > 2 * MOST_FALSE


def test_means_and_error_rates_alike_are_not_told_apart_either() -> None:
    def mean_differs(rng: np.random.Generator) -> bool:
        sides = [draw(rng, 200, alike=0.4) for _ in range(2)]
        return subtract(*(mean(sketched(side.us), len(side.us), side.effective) for side in sides)).excludes_zero

    def rate_differs(rng: np.random.Generator) -> bool:
        sides = [draw(rng, 200, alike=0.4) for _ in range(2)]
        return subtract(*(share(side.failed.sum(), len(side.us), side.effective) for side in sides)).excludes_zero

    assert share_different(mean_differs, 3) <= MOST_FALSE
    assert share_different(rate_differs, 4) <= MOST_FALSE


def test_of_eight_phases_alike_any_is_told_apart_once_in_twenty_at_most() -> None:
    def any_differs(rng: np.random.Generator) -> bool:
        phases = [(draw(rng, 60, alike=0.4), draw(rng, 60, alike=0.4)) for _ in range(8)]
        return any(holm([lambda level, pair=pair: at(0.75, *pair, level) for pair in phases]))

    assert share_different(any_differs, 5) <= MOST_FALSE


def test_a_real_shift_of_one_phase_is_found_and_no_other_blamed() -> None:
    rng = np.random.default_rng(6)
    found = blamed = 0
    for _ in range(100):
        phases = [(draw(rng, 300, alike=0.3), draw(rng, 300, alike=0.3, slower=2 if n == 4 else 1)) for n in range(8)]
        different = holm([lambda level, pair=pair: at(0.75, *pair, level) for pair in phases])
        found += different[4]
        blamed += any(different[:4] + different[5:])
    assert found >= 95
    assert blamed <= 10


def test_an_error_rate_that_doubles_is_found() -> None:
    rng = np.random.default_rng(7)
    found = 0
    for _ in range(100):
        a, b = draw(rng, 1000, alike=0.3), draw(rng, 1000, alike=0.3, failing=0.1)
        told = subtract(*(share(side.failed.sum(), len(side.us), side.effective) for side in (b, a)))
        found += told.excludes_zero and told.value > 0
    assert found >= 95


@pytest.mark.parametrize("size", [15, 120, 5000])
@pytest.mark.parametrize("q", [0.05, 0.5, 0.95])
def test_the_interval_of_a_quantile_holds_the_true_one(size: int, q: float) -> None:
    rng = np.random.default_rng(8)
    truth = float(np.quantile(rng.lognormal(11, 1, 1_000_000), q))
    held = 0
    for _ in range(TRIALS):
        told = quantile(sketched(rng.lognormal(11, 1, size)), size, q)
        held += told.low * (1 - ALPHA) <= truth <= told.high * (1 + ALPHA)
    assert held / TRIALS >= 1 - MOST_FALSE


def test_the_ranks_of_the_median_of_ten_are_the_textbooks() -> None:
    """P(2 ≤ B < 9) of Bin(10, ½) is 0.979: the interval runs from the second to the ninth value."""
    values = np.arange(1, 11) * 1_000_000
    distribution = Distribution.of_samples(values, np.ones(10), np.zeros(10, np.int64), 1)
    assert quantile(distribution, 10, 0.5) == Bounded(5_000_000, 2_000_000, 9_000_000)


def test_few_spans_bound_no_high_percentile_and_none_bound_nothing() -> None:
    few = sketched(np.array([1e5, 2e5, 3e5]))
    assert quantile(few, 3, 0.95).high == float("inf")
    assert quantile(few, 3, 0.05).low == 0.0
    assert np.isnan(quantile(sketched(np.zeros(0)), 0, 0.5).value)
    assert np.isnan(share(0, 0, 0).value)
    assert not subtract(quantile(few, 3, 0.95), quantile(sketched(np.zeros(0)), 0, 0.95)).excludes_zero


def test_a_difference_of_one_bucket_is_no_difference() -> None:
    a, b = (sketched(np.full(100_000, us)) for us in (100_000, 102_000))
    told = subtract(quantile(b, 100_000, 0.5), quantile(a, 100_000, 0.5), relative_error=ALPHA)
    assert told.value > 0
    assert not told.excludes_zero


def test_newcombes_own_example_of_two_shares() -> None:
    """Statistics in Medicine 17 (1998), table II: 56/70 − 48/80, method 10: 0.0524 to 0.3339."""
    told = subtract(share(56, 70, 70), share(48, 80, 80))
    assert told.value == pytest.approx(0.2)
    assert (told.low, told.high) == (pytest.approx(0.0524, abs=5e-5), pytest.approx(0.3339, abs=5e-5))


def test_holm_goes_on_only_as_long_as_the_next_one_differs() -> None:
    def differs_to(level: float) -> Callable[[float], Bounded]:
        return lambda asked: Bounded(1, 0.1 if asked >= level else -0.1, 2)

    assert holm([differs_to(0.04), differs_to(0.001), differs_to(0.02)]) == [True, True, True]
    assert holm([differs_to(0.04), differs_to(0.001), differs_to(0.03)]) == [False, True, False]
    assert holm([differs_to(0.02), differs_to(0.02), differs_to(0.02)]) == [False, False, False]
    assert holm([]) == []
