"""Quantile sketches with 1 % relative error, mergeable by addition.

The mapping is DDSketch's logarithmic one (Masson, Rim, Lee: DDSketch, VLDB 2019): with γ = (1 + α)/(1 − α), a value
x > 0 falls into bucket ⌈log_γ x⌉, which stands for 2γ^i/(γ + 1), within α of everything in it. Values are whole
microseconds, so buckets run from 0 (1 µs) upward and zero has a bucket of its own.

A sketch at rest is an array of (bucket: int16, count: uint32), little-endian, ascending by bucket, ZERO first.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

ALPHA = 0.01
"""Largest relative error of a quantile."""
GAMMA = (1 + ALPHA) / (1 - ALPHA)
_LOG_GAMMA = float(np.log(GAMMA))

ZERO = -3
"""Bucket of the value 0."""
REUSED = -1
"""No measurement: the phase did not happen."""
UNKNOWN = -2
"""No measurement: nobody knows."""

ABSENT = -4
"""No measurement: there is no such phase, because the span is no request. Counts as neither reused nor unknown."""

BUCKET_LIMIT = 2048
"""Buckets stay below this: 2^53 µs falls into bucket 1837."""

Bins = np.dtype([("bucket", "<i2"), ("count", "<u4")])
MOST = (1 << 32) - 1
"""More than a bin can hold, which only forgers claim, stays this many."""


def bucket(values_us: npt.NDArray[np.int64]) -> npt.NDArray[np.int16]:
    """Bucket of each value; the marks REUSED, UNKNOWN and ABSENT stay what they are."""
    positive = values_us > 0
    buckets = np.where(values_us == 0, ZERO, np.where(positive, 0, values_us)).astype(np.int16)
    buckets[positive] = np.ceil(np.log(values_us[positive]) / _LOG_GAMMA - 1e-9)
    return buckets


def value(buckets: npt.NDArray[np.int16]) -> npt.NDArray[np.float64]:
    """What each bucket stands for, in µs."""
    return np.where(buckets == ZERO, 0.0, 2.0 * np.exp(buckets * _LOG_GAMMA) / (1.0 + GAMMA))


def merge(sketches: Iterable[bytes]) -> npt.NDArray[np.void]:
    """The sum of sketches at rest, as one array of `Bins`."""
    bins = np.frombuffer(b"".join(sketches), dtype=Bins)
    buckets, inverse = np.unique(bins["bucket"], return_inverse=True)
    merged = np.empty(len(buckets), dtype=Bins)
    merged["bucket"] = buckets
    merged["count"] = np.minimum(np.bincount(inverse, weights=bins["count"], minlength=len(buckets)), MOST)
    return merged


def quantiles(bins: npt.NDArray[np.void], probabilities: Iterable[float]) -> list[float]:
    """The value at each probability (lower rank ⌊q(n − 1)⌋, as DDSketch), in µs; NaN when the sketch is empty."""
    cumulated = np.cumsum(bins["count"], dtype=np.int64)
    if not len(cumulated):
        return [float("nan") for _ in probabilities]
    ranks = np.floor(np.asarray(list(probabilities)) * (cumulated[-1] - 1))
    found = np.searchsorted(cumulated, ranks, side="right")
    return [float(v) for v in value(bins["bucket"][found])]
