"""GET /api/v1/vitals: how web vitals stand against their thresholds.

Up to the first threshold a value is good, above the second poor, between them it needs improvement; a site is judged by
its 75th percentile (web.dev/articles/defining-core-web-vitals-thresholds, and web.dev/articles/fcp and /ttfb).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from ingest.model import Signal
from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.figures import Figures, combine, measure
from ingest.query.parameters import APP, FILTERS, FROM, TO


class Thresholds(NamedTuple):
    """µs; of CLS, which has no unit, millionths."""

    good: int
    poor: int


THRESHOLDS: Mapping[Signal, Thresholds] = {
    Signal.LCP: Thresholds(2_500_000, 4_000_000),
    Signal.INP: Thresholds(200_000, 500_000),
    Signal.CLS: Thresholds(100_000, 250_000),
    Signal.FCP: Thresholds(1_800_000, 3_000_000),
    Signal.TTFB: Thresholds(800_000, 1_800_000),
}
JUDGED_AT = 0.75

PARAMETERS = (APP, FROM, TO, *FILTERS)

RATINGS = ("good", "needs_improvement", "poor")
_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
ROW = schemas.row(
    {"interval": schemas.INTERVAL},
    vital={"enum": [signal.word for signal in THRESHOLDS]},
    spans=schemas.COUNT,
    us={**schemas.US_OR_NULL, "description": "The 75th percentile in µs; of CLS in millionths."},
    rating={"enum": [*RATINGS, None], "description": "Of that percentile."},
    good=_SHARE,
    needs_improvement=_SHARE,
    poor=_SHARE,
    good_us={**schemas.US, "description": "Values up to this are good."},
    poor_us={**schemas.US, "description": "Values above this are poor."},
)
SCHEMA = schemas.row(**schemas.PROVENANCE, vitals=schemas.rows(ROW))


async def vitals(call: Call) -> Mapping[str, Any]:
    """The answer; a row for every vital, whether anybody measured it or not."""
    figures = await measure_vitals(call)
    return {**combine(figures), "vitals": rows(figures)}


async def measure_vitals(call: Call) -> Sequence[Figures]:
    """The figures of every vital, in the order of `THRESHOLDS`."""
    question = call.question(metrics=("duration",))
    return await asyncio.gather(
        *(measure(call.sources.reader, replace(question, signal=signal)) for signal in THRESHOLDS)
    )


def rows(figures: Sequence[Figures]) -> list[Mapping[str, Any]]:
    """The rows of the answer."""
    return [_row(signal, each) for signal, each in zip(THRESHOLDS, figures, strict=True)]


def _row(signal: Signal, figures: Figures) -> Mapping[str, Any]:
    good_us, poor_us = THRESHOLDS[signal]
    row: dict[str, Any] = {"vital": signal.word, "spans": 0, "us": None, "rating": None}
    row |= dict.fromkeys(RATINGS, 0.0) | {"good_us": good_us, "poor_us": poor_us}
    if not figures.groups:
        return row
    value = figures.totals.distributions[0]
    (us,), (every,) = value.quantiles([JUDGED_AT])[0].tolist(), value.weights().tolist()
    good, tolerable = (float(value.up_to(limit)[0]) / every for limit in (good_us, poor_us))
    if figures.totals.estimate is not None:
        row["interval"] = np.round(figures.totals.estimate.quantiles(0, [JUDGED_AT])[0, 0], 1).tolist()
    return row | {
        "spans": int(figures.totals.spans[0]),
        "us": round(us, 1),
        "rating": RATINGS[(us > good_us) + (us > poor_us)],
        "good": round(good, 6),
        "needs_improvement": round(tolerable - good, 6),
        "poor": round(1.0 - tolerable, 6),
    }
