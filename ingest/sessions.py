"""Sketches of distinct sessions: mergeable, small, and exact for as long as few sessions are in them.

They are HLL sketches of Apache DataSketches (https://datasketches.apache.org/docs/HLL/HllSketches.html). Up to
MOST_EXACT sessions such a sketch is a plain list of *coupons*, 32 bits of each one's hash, and so exact; beyond, it
becomes registers, within 3.3 % (one standard error). Whether a figure may be shown is decided by the exact part, so
`coupons` reads it from many sketches at once, without an object for each.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from datasketches import hll_sketch, hll_union, tgt_hll_type

LG_K = 10
"""2^LG_K registers of 4 bits: 552 bytes at most, give or take the odd exception."""
MOST_EXACT = 96
"""So many sessions are counted exactly, and told from each other."""

_TYPE = tgt_hll_type.HLL_4
# The first byte of a sketch at rest says how many 4-byte words precede its content (datasketches-cpp,
# hll/include/HllUtil.hpp): a list of up to 7 coupons, a set of more of them, or registers.
_LIST, _SET = 2, 3
_HEAD_BYTES = {_LIST: 8, _SET: 12}
_COUPON_BYTES = 4


def sketches(group: npt.NDArray[np.integer], sessions: npt.NDArray[np.integer], groups: int) -> list[bytes]:
    """One sketch per group, empty bytes for a group that has no session.

    Args:
        group: (p,) ascending, of each session; repeated pairs do no harm.
        sessions: (p,) 64 bits of each; none is 0.
    """
    found = [b""] * groups
    sketch = hll_sketch(LG_K, _TYPE)
    starts = np.flatnonzero(np.diff(group, prepend=-1))
    ends = np.append(starts, len(group))[1:].tolist()
    items = sessions.tolist()
    for number, start, end in zip(group[starts].tolist(), starts.tolist(), ends, strict=True):
        sketch.reset()
        for item in items[start:end]:
            sketch.update(item)
        found[number] = sketch.serialize_compact()
    return found


def merge(parts: Iterable[bytes]) -> bytes:
    """The sketch of everything in any of the parts; empty bytes when there is nothing."""
    filled = [part for part in parts if part]
    if len(filled) < 2:
        return filled[0] if filled else b""
    union = hll_union(LG_K)
    for part in filled:
        union.update(hll_sketch.deserialize(part))
    merged: bytes = union.get_result(_TYPE).serialize_compact()
    return merged


def count(sketch: bytes) -> float:
    """How many distinct sessions; exact up to MOST_EXACT."""
    return float(hll_sketch.deserialize(sketch).get_estimate()) if sketch else 0.0


def head_bytes(sessions: int) -> int:
    """So many bytes of a sketch at rest hold so many coupons, when it has them."""
    return _HEAD_BYTES[_SET] + _COUPON_BYTES * sessions


def coupons(
    strung: bytes, lengths: npt.NDArray[np.integer], most: int = MOST_EXACT
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.uint32]]:
    """The coupons of many sketches strung together: the number of the sketch, and the coupon, in no order.

    Equal sessions have equal coupons, different ones different ones but for a chance of 1 in 10^8. A sketch past
    MOST_EXACT gives `most` made-up ones, the same for all such.

    Args:
        strung: sketches one after the other, each whole or its first `head_bytes`.
        lengths: (s,) bytes of each; 0 for none.
        most: more than so many need not be told from so many.
    """
    content = np.frombuffer(strung, np.uint8)
    ends = np.cumsum(lengths)
    filled = np.flatnonzero(lengths)
    starts = (ends - lengths)[filled]
    kind = content[starts]
    head = np.where(kind == _LIST, _HEAD_BYTES[_LIST], _HEAD_BYTES[_SET])
    exact = (kind == _LIST) | (kind == _SET)
    sizes = np.where(exact, (np.asarray(lengths)[filled] - head) // _COUPON_BYTES, 0)
    first = np.cumsum(sizes) - sizes
    at = np.repeat(starts + head - first * _COUPON_BYTES, sizes) + np.arange(int(sizes.sum())) * _COUPON_BYTES
    found = content[at[:, np.newaxis] + np.arange(_COUPON_BYTES)].view("<u4").ravel()
    many = np.repeat(filled[~exact], most)
    made_up = np.tile(np.arange(most, dtype=np.uint32), len(filled) - int(exact.sum()))
    return np.concatenate([np.repeat(filled, sizes), many]), np.concatenate([found, made_up])


def split(strung: bytes, lengths: npt.NDArray[np.integer]) -> Sequence[bytes]:
    """Sketches strung together, one by one."""
    ends = np.cumsum(lengths).tolist()
    return [strung[end - length : end] for end, length in zip(ends, lengths.tolist(), strict=True)]
