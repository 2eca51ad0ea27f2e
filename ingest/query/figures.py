"""From a question to figures: sketches where a view covers it, weighted samples where none does.

The one place that knows both; what it returns reads the same either way.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest.model import F64, I32, I64, REUSED, UNKNOWN, VIEWS
from ingest.ports import Cells, Question, Reader, Samples
from ingest.query.distribution import Bins, Distribution
from ingest.query.times import rfc3339


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

    def provenance(self) -> Mapping[str, Any]:
        """What every answer says about where its figures come from."""
        return {
            "from": rfc3339(self.from_us),
            "to": rfc3339(self.to_us),
            "exact": not self.estimated and not self.hidden_spans,
            "source": self.source,
            "truncated": self.truncated,
            "hidden_spans": self.hidden_spans,
        }


def covering(question: Question) -> list[str]:
    """The views that cut by every dimension that the question groups or filters by."""
    needed = {*question.group_by, *question.filters}
    return [name for name, dimensions in VIEWS.items() if needed <= set(dimensions)]


async def measure(reader: Reader, question: Question) -> Figures:
    """Answers a question."""
    views = covering(question)
    if views:
        return await asyncio.to_thread(_of_cells, await reader.cells(question, views), question)
    return await asyncio.to_thread(_of_samples, await reader.samples(question), question)


def _of_cells(cells: Cells, question: Question) -> Figures:
    bins = [Bins.parse(sketches) for sketches in cells.sketches]

    def tally(owner: I64, owners: int) -> Tally:
        spans = _sums(owner, owners, cells.spans)
        reused = _rows([_sums(owner, owners, counts) for counts in cells.reused], owners)
        unknown = _rows([_sums(owner, owners, counts) for counts in cells.unknown], owners)
        return Tally(
            spans=spans,
            errors=_sums(owner, owners, cells.errors),
            reused=reused,
            unknown=unknown,
            measured=spans - reused - unknown,
            distributions=[Distribution.of_bins(of_metric, owner, owners) for of_metric in bins],
        )

    return _arrange(cells, question, cells.spans, tally, source=f"view:{cells.view}", hidden_spans=cells.hidden_spans)


def _of_samples(samples: Samples, question: Question) -> Figures:
    def tally(owner: I64, owners: int) -> Tally:
        def shares(mark: int) -> I64:
            return _rows([_sums(owner, owners, samples.weight * (row == mark)) for row in samples.values_us], owners)

        spans = _sums(owner, owners, samples.weight)
        reused, unknown = shares(REUSED), shares(UNKNOWN)
        return Tally(
            spans=spans,
            errors=_sums(owner, owners, samples.weight * samples.error),
            reused=reused,
            unknown=unknown,
            measured=_rows([_sums(owner, owners, samples.weight * (row >= 0)) for row in samples.values_us], owners),
            distributions=[
                Distribution.of_samples(row[row >= 0], samples.weight[row >= 0], owner[row >= 0], owners)
                for row in samples.values_us
            ],
        )

    return _arrange(samples, question, samples.weight, tally, source="samples", hidden_spans=0)


def _arrange(
    rows: Cells | Samples,
    question: Question,
    weight: I64 | F64,
    tally: Callable[[I64, int], Tally],
    *,
    source: str,
    hidden_spans: int,
) -> Figures:
    """Groups by size, points by group and time, and what adds up in each."""
    sizes = np.bincount(rows.group, weights=weight, minlength=len(rows.groups))
    order = [int(place) for place in np.argsort(-sizes, kind="stable") if sizes[place] > 0]
    rank = np.zeros(len(rows.groups), dtype=np.int64)
    rank[order] = np.arange(len(order))
    group = rank[rows.group]

    steps = max((rows.to_us - rows.from_us) // rows.step_us, 1)
    cell, place = np.unique(group * steps + (rows.at_us - rows.from_us) // rows.step_us, return_inverse=True)
    return Figures(
        source=source,
        from_us=rows.from_us,
        to_us=rows.to_us,
        step_us=rows.step_us,
        truncated=rows.truncated,
        hidden_spans=hidden_spans,
        groups=[dict(zip(question.group_by, rows.groups[place], strict=True)) for place in order],
        totals=tally(group, len(order)),
        point_group=(cell // steps).astype(np.int32),
        point_at_us=rows.from_us + cell % steps * rows.step_us,
        points=tally(place, len(cell)) if question.over_time else None,
    )


def _sums(owner: I64, owners: int, counts: npt.NDArray[Any]) -> I64:
    return np.rint(np.bincount(owner, weights=counts, minlength=owners)).astype(np.int64)


def _rows(sums: Sequence[I64], owners: int) -> I64:
    return np.array(sums, dtype=np.int64).reshape(len(sums), owners)
