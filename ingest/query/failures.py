"""GET /api/v1/failures: how many requests failed, those included of which no client could tell.

A page that never loaded has no SDK; the browser reports its failed requests by itself (Network Error Logging). Of a
request that a page's script made, both may tell, and nothing joins the two. So the rate is a range: at its lower end
every failure that was told twice could be, at its upper end none. Of documents, which no script asks for, the upper end
is the rate.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ingest.model import Signal
from ingest.query import schemas
from ingest.query.call import Call
from ingest.query.figures import Figures, combine, measure
from ingest.query.parameters import APP, FILTERS, FROM, GROUP_BY, TO

PARAMETERS = (APP, FROM, TO, *FILTERS, GROUP_BY)

RATE: schemas.Schema = {
    "type": "array",
    "items": {"type": "number", "minimum": 0, "maximum": 1},
    "minItems": 2,
    "maxItems": 2,
    "description": "Lowest and highest share of requests that failed.",
}
COUNTS = schemas.row(spans=schemas.COUNT, errors=schemas.COUNT)

SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    groups=schemas.rows(
        schemas.row(
            group=schemas.GROUP,
            requests=COUNTS,
            reports=COUNTS,
            rate=RATE,
        )
    ),
)

Counts = Mapping[tuple[str, ...], tuple[int, int]]


async def failures(call: Call) -> Mapping[str, Any]:
    """The answer; most failures first."""
    question = call.question(group_by=call.values["group_by"] or ())
    figures, reported = await asyncio.gather(
        measure(call.sources.reader, replace(question, signal=Signal.REQUEST)),
        measure(call.sources.reader, replace(question, signal=Signal.REPORT)),
    )
    requests, reports = _counts(figures), _counts(reported)
    rows: list[dict[str, Any]] = []
    for key in {**requests, **reports}:
        (spans, errors), (told, failed) = requests.get(key, (0, 0)), reports.get(key, (0, 0))
        rows.append(
            {
                "group": dict(zip(question.group_by, key, strict=True)),
                "requests": {"spans": spans, "errors": errors},
                "reports": {"spans": told, "errors": failed},
                "rate": rate(spans, errors, failed),
            }
        )
    rows.sort(key=lambda row: -(row["requests"]["errors"] + row["reports"]["errors"]))
    return {**combine([figures, reported]), "groups": rows}


def rate(spans: int, errors: int, failed: int) -> tuple[float, float]:
    """The least and the greatest share that failed.

    Args:
        spans, errors: requests that clients told of, and those of them that failed.
        failed: requests that browsers reported as failed, each of which may be among `errors` or not.
    """
    least, most = max(errors, failed), errors + failed
    return _share(least, spans + least - errors), _share(most, spans + failed)


def _share(failed: int, spans: int) -> float:
    return round(failed / spans, 6) if spans else 0.0


def _counts(figures: Figures) -> Counts:
    pairs = zip(figures.totals.spans.tolist(), figures.totals.errors.tolist(), strict=True)
    return {tuple(group.values()): pair for group, pair in zip(figures.groups, pairs, strict=True)}
