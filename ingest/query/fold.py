"""Repeated siblings of a trace, folded to ×N. Pure; columns in, columns out.

Alike are spans with the same parent (by its id, where that span is not there), name and route. From `FOLD_FROM` of them
on they are one group. Whatever hangs below them stays where it is.
"""

from dataclasses import dataclass

import numpy as np

from ingest.model import I64
from ingest.ports.traces import TraceSpans
from ingest.query.trace_tree import NONE, Tree

FOLD_FROM = 5
"""Fewer are shown as they are."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of siblings that are alike, in no order that means anything."""

    of_row: I64
    """(n,) the group that a span is in, or NONE."""
    leader: I64
    """(g,) row of the earliest member: it names the group."""
    spans: I64
    """(g,)"""
    errors: I64
    total_us: I64
    """Sum of the durations."""
    min_us: I64
    max_us: I64
    p95_us: I64
    """Nearest rank."""
    start_us: I64
    """Of the first to start."""
    end_us: I64
    """Of the last to end."""

    def __len__(self) -> int:
        return len(self.leader)


def fold(spans: TraceSpans, tree: Tree, start_us: I64) -> Groups:
    """The groups of n spans, whose starts on one line of time are `start_us`."""
    count = len(tree)
    absent = np.where(tree.parent == NONE, spans.parent_id, np.uint64(0))
    alike = (tree.parent, absent, spans.name, spans.route)
    order = np.lexsort((np.arange(count), spans.duration_us, *alike))
    begins = np.arange(count) == 0
    for column in alike:
        begins[1:] |= column[order][1:] != column[order][:-1]
    first = np.flatnonzero(begins)
    sizes = np.diff(np.append(first, count))
    chosen = np.flatnonzero(sizes >= FOLD_FROM)
    number = np.full(len(sizes), NONE, np.int64)
    number[chosen] = np.arange(len(chosen))
    of_row = np.full(count, NONE, np.int64)
    of_row[order] = np.repeat(number, sizes)
    return _describe(of_row, order, spans, start_us, first=first[chosen], sizes=sizes[chosen])


def _describe(of_row: I64, order: I64, spans: TraceSpans, start_us: I64, *, first: I64, sizes: I64) -> Groups:
    """Figures of the groups whose members are order[first : first + size], by duration."""
    last = first + sizes
    lasting = spans.duration_us[order]
    durations_before = np.append(0, np.cumsum(lasting))
    errors_before = np.append(0, np.cumsum(spans.failed[order]))
    member = np.flatnonzero(of_row != NONE)
    by_start = member[np.lexsort((member, start_us[member], of_row[member]))]
    leader = by_start[np.cumsum(sizes) - sizes]
    end_us = np.full(len(sizes), np.iinfo(np.int64).min)
    np.maximum.at(end_us, of_row[member], (start_us + spans.duration_us)[member])
    return Groups(
        of_row=of_row,
        leader=leader,
        spans=sizes,
        errors=errors_before[last] - errors_before[first],
        total_us=durations_before[last] - durations_before[first],
        min_us=lasting[first],
        max_us=lasting[last - 1],
        p95_us=lasting[first + (sizes * 95 + 99) // 100 - 1],
        start_us=start_us[leader],
        end_us=end_us,
    )
