"""Whether figures of two groups of spans differ by more than chance: intervals, differences, and a verdict. Pure.

Spans of one session are not independent: one slow network makes them all slow. So an interval counts on no more
independent spans than the group has sessions (its *effective* size). That is what N spans in S sessions are worth where
sessions are equally long and all spans of one say the same, or where lengths are geometric and spans of a session
correlate by a half (the design effect 1 + (Σm²/Σm − 1)·ρ of Kish, "Survey Sampling", 1965); where they correlate less,
intervals are wider than they need be. (Where they hardly differ at all, chance passes for a difference in 7 % of
simulated trials instead of 5 %.) Weighted samples count the weights of sessions in the same way: (Σw)² / Σ w². A
session that is on both sides makes the two alike, and the difference surer than is said.

- A quantile lies between two order statistics by the binomial distribution, whatever the values are distributed like
  (David and Nagaraja, "Order Statistics", 2003, section 7.1); beyond `MOST_EXACT` spans by its normal limit.
- A share lies in Wilson's score interval (JASA 1927), a mean within deviations of its own (Welch, Biometrika 1947).
- A difference combines both sides' intervals, roots of summed squares at each end (Newcombe, Statistics in Medicine
  1998, method 10, for shares; Zou and Donner, ibid. 2008, for any two figures).
- Of several differences at once those are real that Holm's procedure finds (Scandinavian Journal of Statistics 1979):
  that any is called real when none is has a chance of 5 %.
"""

from collections.abc import Callable, Sequence
from itertools import takewhile
from math import ceil, floor, inf, isfinite, nan, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from ingest.model import F64
from ingest.query.distribution import Distribution

LEVEL = 0.05
"""Chance of calling a difference one when there is none; of an interval not to hold the truth."""
MOST_EXACT = 2000
_FEWEST_FOR_MEANS = 10
"""Independent spans below which the mean of latencies, a few of which are huge, has no interval to be trusted."""


class Bounded(NamedTuple):
    """A figure and the interval that holds the true one."""

    value: float
    """NaN: there is none."""
    low: float
    high: float

    @property
    def excludes_zero(self) -> bool:
        """Whether it differs from 0 by more than chance."""
        return self.low > 0 or self.high < 0


NOTHING = Bounded(nan, -inf, inf)


def quantile(distribution: Distribution, effective: float, q: float, level: float = LEVEL) -> Bounded:
    """The quantile of a distribution of one owner, worth so many independent spans, in µs."""
    value = float(distribution.quantiles([q])[0, 0])
    size = floor(effective)
    if not isfinite(value) or size < 1:
        return NOTHING
    below, above = _ranks(size, q, level)
    places = np.clip([(rank - 1) / max(size - 1, 1) for rank in (below, above)], 0.0, 1.0)
    # The place of an order statistic must not slip to the one before by a rounding error.
    low, high = distribution.quantiles(np.clip(places + 1e-12, 0.0, 1.0))[:, 0].tolist()
    return Bounded(value, low if below >= 1 else 0.0, high if above <= size else inf)


def _ranks(size: int, q: float, level: float) -> tuple[int, int]:
    """The order statistics, from 1, between which the quantile lies; 0 or size + 1: no value bounds it."""
    if not 0.0 < q < 1.0:
        return 0, size + 1
    if size > MOST_EXACT:
        half = _deviations(level) * sqrt(size * q * (1.0 - q))
        return max(floor(size * q - half), 0), min(ceil(size * q + half) + 1, size + 1)
    below = np.cumsum(_binomial(size, q))
    return int((below <= level / 2).sum()), int((below < 1.0 - level / 2).sum()) + 1


def _binomial(size: int, q: float) -> F64:
    """(size + 1,) the chance of 0, 1, … successes."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, size + 1)))])
    hits = np.arange(size + 1)
    chances: F64 = np.exp(logs[-1] - logs - logs[::-1] + hits * np.log(q) + (size - hits) * np.log1p(-q))
    return chances


def share(part: float, whole: float, effective: float, level: float = LEVEL) -> Bounded:
    """The share of spans that are of a sort."""
    if whole <= 0 or effective <= 0:
        return NOTHING
    p, z2 = part / whole, _deviations(level) ** 2
    centre = (p + z2 / (2 * effective)) / (1 + z2 / effective)
    half = sqrt(z2 * (p * (1 - p) + z2 / (4 * effective)) / effective) / (1 + z2 / effective)
    return Bounded(p, max(centre - half, 0.0), min(centre + half, 1.0))


def mean(distribution: Distribution, spans: float, effective: float, level: float = LEVEL) -> Bounded:
    """The mean over all spans in µs, those without a value, which are in no distribution, counting as 0."""
    if spans <= 0:
        return NOTHING
    value = float(distribution.weight @ distribution.value_us) / spans
    if effective < _FEWEST_FOR_MEANS:
        return Bounded(value, -inf, inf)
    squares = float(distribution.weight @ distribution.value_us**2) / spans
    half = _deviations(level) * sqrt(max(squares - value**2, 0.0) / (effective - 1))
    return Bounded(value, value - half, value + half)


def subtract(b: Bounded, a: Bounded, relative_error: float = 0.0) -> Bounded:
    """b − a; each of them, apart from chance, off by a share of itself."""
    if not (isfinite(a.value) and isfinite(b.value)):
        return NOTHING
    value, slack = b.value - a.value, relative_error * (abs(a.value) + abs(b.value))
    down = sqrt((b.value - b.low) ** 2 + (a.high - a.value) ** 2)
    up = sqrt((b.high - b.value) ** 2 + (a.value - a.low) ** 2)
    return Bounded(value, value - down - slack, value + up + slack)


def holm(differences: Sequence[Callable[[float], Bounded]]) -> list[bool]:
    """Which of several differences are more than chance; each gives its interval at a level."""
    number = len(differences)
    survives = [_comparisons_survived(difference, number) for difference in differences]
    different = [False] * number
    for done, place in enumerate(sorted(range(number), key=lambda place: -survives[place])):
        if survives[place] < number - done:
            break
        different[place] = True
    return different


def _comparisons_survived(difference: Callable[[float], Bounded], most: int) -> int:
    """Among how many comparisons the difference would still be more than chance."""
    kept = (difference(LEVEL / number).excludes_zero for number in range(1, most + 1))
    return sum(takewhile(bool, kept))


def _deviations(level: float) -> float:
    """So many standard deviations either way leave out this much of a normal distribution."""
    return NormalDist().inv_cdf(1.0 - level / 2)
