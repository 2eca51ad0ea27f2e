"""How spans failed, estimated from the sampled ones among them. Pure."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ingest.ports import FailedSpans
from ingest.query import schemas
from ingest.query.estimate import Design, Estimate

MOST_KINDS = 12
"""Browsers have words of their own."""

SCHEMA = schemas.row(
    sampled={**schemas.COUNT, "description": "Failed spans in the sample: what the kinds are estimated from."},
    suppressed_kinds={**schemas.COUNT, "description": "Kinds left out: too few sessions."},
    kinds=schemas.rows(schemas.row(kind=schemas.TEXT, spans=schemas.COUNT, spans_interval=schemas.COUNT_INTERVAL)),
)


def failure_kinds(failed: FailedSpans) -> Mapping[str, Any]:
    """How many spans failed in which way, most first, with 95 % intervals."""
    kinds = len(failed.kinds)
    estimate = Estimate(
        Design.of(failed.kind, failed.cluster, failed.weight, kinds), np.ones(len(failed.weight), np.bool_), ()
    )
    spans = np.rint(np.bincount(failed.kind, weights=failed.weight, minlength=kinds)).astype(np.int64)
    intervals = np.round(estimate.spans(), 1)
    return {
        "sampled": len(failed.weight),
        "suppressed_kinds": failed.suppressed.groups,
        "kinds": [
            {"kind": failed.kinds[place], "spans": int(spans[place]), "spans_interval": intervals[place].tolist()}
            for place in np.argsort(-spans, kind="stable")[:MOST_KINDS].tolist()
        ],
    }
