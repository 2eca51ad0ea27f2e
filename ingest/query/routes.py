"""GET /api/v1/routes: routes by the time that users lost on them."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ingest.query import cursor, schemas
from ingest.query.call import Call
from ingest.query.figures import measure
from ingest.query.parameters import COMMON, LIMIT, ROUTE_QUANTILE, TARGET

PARAMETERS = (
    *COMMON,
    ROUTE_QUANTILE,
    TARGET,
    LIMIT,
    cursor.parameter(tuple[cursor.Micros, cursor.Micros, float, int, str]),
)

MOST_RANKED = 5000
"""Routes that are looked at; a view's cardinality limit is usually below this."""

SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    quantile={"type": "number"},
    target_ms={"type": "integer"},
    routes=schemas.rows(
        schemas.row(
            {
                "interval": schemas.INTERVAL,
                "spans_interval": schemas.COUNT_INTERVAL,
                "errors_interval": schemas.COUNT_INTERVAL,
            },
            route=schemas.TEXT,
            spans=schemas.COUNT,
            errors=schemas.COUNT,
            us=schemas.US_OR_NULL,
            impact={"type": "number", "minimum": 0, "description": "Seconds spent above the target, all spans added."},
        )
    ),
    next=schemas.NEXT,
)


async def routes(call: Call) -> Mapping[str, Any]:
    """The answer; greatest impact first, then most spans, then by name."""
    quantile, target_ms, limit = call.values["q"], call.values["target_ms"], call.values["limit"]
    after = call.values["cursor"]
    if after is not None:
        call = cursor.pinned(call, *after[:2])
    figures = await measure(
        call.reader, call.question(metrics=("duration",), group_by=("route",), most_groups=MOST_RANKED)
    )
    totals = figures.totals
    duration = totals.distributions[0]
    impact = duration.excess_us(target_ms * 1000.0) / 1e6
    routes_of = [group["route"] or "" for group in figures.groups]
    keys = list(zip((-impact).tolist(), (-totals.spans).tolist(), routes_of, strict=True))
    order = sorted(range(len(keys)), key=keys.__getitem__)
    if after is not None:
        order = [place for place in order if keys[place] > (-after[2], -after[3], after[4])]
    ranked, more = np.array(order[:limit], np.int64), len(order) > limit
    columns = {
        "route": [figures.groups[place]["route"] for place in order[:limit]],
        "spans": totals.spans[ranked].tolist(),
        "errors": totals.errors[ranked].tolist(),
        "us": np.round(duration.quantiles([quantile])[0][ranked], 1).tolist(),
        "impact": np.round(impact[ranked], 3).tolist(),
    }
    if totals.estimate is not None:
        estimate = totals.estimate
        columns["interval"] = np.round(estimate.quantiles(0, [quantile])[0][ranked], 1).tolist()
        columns["spans_interval"] = np.round(estimate.spans()[ranked], 1).tolist()
        columns["errors_interval"] = np.round(estimate.errors()[ranked], 1).tolist()
    names = list(columns)
    return {
        "quantile": quantile,
        "target_ms": target_ms,
        **figures.provenance(),
        "truncated": figures.truncated or more,
        "routes": [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)],
        "next": _cursor(call, keys[order[limit - 1]]) if more else None,
    }


def _cursor(call: Call, key: tuple[float, int, str]) -> str:
    return cursor.write(*call.range_us(), -key[0], -key[1], key[2])
