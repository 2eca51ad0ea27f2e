"""Many distributions at once: quantiles of thousands of cells without a loop over them.

All values of all owners (cells, groups) stand in one array sorted by (owner, value) beside their weights. One
cumulative sum then holds every owner's distribution function, and one binary search finds every quantile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest import sketch
from ingest.model import F64, I64
from ingest.ports import Sketches

_SMALL = 1 << 20
"""So many sums fit into the cache: one addition per bin beats sorting."""


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins of many sketches at rest, parsed once to be added up in several ways."""

    row: I64
    """(n,) number of the sketch."""
    bucket: I64
    """(n,) counted from `lowest`."""
    count: F64
    lowest: int
    width: int
    """Buckets that occur lie in [lowest, lowest + width)."""

    @classmethod
    def parse(cls, sketches: Sketches) -> "Bins":
        """The bins of all sketches."""
        bins = sketches.bins
        lowest, highest = (int(bins["bucket"].min()), int(bins["bucket"].max())) if len(bins) else (0, 0)
        return cls(
            row=np.repeat(np.arange(len(sketches.sizes)), sketches.sizes),
            bucket=bins["bucket"].astype(np.int64) - lowest,
            count=bins["count"].astype(np.float64),
            lowest=lowest,
            width=highest - lowest + 1,
        )


@dataclass(frozen=True, slots=True)
class Distribution:
    """Weighted values of `owners` distributions, sorted by owner, then value."""

    owners: int
    owner: I64
    """(n,) in [0, owners)."""
    value_us: F64
    """(n,)"""
    weight: F64
    """(n,) spans that have this value."""

    @classmethod
    def of_bins(cls, bins: Bins, owner: npt.NDArray[np.integer], owners: int) -> "Distribution":
        """The sums of sketches, sketch i belonging to owner[i]."""
        keys, counts = _add_up((owner * bins.width)[bins.row] + bins.bucket, bins.count, owners * bins.width)
        owner_of, bucket = np.divmod(keys, bins.width)
        values_us = sketch.value((np.arange(bins.width) + bins.lowest).astype(np.int16))
        return cls(owners, owner_of, values_us[bucket], counts)

    @classmethod
    def of_samples(
        cls, values_us: npt.NDArray[np.integer], weight: F64, owner: npt.NDArray[np.integer], owners: int
    ) -> "Distribution":
        """Weighted samples, sample i belonging to owner[i]."""
        order = np.lexsort((values_us, owner))
        return cls(owners, owner[order].astype(np.int64), values_us[order].astype(np.float64), weight[order])

    def of_owner(self, number: int) -> "Distribution":
        """That of one owner alone."""
        first, last = np.searchsorted(self.owner, (number, number + 1))
        own = slice(first, last)
        return Distribution(1, np.zeros(last - first, np.int64), self.value_us[own], self.weight[own])

    def weights(self) -> F64:
        """(owners,) spans in each."""
        return _sums(self.owner, self.weight, self.owners)

    def quantiles(self, probabilities: Sequence[float] | F64) -> F64:
        """(k, owners) the value at each probability in µs, by DDSketch's lower rank q(n − 1); NaN for an empty owner.

        Probabilities may be (k,), the same for all, or (k, owners).
        """
        p = np.asarray(probabilities, dtype=np.float64)
        p = p[:, np.newaxis] if p.ndim == 1 else p
        cumulated = np.concatenate([[0.0], np.cumsum(self.weight)])
        first = np.searchsorted(self.owner, np.arange(self.owners + 1))
        below, total = cumulated[first[:-1]], np.diff(cumulated[first])
        ranks = below + p * np.maximum(total - 1.0, 0.0)
        # A rounding error in the cumulated weights must not reach over into the neighbour's values.
        found = np.clip(np.searchsorted(cumulated[1:], ranks, side="right"), first[:-1], np.maximum(first[1:] - 1, 0))
        values = np.append(self.value_us, np.nan)[np.minimum(found, len(self.value_us))]
        return np.where(first[1:] > first[:-1], values, np.nan)

    def up_to(self, limit_us: int) -> F64:
        """(owners,) spans of at most this value, and those that share a sketch's bucket with it: up to 2 % more."""
        bucket = sketch.bucket(np.array([limit_us], np.int64))
        reached = max(float(limit_us), float(sketch.value(bucket)[0]))
        return _sums(self.owner, self.weight * (self.value_us <= reached), self.owners)

    def sums_us(self) -> F64:
        """(owners,) all values added up, in µs."""
        return _sums(self.owner, self.value_us * self.weight, self.owners)

    def excess_us(self, target_us: float) -> F64:
        """(owners,) the time that each owner's spans spent above the target, added up, in µs."""
        above = np.maximum(self.value_us - target_us, 0.0) * self.weight
        return _sums(self.owner, above, self.owners)


def _sums(owner: npt.NDArray[np.integer], weights: npt.NDArray[Any], owners: int) -> F64:
    return np.bincount(owner, weights=weights, minlength=owners).astype(np.float64, copy=False)


def _add_up(keys: I64, counts: F64, limit: int) -> tuple[I64, F64]:
    """Distinct keys, ascending, and the sum of counts of each; all keys are below the limit."""
    if limit <= max(_SMALL, 4 * len(keys)):
        dense = _sums(keys, counts, 1)
        distinct = np.flatnonzero(dense)
        return distinct, dense[distinct]
    distinct, place = np.unique(keys, return_inverse=True)
    return distinct, _sums(place, counts, len(distinct))
