"""Intervals of estimates hold the truth as often as they say, for samples drawn as the pipeline draws them."""

from typing import NamedTuple

import numpy as np
import pytest

from ingest.pipeline.thresholds import ALL, threshold, weight
from ingest.query.distribution import Distribution
from ingest.query.estimate import Design, Estimate

TRIALS = 1000
LEAST = 0.93
PROBABILITIES = (0.5, 0.95)


class Population(NamedTuple):
    """Every span that ever was."""

    trace: np.ndarray
    duration_us: np.ndarray
    error: np.ndarray
    rate: np.ndarray
    """Inclusion probability of each."""


def population(rng: np.random.Generator, traces: int, spans_a_trace: float, rates: tuple[float, ...]) -> Population:
    """Traces of several spans alike in speed; spans of a trace may be of several rates; errors are always kept."""
    sizes = 1 + rng.poisson(spans_a_trace - 1, traces)
    trace = np.repeat(np.arange(traces), sizes)
    slowness = rng.normal(0, 0.7, traces)[trace]
    duration = np.exp(11 + slowness + rng.normal(0, 0.5, len(trace))).astype(np.int64)
    error = rng.random(len(trace)) < 0.03
    rate = np.where(error, 1.0, np.array(rates)[rng.integers(0, len(rates), len(trace))])
    return Population(trace, duration, error, rate)


def draw(rng: np.random.Generator, spans: Population) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of the sample, the R of each, and its weight: R ≥ T decides, one R for a trace."""
    thresholds = np.array([threshold(rate) for rate in np.unique(spans.rate)])[
        np.unique(spans.rate, return_inverse=True)[1]
    ]
    randomness = rng.integers(0, ALL, spans.trace.max() + 1)[spans.trace]
    kept = np.flatnonzero(randomness >= thresholds)
    return kept, randomness[kept], weight(thresholds[kept])


def estimate(values: np.ndarray, errors: np.ndarray, cluster: np.ndarray, weights: np.ndarray) -> Estimate:
    """All samples as one group."""
    owner = np.zeros(len(values), dtype=np.int64)
    design = Design.of(owner, cluster, weights, 1)
    return Estimate(design, errors, [(design, values, Distribution.of_samples(values, weights, owner, 1))])


@pytest.mark.parametrize(
    ("spans_a_trace", "rates"),
    [(1, (0.1,)), (1, (0.02, 0.3)), (6, (0.1,)), (6, (0.05, 0.4))],
    ids=["lone spans", "lone spans at two rates", "whole traces", "traces at two rates"],
)
def test_the_interval_holds_the_exact_value_in_93_percent_of_1000_trials(
    spans_a_trace: int, rates: tuple[float, ...]
) -> None:
    held: dict[str, int] = {}
    for trial in range(TRIALS):
        rng = np.random.default_rng([trial, spans_a_trace, len(rates)])
        spans = population(rng, 1500, spans_a_trace, rates)
        rows, cluster, weights = draw(rng, spans)
        found = estimate(spans.duration_us[rows], spans.error[rows], cluster, weights)
        ranks = np.sort(spans.duration_us)[[int(q * (len(spans.trace) - 1)) for q in PROBABILITIES]]
        intervals = {
            "spans": (found.spans()[0], len(spans.trace)),
            "errors": (found.errors()[0], spans.error.sum()),
            **{
                f"p{q:g}": (interval, rank)
                for q, interval, rank in zip(PROBABILITIES, found.quantiles(0, PROBABILITIES)[:, 0], ranks, strict=True)
            },
        }
        for name, ((low, high), exact) in intervals.items():
            held[name] = held.get(name, 0) + bool(low - 1e-6 <= exact <= (np.inf if np.isnan(high) else high + 1e-6))
    assert {name: share / TRIALS for name, share in held.items() if share < LEAST * TRIALS} == {}


def test_intervals_are_no_wider_than_they_must_be() -> None:
    rng = np.random.default_rng(3)
    misses = 0
    for _ in range(400):
        spans = population(rng, 1500, 1, (0.1,))
        rows, cluster, weights = draw(rng, spans)
        low, high = estimate(spans.duration_us[rows], spans.error[rows], cluster, weights).spans()[0]
        misses += not low <= len(spans.trace) <= high
    assert misses > 400 * 0.02


def test_the_variance_is_that_of_the_formula_pair_by_pair() -> None:
    rng = np.random.default_rng(5)
    cluster, owner = rng.integers(0, 12, 60), rng.integers(0, 3, 60)
    weights, values = rng.choice([1.0, 2.0, 2.0, 10.0, 33.0], 60), rng.integers(0, 50, 60).astype(np.float64)
    design = Design.of(owner, cluster, weights, 3)
    expected = np.zeros(3)
    for i in range(60):
        for j in range(60):
            if owner[i] == owner[j] and cluster[i] == cluster[j]:
                larger = max(1 / weights[i], 1 / weights[j])
                expected[owner[i]] += (1 - larger) * weights[i] * values[i] * weights[j] * values[j]
    np.testing.assert_allclose(design.variances(values[design.order]), expected)


def test_what_was_kept_as_a_whole_is_certain() -> None:
    values = np.arange(1, 101) * 1000
    found = estimate(values, values > 90_000, np.arange(100), np.ones(100))
    assert found.spans().tolist() == [[100.0, 100.0]]
    assert found.errors().tolist() == [[10.0, 10.0]]
    assert found.quantiles(0, (0.0, 0.5, 0.95, 1.0))[:, 0].tolist() == [
        [1000.0, 1000.0],
        [50_000.0, 50_000.0],
        [95_000.0, 95_000.0],
        [100_000.0, 100_000.0],
    ]


def test_a_handful_of_samples_does_not_claim_to_know_the_tail() -> None:
    found = estimate(np.arange(10) * 1000 + 1000, np.zeros(10, dtype=np.bool_), np.arange(10), np.full(10, 50.0))
    low, high = found.quantiles(0, (0.99,))[0, 0]
    assert 1000 <= low <= 10_000
    assert np.isnan(high), "one in a hundred may be any slower than the slowest of ten"
    low, high = found.quantiles(0, (0.01,))[0, 0]
    assert low == 0.0
    assert high <= 10_000


def test_groups_without_samples_have_no_interval() -> None:
    none = np.zeros(0, dtype=np.int64)
    design = Design.of(none, none, np.zeros(0), 2)
    nothing = Estimate(design, none > 0, [(design, none, Distribution.of_samples(none, np.zeros(0), none, 2))])
    assert nothing.spans().tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert np.isnan(nothing.quantiles(0, (0.5,))).all()
