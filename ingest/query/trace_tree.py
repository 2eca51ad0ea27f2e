"""The tree of a trace's spans, whatever they say of each other. Pure; columns in, columns out.

Every span is in the tree exactly once. A span hangs on the span whose id it names as its parent. Tops are:

- roots: spans that name no parent;
- orphans: their parent is not there (not sampled, not sent, not from here);
- cycles: spans that are each other's ancestors; the ring is cut above its earliest span.

Ids are what senders say. Where several spans claim one id, a child hangs on the one of its own sender, else on the
earliest: so a stranger who repeats an id gets none of the children of the span whose id it is.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from ingest.model import I64, U8, Mask
from ingest.ports.traces import U64

NONE = -1
"""No such row."""


class Top(IntEnum):
    """Why a span hangs on no other."""

    NOT = 0
    """It does hang on one."""
    ROOT = 1
    ORPHAN = 2
    CYCLE = 3


@dataclass(frozen=True, slots=True)
class Tree:
    """Rows of a trace's spans and how they hang together."""

    parent: I64
    """(n,) row, or NONE."""
    top: U8
    """(n,) `Top`."""
    depth: I64
    """(n,) 0 for tops."""
    shared_id: Mask
    """(n,) its id is claimed by other spans too."""
    order: I64
    """(n,) rows by parent, then start, then row: the children of each parent lie together, the tops last."""
    first: I64
    """(n + 2,) the children of row r are order[first[r] : first[r + 1]]; those of row n are the tops."""

    def __len__(self) -> int:
        return len(self.parent)

    @property
    def tops(self) -> I64:
        """(t,) rows that hang on no other, by start."""
        return self.children(len(self))

    @property
    def children_count(self) -> I64:
        """(n,) direct children."""
        return np.diff(self.first)[:-1]

    def children(self, row: int) -> I64:
        """Rows that hang on `row`, by start."""
        return self.order[self.first[row] : self.first[row + 1]]


def grow(span_id: U64, parent_id: U64, sender: I64, start_us: I64) -> Tree:
    """The tree of n spans.

    Args:
        span_id: (n,)
        parent_id: (n,) 0 where none is named.
        sender: (n,) any number of its own for each sender: decides between spans of one id.
        start_us: (n,) by which children are ordered.
    """
    count = len(span_id)
    named, shared_id = _parents(span_id, parent_id, sender, start_us)
    itself = named == np.arange(count)
    parent = np.where(itself, NONE, named)
    top = np.full(count, Top.NOT, np.uint8)
    top[parent == NONE] = Top.ORPHAN
    top[parent_id == 0] = Top.ROOT
    top[itself] = Top.CYCLE
    for row in _cuts(parent, start_us):
        parent[row] = NONE
        top[row] = Top.CYCLE
    group = np.where(parent == NONE, count, parent)
    order = np.lexsort((np.arange(count), start_us, group))
    first = np.searchsorted(group[order], np.arange(count + 2))
    return Tree(parent, top, _depths(parent), shared_id, order, first)


def _parents(span_id: U64, parent_id: U64, sender: I64, start_us: I64) -> tuple[I64, Mask]:
    """(n,) row of the span that has the named id, or NONE; and whose own id is shared."""
    by_start = np.lexsort((np.arange(len(span_id)), start_us))
    ids, earliest, number, claims = np.unique(
        span_id[by_start], return_index=True, return_inverse=True, return_counts=True
    )
    number_of = np.empty(len(span_id), np.int64)
    number_of[by_start] = number
    named = _places(ids, parent_id)
    named[parent_id == 0] = NONE
    found = np.where(named == NONE, NONE, by_start[earliest[named]])

    _, sender_code = np.unique(sender, return_inverse=True)
    width = int(sender_code.max(initial=0)) + 1
    own, own_earliest = np.unique((number_of * width + sender_code)[by_start], return_index=True)
    kin = _places(own, named * width + sender_code)
    kin[named == NONE] = NONE
    return np.where(kin == NONE, found, by_start[own_earliest[kin]]), claims[number_of] > 1


def _places(ascending: npt.NDArray[np.uint64] | I64, wanted: npt.NDArray[np.uint64] | I64) -> I64:
    """Where each wanted value stands, or NONE."""
    if not len(ascending):
        return np.full(len(wanted), NONE, np.int64)
    place = np.minimum(np.searchsorted(ascending, wanted), len(ascending) - 1)
    return np.where(ascending[place] == wanted, place, NONE).astype(np.int64)


def _cuts(parent: I64, start_us: I64) -> list[int]:
    """The earliest row of every ring of ancestors."""
    count = len(parent)
    above = np.append(np.where(parent == NONE, count, parent), count)
    far = above
    for _ in range(count.bit_length()):
        far = far[far]
    # After at least n steps up, whoever is not above every top goes round in a ring.
    in_ring = np.unique(far[far != count]).tolist()
    cuts, seen = [], set[int]()
    for row in in_ring:
        ring: list[int] = []
        while row not in seen:
            seen.add(row)
            ring.append(row)
            row = int(above[row])  # noqa: PLW2901 - a walk around the ring
        if ring:
            cuts.append(min(ring, key=lambda member: (int(start_us[member]), member)))
    return cuts


def _depths(parent: I64) -> I64:
    """(n,) steps up to the top; the parents must lead to one."""
    count = len(parent)
    above = np.append(np.where(parent == NONE, count, parent), count)
    steps = (above != count).astype(np.int64)
    while (above != count).any():
        steps = steps + steps[above]
        above = above[above]
    depths: I64 = steps[:count]
    return depths
