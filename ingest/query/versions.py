"""GET /api/v1/versions: which share of the spans each version had over time, and when it arrived.

A version arrives at the start of the first step in which it made `ARRIVES_AT` of the spans, and at least `LEAST_SPANS`
of them. None arrives in the first step, since how long it had been there the range does not show; nor does one that had
made such a share of the `LOOKBACK_US` before. Where nothing is kept from before, the first step is as good as a tenth
of the range, from the first span on: an app that begins to send begins slowly.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ingest.model import I64, OTHER
from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.figures import Figures, combine, measure
from ingest.query.parameters import COMMON, STEP
from ingest.query.times import rfc3339, rfc3339_all

PARAMETERS = (*COMMON, STEP)

ARRIVES_AT = 0.01
LEAST_SPANS = 10
_HOUR_US = 3_600_000_000
LOOKBACK_US = 14 * 86_400_000_000
UNNAMED = ("unknown", OTHER)

_SHARE = {"type": "number", "minimum": 0, "maximum": 1}
_ARRIVED = {
    "type": ["string", "null"],
    "format": "date-time",
    "description": "When it first had 1 % of the spans and 10 of them; null when not in this range.",
}
ROW = schemas.row(version=schemas.TEXT, spans=schemas.COUNT, share=_SHARE, arrived_at=_ARRIVED)
SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    step_s={"type": "integer", "minimum": 10},
    versions=schemas.rows(
        schemas.row(
            {"spans_interval": schemas.COUNT_INTERVAL},
            **ROW["properties"],
            points=schemas.rows(schemas.row(at=schemas.TIME, spans=schemas.COUNT, share=_SHARE)),
        )
    ),
)


@dataclass(frozen=True, slots=True)
class Versions:
    """Versions over a range, and what was there before it."""

    figures: Figures
    before: Figures


async def versions(call: Call) -> Mapping[str, Any]:
    """The answer; most spans first, points in order of time."""
    found = await measure_versions(call)
    figures = found.figures
    listed: list[dict[str, Any]] = [{**row, "points": []} for row in rows(found)]
    if figures.totals.estimate is not None:
        for row, interval in zip(listed, np.round(figures.totals.estimate.spans(), 1).tolist(), strict=True):
            row["spans_interval"] = interval
    spans, shares = _points(figures)
    times = rfc3339_all(figures.point_at_us)
    columns = zip(figures.point_group.tolist(), times, spans.tolist(), shares.tolist(), strict=True)
    for group, at, count, share in columns:
        listed[group]["points"].append({"at": at, "spans": count, "share": round(share, 6)})
    return {
        **combine([figures, found.before]),
        "step_s": figures.step_us // 1_000_000,
        "versions": listed,
    }


async def measure_versions(call: Call) -> Versions:
    """Versions over the range of a call, step by step, and over what is kept from before."""
    question = call.question_over_time(metrics=(), group_by=("version",), step_us=call.values["step"])
    earlier = call.question(group_by=("version",))
    # Whole hours, the coarsest that are kept: what is before the range must not reach into it.
    until_us = question.from_us // _HOUR_US * _HOUR_US
    earlier = replace(earlier, from_us=until_us - LOOKBACK_US, to_us=until_us, step_us=_HOUR_US)
    figures, before = await asyncio.gather(
        measure(call.sources.reader, question), measure(call.sources.reader, earlier)
    )
    return Versions(figures, before)


def rows(found: Versions) -> list[Mapping[str, Any]]:
    """A row per version, most spans first."""
    figures = found.figures
    spans = figures.totals.spans
    shares = spans / max(int(spans.sum()), 1)
    arrived = _arrivals(found)
    return [
        {"version": group["version"], "spans": count, "share": round(share, 6), "arrived_at": arrived[place]}
        for place, (group, count, share) in enumerate(zip(figures.groups, spans.tolist(), shares.tolist(), strict=True))
    ]


def _points(figures: Figures) -> tuple[I64, Any]:
    """(p,) spans of every point, and their share of the spans of its step."""
    if figures.points is None:
        raise ValueError("versions are asked over time")
    spans = figures.points.spans
    step = (figures.point_at_us - figures.from_us) // figures.step_us
    return spans, spans / np.bincount(step, weights=spans)[step]


def _arrivals(found: Versions) -> list[str | None]:
    """When each version arrived, in the order of the figures."""
    figures, before = found.figures, found.before
    known = {group["version"]: int(spans) for group, spans in zip(before.groups, before.totals.spans, strict=True)}
    settled = ARRIVES_AT * sum(known.values())
    spans, shares = _points(figures)
    first_us = figures.from_us
    if not known:
        first_us = figures.point_at_us.min(initial=figures.to_us) + (figures.to_us - figures.from_us) // 10
    arrived: list[str | None] = []
    for place, group in enumerate(figures.groups):
        version, own = group["version"], figures.point_group == place
        reached = figures.point_at_us[own & (shares >= ARRIVES_AT) & (spans >= LEAST_SPANS)]
        was_there = version in known and known[version] >= settled
        came = len(reached) and reached[0] > first_us and not was_there and version not in UNNAMED
        arrived.append(rfc3339(int(reached[0])) if came else None)
    return arrived
