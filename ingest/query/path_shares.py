"""What the end of a trace waited for: its critical path, summed over spans that are alike. Pure, on columns.

Alike are spans of one sender with the same name and route, wherever they are in the trace: four hundred short queries
are one answer to the question, not four hundred.
"""

from dataclasses import dataclass

import numpy as np

from ingest.model import I64
from ingest.ports.traces import TraceSpans
from ingest.query.critical_path import Path


@dataclass(frozen=True, slots=True)
class Shares:
    """Groups of spans that are alike, those with the most time on the path first."""

    us: I64
    """(g,) time of their own on the path."""
    spans: I64
    """(g,) how many of them are on it."""
    longest: I64
    """(g,) row of the one with the most time on it, the earliest row of several."""


def share(path: Path, spans: TraceSpans) -> Shares:
    """The shares of a path; together they last as long as the path."""
    own_us = np.zeros(len(spans), np.int64)
    np.add.at(own_us, path.row, path.to_us - path.from_us)
    rows = np.flatnonzero(own_us)
    alike = np.stack(
        [column[rows].astype(np.int64) for column in (spans.name, spans.route, spans.service, spans.origin)]
    )
    keys, group = np.unique(alike, axis=1, return_inverse=True)
    count = keys.shape[1]
    us, longest = np.zeros(count, np.int64), np.zeros(count, np.int64)
    np.add.at(us, group, own_us[rows])
    shortest_first = np.lexsort((-rows, own_us[rows]))
    longest[group[shortest_first]] = rows[shortest_first]
    order = np.lexsort((longest, -us))
    return Shares(us[order], np.bincount(group, minlength=count)[order], longest[order])
