"""GET /api/v1/values: the values of one dimension, for filters to choose from."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ingest.query import cursor, schemas
from ingest.query.call import Call
from ingest.query.figures import Figures, measure
from ingest.query.parameters import COMMON, DIMENSION, LIMIT, VALUE_QUANTILE, BadParameter

MOST_LISTED = 10_000
"""Values that can be paged through: as many as a view has series by default (`FIRSTHOP_SERIES_LIMIT`)."""

PARAMETERS = (
    *COMMON,
    DIMENSION,
    VALUE_QUANTILE,
    LIMIT,
    cursor.parameter(tuple[cursor.Micros, cursor.Micros, int, str]),
)

SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    dimension=schemas.TEXT,
    values=schemas.rows(
        schemas.row(
            {
                "spans_interval": schemas.COUNT_INTERVAL,
                "us": {**schemas.US_OR_NULL, "description": "The quantile `q` of the duration, in µs."},
                "interval": schemas.INTERVAL,
            },
            value=schemas.TEXT,
            spans=schemas.COUNT,
            errors=schemas.COUNT,
        )
    ),
    next=schemas.NEXT,
)


async def values(call: Call) -> Mapping[str, Any]:
    """The answer; most spans first."""
    dimension = call.values["dimension"]
    if dimension is None:
        raise BadParameter("dimension", "is needed: one of " + ", ".join(DIMENSION.schema["enum"]) + ".")
    limit, after, quantile = call.values["limit"], call.values["cursor"], call.values["q"]
    if after is not None:
        call = cursor.pinned(call, *after[:2])
    most = limit + 1 if after is None else MOST_LISTED
    metrics = () if quantile is None else ("duration",)
    figures = await measure(
        call.sources.reader, call.question(metrics=metrics, group_by=(dimension,), most_groups=most)
    )
    listed = sorted(_rows(figures, dimension, quantile), key=_rank)
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


def _rows(figures: Figures, dimension: str, quantile: float | None) -> Iterable[Mapping[str, Any]]:
    totals = figures.totals
    columns = {
        "value": [group[dimension] for group in figures.groups],
        "spans": totals.spans.tolist(),
        "errors": totals.errors.tolist(),
    }
    if totals.estimate is not None:
        columns["spans_interval"] = np.round(totals.estimate.spans(), 1).tolist()
    if quantile is not None:
        columns["us"] = np.round(totals.distributions[0].quantiles([quantile])[0], 1).tolist()
        if totals.estimate is not None:
            columns["interval"] = np.round(totals.estimate.quantiles(0, [quantile])[0], 1).tolist()
    return (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True))


def _rank(row: Mapping[str, Any]) -> tuple[int, str]:
    return -row["spans"], row["value"] or ""
