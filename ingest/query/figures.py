"""From a question to figures: sketches where a view covers it, weighted samples where none does.

The one place that knows both; what it returns reads the same either way.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.model import F64, I32, I64, REUSED, UNKNOWN, VIEWS, Mask
from ingest.ports import Cells, Question, Reader, Samples, Suppressed
from ingest.query.distribution import Bins, Distribution
from ingest.query.estimate import Design, Estimate
from ingest.query.times import rfc3339
from ingest.sketch import ALPHA

REMAPPED_ERROR = round((1 + 0.05) * (1 + ALPHA) - 1, 4)
"""Of quantiles among which are those of a client's sketch with other buckets than ours, the coarsest that is taken."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts and distributions of `c` cells or groups."""

    spans: I64
    """(c,)"""
    errors: I64
    reused: I64
    """(m, c) by `Question.metrics`."""
    unknown: I64
    measured: I64
    distributions: Sequence[Distribution]
    """(m,) each of c owners."""
    estimate: Estimate | None = None
    """How far the figures can be trusted when they come from samples; None: they are exact."""
    effective: F64 | None = None
    """(1 + m, c) independent spans that all spans are worth, and those in which each metric was measured
    (`ingest.query.differences`), if `Question.with_sessions`; of points not."""


@dataclass(frozen=True, slots=True)
class Figures:
    """The answer to a question."""

    source: str
    """`view:<name>`, or `samples`."""
    from_us: int
    to_us: int
    step_us: int
    truncated: bool
    hidden_spans: int
    weighted_spans: int
    relative_error: float
    """Of quantiles from sketches."""
    least_sessions: int
    suppressed: Suppressed
    groups: Sequence[Mapping[str, str]]
    """Most spans first."""
    totals: Tally
    """By `groups`."""
    point_group: I32
    """(p,) row of `groups`, ascending; within a group by time."""
    point_at_us: I64
    points: Tally | None
    """By point; None unless the question is over time."""

    @property
    def estimated(self) -> bool:
        """From weighted samples."""
        return self.source == "samples"

    @property
    def basis(self) -> str:
        """`exact`: every span counted once; `incomplete`: spans are hidden; `estimated`: from samples, or some spans
        that are counted stand for others."""
        if self.hidden_spans:
            return "incomplete"
        return "estimated" if self.estimated or self.weighted_spans else "exact"

    def provenance(self) -> Mapping[str, Any]:
        """What every answer says about where its figures come from."""
        return {
            "from": rfc3339(self.from_us),
            "to": rfc3339(self.to_us),
            "exact": self.basis == "exact",
            "basis": self.basis,
            "source": self.source,
            "truncated": self.truncated,
            "hidden_spans": self.hidden_spans,
            "weighted_spans": self.weighted_spans,
            "relative_error": self.relative_error,
            "suppressed": describe(self.suppressed, self.least_sessions),
        }


BASES = ("exact", "estimated", "incomplete")
"""Best first: what several figures are together is the worst of them."""


def combine(figures: Sequence[Figures]) -> Mapping[str, Any]:
    """What an answer says of several figures' origin: the worst of each; range and source are those of the first."""
    basis = max((each.basis for each in figures), key=BASES.index)
    return {
        **figures[0].provenance(),
        "basis": basis,
        "exact": basis == "exact",
        "truncated": any(each.truncated for each in figures),
        "hidden_spans": sum(each.hidden_spans for each in figures),
        "weighted_spans": max(each.weighted_spans for each in figures),
        "relative_error": max(each.relative_error for each in figures),
    }


def describe(suppressed: Suppressed, least_sessions: int) -> Mapping[str, int]:
    """What every answer says about what it leaves out."""
    return {"least_sessions": least_sessions, "groups": suppressed.groups, "points": suppressed.points}


def covering(partition: Iterable[str]) -> list[str]:
    """The views that cut by all these dimensions."""
    needed = set(partition)
    return [name for name, dimensions in VIEWS.items() if needed <= set(dimensions)]


async def measure(reader: Reader, question: Question) -> Figures:
    """Answers a question."""
    views = covering(question.partition)
    if views:
        return await asyncio.to_thread(_of_cells, await reader.cells(question, views), question)
    return await asyncio.to_thread(_of_samples, await reader.samples(question), question)


def _of_cells(cells: Cells, question: Question) -> Figures:
    placed = _arrange(cells, cells.spans)
    bins = [Bins.parse(sketches) for sketches in cells.sketches]
    seen = replace(
        cells,
        spans=cells.spans[cells.point],
        errors=cells.errors[cells.point],
        reused=cells.reused[:, cells.point],
        unknown=cells.unknown[:, cells.point],
        sketches=[sketches.where(cells.point) for sketches in cells.sketches],
    )
    seen_bins = bins if cells.point.all() else [Bins.parse(sketches) for sketches in seen.sketches]
    return placed.figures(
        question,
        source=f"view:{cells.view}",
        hidden_spans=cells.hidden_spans,
        weighted_spans=cells.weighted_spans,
        relative_error=REMAPPED_ERROR if cells.remapped_spans else ALPHA,
        totals=_with_effective(cells, placed, _tally_cells(cells, bins, placed.group, len(placed.order))),
        points=_tally_cells(seen, seen_bins, placed.point, len(placed.point_key)) if question.over_time else None,
    )


def _with_effective(cells: Cells, placed: "_Placed", tally: Tally) -> Tally:
    """No group is worth more spans than it has sessions; where none is named, as many as it has."""
    if cells.sessions is None:
        return tally
    sessions = cells.sessions[list(placed.order)]
    counts = np.concatenate([tally.spans[np.newaxis], tally.measured]).astype(np.float64)
    return replace(tally, effective=np.where(sessions > 0, np.minimum(counts, sessions), counts))


def _tally_cells(cells: Cells, bins: Sequence[Bins], owner: I64, owners: int) -> Tally:
    spans = _sums(owner, owners, cells.spans)
    reused = _rows([_sums(owner, owners, counts) for counts in cells.reused], owners)
    unknown = _rows([_sums(owner, owners, counts) for counts in cells.unknown], owners)
    distributions = [Distribution.of_bins(each, owner, owners) for each in bins]
    return Tally(
        spans=spans,
        errors=_sums(owner, owners, cells.errors),
        reused=reused,
        unknown=unknown,
        # Not what is left of the spans: those that are no requests have no phases.
        measured=_rows([np.rint(each.weights()).astype(np.int64) for each in distributions], owners),
        distributions=distributions,
    )


def _of_samples(samples: Samples, question: Question) -> Figures:
    placed = _arrange(samples, samples.weight)
    seen = replace(
        samples,
        weight=samples.weight[samples.point],
        cluster=samples.cluster[samples.point],
        error=samples.error[samples.point],
        values_us=samples.values_us[:, samples.point],
        session=None,
    )
    return placed.figures(
        question,
        source="samples",
        hidden_spans=samples.hidden_spans,
        weighted_spans=0,
        relative_error=0.0,
        totals=_tally_samples(samples, placed.group, len(placed.order)),
        points=_tally_samples(seen, placed.point, len(placed.point_key)) if question.over_time else None,
    )


def _tally_samples(samples: Samples, owner: I64, owners: int) -> Tally:
    def shares(chosen: Mask) -> I64:
        return _rows([_sums(owner, owners, samples.weight * row) for row in chosen], owners)

    values = samples.values_us
    measures = []
    for row in values:
        measured = row >= 0
        of, weight = owner[measured], samples.weight[measured]
        measures.append(
            (
                Design.of(of, samples.cluster[measured], weight, owners),
                row[measured],
                Distribution.of_samples(row[measured], weight, of, owners),
            )
        )
    return Tally(
        spans=_sums(owner, owners, samples.weight),
        errors=_sums(owner, owners, samples.weight * samples.error),
        reused=shares(values == REUSED),
        unknown=shares(values == UNKNOWN),
        measured=shares(values >= 0),
        distributions=[distribution for _, _, distribution in measures],
        estimate=Estimate(Design.of(owner, samples.cluster, samples.weight, owners), samples.error, measures),
        effective=None if samples.session is None else _effective(samples, samples.session, owner, owners),
    )


def _effective(samples: Samples, session: I64, owner: I64, owners: int) -> F64:
    """See `Tally.effective`: (Σw)² / Σ w², w the weight of an owner's session."""
    distinct, number = np.unique(session, return_inverse=True)
    place, measured = owner * len(distinct) + number, samples.values_us >= 0
    worth = []
    for rows in (np.ones(len(owner), np.bool_), *measured):
        weights = np.bincount(place[rows], weights=samples.weight[rows], minlength=owners * len(distinct))
        of_owner = weights.reshape(owners, len(distinct))
        total, squares = of_owner.sum(axis=1), (of_owner**2).sum(axis=1)
        worth.append(np.divide(total**2, squares, out=np.zeros(owners), where=squares > 0))
    return np.stack(worth)


@dataclass(frozen=True, slots=True)
class _Placed:
    """Where each row of the store's answer counts."""

    rows: Cells | Samples
    order: Sequence[int]
    """Rows of `groups`, most spans first."""
    group: I64
    """(c,) place in `order`."""
    point_key: I64
    """(p,) group and step, packed; ascending."""
    point: I64
    """Place in `point_key`, of the rows that count in points."""
    steps: int

    def figures(
        self,
        question: Question,
        *,
        source: str,
        hidden_spans: int,
        weighted_spans: int,
        relative_error: float,
        totals: Tally,
        points: Tally | None,
    ) -> Figures:
        rows = self.rows
        return Figures(
            source=source,
            from_us=rows.from_us,
            to_us=rows.to_us,
            step_us=rows.step_us,
            truncated=rows.truncated,
            hidden_spans=hidden_spans,
            weighted_spans=weighted_spans,
            relative_error=relative_error,
            least_sessions=question.least_sessions,
            suppressed=rows.suppressed,
            groups=[dict(zip(question.group_by, rows.groups[place], strict=True)) for place in self.order],
            totals=totals,
            point_group=(self.point_key // self.steps).astype(np.int32),
            point_at_us=rows.from_us + self.point_key % self.steps * rows.step_us,
            points=points,
        )


def _arrange(rows: Cells | Samples, weight: I64 | F64) -> _Placed:
    """Groups by size, points by group and time."""
    sizes = np.bincount(rows.group, weights=weight, minlength=len(rows.groups))
    order = [int(place) for place in np.argsort(-sizes, kind="stable") if sizes[place] > 0]
    rank = np.zeros(len(rows.groups), dtype=np.int64)
    rank[order] = np.arange(len(order))
    group = rank[rows.group]

    steps = max((rows.to_us - rows.from_us) // rows.step_us, 1)
    keys = group * steps + (rows.at_us - rows.from_us) // rows.step_us
    point_key, point = np.unique(keys[rows.point], return_inverse=True)
    return _Placed(rows, order, group, point_key, point, steps)


def _sums(owner: I64, owners: int, counts: npt.NDArray[Any]) -> I64:
    return np.rint(np.bincount(owner, weights=counts, minlength=owners)).astype(np.int64)


def _rows(sums: Sequence[I64], owners: int) -> I64:
    return np.array(sums, dtype=np.int64).reshape(len(sums), owners)
