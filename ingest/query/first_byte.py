"""Time to first byte, split into network and server. Pure; columns in, columns out.

A client span is linked when a backend span of kind server hangs on it, or its answer said how long the server took.

    network = TTFB − server

and server is the backend span's duration, else what the answer said. Of several backend spans (redirects, retries) the
last to start counts: TTFB is that of the final answer. Both are durations, so no clock's error is in the split.

A server that took longer than the TTFB contradicts it (an answer sent while it was still being made, a child that is
not the one that answered): then network is unknown, never negative. So it is where the TTFB is, and where several spans
claim the client span's id and nobody can say whose child the server is.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ingest.model import I64, U8, UNKNOWN, Kind, Mask, Origin
from ingest.ports.traces import TraceSpans
from ingest.query.trace_tree import NONE, Tree

ROUNDING_US = 2000
"""Two timers of a millisecond each: a server that seems longer by no more took all of the TTFB."""


class Split(IntEnum):
    """What is known of a span's first byte."""

    NOT_LINKED = 0
    MEASURED = 1
    UNKNOWN = 2
    CONTRADICTORY = 3


@dataclass(frozen=True, slots=True)
class FirstBytes:
    """The split of n spans."""

    state: U8
    """`Split`."""
    network_us: I64
    """Or UNKNOWN."""
    server_us: I64
    """Or UNKNOWN."""
    server: I64
    """Row of the backend span that told, or NONE."""


def split(spans: TraceSpans, tree: Tree, start_us: I64) -> FirstBytes:
    """Splits the first bytes of n spans, whose starts on one line of time are `start_us`."""
    server, unsure = _servers(spans, tree, start_us)
    by_span = server != NONE
    server_us = np.where(by_span, spans.duration_us[server], spans.server_us)
    client = spans.origin == Origin.CLIENT
    linked = client & ((server_us != UNKNOWN) | unsure)
    timed = linked & (server_us != UNKNOWN) & (spans.ttfb_us >= 0)
    fits = timed & (server_us <= spans.ttfb_us + ROUNDING_US)
    state = np.full(len(spans), Split.NOT_LINKED, np.uint8)
    state[linked] = Split.UNKNOWN
    state[timed] = Split.CONTRADICTORY
    state[fits] = Split.MEASURED
    return FirstBytes(
        state=state,
        network_us=np.where(fits, np.maximum(spans.ttfb_us - server_us, 0), UNKNOWN),
        server_us=np.where(linked, server_us, UNKNOWN),
        server=np.where(linked & by_span, server, NONE),
    )


def _servers(spans: TraceSpans, tree: Tree, start_us: I64) -> tuple[I64, Mask]:
    """(n,) the backend span that answered each span, or NONE; and spans for which nobody can say."""
    hanging = np.flatnonzero((spans.origin == Origin.BACKEND) & (spans.kind == Kind.SERVER) & (tree.parent != NONE))
    by_start = hanging[np.lexsort((hanging, start_us[hanging]))]
    server = np.full(len(spans), NONE, np.int64)
    server[tree.parent[by_start]] = by_start
    unsure: Mask = (server != NONE) & tree.shared_id
    server[unsure] = NONE
    return server, unsure
