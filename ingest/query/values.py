"""GET /api/v1/values: the values of one dimension, for filters to choose from."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.figures import measure
from ingest.query.parameters import COMMON, DIMENSION, LIMIT, BadParameter

PARAMETERS = (*COMMON, DIMENSION, LIMIT)

SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    dimension=schemas.TEXT,
    values=schemas.rows(
        schemas.row({"spans_interval": schemas.COUNT_INTERVAL}, value=schemas.TEXT, spans=schemas.COUNT)
    ),
)


async def values(call: Call) -> Mapping[str, Any]:
    """The answer; most spans first."""
    dimension = call.values["dimension"]
    if dimension is None:
        raise BadParameter("dimension", "is needed: one of " + ", ".join(DIMENSION.schema["enum"]) + ".")
    figures = await measure(call.reader, call.question(group_by=(dimension,), most_groups=call.values["limit"]))
    counts = zip(figures.groups, figures.totals.spans.tolist(), strict=True)
    listed: list[dict[str, Any]] = [{"value": group[dimension], "spans": spans} for group, spans in counts]
    if figures.totals.estimate is not None:
        for row, interval in zip(listed, np.round(figures.totals.estimate.spans(), 1).tolist(), strict=True):
            row["spans_interval"] = interval
    return {"dimension": dimension, **figures.provenance(), "values": listed}
