"""GET /api/v1/routes: routes by the time that users lost on them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ingest.query import cursor, schemas
from ingest.query.call import Call, auto_step
from ingest.query.figures import measure
from ingest.query.parameters import COMMON, LIMIT, LINE_POINTS, ROUTE_QUANTILE, TARGET
from ingest.query.times import rfc3339

PARAMETERS = (
    *COMMON,
    ROUTE_QUANTILE,
    TARGET,
    LINE_POINTS,
    LIMIT,
    cursor.parameter(tuple[cursor.Micros, cursor.Micros, float, int, str]),
)

MOST_RANKED = 5000
"""Routes that are looked at; a view's cardinality limit is usually below this."""

MOST_LINES = 50
"""Of the ranked routes so many have a line."""

SCHEMA = schemas.row(
    {
        "line": {
            **schemas.row(**{"from": schemas.TIME}, step_s={"type": "integer", "minimum": 10}),
            "description": "Start and width of the first step of every `line_us`.",
        }
    },
    **schemas.PROVENANCE,
    quantile={"type": "number"},
    target_ms={"type": "integer"},
    routes=schemas.rows(
        schemas.row(
            {
                "interval": schemas.INTERVAL,
                "spans_interval": schemas.COUNT_INTERVAL,
                "errors_interval": schemas.COUNT_INTERVAL,
                "line_us": {
                    **schemas.rows(schemas.US_OR_NULL),
                    "description": f"The quantile step by step, with `points`, of the first {MOST_LINES} routes.",
                },
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
        call.sources.reader, call.question(metrics=("duration",), group_by=("route",), most_groups=MOST_RANKED)
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
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    line = {"line": await _add_lines(call, rows[:MOST_LINES])} if call.values["points"] else {}
    return {
        "quantile": quantile,
        "target_ms": target_ms,
        **figures.provenance(),
        "truncated": figures.truncated or more,
        **line,
        "routes": rows,
        "next": _cursor(call, keys[order[limit - 1]]) if more else None,
    }


async def _add_lines(call: Call, rows: Sequence[dict[str, Any]]) -> Mapping[str, Any]:
    """Gives every row its line, by one question; returns where the lines begin and how wide a step is."""
    step_us = auto_step(*call.range_us(), most=call.values["points"])
    question = call.question_over_time(metrics=("duration",), group_by=("route",), step_us=step_us)
    ranked = tuple(row["route"] for row in rows)
    filters = {**question.filters, "route": ranked} if ranked else question.filters
    figures = await measure(call.sources.reader, replace(question, filters=filters, most_groups=MOST_LINES))
    steps = (figures.to_us - figures.from_us) // figures.step_us
    lines = np.full((len(figures.groups), steps), np.nan)
    if figures.points is not None:
        step = (figures.point_at_us - figures.from_us) // figures.step_us
        lines[figures.point_group, step] = figures.points.distributions[0].quantiles([call.values["q"]])[0]
    line_of = dict(zip((group["route"] for group in figures.groups), np.round(lines, 1).tolist(), strict=True))
    for row in rows:
        row["line_us"] = line_of.get(row["route"], [None] * steps)
    return {"from": rfc3339(figures.from_us), "step_s": figures.step_us // 1_000_000}


def _cursor(call: Call, key: tuple[float, int, str]) -> str:
    return cursor.write(*call.range_us(), -key[0], -key[1], key[2])
