"""Rows of Faro: with timings of the browser's entries, and with what is sent twice; and the columns of it all."""

from array import array
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import numpy as np

from ingest.decode.build import from_hex
from ingest.decode.faro_phases import Timing, measure_timings
from ingest.decode.faro_wire import Context
from ingest.decode.otlp_attributes import SPAN
from ingest.decode.otlp_grid import ints
from ingest.decode.signal_rows import SignalRows, build_signals, text
from ingest.model import I64, UNKNOWN, Attributes, Repair, SpanBatch, Spans
from ingest.settings import Limits

REPAIRED: Final = "firsthop.repaired"
"""Attribute of a span that the decoder put right: `Repair.word`, several joined by commas."""

NS: Final = 1_000
"""In a microsecond."""
CLOCK_NS: Final = 2_000_000
"""Both stamps of a pair are cut to whole milliseconds, by clocks read one after the other."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_US: Final = timedelta(microseconds=1)
_LARGEST: Final = 1e15


class Entry(NamedTuple):
    """A timing entry of the browser that may have a span beside it."""

    row: int
    url: str
    start_ns: int
    trace_id: str
    """In hex, by the server's answer; empty when it did not say."""


class Sent(NamedTuple):
    """A span of a request that the browser has an entry of, too."""

    row: int
    url: str
    start_ns: int
    end_ns: int
    trace_id: str


class FaroRows(SignalRows):
    """Everything read of a micro-batch of Faro."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.twice = array("q")
        """Rows that are no requests because another span or entry is."""
        self.unrouted = array("q")
        """Rows of requests named without their method, because the entries that they are compared with have none."""
        self.timed = array("q")
        """Rows with timings."""
        self.timings = array("q")
        """By `Timing`, for each of them."""
        self._growing = (*self._growing, self.twice, self.unrouted, self.timed, self.timings)
        self._known = self.memo(lambda token: self.span_pairs.add(*token))
        self._free = self.memo(lambda token: self.span_pairs.add(free_name(token[0]), token[1]))
        self._of_sender = self.memo(lambda token: self.resource_pairs.add(*token))
        self._durations = self.memo(_microseconds)
        self._sizes = self.memo(_bytes)

    def pair(self, name: str, value: Any) -> int:
        """An attribute under a name that this decoder chose."""
        return self._known[name, value if type(value) is str else text(value)]

    def free_pairs(self, given: Mapping[str, Any] | None) -> list[int]:
        """The attributes that an app gave, as many as one span may have."""
        named = list((given or {}).items())
        return [self._free[name, text(value)] for name, value in self.first(named, self.limits.attributes)]

    def sender_pairs(self, said: Sequence[tuple[str, str]]) -> list[int]:
        """What is known of the sender."""
        return [self._of_sender[one] for one in self.first(said, self.limits.attributes)]

    def duration_us(self, value: Any) -> int:
        """Milliseconds as text; UNKNOWN for what is none."""
        return self._durations[value if type(value) is str else text(value)]

    def size(self, value: Any) -> int:
        """Bytes as text; UNKNOWN for what is none."""
        return self._sizes[value if type(value) is str else text(value)]

    def add_timing(self, row: int, timing: Sequence[int]) -> None:
        """The timings of a row, by `Timing`."""
        self.timed.append(row)
        self.timings.extend(timing)


def free_name(name: str) -> str:
    """What an app's own attribute is called; empty for one of the user, which is left out."""
    if names_user(name):
        return ""
    return f"faro.{name}" if name in SPAN.targets else name


def names_user(key: str) -> bool:
    """Whether an attribute says who the user is: Faro writes its `user` on every span."""
    return key.startswith(("user.", "enduser."))


def nanoseconds(stamp: Any) -> int:
    """An ISO 8601 stamp in ns since 1970; 0 for what is none."""
    try:
        at = datetime.fromisoformat(stamp)
    except (TypeError, ValueError):
        return 0
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max((at - _EPOCH) // _US, 0) * NS


def ids_of(context: Context | None) -> tuple[bytes, bytes] | None:
    """(trace, span) that was active; None where there is none."""
    if context is None or not isinstance(context.trace_id, str) or not isinstance(context.span_id, str):
        return None
    trace_id, span_id = from_hex(context.trace_id), from_hex(context.span_id)
    if trace_id is None or span_id is None or (len(trace_id), len(span_id)) != (16, 8) or not any(trace_id):
        return None
    return trace_id, span_id


def pair_up(rows: FaroRows, entries: Sequence[Entry], sent: Sequence[Sent]) -> None:
    """Makes entries the children of the spans of the same requests, each once: the earliest of each goes first."""
    waiting: dict[tuple[str, str], deque[Entry]] = {}
    for entry in sorted(entries, key=lambda one: one.start_ns):
        waiting.setdefault((entry.url, entry.trace_id), deque()).append(entry)
    for span in sorted(sent, key=lambda one: one.start_ns):
        for key in ((span.url, span.trace_id), (span.url, "")):
            queue = waiting.get(key, deque())
            while queue and queue[0].start_ns < span.start_ns - CLOCK_NS:
                queue.popleft()
            if queue and queue[0].start_ns <= span.end_ns + CLOCK_NS:
                rows.parents.append((queue.popleft().row, span.row))
                break


def build_faro(rows: FaroRows, digests: Sequence[bytes]) -> SpanBatch:
    """The micro-batch in columns; as `build_signals`."""
    batch = build_signals(rows, digests)
    spans = batch.spans
    repairs, phases = np.array(spans.repairs), np.array(spans.phases_us)
    timed = ints(rows.timed)
    if timed.size:
        timings: I64 = ints(rows.timings).reshape(-1, len(Timing)).T
        phases[:, timed], repairs[timed] = measure_timings(timings)
    repairs[ints(rows.twice)] |= np.uint8(1 << Repair.FARO_TWICE)
    method = np.array(spans.method)
    method[ints(rows.unrouted)] = 0
    spans = replace(spans, phases_us=phases, repairs=repairs, method=method)
    return _tell_repairs(replace(batch, spans=spans), spans)


def _tell_repairs(batch: SpanBatch, spans: Spans) -> SpanBatch:
    """The batch with the attribute that says what was put right."""
    repaired = np.flatnonzero(spans.repairs).astype(np.int32)
    if not repaired.size:
        return batch
    distinct, which = np.unique(spans.repairs[repaired], return_inverse=True)
    strings = [*batch.strings, REPAIRED, *map(_words, distinct.tolist())]
    first = np.int32(len(batch.strings))
    told = Attributes(repaired, np.full(len(repaired), first), which.ravel().astype(np.int32) + first + np.int32(1))
    return replace(batch, strings=strings, attributes=Attributes.concat([batch.attributes, told]))


def _words(bits: int) -> str:
    return ",".join(repair.word for repair in Repair if bits >> repair & 1)


def _number(given: str) -> float:
    try:
        value = float(given)
    except ValueError:
        return UNKNOWN
    return value if 0 <= value <= _LARGEST else UNKNOWN


def _microseconds(given: str) -> int:
    value = _number(given)
    return UNKNOWN if value == UNKNOWN else round(value * 1000)


def _bytes(given: str) -> int:
    return int(_number(given))
