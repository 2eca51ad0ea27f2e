"""GET /api/v1/phases: every phase at one quantile, over the requests in which it occurred, with its shares."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from ingest.model import METRICS
from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.figures import measure
from ingest.query.parameters import COMMON, GROUP_BY, PHASE_QUANTILE

PARAMETERS = (*COMMON, PHASE_QUANTILE, GROUP_BY)

_PHASES = METRICS[1:]

SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    quantile={"type": "number"},
    groups=schemas.rows(
        schemas.row(
            {"spans_interval": schemas.COUNT_INTERVAL},
            group=schemas.GROUP,
            spans=schemas.COUNT,
            phases=schemas.rows(
                schemas.row(
                    {"interval": schemas.INTERVAL},
                    phase={"enum": list(_PHASES)},
                    us=schemas.US_OR_NULL,
                    measured=schemas.COUNT,
                    reused=schemas.COUNT,
                    unknown=schemas.COUNT,
                )
            ),
        )
    ),
)


async def phases(call: Call) -> Mapping[str, Any]:
    """The answer; phases in the order in which they happen."""
    quantile = call.values["q"]
    figures = await measure(call.reader, call.question(metrics=_PHASES, group_by=call.values["group_by"] or ()))
    totals = figures.totals
    us = np.round([distribution.quantiles([quantile])[0] for distribution in totals.distributions], 1)
    groups: list[dict[str, Any]] = []
    for place, (group, spans) in enumerate(zip(figures.groups, totals.spans.tolist(), strict=True)):
        columns = (us, totals.measured, totals.reused, totals.unknown)
        rows = zip(_PHASES, *(column[:, place].tolist() for column in columns), strict=True)
        names = ("phase", "us", "measured", "reused", "unknown")
        groups.append({"group": group, "spans": spans, "phases": [dict(zip(names, row, strict=True)) for row in rows]})
    if totals.estimate is not None:
        for answered, interval in zip(groups, np.round(totals.estimate.spans(), 1).tolist(), strict=True):
            answered["spans_interval"] = interval
        for number in range(len(_PHASES)):
            intervals = np.round(totals.estimate.quantiles(number, [quantile])[0], 1).tolist()
            for answered, interval in zip(groups, intervals, strict=True):
                answered["phases"][number]["interval"] = interval
    return {"quantile": quantile, **figures.provenance(), "groups": groups}
