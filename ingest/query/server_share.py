"""Time to first byte over many requests, split into network and server. Pure.

Estimated from the sampled requests of which a server told how long it took, by their weights; `coverage` says which
share of all with a time to first byte they stand for. As in a trace (`ingest.query.first_byte`) network = TTFB −
server; where the server took longer than the whole, the two contradict each other, and the request counts in neither.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ingest.model import I64, UNKNOWN
from ingest.ports import ServerTimes
from ingest.query import schemas
from ingest.query.distribution import Distribution
from ingest.query.estimate import Design, Estimate
from ingest.query.first_byte import ROUNDING_US

_PART = schemas.row(
    us={**schemas.US_OR_NULL, "description": "At the quantile asked for, µs."},
    interval=schemas.INTERVAL,
    mean_us=schemas.US_OR_NULL,
)
SCHEMA = schemas.row(
    sampled={**schemas.COUNT, "description": "Sampled requests that the split is estimated from."},
    coverage={"type": "number", "minimum": 0, "maximum": 1},
    contradictory={**schemas.COUNT, "description": "Sampled requests left out: the server took longer than the TTFB."},
    network=_PART,
    server=_PART,
)


def server_share(times: ServerTimes, quantile: float) -> Mapping[str, Any] | None:
    """The split; None when no server told of any sampled request."""
    told = times.server_us != UNKNOWN
    fits = told & (times.server_us <= times.ttfb_us + ROUNDING_US)
    if not fits.any():
        return None
    weight, cluster = times.weight[fits], times.cluster[fits]
    server_us = np.minimum(times.server_us, times.ttfb_us)[fits]
    network_us = times.ttfb_us[fits] - server_us
    return {
        "sampled": int(fits.sum()),
        "coverage": round(float(weight.sum() / times.weight.sum()), 2),
        "contradictory": int((told & ~fits).sum()),
        "network": _part(network_us, weight, cluster, quantile),
        "server": _part(server_us, weight, cluster, quantile),
    }


def _part(values_us: I64, weight: Any, cluster: I64, quantile: float) -> Mapping[str, Any]:
    owner = np.zeros(len(values_us), np.int64)
    design = Design.of(owner, cluster, weight, 1)
    distribution = Distribution.of_samples(values_us, weight, owner, 1)
    estimate = Estimate(design, np.zeros(len(values_us), np.bool_), [(design, values_us, distribution)])
    return {
        "us": round(float(distribution.quantiles([quantile])[0, 0]), 1),
        "interval": np.round(estimate.quantiles(0, [quantile])[0, 0], 1).tolist(),
        "mean_us": round(float(distribution.sums_us()[0] / weight.sum()), 1),
    }
