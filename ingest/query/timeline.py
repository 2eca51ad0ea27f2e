"""One line of time for the spans of a trace, and how far each may be off. Pure; columns in, columns out.

Spans measured by one clock keep their distances: a clock moves as a whole, and no duration changes. A client's clock is
its `clock_segment`; where none is named, its session and service. Backend spans stay where they are.

Every start came with an interval that holds the true one: start ± error. So each span of a clock bounds the clock's
offset, and a bound at one moment is a bound at another, wider by the drift between them (ρ = 100 ppm). What the backend
measured bounds it too, for a server works while its client waits:

    server's end − client's end  ≤  the client's shift  ≤  server's start − client's start

each wider by the server's own error. The clock's offset becomes the middle of what all bounds leave open, and what they
leave open on either side is the error of its spans; so it still holds the truth when every bound did. Bounds that
contradict each other leave the client's own values alone and are flagged.

Where no segment is named, batches may have been placed with offsets of their own, and nobody knows by how much these
differ. Such a clock still moves as a whole, as the best guess, but a bound on one of its spans says nothing of others.

A bound comes from a backend span of kind server that is no longer than the client span it hangs on, and whose parent's
id is nobody else's: a stranger who repeats an id moves nothing.
"""

from dataclasses import dataclass, replace

import numpy as np

from ingest.model import I64, UNKNOWN, Kind, Mask, Origin
from ingest.ports.traces import TraceSpans
from ingest.query.trace_tree import NONE, Tree

DRIFT = 10_000
"""One part in so many: 100 ppm."""
BACKEND = 0
"""The number of every backend span's clock: none moves, so they need no telling apart."""

_FAR_US = 1 << 50
"""36 years stand for no bound: sums of a few stay in 64 bits."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """n spans on one line of time, and c clocks: `BACKEND` and, from 1 on, those of clients."""

    clock: I64
    """(n,) which clock measured it."""
    start_us: I64
    """(n,) µs since 1970."""
    shift_us: I64
    """(n,) start_us − the stored start."""
    err_us: I64
    """(n,) half-width of the interval that holds the true start, or UNKNOWN."""
    tightens: Mask
    """(n,) backend spans that left a client's clock less room."""
    conflict: Mask
    """(c,) bounds on the clock contradicted each other."""


@dataclass(frozen=True, slots=True)
class _Bounds:
    """What is known of clocks, one row per fact: at a moment of that clock its offset lies in [low, high].

    Moments and offsets count from those of the clock's first span, within `_FAR_US`.
    """

    clock: I64
    sharing: I64
    """Facts of one clock with the same number bound each other."""
    at: I64
    low: I64
    high: I64

    def joined(self, other: "_Bounds") -> "_Bounds":
        pairs = ((getattr(self, name), getattr(other, name)) for name in ("clock", "sharing", "at", "low", "high"))
        return _Bounds(*map(np.concatenate, pairs))

    def spread(self) -> "_Bounds":
        """Every fact narrowed by all others that bound it."""
        order = np.lexsort((self.at, self.sharing))
        sharing, drift = self.sharing[order], self.at[order] // DRIFT
        low, high = np.empty_like(self.low), np.empty_like(self.high)
        low[order] = _highest_around(sharing, drift, self.low[order])
        high[order] = -_highest_around(sharing, drift, -self.high[order])
        return replace(self, low=low, high=high)

    def torn(self, clocks: int) -> Mask:
        """(c,) clocks for which nothing is left open."""
        return np.bincount(self.clock, weights=self.low > self.high, minlength=clocks) > 0


def number_clocks(spans: TraceSpans) -> I64:
    """(n,) `BACKEND`, or from 1 on a number for each clock of a client."""
    client = spans.origin == Origin.CLIENT
    named = client & (spans.clock_segment != 0)
    unnamed = client & ~named
    keys = np.zeros((4, len(spans)), np.int64)
    keys[0] = named + 2 * unnamed
    keys[1, named] = spans.clock_segment[named]
    keys[2, unnamed] = spans.session[unnamed]
    keys[3, unnamed] = spans.service[unnamed]
    order = np.lexsort(keys[::-1])
    begins = np.any(keys[:, order] != np.roll(keys[:, order], 1, axis=1), axis=0)
    begins[:1] = client[order[:1]]
    number = np.empty(len(spans), np.int64)
    number[order] = np.cumsum(begins)
    return number


def align(spans: TraceSpans, tree: Tree, clock: I64) -> Timeline:
    """The line of time of n spans, whose clocks `number_clocks` numbered."""
    rows = np.flatnonzero(clock != BACKEND)
    clocks = int(clock.max(initial=BACKEND)) + 1
    own, origin_us = _own_bounds(spans, rows, clock, clocks)
    servers, told = _told_bounds(spans, tree, clock, own, rows=rows, origin_us=origin_us)
    alone, together = own.spread(), own.joined(told).spread()
    torn_alone, torn = alone.torn(clocks), together.torn(clocks)
    usable = ~torn[own.clock]
    low = np.where(usable, together.low[: len(rows)], alone.low)
    high = np.where(usable, together.high[: len(rows)], alone.high)

    offset = (own.low + own.high) // 2
    chosen = np.where(torn_alone[own.clock], offset, _middles(own.clock, low, high, offset, clocks)[own.clock])
    err_us = np.where(spans.clock_err_ms == UNKNOWN, UNKNOWN, _micros(spans.clock_err_ms))
    open_us = np.maximum(high - chosen, chosen - low)
    err_us[rows] = np.where(torn_alone[own.clock], err_us[rows], np.where(open_us >= _FAR_US // 2, UNKNOWN, open_us))
    shift_us = np.zeros(len(spans), np.int64)
    shift_us[rows] = chosen - offset
    tightens = np.zeros(len(spans), np.bool_)
    tightens[servers] = ~torn[clock[tree.parent[servers]]] & _narrower(servers, told, alone, tree, rows)
    return Timeline(clock, spans.start_us + shift_us, shift_us, err_us, tightens, torn)


def _own_bounds(spans: TraceSpans, rows: I64, clock: I64, clocks: int) -> tuple[_Bounds, I64]:
    """What client spans say of their clocks themselves, and the start (µs since 1970) that moments count from."""
    mine = clock[rows]
    _, first, number = np.unique(mine, return_index=True, return_inverse=True)
    reference = rows[first][number]
    apart = spans.clock_offset_us[rows] - spans.clock_offset_us[reference]
    offset = np.where(spans.clock_segment[rows] == 0, 0, np.clip(apart, -_FAR_US, _FAR_US))
    err_ms = spans.clock_err_ms[rows]
    err = np.where(err_ms == UNKNOWN, _FAR_US, _micros(err_ms))
    origin_us = spans.start_us[reference]
    at = np.clip(spans.start_us[rows] - offset - origin_us, -_FAR_US, _FAR_US)
    sharing = np.where(spans.clock_segment[rows] == 0, clocks + rows, mine)
    return _Bounds(mine, sharing, at, offset - err, offset + err), origin_us


def _told_bounds(
    spans: TraceSpans, tree: Tree, clock: I64, own: _Bounds, *, rows: I64, origin_us: I64
) -> tuple[I64, _Bounds]:
    """Rows of the backend spans that bound a client's clock, and their bounds: first all upper, then all lower ones."""
    parent = np.where(tree.parent == NONE, 0, tree.parent)
    servers = np.flatnonzero(
        (clock == BACKEND)
        & (tree.parent != NONE)
        & (spans.kind == Kind.SERVER)
        & (spans.clock_err_ms != UNKNOWN)
        & (clock[parent] != BACKEND)
        & ~tree.shared_id[parent]
        & (spans.duration_us <= spans.duration_us[parent])
    )
    clients = tree.parent[servers]
    place = np.searchsorted(rows, clients)
    err = _micros(spans.clock_err_ms[servers])
    begins, ends = own.at[place], own.at[place] + spans.duration_us[clients]
    server_begins = spans.start_us[servers] - origin_us[place]
    high = np.clip(server_begins - begins + err, -_FAR_US, _FAR_US)
    low = np.clip(server_begins + spans.duration_us[servers] - ends - err, -_FAR_US, _FAR_US)
    nothing = np.full(len(servers), 2 * _FAR_US)
    told = _Bounds(
        np.tile(clock[clients], 2),
        np.tile(own.sharing[place], 2),
        np.concatenate([begins, ends]),
        np.concatenate([-nothing, low]),
        np.concatenate([high, nothing]),
    )
    return servers, told


def _micros(err_ms: I64) -> I64:
    return np.clip(err_ms, 0, _FAR_US // 1000) * 1000


def _narrower(servers: I64, told: _Bounds, alone: _Bounds, tree: Tree, rows: I64) -> Mask:
    """Which of the servers' bounds leave less room than the clients' own did."""
    count = len(servers)
    place = np.searchsorted(rows, tree.parent[servers])
    drift = (told.at[count:] - told.at[:count]) // DRIFT + 1
    narrower: Mask = (told.high[:count] < alone.high[place]) | (told.low[count:] - drift > alone.low[place])
    return narrower


def _middles(clock: I64, low: I64, high: I64, offset: I64, clocks: int) -> I64:
    """(c,) the offset of each clock: the middle of what is open to all its spans.

    Where drift leaves no offset that suits all of them, the middle of the narrowest; where nothing bounds them, the
    median of what they came with.
    """
    lowest, highest = np.full(clocks, -2 * _FAR_US), np.full(clocks, 2 * _FAR_US)
    np.maximum.at(lowest, clock, low)
    np.minimum.at(highest, clock, high)
    middle = (lowest + highest) // 2
    by_width = np.lexsort((np.arange(len(clock)), low - high, clock))
    narrowest = np.zeros(clocks, np.int64)
    narrowest[clock[by_width]] = ((low + high) // 2)[by_width]
    by_offset = np.lexsort((offset, clock))
    sizes = np.bincount(clock, minlength=clocks)
    median = np.zeros(clocks, np.int64)
    there = sizes > 0
    median[there] = offset[by_offset][(np.cumsum(sizes) - sizes + (sizes - 1) // 2)[there]]
    unbounded = (lowest <= -_FAR_US // 2) | (highest >= _FAR_US // 2)
    return np.where(unbounded, median, np.where(lowest > highest, narrowest, middle))


def _highest_around(sharing: I64, drift: I64, value: I64) -> I64:
    """The highest of the values that share, as far as drift lets it reach each row; rows by `sharing` and moment."""
    before = _running_max(sharing, value + drift) - drift
    after = _running_max(sharing[::-1], (value - drift)[::-1])[::-1] + drift
    # Whole drift units are rounded: a bound from elsewhere may be a microsecond too good.
    highest: I64 = np.maximum(value, np.maximum(before, after) - 1)
    return highest


def _running_max(sharing: I64, value: I64) -> I64:
    """The maximum of each row and those before it that share; rows that share lie together."""
    step = 1
    while step < len(value):
        same = sharing[step:] == sharing[:-step]
        value = np.concatenate([value[:step], np.where(same, np.maximum(value[step:], value[:-step]), value[step:])])
        step *= 2
    return value
