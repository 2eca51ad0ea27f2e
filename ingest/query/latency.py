"""GET /api/v1/latency: percentiles of one metric over time."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ingest.model import METRICS
from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.figures import Tally, measure
from ingest.query.parameters import COMMON, GROUP_BY, METRIC, QUANTILES, STEP
from ingest.query.times import rfc3339_all

PARAMETERS = (*COMMON, METRIC, QUANTILES, STEP, GROUP_BY)

TALLY = {
    "spans": schemas.COUNT,
    "errors": schemas.COUNT,
    "measured": schemas.COUNT,
    "reused": schemas.COUNT,
    "unknown": schemas.COUNT,
    "quantiles": schemas.rows(schemas.US_OR_NULL),
}
INTERVALS = {
    "intervals": schemas.rows(schemas.INTERVAL),
    "spans_interval": schemas.COUNT_INTERVAL,
    "errors_interval": schemas.COUNT_INTERVAL,
}
PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1}

SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    metric={"enum": list(METRICS)},
    unit={"const": "us"},
    step_s={"type": "integer", "minimum": 10},
    quantiles=schemas.rows(PROBABILITY),
    groups=schemas.rows(
        schemas.row(
            group=schemas.GROUP,
            total=schemas.row(INTERVALS, **TALLY),
            points=schemas.rows(schemas.row(INTERVALS, at=schemas.TIME, **TALLY)),
        )
    ),
)


async def latency(call: Call) -> Mapping[str, Any]:
    """The answer; `points` in order of time, none for an empty bucket."""
    metric, probabilities = call.values["metric"], call.values["q"]
    question = call.question_over_time(
        metrics=(metric,), group_by=call.values["group_by"] or (), step_us=call.values["step"]
    )
    figures = await measure(call.sources.reader, question)
    points: list[list[Mapping[str, Any]]] = [[] for _ in figures.groups]
    if figures.points is not None:
        rows = tallies(figures.points, probabilities)
        times = rfc3339_all(figures.point_at_us)
        for group, at, row in zip(figures.point_group.tolist(), times, rows, strict=True):
            points[group].append({"at": at, **row})
    totals = tallies(figures.totals, probabilities)
    return {
        "metric": metric,
        "unit": "us",
        **figures.provenance(),
        "step_s": figures.step_us // 1_000_000,
        "quantiles": list(probabilities),
        "groups": [
            {"group": group, "total": total, "points": of_group}
            for group, total, of_group in zip(figures.groups, totals, points, strict=True)
        ],
    }


def tallies(tally: Tally, probabilities: Sequence[float]) -> list[dict[str, Any]]:
    """One row per cell of the first metric: counts, quantiles in µs, and their intervals when estimated."""
    distribution = tally.distributions[0]
    columns = {
        "spans": tally.spans,
        "errors": tally.errors,
        "measured": tally.measured[0],
        "reused": tally.reused[0],
        "unknown": tally.unknown[0],
        "quantiles": np.round(distribution.quantiles(probabilities).T, 1),
    }
    if tally.estimate is not None:
        columns["intervals"] = np.round(tally.estimate.quantiles(0, probabilities).transpose(1, 0, 2), 1)
        columns["spans_interval"] = np.round(tally.estimate.spans(), 1)
        columns["errors_interval"] = np.round(tally.estimate.errors(), 1)
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*(c.tolist() for c in columns.values()), strict=True)]
