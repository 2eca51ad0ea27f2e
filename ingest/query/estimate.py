"""How far estimates from the fair sample can be trusted: 95 % intervals of totals and quantiles.

A span is in the sample iff the R of its trace, or of its session, reaches the threshold of its kind. So spans of one R
come together: they are a *cluster*, clusters are independent, and within one, two spans of inclusion probabilities
π_i, π_j are both there with probability min(π_i, π_j). The Horvitz-Thompson total Σ y/π then has the variance estimate

    Σ over clusters, Σ over i, j in the cluster:  (1 − max(π_i, π_j)) · y_i/π_i · y_j/π_j

(Horvitz and Thompson, JASA 1952; Särndal, Swensson, Wretman, "Model Assisted Survey Sampling", 1992, section 2.8, with
π_ij = min(π_i, π_j)). What was kept at weight 1 adds nothing to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ingest.model import F64, I64, Mask
from ingest.query.distribution import Distribution

_Z95 = 1.959964
"""Two-sided 95 % of the normal distribution."""
_TAIL = 0.025
_BEYOND = 5
"""So many sampled spans must lie beyond a value for the variance of the share below it to be read off there."""
_CERTAIN = 1e18
"""Effective size of a sample that is the whole."""


@dataclass(frozen=True, slots=True)
class Design:
    """How the samples of `owners` groups were drawn, in an order in which every cluster of an owner stands together."""

    owners: int
    order: I64
    """(n,) row of the sample, by owner, cluster, then inclusion probability."""
    owner: I64
    """(n,) in that order, as what follows."""
    first: I64
    """(n,) place of the first row of the same owner and cluster."""
    weight: F64

    @classmethod
    def of(cls, owner: npt.NDArray[np.integer], cluster: I64, weight: F64, owners: int) -> "Design":
        """The design of samples, sample i belonging to owner[i] and drawn with all others of cluster[i]."""
        order = np.lexsort((-weight, cluster, owner))
        owners_of, clusters = owner[order].astype(np.int64), cluster[order]
        starts = np.ones(len(order), dtype=np.bool_)
        starts[1:] = (owners_of[1:] != owners_of[:-1]) | (clusters[1:] != clusters[:-1])
        first = np.maximum.accumulate(np.where(starts, np.arange(len(order)), 0))
        return cls(owners, order.astype(np.int64), owners_of, first.astype(np.int64), weight[order])

    def sums(self, values: F64) -> F64:
        """(owners,) sums of values in the order of the design."""
        return np.bincount(self.owner, weights=values, minlength=self.owners).astype(np.float64)

    def variances(self, values: F64) -> F64:
        """(owners,) the variance of each owner's estimated total of values, given in the order of the design."""
        expanded = self.weight * values
        cumulated = np.concatenate([[0.0], np.cumsum(expanded)])
        before = cumulated[:-1] - cumulated[self.first]
        # Inclusion probabilities rise within a cluster: a row's own is the larger in all pairs with those before it.
        return np.maximum(self.sums((1.0 - 1.0 / self.weight) * expanded * (expanded + 2.0 * before)), 0.0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The samples behind estimated figures, for their intervals."""

    design: Design
    error: Mask
    measures: Sequence[tuple[Design, I64, Distribution]]
    """By metric: of the samples in which it was measured, how they were drawn, their values in µs, and the figure."""

    def spans(self) -> F64:
        """(c, 2) the 95 % interval of the number of spans."""
        return _totals(self.design, np.ones(len(self.error)))

    def errors(self) -> F64:
        """(c, 2) the same of those that failed."""
        return _totals(self.design, self.error)

    def quantiles(self, metric: int, probabilities: Sequence[float]) -> F64:
        """(k, c, 2) the same of quantiles, in µs."""
        design, values_us, distribution = self.measures[metric]
        return _quantiles(design, values_us, distribution, probabilities)


def _totals(design: Design, values: npt.NDArray[np.generic]) -> F64:
    """(owners, 2) the 95 % interval of each owner's total of non-negative values, one for every sample.

    A score interval: the true total N is believed when it lies within 1.96 deviations of the estimate, the variance
    taken in proportion to N; so the interval of a small count is not symmetric and does not reach below what was seen.
    """
    chosen = values[design.order].astype(np.float64)
    estimate, seen = design.sums(design.weight * chosen), design.sums(chosen)
    per_unit = np.divide(design.variances(chosen), estimate, out=np.zeros(design.owners), where=estimate > 0)
    centre = estimate + _Z95**2 * per_unit / 2.0
    half = _Z95 * np.sqrt(estimate * per_unit + _Z95**2 * per_unit**2 / 4.0)
    return np.stack([np.maximum(centre - half, seen), centre + half], axis=-1)


def _quantiles(
    design: Design, values_us: npt.NDArray[np.integer], distribution: Distribution, probabilities: Sequence[float]
) -> F64:
    """(k, owners, 2) the 95 % interval of each quantile in µs; NaN above what no sample bounds, and without samples.

    Woodruff's method (JASA 1952): Wilson's interval of the share of spans below the quantile, at the effective size of
    the sample, read back through the distribution function. The effective size is what an independent sample would need
    for the same variance of that share (linearised as a ratio), clusters included.

    Args:
        values_us: of every sample, in the order in which the design was given them.
        distribution: of the same samples.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    sizes = np.bincount(design.owner, minlength=design.owners)
    chosen = values_us[design.order].astype(np.float64)
    effective = np.stack([_effective_sizes(design, chosen, distribution, q) for q in p.tolist()])
    p = p[:, np.newaxis]
    centre = (p + _Z95**2 / (2 * effective)) / (1 + _Z95**2 / effective)
    half = _Z95 * np.sqrt(p * (1 - p) / effective + _Z95**2 / (4 * effective**2)) / (1 + _Z95**2 / effective)
    half = (
        half + 1.0 / effective
    )  # a quantile lies on one side of a sample or the other: what is read must be beyond it
    low, high = (distribution.quantiles(np.clip(centre + sign * half, 0.0, 1.0)) for sign in (-1, 1))
    with np.errstate(divide="ignore"):
        none_below = (effective * np.log1p(-p) > np.log(_TAIL)) & (effective < _CERTAIN) & (sizes > 0)
        none_above = (effective * np.log(p) > np.log(_TAIL)) & (effective < _CERTAIN)
    return np.stack([np.where(none_below, 0.0, low), np.where(none_above, np.nan, high)], axis=-1)


def _effective_sizes(design: Design, values_us: F64, distribution: Distribution, q: float) -> F64:
    """(owners,) independent spans that would tell the share below the quantile q as exactly as this sample does.

    Read off the sample's own variance, clusters included, where enough of it lies beyond; but never more than if values
    had nothing to do with weights (Kish, "Survey Sampling", 1965): no heavy span may have come from the tail by chance.
    """
    weights = design.sums(design.weight)
    squared = np.where(weights > 0, weights, 1.0) ** 2
    alone = squared / np.maximum(design.sums(design.weight * (design.weight - 1.0)), squared / _CERTAIN)
    margin = np.minimum(_BEYOND / np.maximum(alone, 1.0), 0.5)
    at_us = distribution.quantiles(np.clip(q, margin, 1.0 - margin)[np.newaxis])[0]
    below = (values_us <= at_us[design.owner]).astype(np.float64)
    share = np.divide(design.sums(design.weight * below), weights, out=np.zeros(design.owners), where=weights > 0)
    variance = design.variances(below - share[design.owner]) / squared
    spread = share * (1.0 - share)
    told = np.where(variance > 0, spread / np.where(variance > 0, variance, 1.0), alone)
    together = squared / np.maximum(design.variances(np.ones(len(values_us))), squared / _CERTAIN)
    return np.clip(np.where(spread > 0, np.minimum(told, alone), together), 1.0, _CERTAIN)
