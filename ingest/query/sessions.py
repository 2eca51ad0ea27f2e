"""GET /api/v1/sessions: recent sessions of the sample, and the timeline of one, across its traces.

A timeline is in the order of the session's own clocks: spans of one clock keep their distances, as in a trace
(`ingest.query.timeline`), and each start says how far it may be off. Backends are not in it: they know no sessions.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import numpy as np

from ingest.errors import UnknownPath
from ingest.model import UNKNOWN, ClockQuality
from ingest.ports import SessionRead, TraceSearch
from ingest.query import cursor
from ingest.query.call import Call
from ingest.query.figures import covering, describe
from ingest.query.parameters import APP, COMMON, CURSOR, ERRORS, MIN_MS, SESSION_LIMIT, SPAN_LIMIT, BadParameter
from ingest.query.timeline import BACKEND, Timeline, align, number_clocks
from ingest.query.times import rfc3339_us
from ingest.query.trace_text import id_text, phases_text
from ingest.query.trace_tree import grow

_PSEUDONYM = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{20}\Z")]
PARAMETERS = (
    *COMMON,
    MIN_MS,
    ERRORS,
    SESSION_LIMIT,
    cursor.parameter(tuple[cursor.Micros, cursor.Micros, cursor.Micros, _PSEUDONYM]),
)
ONE_PARAMETERS = (APP, CURSOR, SPAN_LIMIT)

MOST_CLOCKS = 50


async def sessions(call: Call) -> Mapping[str, Any]:
    """The newest sessions that hold a matching span, of groups with enough sessions."""
    limit, after = call.values["limit"], call.values["cursor"]
    start, end = (cursor.pinned(call, *after[:2]) if after else call).range_us()
    search = TraceSearch(
        app_id=call.app_id,
        from_us=start,
        to_us=end,
        signal=call.signal,
        filters=call.filters,
        min_us=call.values["min_ms"] * 1000,
        errors=call.values["errors"],
        oversized=False,
        limit=limit + 1,
        now_us=call.now_us,
        least_sessions=call.least_sessions,
        before=(after[2], after[3]) if after else None,
    )
    found, suppressed = await call.sources.sessions.sessions(search, covering(call.filters))
    page, more = found[:limit], found[limit:]
    return {
        "suppressed": describe(suppressed, call.least_sessions),
        "sessions": [_listed(session) for session in page],
        "next": cursor.write(start, end, page[-1]["newest_us"], page[-1]["session"]) if more else None,
    }


def _listed(session: Mapping[str, Any]) -> Mapping[str, Any]:
    shown = dict(session)
    del shown["newest_us"]
    first, last = shown.pop("first_us"), shown.pop("last_us")
    return {**shown, "first_at": rfc3339_us(first), "last_at": rfc3339_us(last)}


async def session(call: Call) -> Mapping[str, Any]:
    """A page of one session's timeline.

    Raises:
        BadParameter: the pseudonym is not 20 hex digits, or the cursor is none of this session.
        UnknownPath: the sample of this app holds no span of it.
    """
    pseudonym = call.path["session"].lower()
    if not re.fullmatch(r"[0-9a-f]{20}", pseudonym):
        raise BadParameter("session", "must be 20 hex digits: a pseudonym, as a trace shows it.")
    read = await call.sources.sessions.session(call.app_id, pseudonym)
    if read is None:
        raise UnknownPath("unknown_session", "The sample holds no span of this session, or no longer.")
    line = await asyncio.to_thread(_Line.of, read)
    after, limit = line.after(call.values["cursor"]), call.values["limit"]
    page = line.order[after : after + limit]
    return {
        "session": pseudonym,
        "start_at": rfc3339_us(line.begin_us),
        "duration_us": int((line.timeline.start_us + read.spans.duration_us).max()) - line.begin_us,
        "counts": _counts(read),
        "clocks": _clocks(line),
        "spans": [_span(row, line) for row in page],
        "next": line.place(page[-1]) if after + limit < len(line.order) else None,
    }


@dataclass(frozen=True, slots=True)
class _Line:
    """A session's spans in order."""

    read: SessionRead
    timeline: Timeline
    order: Sequence[int]
    """Rows of its spans by start."""

    @classmethod
    def of(cls, read: SessionRead) -> "_Line":
        spans, clock = read.spans, number_clocks(read.spans)
        timeline = align(spans, grow(spans.span_id, spans.parent_id, clock, spans.start_us), clock)
        return cls(read, timeline, np.lexsort((np.arange(len(clock)), timeline.start_us)).tolist())

    @property
    def begin_us(self) -> int:
        return int(self.timeline.start_us.min())

    def place(self, row: int) -> str:
        """Where a page ended: by the span, so that spans that arrive between two pages move nothing."""
        span_id = int(self.read.spans.span_id[row])
        return f"{id_text(span_id)}{self._claiming(span_id).index(row):04x}"

    def after(self, place: tuple[int, int] | None) -> int:
        """How many spans lie before the page."""
        if place is None:
            return 0
        span_id, which = place
        claiming = self._claiming(span_id)
        if which >= len(claiming):
            raise BadParameter(
                "cursor", "is of another session, or the session has changed; begin with the first page."
            )
        return self.order.index(claiming[which]) + 1

    def _claiming(self, span_id: int) -> list[int]:
        rows: list[int] = np.flatnonzero(self.read.spans.span_id == span_id).tolist()
        return rows


def _counts(read: SessionRead) -> Mapping[str, Any]:
    return {
        "spans": len(read.spans),
        "errors": int(read.spans.failed.sum()),
        "traces": len({span["trace_id"] for span in read.details}),
        "more": read.more,
        "signals": Counter(span["signal"] for span in read.details),
    }


def _clocks(line: _Line) -> Sequence[Mapping[str, Any]]:
    """Those with the most spans first."""
    timeline, quality = line.timeline, line.read.spans.clock_quality
    sizes = np.bincount(timeline.clock)
    clocks = [clock for clock in np.argsort(-sizes, kind="stable").tolist() if sizes[clock] and clock != BACKEND]
    texts = []
    for clock in clocks[:MOST_CLOCKS]:
        rows = timeline.clock == clock
        err_us = timeline.err_us[rows]
        texts.append(
            {
                "clock": clock,
                "spans": int(sizes[clock]),
                "grade": ClockQuality(quality[rows].max()).name,
                "err_us": None if (err_us == UNKNOWN).any() else int(err_us.max()),
                "conflict": bool(timeline.conflict[clock]),
            }
        )
    return texts


def _span(row: int, line: _Line) -> Mapping[str, Any]:
    spans, strings, timeline = line.read.spans, line.read.strings, line.timeline
    start, err, parent = int(timeline.start_us[row]), int(timeline.err_us[row]), int(spans.parent_id[row])
    details = line.read.details[row]
    return {
        **{name: value for name, value in details.items() if name != "phases_us"},
        "trace_id": details["trace_id"].hex(),
        "span_id": id_text(int(spans.span_id[row])),
        "parent_span_id": id_text(parent) if parent else None,
        "name": strings[spans.name[row]],
        "route": strings[spans.route[row]] or None,
        "failed": bool(spans.failed[row]),
        "start_at": rfc3339_us(start),
        "start_us": start - line.begin_us,
        "err_us": None if err == UNKNOWN else err,
        "clock": int(timeline.clock[row]),
        "duration_us": int(spans.duration_us[row]),
        "phases": phases_text(details["phases_us"]),
    }
