"""One offset for every body whose clock is bounded, shared by the bodies of a segment, and the bound of each span."""

from typing import NamedTuple

import numpy as np

from ingest.model import I64, U8, UNKNOWN, ClockQuality, Mask
from ingest.pipeline.clock_bounds import NO_BOUND_US, SEND_TIMEOUT_US, Cones, Interval, drift, intersect, pool, within
from ingest.pipeline.clock_evidence import Evidence, Said


class Clocks(NamedTuple):
    """What is found."""

    offset: I64
    """(m,) Server time − the body's clock."""
    quality: U8
    """(m,)"""
    err_us: I64
    """(n,) How far the truth may be from a span's start; UNKNOWN where nothing bounds it."""
    conflict: Mask
    """(n,) Bounds that contradict each other."""


class _Bodies(NamedTuple):
    """(k,) The bodies that are bounded."""

    one_way: Cones
    two_way: Cones
    newest: I64
    """Start of the newest span by the body's clock, at most what can be: where the offset is chosen."""
    guess: I64
    leads: Mask
    """The anchor, not the stamp, says where in the bounds the offset lies."""
    quality: U8


class _Pooled(NamedTuple):
    """Bodies in groups, and what bounds each group."""

    group: I64
    """(k,)"""
    cones: Cones
    """(groups,)"""


def bound_offsets(
    evidence: Evidence, said: Said, segments: I64, unbounded: tuple[I64, U8], *, start: I64, body: I64
) -> Clocks:
    """Chooses the offsets.

    Args:
        evidence: of each body.
        said: by the request of each body.
        segments: (m,) bodies of one segment have one clock; 0: of its own.
        unbounded: (m,) offset and grade of the bodies that nothing bounds.
        start: (n,) of each span by its own clock.
        body: (n,) of each span.
    """
    offset, quality = unbounded[0].copy(), unbounded[1].copy()
    err_us, conflict = np.full(len(start), UNKNOWN, dtype=np.int64), evidence.conflict[body]
    rows = np.flatnonzero(evidence.bounded)
    if not len(rows):
        return Clocks(offset, quality, err_us, conflict)
    place = np.full(len(offset), -1, dtype=np.int64)
    place[rows] = np.arange(len(rows))
    place_of_span = place[body]
    spans = np.flatnonzero(place_of_span >= 0)
    owner, mono = place_of_span[spans], start[spans]

    bodies = _judge(evidence, said, rows, owner, mono)
    pooled, apart = _pool_segments(bodies, segments[rows])
    chosen, grades = _choose(bodies, pooled)
    offset[rows], quality[rows] = chosen[pooled.group], grades[pooled.group]

    possible = _possible(bodies, pooled, owner, mono)
    err_us[spans] = possible.reach_from(offset[rows][owner])
    conflict[spans] |= apart[owner] | possible.empty
    return Clocks(offset, quality, err_us, conflict)


def _judge(evidence: Evidence, said: Said, rows: I64, owner: I64, mono: I64) -> _Bodies:
    """Each body by itself."""
    one_way, two_way = evidence.one_way.take(rows), evidence.two_way.take(rows)
    newest = np.full(len(rows), -NO_BOUND_US, dtype=np.int64)
    np.maximum.at(newest, owner, np.minimum(mono, one_way.at[owner]))
    newest = np.where(newest == -NO_BOUND_US, one_way.at, newest)

    by_anchor, by_stamp = two_way.seen_from(newest), one_way.seen_from(newest)
    narrower = by_anchor.high - by_anchor.low < SEND_TIMEOUT_US + 2 * drift(one_way.at, newest)
    leads = evidence.has_two_way[rows] & (narrower | ~evidence.has_one_way[rows])
    stamped = (said.received - said.sent - said.half_rtt)[rows]
    slept = np.where(evidence.bridged, np.maximum(said.bridge, 0), 0)[rows]
    grades = np.where(leads, ClockQuality.A, ClockQuality.B)
    grades[evidence.older[rows]] = ClockQuality.C
    grades[evidence.bridged[rows]] = ClockQuality.D
    below, above = evidence.below[rows], evidence.above[rows]
    return _Bodies(
        one_way=one_way.wider(below, above),
        two_way=two_way.wider(below, above),
        newest=newest,
        guess=np.where(leads, intersect(by_anchor, by_stamp).middle, stamped) - slept,
        leads=leads & ~evidence.bridged[rows],
        quality=grades.astype(np.uint8),
    )


def _pool_segments(bodies: _Bodies, segments: I64) -> tuple[_Pooled, Mask]:
    """The bounds of each segment; bodies whose segment contradicts itself are left apart, and named."""
    # No segment is so small a number, but by the chance by which two of them are the same.
    alone = np.arange(len(segments))
    pooled = _pool(bodies, np.where(segments == 0, alone, segments))
    apart = Interval(pooled.cones.low, pooled.cones.high).empty[pooled.group]
    if apart.any():
        pooled = _pool(bodies, np.where(apart | (segments == 0), alone, segments))
    return pooled, apart


def _pool(bodies: _Bodies, names: I64) -> _Pooled:
    distinct, group = np.unique(names, return_inverse=True)
    if len(distinct) == len(names):
        return _Pooled(np.arange(len(names)), Cones(bodies.newest, *_seen_from(bodies, bodies.newest)))
    newest = np.full(len(distinct), -NO_BOUND_US, dtype=np.int64)
    np.maximum.at(newest, group, bodies.newest)
    return _Pooled(group, Cones(newest, *pool(_seen_from(bodies, newest[group]), group, len(distinct))))


def _seen_from(bodies: _Bodies, mono: I64) -> Interval:
    return intersect(bodies.one_way.seen_from(mono), bodies.two_way.seen_from(mono))


def _choose(bodies: _Bodies, pooled: _Pooled) -> tuple[I64, U8]:
    """(groups,) Offset and grade: the middle of what an anchor leaves, else the best guess inside the bounds."""
    group, cones = pooled
    leads = np.zeros(len(cones.at), dtype=np.bool_)
    leads[group[bodies.leads]] = True
    # The quickest of several requests is the nearest to the truth.
    guess = np.full(len(cones.at), NO_BOUND_US, dtype=np.int64)
    np.minimum.at(guess, group, bodies.guess)
    grade = np.full(len(cones.at), ClockQuality.D, dtype=np.uint8)
    np.minimum.at(grade, group, bodies.quality)
    middle = Interval(cones.low, cones.high).middle
    return np.where(leads, middle, within(guess, cones.low, cones.high)), grade


def _possible(bodies: _Bodies, pooled: _Pooled, owner: I64, mono: I64) -> Interval:
    """(spans,) The offsets that are possible at each span's own start."""
    own = intersect(bodies.one_way.take(owner).seen_from(mono), bodies.two_way.take(owner).seen_from(mono))
    if len(pooled.cones.at) == len(bodies.newest):
        return own
    return intersect(own, pooled.cones.take(pooled.group[owner]).seen_from(mono))
