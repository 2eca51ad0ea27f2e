"""GET /api/v1/values: the values of one dimension, for filters to choose from."""

from collections.abc import Mapping
from typing import Any

from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.figures import measure
from ingest.query.parameters import COMMON, DIMENSION, LIMIT, BadParameter

PARAMETERS = (*COMMON, DIMENSION, LIMIT)

SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    dimension=schemas.TEXT,
    values=schemas.rows(schemas.row(value=schemas.TEXT, spans=schemas.COUNT)),
)


async def values(call: Call) -> Mapping[str, Any]:
    """The answer; most spans first."""
    dimension = call.values["dimension"]
    if dimension is None:
        raise BadParameter("dimension", "is needed: one of " + ", ".join(DIMENSION.schema["enum"]) + ".")
    figures = await measure(call.reader, call.question(group_by=(dimension,), most_groups=call.values["limit"]))
    counts = zip(figures.groups, figures.totals.spans.tolist(), strict=True)
    return {
        "dimension": dimension,
        **figures.provenance(),
        "values": [{"value": group[dimension], "spans": spans} for group, spans in counts],
    }
