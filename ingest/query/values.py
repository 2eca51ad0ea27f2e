"""GET /api/v1/values: the values of one dimension, for filters to choose from."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ingest.query import cursor, schemas
from ingest.query.call import Call
from ingest.query.figures import measure
from ingest.query.parameters import COMMON, DIMENSION, LIMIT, BadParameter

MOST_LISTED = 10_000
"""Values that can be paged through: as many as a view has series by default (`FIRSTHOP_SERIES_LIMIT`)."""

PARAMETERS = (
    *COMMON,
    DIMENSION,
    LIMIT,
    cursor.parameter(tuple[cursor.Micros, cursor.Micros, int, str]),
)

SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    dimension=schemas.TEXT,
    values=schemas.rows(
        schemas.row({"spans_interval": schemas.COUNT_INTERVAL}, value=schemas.TEXT, spans=schemas.COUNT)
    ),
    next=schemas.NEXT,
)


async def values(call: Call) -> Mapping[str, Any]:
    """The answer; most spans first."""
    dimension = call.values["dimension"]
    if dimension is None:
        raise BadParameter("dimension", "is needed: one of " + ", ".join(DIMENSION.schema["enum"]) + ".")
    limit, after = call.values["limit"], call.values["cursor"]
    if after is not None:
        call = cursor.pinned(call, *after[:2])
    most = limit + 1 if after is None else MOST_LISTED
    figures = await measure(call.reader, call.question(group_by=(dimension,), most_groups=most))
    estimate = figures.totals.estimate
    intervals = None if estimate is None else np.round(estimate.spans(), 1).tolist()
    listed = []
    for place, (group, spans) in enumerate(zip(figures.groups, figures.totals.spans.tolist(), strict=True)):
        row = {"value": group[dimension], "spans": spans}
        if intervals is not None:
            row["spans_interval"] = intervals[place]
        listed.append(row)
    listed.sort(key=_rank)
    if after is not None:
        listed = [row for row in listed if _rank(row) > (-after[2], after[3])]
    page, more = listed[:limit], len(listed) > limit
    last = cursor.write(*call.range_us(), page[-1]["spans"], page[-1]["value"] or "") if more else None
    return {
        "dimension": dimension,
        **figures.provenance(),
        "truncated": figures.truncated or more,
        "values": page,
        "next": last,
    }


def _rank(row: Mapping[str, Any]) -> tuple[int, str]:
    return -row["spans"], row["value"] or ""
