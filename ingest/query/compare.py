"""GET /api/v1/compare: two groups of spans side by side, phase by phase, and whether they differ by more than chance.

Means add up, quantiles do not. So the difference of the mean duration is told as a sum: of each phase's share in the
mean over all requests (0 where the phase did not happen or nobody knows), and of the time in no phase. Beside it stand
the quantiles of each phase over the requests in which it happened.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

from ingest.model import DIMENSIONS, METRICS, Signal
from ingest.query import differences, parameters, schemas
from ingest.query.call import Call
from ingest.query.differences import LEVEL, NOTHING, Bounded, holm, subtract
from ingest.query.distribution import Distribution
from ingest.query.figures import Figures, measure
from ingest.query.parameters import AT, COMMON, QUANTILES, BadParameter

SIDES = ("a", "b")
MOST_GROUPED = 2
"""Dimensions by which a question groups."""
PARAMETERS = (*COMMON, *(each for name in SIDES for each in parameters.side(name)), QUANTILES, AT)

_NUMBER = {"type": ["number", "null"]}
_BOUNDS: schemas.Schema = {
    "type": "array",
    "items": _NUMBER,
    "minItems": 2,
    "maxItems": 2,
    "description": "95 % interval: low, high; null where nothing bounds it.",
}
_BOUNDED = schemas.row(value=_NUMBER, interval=_BOUNDS)
_DIFFERENCE = schemas.row(
    value={**_NUMBER, "description": "b − a."},
    interval=_BOUNDS,
    significant={**schemas.FLAG, "description": "More than chance; among the phases by Holm's procedure."},
)
_SIDE = schemas.row(
    **schemas.PROVENANCE,
    filters={"type": "object", "additionalProperties": schemas.rows(schemas.TEXT)},
    spans=schemas.COUNT,
    errors=schemas.COUNT,
    effective_spans={**schemas.COUNT, "description": "Independent spans that they are worth."},
    error_rate=_BOUNDED,
    mean_us=_BOUNDED,
    quantiles=schemas.rows(_BOUNDED),
)
_PHASE = schemas.row(us=_BOUNDED, mean_us=_BOUNDED, measured=schemas.COUNT, reused=schemas.COUNT, unknown=schemas.COUNT)
_PHASE_FIGURES = ("us", "mean_us", "reused_share", "unknown_share")

SCHEMA = schemas.row(
    quantiles=schemas.rows({"type": "number"}),
    at={"type": "number"},
    a=_SIDE,
    b=_SIDE,
    difference=schemas.row(us=_DIFFERENCE, mean_us=_DIFFERENCE, error_rate=_DIFFERENCE),
    phases=schemas.rows(
        schemas.row(phase={"enum": list(METRICS[1:])}, a=_PHASE, b=_PHASE, **dict.fromkeys(_PHASE_FIGURES, _DIFFERENCE))
    ),
    rest=schemas.row(a_us=_NUMBER, b_us=_NUMBER, us=_NUMBER),
)


async def compare(call: Call) -> Mapping[str, Any]:
    """The answer; `phases` in the order in which they happen, none of a signal that has none.

    Raises:
        BadParameter: the sides are the same, or the range of one is wrong.
    """
    calls = [_side(call, name) for name in SIDES]
    if len({str((each.range_us(), each.filters)) for each in calls}) < len(calls):
        raise BadParameter(
            None, "compares two sides, which are the same here: give a.version and b.version, or a.from and a.to."
        )
    metrics = METRICS if call.signal == Signal.REQUEST else METRICS[:1]
    a, b = await _measure(calls, metrics)
    return await asyncio.to_thread(_answer, _Pair(a, b, call.values["at"]), metrics[1:], calls, call.values["q"])


async def _measure(calls: Sequence[Call], metrics: tuple[str, ...]) -> tuple["_Side", "_Side"]:
    """Both sides' figures: of one answer where one question can tell them apart, for half of the work."""
    a, b = (each.filters for each in calls)
    apart = tuple(name for name in DIMENSIONS if a.get(name) != b.get(name))
    together = calls[0].range_us() == calls[1].range_us() and len(apart) <= MOST_GROUPED
    if together and all(len(filters.get(name, ())) == 1 for filters in (a, b) for name in apart):
        both = {name: (*values, *b[name]) if name in apart else values for name, values in a.items()}
        question = replace(calls[0].question(metrics=metrics, group_by=apart, with_sessions=True), filters=both)
        figures = await measure(calls[0].sources.reader, question)
        groups = [{name: filters[name][0] for name in apart} for filters in (a, b)]
        return _Side.of(figures, groups[0]), _Side.of(figures, groups[1])
    questions = [each.question(metrics=metrics, with_sessions=True) for each in calls]
    of_a, of_b = await asyncio.gather(*(measure(calls[0].sources.reader, question) for question in questions))
    return _Side.of(of_a, {}), _Side.of(of_b, {})


def _side(call: Call, name: str) -> Call:
    side = call.side(name)
    try:
        side.range_us()
    except BadParameter:
        raise BadParameter(f"{name}.from", f"must lie before {name}.to, by at most 400 days.") from None
    return side


@dataclass(frozen=True, slots=True)
class _Side:
    """One group's figures, with intervals of a level."""

    figures: Figures
    place: int | None
    """Of its group; None: there is nothing to show."""
    distributions: Sequence[Distribution]
    """By metric, its own."""

    @classmethod
    def of(cls, figures: Figures, group: Mapping[str, str]) -> "_Side":
        place = next((place for place, found in enumerate(figures.groups) if found == group), None)
        distributions = () if place is None else [each.of_owner(place) for each in figures.totals.distributions]
        return cls(figures, place, distributions)

    @property
    def spans(self) -> int:
        return 0 if self.place is None else int(self.figures.totals.spans[self.place])

    @property
    def errors(self) -> int:
        return 0 if self.place is None else int(self.figures.totals.errors[self.place])

    def count(self, state: str, metric: int) -> int:
        return 0 if self.place is None else int(getattr(self.figures.totals, state)[metric, self.place])

    def effective(self, row: int = 0) -> float:
        """See `ingest.query.figures.Tally.effective`."""
        effective = self.figures.totals.effective
        return 0.0 if effective is None or self.place is None else float(effective[row, self.place])

    def quantile(self, metric: int, q: float, level: float = LEVEL) -> Bounded:
        if self.place is None:
            return NOTHING
        return differences.quantile(self.distributions[metric], self.effective(metric + 1), q, level)

    def mean(self, metric: int, level: float = LEVEL) -> Bounded:
        if self.place is None:
            return NOTHING
        return differences.mean(self.distributions[metric], self.spans, self.effective(), level)

    def error_rate(self, level: float = LEVEL) -> Bounded:
        return differences.share(self.errors, self.spans, self.effective(), level)

    def share(self, state: str, metric: int, level: float = LEVEL) -> Bounded:
        """Of requests whose phase was `reused`, or is `unknown`."""
        return differences.share(self.count(state, metric), self.spans, self.effective(), level)

    def rest_us(self) -> float:
        """The mean time in no phase."""
        if self.place is None:
            return nan
        whole, *parts = (self.mean(metric).value for metric in range(len(self.distributions)))
        return whole - sum(parts)


_Difference = Callable[[float], Bounded]
"""By the level of its interval."""


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both sides, and the quantile at which they are compared."""

    a: _Side
    b: _Side
    at: float

    def quantile(self, metric: int) -> _Difference:
        a, b, at = self.a, self.b, self.at
        error = max(a.figures.relative_error, b.figures.relative_error)
        return lambda level: subtract(b.quantile(metric, at, level), a.quantile(metric, at, level), error)

    def mean(self, metric: int) -> _Difference:
        return lambda level: subtract(self.b.mean(metric, level), self.a.mean(metric, level))

    def error_rate(self, level: float) -> Bounded:
        return subtract(self.b.error_rate(level), self.a.error_rate(level))

    def share(self, state: str, metric: int) -> _Difference:
        return lambda level: subtract(self.b.share(state, metric, level), self.a.share(state, metric, level))


def _answer(pair: _Pair, phases: Sequence[str], calls: Sequence[Call], quantiles: Sequence[float]) -> Mapping[str, Any]:
    whole = {"us": pair.quantile(0), "mean_us": pair.mean(0), "error_rate": pair.error_rate}
    sides = zip(SIDES, calls, (pair.a, pair.b), strict=True)
    rest = {"a_us": pair.a.rest_us(), "b_us": pair.b.rest_us(), "us": pair.b.rest_us() - pair.a.rest_us()}
    return {
        "quantiles": list(quantiles),
        "at": pair.at,
        **{name: _describe(side, call.filters, quantiles) for name, call, side in sides},
        "difference": {name: _tell_apart([each])[0] for name, each in whole.items()},
        "phases": _phases(pair, phases),
        "rest": {name: round(us, 1) for name, us in rest.items()},
    }


def _phases(pair: _Pair, phases: Sequence[str]) -> Sequence[Mapping[str, Any]]:
    metrics = range(1, len(phases) + 1)
    told = {
        "us": _tell_apart([pair.quantile(metric) for metric in metrics]),
        "mean_us": _tell_apart([pair.mean(metric) for metric in metrics]),
        "reused_share": _tell_apart([pair.share("reused", metric) for metric in metrics]),
        "unknown_share": _tell_apart([pair.share("unknown", metric) for metric in metrics]),
    }
    return [
        {
            "phase": phase,
            "a": _phase(pair.a, metric, pair.at),
            "b": _phase(pair.b, metric, pair.at),
            **{name: of_phase[metric - 1] for name, of_phase in told.items()},
        }
        for metric, phase in enumerate(phases, start=1)
    ]


def _tell_apart(found: Sequence[_Difference]) -> Sequence[Mapping[str, Any]]:
    """Differences that are judged together."""
    return [
        {**_bounded(difference(LEVEL)), "significant": significant}
        for difference, significant in zip(found, holm(found), strict=True)
    ]


def _describe(side: _Side, filters: Mapping[str, Sequence[str]], quantiles: Sequence[float]) -> Mapping[str, Any]:
    return {
        **side.figures.provenance(),
        "filters": {name: list(filters[name]) for name in DIMENSIONS if name in filters},
        "spans": side.spans,
        "errors": side.errors,
        "effective_spans": round(side.effective()),
        "error_rate": _bounded(side.error_rate()),
        "mean_us": _bounded(side.mean(0)),
        "quantiles": [_bounded(side.quantile(0, q)) for q in quantiles],
    }


def _phase(side: _Side, metric: int, at: float) -> Mapping[str, Any]:
    return {
        "us": _bounded(side.quantile(metric, at)),
        "mean_us": _bounded(side.mean(metric)),
        **{name: side.count(name, metric) for name in ("measured", "reused", "unknown")},
    }


def _bounded(bounded: Bounded) -> Mapping[str, Any]:
    value, low, high = (round(each, 6) for each in bounded)
    return {"value": value, "interval": [low, high]}
