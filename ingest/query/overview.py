"""GET /api/v1/overview: what the page shows first, in one answer.

The headline figures and their trend; those of the period before; how spans failed; web vitals; versions that arrived.
The period before ends where the range begins, and is as long as the range is old by now: an hour that has just begun is
not compared with a whole one. Where samples have to answer, the headline and failures are all there is.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from ingest.model import METRICS, Signal
from ingest.ports import NONE_FAILED, FailedSpans, Question
from ingest.query import apdex, failure_kinds, failures, latency, schemas, versions, vitals
from ingest.query.call import Call
from ingest.query.figures import Figures, covering, measure
from ingest.query.in_time import MISSING, in_time
from ingest.query.parameters import COMMON, METRIC, QUANTILES, STEP, TARGET
from ingest.query.times import rfc3339, rfc3339_all

PARAMETERS = (*COMMON, METRIC, QUANTILES, STEP, TARGET)

WITHOUT_WAIT = frozenset({Signal.CLS, Signal.EXCEPTION, Signal.EVENT, Signal.REPORT})
"""Signals whose spans nobody waited for: no target time fits them."""
_FINEST_US = 10_000_000
PARTS = ("before", "failures", "vitals", "versions")

_APDEX = {"oneOf": [apdex.SCHEMA, {"type": "null"}], "description": "null where nobody waits, or there are no spans."}
_TOTAL = schemas.row(latency.INTERVALS, **latency.TALLY, apdex=_APDEX)


def _part(schema: schemas.Schema, description: str) -> schemas.Schema:
    return {"oneOf": [schema, {"type": "null"}], "description": description}


SCHEMA = schemas.row(
    **schemas.PROVENANCE,
    metric={"enum": list(METRICS)},
    unit={"const": "us"},
    step_s={"type": "integer", "minimum": 10},
    quantiles=schemas.rows(latency.PROBABILITY),
    total=_part(_TOTAL, "null when there are no spans, or too few sessions."),
    points=schemas.rows(schemas.row(latency.INTERVALS, at=schemas.TIME, **latency.TALLY)),
    before=_part(
        schemas.row(
            **{"from": schemas.TIME},
            to=schemas.TIME,
            whole={**schemas.FLAG, "description": "Spans are kept since its start or earlier: it can be compared."},
            began_at={**schemas.TEXT_OR_NULL, "description": "Since when the app has spans that are still counted."},
            total=_part(_TOTAL, "null when there are no spans, or too few sessions."),
        ),
        "The period before; null where what is kept is too coarse to end where the range begins.",
    ),
    failures=_part(
        schemas.row(
            rate=failures.RATE,
            reports=failures.COUNTS,
            requests=failure_kinds.SCHEMA,
            reported=failure_kinds.SCHEMA,
        ),
        "Of requests alone.",
    ),
    vitals=_part(schemas.rows(vitals.ROW), "As `vitals` answers."),
    versions=_part(schemas.rows(versions.ROW), "As `versions` answers, without points."),
    missing={
        **schemas.rows({"enum": list(PARTS)}),
        "description": "Parts that are null: not in time, or of samples.",
    },
)


async def overview(call: Call) -> Mapping[str, Any]:
    """The answer; a part that takes too long does not keep the others back."""
    metrics = tuple(dict.fromkeys((call.values["metric"], "duration")))
    question = call.question_over_time(metrics=metrics, group_by=(), step_us=call.values["step"])
    figures = await measure(call.sources.reader, question)
    question = replace(question, from_us=figures.from_us, to_us=figures.to_us, step_us=figures.step_us)
    failed, reported, before, vital_rows, version_rows = await asyncio.gather(
        in_time(_failed, call, question, figures),
        in_time(_reported, call, question),
        _if_counted(question.partition, _before, call, question),
        _if_counted(question.partition, _vitals, call),
        _if_counted((*question.partition, "version"), _versions, call),
    )
    points = latency.tallies(figures.points, call.values["q"]) if figures.points is not None else []
    parts = {
        "before": before,
        "failures": _failures(figures, failed, reported) if question.signal is Signal.REQUEST else None,
        "vitals": vital_rows,
        "versions": version_rows,
    }
    return {
        "metric": call.values["metric"],
        "unit": "us",
        **figures.provenance(),
        "step_s": figures.step_us // 1_000_000,
        "quantiles": list(call.values["q"]),
        "total": _total(call, figures, None if failed is MISSING else failed),
        "points": [{"at": at, **row} for at, row in zip(rfc3339_all(figures.point_at_us), points, strict=True)],
        **{name: None if part is MISSING else part for name, part in parts.items()},
        "missing": [name for name, part in parts.items() if part is MISSING],
    }


async def _if_counted(partition: Iterable[str], read: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
    """A part that rollups answer, or `MISSING`: reading the sample for each would take longer than anybody waits."""
    return await in_time(read, *arguments) if covering(partition) else MISSING


def _total(call: Call, figures: Figures, failed: FailedSpans | None) -> Mapping[str, Any] | None:
    """The headline of figures whose last metric is the duration."""
    if not figures.groups:
        return None
    (row,) = latency.tallies(figures.totals, call.values["q"])
    waited = call.signal not in WITHOUT_WAIT
    duration, errors = figures.totals.distributions[-1], int(figures.totals.errors[0])
    return {**row, "apdex": apdex.apdex(duration, errors, failed, call.values["target_ms"]) if waited else None}


async def _before(call: Call, question: Question) -> Mapping[str, Any] | None:
    """The headline of the period before."""
    width_us = max(min(question.to_us, question.now_us) - question.from_us, _FINEST_US)
    earlier = replace(
        question,
        over_time=False,
        from_us=question.from_us - width_us,
        to_us=question.from_us,
        step_us=_FINEST_US,
    )
    figures, began_us = await asyncio.gather(
        measure(call.sources.reader, earlier), call.sources.overviews.began(call.app_id)
    )
    if figures.to_us > question.from_us:
        return None
    whole = began_us is not None and began_us <= figures.from_us
    # What is not whole is not compared: its score is not worth a look at the sample.
    failed = await _failed(call, earlier, figures) if whole else None
    return {
        "from": rfc3339(figures.from_us),
        "to": rfc3339(figures.to_us),
        "whole": whole,
        "began_at": None if began_us is None else rfc3339(began_us),
        "total": _total(call, figures, failed),
    }


async def _reported(call: Call, question: Question) -> tuple[Figures, FailedSpans]:
    """What browsers reported by themselves."""
    reports = replace(question, signal=Signal.REPORT, over_time=False, metrics=())
    figures = await measure(call.sources.reader, reports)
    return figures, await _failed(call, reports, figures)


async def _failed(call: Call, question: Question, figures: Figures) -> FailedSpans:
    """The sampled failed spans of figures; where none failed, the sample need not be read."""
    return await call.sources.overviews.failed(question) if figures.totals.errors.sum() else NONE_FAILED


def _failures(figures: Figures, failed: Any, reported: Any) -> Any:
    """How requests failed; of requests and reports together, which share of them did."""
    if failed is MISSING or reported is MISSING:
        return MISSING
    reports, reported_failed = reported
    spans, errors = _counts(figures)
    told, told_failed = _counts(reports)
    return {
        "rate": failures.rate(spans, errors, told_failed),
        "reports": {"spans": told, "errors": told_failed},
        "requests": failure_kinds.failure_kinds(failed),
        "reported": failure_kinds.failure_kinds(reported_failed),
    }


def _counts(figures: Figures) -> tuple[int, int]:
    """Spans and errors of all groups."""
    return int(figures.totals.spans.sum()), int(figures.totals.errors.sum())


async def _vitals(call: Call) -> Any:
    return vitals.rows(await vitals.measure_vitals(call))


async def _versions(call: Call) -> Any:
    return versions.rows(await versions.measure_versions(call))
