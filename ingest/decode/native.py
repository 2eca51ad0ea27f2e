"""The native format (`client_sdk_spec/WIRE.md`): many bodies, both encodings, into one `SpanBatch`.

numpy costs a microsecond a call whatever the size of the array. So nothing here is done per body that can be done once
per micro-batch: every column of every body goes into one matrix with a row per column, and the codes and indexes of all
bodies are checked and shifted together. A body that then proves wrong is taken out and the others are built again.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from itertools import chain
from typing import Any, TypeVar

import msgspec
import numpy as np

from ingest.decode.build import Strings, first_of_each, ids, randomness, threshold, within
from ingest.decode.native_numbers import resolve, starts, whole_numbers
from ingest.decode.native_sketches import CODES as SKETCH_CODES
from ingest.decode.native_sketches import build_sketches
from ingest.decode.native_wire import CODES, IDS, NUMBERS, PHASES, REACH_US, STEPS, WHOLE, Reading, read
from ingest.errors import Malformed, Refusal
from ingest.model import (
    I32,
    I64,
    REUSED,
    U8,
    UNKNOWN,
    Attributes,
    Bodies,
    ClockKind,
    ConsentState,
    Decoded,
    Drops,
    Events,
    Kind,
    LinkKind,
    Links,
    Resources,
    Signal,
    SketchBins,
    Sketches,
    SpanBatch,
    Spans,
    Status,
    no_sketches,
)
from ingest.settings import Limits

_TRACE = len(CODES)
_CODE_FIELDS = tuple(f"cols.{name}" for name in CODES)
_SKETCH_FIELDS = tuple(f"sketches.{name}" for name in SKETCH_CODES)
_AT = {name: row for row, name in enumerate(WHOLE)}
_RESOURCE_TEXTS = len(Resources.CODES)
_PHASES = slice(_AT[PHASES[0]], _AT[PHASES[-1]] + 1)
_OFFSET_US = "events.offset_us"
"""Name under which `big` holds the offsets of events."""

_NO_CODES = np.empty(0, np.int32)
_NO_ATTRIBUTES = Attributes(_NO_CODES, _NO_CODES, _NO_CODES)
_NO_EVENTS = Events(_NO_CODES, _NO_CODES, np.empty(0, np.int64))
_NO_LINKS = Links(_NO_CODES, np.empty((0, 16), np.uint8), np.empty((0, 8), np.uint8), np.empty(0, np.uint8))

_Owned = TypeVar("_Owned", Attributes, Events, Links)


def decode_native(bodies: Sequence[bytes], limits: Limits) -> Decoded:
    """The spans of all bodies as one batch, in the order of the bodies.

    Args:
        bodies: inflated, MessagePack or JSON as their first byte tells.
        limits: bounds on what one body and one span may hold. Attributes, events and links beyond those of one span
            are dropped, the first kept; longer text is cut.

    Returns:
        The batch, and for every body that cannot be read a `Refusal`. What a span has wrong by itself stays in the
        columns, for `validate` to judge: a missing trace or span id is all zeros, a missing start UNKNOWN.
    """
    faults: dict[int, Exception] = {}
    readings: dict[int, Reading] = {}
    for row, body in enumerate(bodies):
        try:
            readings[row] = read(body, limits)
        except Refusal as refusal:
            faults[row] = refusal.detached()
    assembly = _Assembly(len(bodies), readings)
    batch, wrong = assembly.batch(limits)
    if wrong:
        faults |= wrong
        assembly = _Assembly(len(bodies), {row: r for row, r in readings.items() if row not in wrong})
        batch, _ = assembly.batch(limits)
    return Decoded(batch, faults, assembly.trimmed)


class _Assembly:
    """One attempt at a batch; `wrong` gathers the bodies whose numbers point to nothing."""

    def __init__(self, bodies: int, readings: Mapping[int, Reading]) -> None:
        self.bodies = bodies
        self.rows = np.fromiter(readings, np.int32, len(readings))
        self.readings = tuple(readings.values())
        self.spans = self._count(lambda reading: reading.n)
        self.first_span = starts(self.spans)
        self.resource = np.repeat(np.arange(len(self.readings), dtype=np.int32), self.spans)
        self.all_packed = not any(reading.json for reading in self.readings)
        self.strings = Strings()
        self.wrong: dict[int, Exception] = {}
        self.trimmed = 0

    def batch(self, limits: Limits) -> tuple[SpanBatch, Mapping[int, Exception]]:
        epochs, resources = self._senders()
        self._intern()
        spans = self._spans()
        drops = self._drops()
        attributes = self._attributes(limits.attributes)
        events = self._events(limits.events)
        links = self._links(limits.links)
        sketches, sketch_bins = self._sketches()
        batch = SpanBatch(
            strings=self.strings.table(limits.string_bytes),
            bodies=self._bodies(epochs),
            resources=resources,
            spans=spans,
            attributes=attributes,
            resource_attributes=_NO_ATTRIBUTES,
            events=events,
            links=links,
            drops=drops,
            sketches=sketches,
            sketch_bins=sketch_bins,
        )
        return batch, self.wrong

    def _count(self, size: Callable[[Reading], int]) -> I64:
        return np.fromiter(map(size, self.readings), np.int64, len(self.readings))

    def _refuse(self, positions: I64 | I32, reason: str, message: str) -> None:
        for position in np.unique(positions):
            self.wrong.setdefault(int(self.rows[position]), Malformed(reason, message))

    def _refuse_escapes(self, position: int, field: str) -> None:
        self._refuse(np.array([position]), "bad_escape", f"big and the escapes in {field} do not name the same rows")

    def _senders(self) -> tuple[I32, Resources]:
        texts = [(r.clock.epoch, *msgspec.structs.astuple(r.resource)) for r in self.readings]
        width = 1 + _RESOURCE_TEXTS
        named = self.strings.codes(chain.from_iterable(row[:width] for row in texts), width * len(texts))
        epochs, *columns = named.reshape(-1, width).T
        numbers = np.array([[UNKNOWN if v is None else v for v in row[width:-2]] for row in texts], np.int64).reshape(
            -1, 2
        )
        memory_mb, cores = within(numbers.T, 0, REACH_US)
        coded = dict(zip(Resources.CODES, columns, strict=True))
        consent = np.array([ConsentState.of(row[-2]) for row in texts], np.uint8)
        reported = np.array([row[-1] == 1 for row in texts], np.bool_)
        return epochs, Resources(
            body=self.rows, memory_mb=memory_mb, cores=cores, consent=consent, reported=reported, **coded
        )

    def _bodies(self, epochs: I32) -> Bodies:
        m, rows = self.bodies, self.rows
        table = Bodies(
            batch_id=np.zeros((m, 16), np.uint8),
            clock=np.zeros(m, np.uint8),
            epoch=np.zeros(m, np.int32),
            sealed_mono_us=np.full(m, UNKNOWN, np.int64),
            sealed_wall_us=np.full(m, UNKNOWN, np.int64),
            steps=np.full(m, UNKNOWN, np.int64),
            sketched=np.zeros(m, np.bool_),
        )
        table.sketched[rows] = [r.unsent_sketched for r in self.readings]
        clocks = [r.clock for r in self.readings]
        table.batch_id[rows] = ids(b"".join(r.batch_id for r in self.readings), 16)
        table.clock[rows] = [ClockKind.WALL if c.kind == "wall" else ClockKind.MONOTONIC for c in clocks]
        table.epoch[rows] = epochs
        table.sealed_mono_us[rows] = [UNKNOWN if c.mono_us is None else c.mono_us for c in clocks]
        table.sealed_wall_us[rows] = [UNKNOWN if c.wall_us is None else c.wall_us for c in clocks]
        steps = np.array([UNKNOWN if c.steps is None else c.steps for c in clocks], np.int64)
        table.steps[rows] = within(steps, 0, STEPS)
        return table

    def _intern(self) -> None:
        """Makes `codes`: the string tables of all bodies end to end, each with its code 0, as codes of the batch."""
        self.table_size = self._count(lambda reading: 1 + len(reading.strings))
        self.table_start = starts(self.table_size)
        texts = chain.from_iterable((None, *reading.strings) for reading in self.readings)
        self.codes = self.strings.codes(texts, int(self.table_size.sum()))

    def _coded(self, local: I64, of: I32, fields: Sequence[str]) -> I32:
        """(len(fields), n) the batch's codes for codes of the bodies at positions `of`."""
        bad = (local < 0) | (local >= self.table_size[of])
        if bad.any():
            for field, rows in zip(fields, bad, strict=True):
                self._refuse(of[rows], "bad_code", f"{field} holds a code that strings has no entry for")
            local = np.where(bad, 0, local)
        coded: I32 = self.codes[local + self.table_start[of]]
        return coded

    def _spans(self) -> Spans:
        whole, unresolved = whole_numbers(self.readings, self.spans)
        for position, field in unresolved:
            self._refuse_escapes(position, f"cols.{field}")
        numbers = dict(zip(NUMBERS, whole[_TRACE + 1 :], strict=True))
        codes = dict(zip(CODES, self._coded(whole[:_TRACE], self.resource, _CODE_FIELDS), strict=True))
        span_id, parent_span_id = (ids(b"".join([getattr(r, name) for r in self.readings]), 8) for name in IDS)
        base_us = np.array([r.clock.base_us or 0 for r in self.readings], np.int64)
        return Spans(
            resource=self.resource,
            trace_id=self._trace_ids(whole[_TRACE]),
            span_id=span_id,
            parent_span_id=parent_span_id,
            signal=_signal(numbers["signal"]),
            kind=_one_of(numbers["kind"], Kind),
            status=_one_of(numbers["status"], Status),
            start_us=_start_us(numbers["start_us"], base_us[self.resource]),
            duration_us=numbers["duration_us"],
            phases_us=whole[_PHASES],
            http_status=within(numbers["http_status"], 0, 599).astype(np.int32),
            request_bytes=within(numbers["request_bytes"], 0, REACH_US),
            response_bytes=within(numbers["response_bytes"], 0, REACH_US),
            threshold=self._hex_numbers(codes.pop("threshold"), threshold),
            randomness=self._hex_numbers(codes.pop("randomness"), randomness),
            repairs=np.zeros(len(self.resource), np.uint8),
            **codes,
        )

    def _trace_ids(self, index: I64) -> U8:
        sizes = self._count(lambda reading: len(reading.traces) // 16)
        missing = index == UNKNOWN
        bad = ~missing & ((index < 0) | (index >= sizes[self.resource]))
        if bad.any():
            self._refuse(self.resource[bad], "bad_index", "cols.trace points beyond the end of traces")
        none = bytes(16)
        table = ids(b"".join(chain.from_iterable((none, reading.traces) for reading in self.readings)), 16)
        return table[np.where(missing | bad, 0, index + 1 + starts(sizes + 1)[self.resource])]

    def _hex_numbers(self, codes: I32, parse: Callable[[str], int]) -> I64:
        if not codes.any():
            return np.full(len(codes), UNKNOWN, np.int64)
        distinct, inverse = np.unique(codes, return_inverse=True)
        texts = self.strings.texts()
        return np.array([parse(texts[code]) for code in distinct], np.int64)[inverse]

    def _owned(self, field: str, tables: Mapping[int, Any]) -> tuple[I32, I32]:
        """Of every row of a table that belongs to spans: the body's position, and the span's row in the batch."""
        of = np.repeat(np.array([*tables], np.int32), [_rows(table.span) for table in tables.values()])
        span = self._words(tables, "span")
        bad = (span < 0) | (span >= self.spans[of])
        if bad.any():
            self._refuse(of[bad], "bad_index", f"{field}.span points beyond the last span")
        return of, np.where(bad, 0, span + self.first_span[of]).astype(np.int32)

    def _words(self, tables: Mapping[int, Any], name: str) -> I64:
        """One column of a table of all bodies; u32 from 2^31 read as negative."""
        columns = [getattr(table, name) for table in tables.values()]
        if self.all_packed:
            return np.frombuffer(b"".join(columns), "<i4").astype(np.int64)
        parts = [np.frombuffer(c, "<i4") if isinstance(c, bytes) else np.array(c, np.int64) for c in columns]
        return np.concatenate(parts, dtype=np.int64)

    def _attributes(self, limit: int) -> Attributes:
        tables = {p: r.attributes for p, r in enumerate(self.readings) if r.attributes is not None}
        if not tables:
            return _NO_ATTRIBUTES
        of, owner = self._owned("attrs", tables)
        local = np.stack([self._words(tables, "key"), self._words(tables, "value")])
        key, value = self._coded(local, of, ("attrs.key", "attrs.value"))
        return self._first(Attributes(owner, key, value), limit)

    def _events(self, limit: int) -> Events:
        tables = {p: r.events for p, r in enumerate(self.readings) if r.events is not None}
        if not tables:
            return _NO_EVENTS
        of, owner = self._owned("events", tables)
        (name,) = self._coded(self._words(tables, "name")[None], of, ("events.name",))
        offset_us = self._words(tables, "offset_us")
        if any(reading.big for reading in self.readings) or offset_us.min(initial=0) < UNKNOWN:
            self._resolve_offsets(tables, offset_us)
        return self._first(Events(owner, name, offset_us), limit)

    def _resolve_offsets(self, tables: Mapping[int, Any], offset_us: I64) -> None:
        """Marks and escapes of the offsets of events, in place."""
        end = 0
        for position, table in tables.items():
            start, end = end, end + _rows(table.span)
            reading = self.readings[position]
            if not reading.json:
                offset_us[start:end], resolved = resolve(offset_us[start:end], reading.big.get(_OFFSET_US, ()))
                if not resolved:
                    self._refuse_escapes(position, _OFFSET_US)

    def _links(self, limit: int) -> Links:
        tables = {p: r.links for p, r in enumerate(self.readings) if r.links is not None}
        if not tables:
            return _NO_LINKS
        _, owner = self._owned("links", tables)
        trace_id = ids(b"".join([self.readings[p].link_trace_id for p in tables]), 16)
        span_id = ids(b"".join([self.readings[p].link_span_id for p in tables]), 8)
        kind = np.full(len(owner), LinkKind.SPAN, np.uint8)
        return self._first(Links(owner, trace_id, span_id, kind), limit)

    def _first(self, table: _Owned, limit: int) -> _Owned:
        """The table with the first `limit` rows of each span; the rest is counted."""
        chosen = first_of_each(table.owner, limit)
        if chosen is None:
            return table
        self.trimmed += int(len(chosen) - np.count_nonzero(chosen))
        return table.take(chosen)

    def _sketches(self) -> tuple[Sketches, SketchBins]:
        found = {position: r.sketched for position, r in enumerate(self.readings) if r.sketched is not None}
        if not found:
            return no_sketches()
        sizes = [len(sketched.spans) for sketched in found.values()]
        of = np.repeat(np.array([*found], np.int32), sizes)
        local = np.concatenate([sketched.codes for sketched in found.values()], axis=1)
        return build_sketches([*found.values()], of, self._coded(local, of, _SKETCH_FIELDS))

    def _drops(self) -> Drops:
        reasons = [reason for reading in self.readings for reason in reading.dropped]
        return Drops(
            body=np.repeat(self.rows, [len(reading.dropped) for reading in self.readings]),
            reason=self.strings.codes(reasons, len(reasons)),
            spans=np.array([spans for reading in self.readings for spans in reading.dropped.values()], np.int64),
        )


def _rows(column: bytes | list[int]) -> int:
    return len(column) // 4 if isinstance(column, bytes) else len(column)


def _one_of(numbers: I64, choices: type[IntEnum]) -> U8:
    """The numbers, with 0 (not specified, not set) for what the enumeration has no name for."""
    return np.where((numbers >= 0) & (numbers < len(choices)), numbers, 0).astype(np.uint8)


def _signal(numbers: I64) -> U8:
    """The numbers; what only a later version of the format has a number for is no request."""
    known = (numbers >= 0) & (numbers < len(Signal))
    return np.where(known, numbers, Signal.OPERATION).astype(np.uint8)


def _start_us(numbers: I64, base_us: I64) -> I64:
    known = (numbers != UNKNOWN) & (numbers != REUSED) & (numbers >= -REACH_US) & (numbers <= REACH_US)
    return np.where(known, numbers + base_us, UNKNOWN)
