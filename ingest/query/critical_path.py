"""The critical path of a trace: which work the end of the root waited for. Pure; columns in, columns out.

The standard walk backwards through time. It starts at the root's end. Of the children that had ended by then the last
one is what the parent waited for: what lies after it is the parent's own time, and the walk goes on inside the child,
then from the child's start on for the parent. Children that ran beside the chosen one are not on the path. So the
pieces of the path adjoin from the root's start to the root's end, and together last exactly as long as the root.

Only spans are on the path; phases lie inside them. Times are bent for the path alone:

- A child that reaches beyond its parent is cut to it. Clocks differ; the parent's own time is the one that counts.
- A child that outlives its parent by more than both clocks may err was not waited for: it is left out with all below
  it, and so is one that is not inside its parent at all, and every span of no duration.
"""

from dataclasses import dataclass

import numpy as np

from ingest.model import I64, UNKNOWN, Mask
from ingest.query.trace_tree import NONE, Tree


@dataclass(frozen=True, slots=True)
class Path:
    """The pieces of a critical path in order of time; each starts where the one before it ends."""

    row: I64
    """(k,) the span whose own time the piece is."""
    from_us: I64
    to_us: I64

    def __len__(self) -> int:
        return len(self.row)


def waited_for(tree: Tree, start_us: I64, duration_us: I64, err_us: I64, clock: I64) -> Mask:
    """(n,) spans whose parent, if they have one, may have waited for their end.

    Args:
        err_us: (n,) how far each start may be off, or UNKNOWN.
        clock: (n,) number of the clock that each span was measured by; starts by one clock are exact to each other.
    """
    parent = np.where(tree.parent == NONE, np.arange(len(tree)), tree.parent)
    late = start_us + duration_us - (start_us + duration_us)[parent]
    slack = np.where(clock == clock[parent], 0, err_us + err_us[parent])
    unsure = (clock != clock[parent]) & ((err_us == UNKNOWN) | (err_us[parent] == UNKNOWN))
    waited: Mask = (late <= slack) | unsure
    return waited


def critical_path(tree: Tree, root: int, start_us: I64, duration_us: I64, waited: Mask) -> Path:
    """The path of one root.

    Args:
        root: its row.
        start_us: (n,) on one line of time.
        duration_us: (n,) at least 0.
        waited: (n,) children that may be on it: `waited_for`.
    """
    end_us = start_us + duration_us
    group = np.where(tree.parent == NONE, len(tree), tree.parent)
    latest_first = np.lexsort((np.arange(len(tree)), start_us, -end_us, group))
    starts, ends, may = start_us.tolist(), end_us.tolist(), (waited & (duration_us > 0)).tolist()
    first = tree.first.tolist()
    pieces: list[tuple[int, int, int]] = []
    windows = [(root, starts[root], ends[root])]
    while windows:
        row, low, high = windows.pop()
        cursor = high
        for child in latest_first[first[row] : first[row + 1]].tolist():
            child_low, child_high = max(starts[child], low), min(ends[child], cursor)
            # Only at the window's end is a child cut; further in, one that still ran did not hold up anything.
            if not may[child] or child_low >= child_high or (ends[child] > cursor and cursor < high):
                continue
            pieces.append((child_high, cursor, row))
            windows.append((child, child_low, child_high))
            cursor = child_low
        pieces.append((low, cursor, row))
    found = np.array(sorted(piece for piece in pieces if piece[0] < piece[1]), np.int64).reshape(-1, 3)
    return Path(row=found[:, 2], from_us=found[:, 0], to_us=found[:, 1])
