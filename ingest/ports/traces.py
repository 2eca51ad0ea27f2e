"""One stored trace as the query API reads it: the columns that its shape and its times are made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ingest.model import I32, I64, U8, Columns, LinkKind, Mask

U64 = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class TraceSpans(Columns):
    """The spans of a trace by stored start, then id. Codes are rows of `TraceRead.strings`; code 0: not given."""

    span_id: U64
    """The eight bytes as a number, big-endian. Several spans may claim one id."""
    parent_id: U64
    """0: it names none."""
    name: I32
    route: I32
    service: I32
    session: I32
    kind: U8
    origin: U8
    failed: Mask
    start_us: I64
    """As stored, µs since 1970."""
    duration_us: I64
    ttfb_us: I64
    """Or `REUSED`, `UNKNOWN`."""
    server_us: I64
    """What its answer says the server took, or UNKNOWN."""
    clock_quality: U8
    """`ClockQuality`."""
    clock_err_ms: I64
    """Or UNKNOWN."""
    clock_conflict: Mask
    clock_segment: I64
    """0: none is named."""
    clock_offset_us: I64
    """Only differences inside a segment mean anything, and they may wrap around."""

    CODES: ClassVar[tuple[str, ...]] = ("name", "route", "service", "session")


@dataclass(frozen=True, slots=True)
class SpanLink:
    """One span pointing at another."""

    span_id: bytes
    """The span that points."""
    trace_id: bytes
    """Where it points; where the span that points is, in `TraceRead.linked_from`."""
    linked_span_id: bytes | None
    """The span pointed at; None where only the trace is known."""
    kind: LinkKind
    name: str
    """Of the span that points."""
    start_us: int
    """Of the span that points, µs since 1970."""


@dataclass(frozen=True, slots=True)
class TraceRead:
    """What is stored of one trace."""

    known_as: bytes
    """The id by which backends and other systems know it: the client's own, where the edge gave it another one.

    Backend spans of that id are of this trace too.
    """
    strings: Sequence[str]
    spans: TraceSpans
    """The earliest, at most `MOST_SPANS`."""
    stored: int
    """Spans there are; counted up to ten times `MOST_SPANS`."""
    dropped: int
    """Spans that the sample took and the trace had no room for."""
    links: Sequence[SpanLink]
    """From spans of the trace, at most `MOST_LINKS`."""
    more_links: bool
    linked_from: Sequence[SpanLink]
    """From spans of other traces of the app to this trace, at most `MOST_LINKS`, by start."""
    more_linked_from: bool


MOST_SPANS = 11_000
"""Of one trace that are read: as many as `FIRSTHOP_TRACE_SPANS` lets be stored, unless it is raised."""
MOST_LINKS = 100
"""In each direction."""
