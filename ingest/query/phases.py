"""GET /api/v1/phases: every phase at one quantile, over the requests in which it occurred, with its shares."""

import asyncio
from collections.abc import Mapping
from typing import Any

import numpy as np

from ingest.model import F64, METRICS, Signal
from ingest.ports import Question
from ingest.query import schemas, server_share
from ingest.query.call import Call
from ingest.query.figures import Tally, measure
from ingest.query.in_time import MISSING, in_time
from ingest.query.parameters import COMMON, GROUP_BY, PHASE_QUANTILE

PARAMETERS = (*COMMON, PHASE_QUANTILE, GROUP_BY)

_PHASES = METRICS[1:]

_SPLIT = {
    "oneOf": [server_share.SCHEMA, {"type": "null"}],
    "description": "TTFB by network and server, estimated; null with group_by, and where no server told.",
}

SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    ttfb=_SPLIT,
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
                    mean_us={
                        **schemas.US_OR_NULL,
                        "description": "What a request spends on it on average, 0 where reused; of those that tell.",
                    },
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
    question = call.question(metrics=_PHASES, group_by=call.values["group_by"] or ())
    figures, split = await asyncio.gather(measure(call.sources.reader, question), _split(call, question, quantile))
    totals = figures.totals
    means = np.round(_means(totals), 1)
    us = np.round([distribution.quantiles([quantile])[0] for distribution in totals.distributions], 1)
    groups: list[dict[str, Any]] = []
    for place, (group, spans) in enumerate(zip(figures.groups, totals.spans.tolist(), strict=True)):
        columns = (us, means, totals.measured, totals.reused, totals.unknown)
        rows = zip(_PHASES, *(column[:, place].tolist() for column in columns), strict=True)
        names = ("phase", "us", "mean_us", "measured", "reused", "unknown")
        groups.append({"group": group, "spans": spans, "phases": [dict(zip(names, row, strict=True)) for row in rows]})
    if totals.estimate is not None:
        for answered, interval in zip(groups, np.round(totals.estimate.spans(), 1).tolist(), strict=True):
            answered["spans_interval"] = interval
        for number in range(len(_PHASES)):
            intervals = np.round(totals.estimate.quantiles(number, [quantile])[0], 1).tolist()
            for answered, interval in zip(groups, intervals, strict=True):
                answered["phases"][number]["interval"] = interval
    return {"quantile": quantile, **figures.provenance(), "ttfb": split, "groups": groups}


def _means(totals: Tally) -> F64:
    """(m, c) time that a request spends on each phase on average, in µs; NaN where none tells.

    A phase that was reused took no time; where it is unknown, nothing is known of the request either.
    """
    told = (totals.measured + totals.reused).astype(np.float64)
    spent = np.array([distribution.sums_us() for distribution in totals.distributions])
    means: F64 = np.divide(spent, told, out=np.full(told.shape, np.nan), where=told > 0)
    return means


async def _split(call: Call, question: Question, quantile: float) -> Mapping[str, Any] | None:
    """The first byte's."""
    if question.signal is not Signal.REQUEST or question.group_by:
        return None
    times = await in_time(call.sources.overviews.server_times, question)
    return None if times is MISSING else server_share.server_share(times, quantile)
