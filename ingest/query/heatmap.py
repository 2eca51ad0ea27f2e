"""GET /api/v1/heatmap: one quantile in a grid of groups, and where it lies over all of them."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ingest.model import DIMENSIONS, METRICS
from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.figures import Figures, measure
from ingest.query.parameters import CELL_QUANTILE, COLUMNS, COMMON, FACETS, METRIC, ROW_LIMIT, ROWS, BadParameter

PARAMETERS = (*COMMON, ROWS, COLUMNS, FACETS, METRIC, CELL_QUANTILE, ROW_LIMIT)

MOST_CELLS = 2000
MOST_COLUMNS = 12
"""In each facet."""
MOST_FACETS = 8

_AXIS = schemas.rows(schemas.row(value=schemas.TEXT, spans=schemas.COUNT))
_DIMENSION = {"enum": list(DIMENSIONS)}

SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    metric={"enum": list(METRICS)},
    quantile={"type": "number"},
    y=_DIMENSION,
    x=_DIMENSION,
    facet={"enum": [*DIMENSIONS, None]},
    rows=_AXIS,
    columns=_AXIS,
    facets=_AXIS,
    whole_us=schemas.US_OR_NULL,
    cells=schemas.rows(
        schemas.row(
            {"interval": schemas.INTERVAL},
            y=schemas.TEXT,
            x=schemas.TEXT,
            facet=schemas.TEXT_OR_NULL,
            spans=schemas.COUNT,
            errors=schemas.COUNT,
            measured=schemas.COUNT,
            us=schemas.US_OR_NULL,
        )
    ),
)


async def heatmap(call: Call) -> Mapping[str, Any]:
    """The answer; rows, columns and facets with the most spans first, no cell where there is nothing to show.

    Raises:
        BadParameter: two of the axes are the same dimension.
    """
    axes = [call.values[name] for name in ("y", "x", "facet") if call.values[name]]
    if len(set(axes)) < len(axes):
        raise BadParameter("x", "must be another dimension than y, and facet another than both.")
    metric, quantile = call.values["metric"], call.values["q"]
    question = call.question(metrics=(metric,), group_by=tuple(axes), most_groups=MOST_CELLS)
    figures, whole = await asyncio.gather(
        measure(call.sources.reader, question), measure(call.sources.reader, replace(question, group_by=()))
    )
    counts = figures.totals.spans.tolist()
    kept = [
        _largest([group[axis] for group in figures.groups], counts, most)
        for axis, most in zip(axes, (call.values["limit"], MOST_COLUMNS, MOST_FACETS), strict=False)
    ]
    cells = _cells(figures, axes, quantile)
    shown = [
        cell for cell in cells if all(cell[name] in of for name, of in zip(("y", "x", "facet"), kept, strict=False))
    ]
    sides = {name: _axis(of) for name, of in zip(("rows", "columns", "facets"), [*kept, {}], strict=False)}
    return {
        "metric": metric,
        "quantile": quantile,
        **{name: call.values[name] for name in ("y", "x", "facet")},
        **figures.provenance(),
        "truncated": figures.truncated or len(shown) < len(cells),
        **sides,
        "whole_us": _quantiles(whole, quantile)[0] if whole.groups else None,
        "cells": shown,
    }


def _quantiles(figures: Figures, quantile: float) -> Sequence[float]:
    found: Sequence[float] = np.round(figures.totals.distributions[0].quantiles([quantile])[0], 1).tolist()
    return found


def _cells(figures: Figures, axes: Sequence[str], quantile: float) -> Sequence[dict[str, Any]]:
    totals = figures.totals
    columns = (
        totals.spans.tolist(),
        totals.errors.tolist(),
        totals.measured[0].tolist(),
        _quantiles(figures, quantile),
    )
    names = ("y", "x", "facet")
    cells = [
        {**dict.fromkeys(names), **dict(zip(names, (group[axis] for axis in axes), strict=False))}
        | dict(zip(("spans", "errors", "measured", "us"), row, strict=True))
        for group, row in zip(figures.groups, zip(*columns, strict=True), strict=True)
    ]
    if totals.estimate is not None:
        for cell, interval in zip(
            cells, np.round(totals.estimate.quantiles(0, [quantile])[0], 1).tolist(), strict=True
        ):
            cell["interval"] = interval
    return cells


def _largest(values: Sequence[str], counts: Sequence[int], most: int) -> Mapping[str, int]:
    """The values with the most spans, and how many."""
    spans: Counter[str] = Counter()
    for value, count in zip(values, counts, strict=True):
        spans[value] += count
    return dict(spans.most_common(most))


def _axis(of: Mapping[str, int]) -> Sequence[Mapping[str, Any]]:
    return [{"value": value, "spans": spans} for value, spans in of.items()]
