"""GET /api/v1/histogram: how one metric is distributed, with sampled spans that stand as examples.

A bar holds `BUCKETS` buckets of the sketch: what it counts is exact, and on a logarithmic axis all are equally wide.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ingest import sketch
from ingest.model import F64, I64, METRICS
from ingest.ports import Candidates
from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.figures import covering, measure
from ingest.query.latency import tallies
from ingest.query.parameters import COMMON, METRIC, QUANTILES
from ingest.query.times import rfc3339_us

PARAMETERS = (*COMMON, METRIC, QUANTILES)

BUCKETS = 12
"""Of the sketch in one bar: nine to ten bars from one power of ten to the next."""

_EXEMPLAR = schemas.row(
    why={
        "enum": ["slowest", "typical", "error"],
        "description": "Of its bar: the slowest, the one nearest the middle, or the newest that failed.",
    },
    trace_id=schemas.TEXT,
    span_id=schemas.TEXT,
    route=schemas.TEXT,
    start_at=schemas.TIME,
    us=schemas.US,
    error=schemas.FLAG,
)

SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    metric={"enum": list(METRICS)},
    unit={"const": "us"},
    quantiles=schemas.rows({"type": "number", "minimum": 0, "maximum": 1}),
    total={
        "anyOf": [
            schemas.row(
                {
                    "intervals": schemas.rows(schemas.INTERVAL),
                    "spans_interval": schemas.COUNT_INTERVAL,
                    "errors_interval": schemas.COUNT_INTERVAL,
                },
                spans=schemas.COUNT,
                errors=schemas.COUNT,
                measured=schemas.COUNT,
                reused=schemas.COUNT,
                unknown=schemas.COUNT,
                quantiles=schemas.rows(schemas.US_OR_NULL),
            ),
            {"type": "null"},
        ],
        "description": "As in `latency`; null when nothing may be shown.",
    },
    bars=schemas.rows(
        schemas.row(
            from_us={**schemas.US, "description": "Values above this, in µs; of the bar that holds 0, 0."},
            to_us={**schemas.US, "description": "Values up to this, in µs."},
            spans=schemas.COUNT,
            exemplars=schemas.rows(_EXEMPLAR),
        )
    ),
)


async def histogram(call: Call) -> Mapping[str, Any]:
    """The answer; bars by value, none that is empty."""
    metric, probabilities = call.values["metric"], call.values["q"]
    question = call.question(metrics=(metric,))
    figures = await measure(call.sources.reader, question)
    answer = {
        "metric": metric,
        "unit": "us",
        **figures.provenance(),
        "quantiles": list(probabilities),
        "total": None,
        "bars": [],
    }
    if not figures.groups:
        return answer
    distribution = figures.totals.distributions[0]
    bar, spans = bars(distribution.value_us, distribution.weight)
    low_us, high_us = upper_us(bar - 1), upper_us(bar)
    ranges_us = list(zip(low_us.astype(np.int64).tolist(), high_us.astype(np.int64).tolist(), strict=True))
    found = await call.sources.exemplars.candidates(question, covering(question.partition), ranges_us)
    examples = choose(found, low_us, high_us)
    return answer | {
        "total": tallies(figures.totals, probabilities)[0],
        "bars": [
            {
                "from_us": max(round(low, 1), 0.0),
                "to_us": round(high, 1),
                "spans": count,
                "exemplars": [_shown(found, row, why) for row, why in examples.get(place, ())],
            }
            for place, (low, high, count) in enumerate(
                zip(low_us.tolist(), high_us.tolist(), spans.tolist(), strict=True)
            )
        ],
    }


def upper_us(bar: I64) -> F64:
    """The largest value in each bar, µs. Bar −1 holds 0 and 1 µs, every other what is above the one before."""
    return np.where(bar < -1, -1.0, sketch.GAMMA ** (BUCKETS * (bar + 1.0)))


def bars(values_us: F64, weight: F64) -> tuple[I64, I64]:
    """The bars that hold something, ascending, and how many spans each holds.

    Args:
        values_us: (n,) values, or what buckets of sketches stand for.
        weight: (n,) spans that have each.
    """
    bucket = np.ceil(np.log(np.maximum(values_us, 1.0)) / np.log(sketch.GAMMA) - 1e-9)
    held, place = np.unique(np.ceil(bucket / BUCKETS).astype(np.int64) - 1, return_inverse=True)
    spans = np.rint(np.bincount(place, weights=weight, minlength=len(held))).astype(np.int64)
    return held[spans > 0], spans[spans > 0]


def choose(found: Candidates, low_us: F64, high_us: F64) -> Mapping[int, Sequence[tuple[int, str]]]:
    """Place of the bar → rows of the candidates that stand for it, each once, and why.

    Args:
        low_us, high_us: (b,) bounds of the bars, ascending; a bar holds what is above the first, up to the second.
    """
    chosen: dict[int, dict[int, str]] = {}
    bar = np.searchsorted(high_us, found.value_us)
    held = (bar < len(high_us)) & (found.value_us > np.append(low_us, np.inf)[bar])
    middle = np.sqrt(np.maximum(low_us, 1.0) * high_us)
    off = np.abs(np.log(np.maximum(found.value_us, 1) / np.append(middle, 1.0)[bar]))
    # The newest of equals: its trace is the likeliest to be kept for a while.
    newest = -found.start_us
    for why, rows, keys in (
        ("typical", held & ~found.error, (newest, off)),
        ("slowest", held, (newest, -found.value_us)),
        ("error", held & found.error, (newest,)),
    ):
        order = np.lexsort((*keys, bar))
        order = order[rows[order]]
        _, firsts = np.unique(bar[order], return_index=True)
        for row in order[firsts].tolist():
            chosen.setdefault(int(bar[row]), {}).setdefault(row, why)
    return {place: list(rows.items()) for place, rows in chosen.items()}


def _shown(found: Candidates, row: int, why: str) -> Mapping[str, Any]:
    return {
        "why": why,
        "trace_id": found.trace_id[row].hex(),
        "span_id": found.span_id[row].hex(),
        "route": found.route[row],
        "start_at": rfc3339_us(int(found.start_us[row])),
        "us": float(found.value_us[row]),
        "error": bool(found.error[row]),
    }
