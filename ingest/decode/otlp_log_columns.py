"""`LogRows` → `SpanBatch`: what a micro-batch of log records becomes."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Final

import numpy as np

from ingest.decode.build import remark
from ingest.decode.otlp_columns import LaidOut, assemble, ids_of, lay_out, span_columns
from ingest.decode.otlp_grid import ints
from ingest.decode.otlp_log_attributes import LOAD_MOMENTS, LOAD_ROWS
from ingest.decode.otlp_log_rows import LogRows
from ingest.decode.otlp_log_signals import DOCUMENT, Told, tell_records
from ingest.decode.otlp_log_times import Timed, place_in_time
from ingest.model import (
    I32,
    I64,
    U8,
    UNKNOWN,
    Attributes,
    Events,
    Kind,
    Mask,
    Remarks,
    Signal,
    SpanBatch,
    Spans,
    Status,
)
from ingest.outcome import Note

BODY: Final = "log.body"
SEVERITY: Final = "log.severity"
"""Attributes of spans; the conventions have no names for them, since records have fields."""
_SAID_BY_VITALS: Final = ("web_vital.name", "web_vital.value")


def build_logs(rows: LogRows, batch_ids: Sequence[bytes]) -> SpanBatch:
    """The micro-batch in columns; as `otlp_columns.build_batch`."""
    laid = lay_out(rows)
    told = tell_records(rows, laid)
    timed = place_in_time(rows, laid, told)
    spans = _spans(rows, laid, told, timed)
    trace_id, parent_span_id = _traces(rows, spans, batch_ids)
    spans = replace(spans, trace_id=trace_id, parent_span_id=parent_span_id)
    row = np.repeat(np.arange(len(spans)), 1 + told.load)
    document = np.zeros(len(row), dtype=np.bool_)
    document[1:] = row[1:] == row[:-1]
    first = np.flatnonzero(~document)
    attributes = _attributes(rows, laid, told)
    batch = assemble(
        rows,
        batch_ids,
        replace(laid, attributes=replace(attributes, owner=first[attributes.owner].astype(np.int32))),
        _with_documents(rows, spans.take(row), timed, row, document),
        _load_moments(rows, laid, told.load, first),
    )
    return _leave_out(batch, told, first)


def _spans(rows: LogRows, laid: LaidOut, told: Told, timed: Timed) -> Spans:
    """One span for every record; of a page load the page."""
    spans = span_columns(rows, laid, np.where(told.load, UNKNOWN, timed.phases_us))
    request = told.signal == Signal.REQUEST
    nothing_said = timed.hidden & (spans.response_bytes == 0)
    return replace(
        spans,
        name=told.name.astype(np.int32),
        signal=told.signal,
        kind=np.where(request, Kind.CLIENT, Kind.INTERNAL).astype(np.uint8),
        status=np.where(told.signal == Signal.EXCEPTION, Status.ERROR, spans.status).astype(np.uint8),
        start_us=timed.start_us,
        duration_us=timed.duration_us,
        response_bytes=np.where(nothing_said, UNKNOWN, spans.response_bytes),
    )


def _with_documents(rows: LogRows, spans: Spans, timed: Timed, row: I64, document: Mask) -> Spans:
    """The spans, those of pages twice: first the page, then the request for its document.

    Args:
        row: record of each span.
        document: which of them are the second.
    """
    if not document.any():
        return spans
    page = np.append(document[1:], False)
    start_us, duration_us = timed.document_us[:, row]
    span_id, parent_span_id = spans.span_id.copy(), spans.parent_span_id.copy()
    span_id[document] = ids_of(rows.second_ids, 8)[row[document]]
    finished = document & (spans.duration_us != UNKNOWN)
    parent_span_id[finished] = spans.span_id[finished]
    nothing: I32 = np.zeros(1, dtype=np.int32)
    return replace(
        spans,
        span_id=span_id,
        parent_span_id=parent_span_id,
        name=np.where(document, rows.codes[DOCUMENT], spans.name).astype(np.int32),
        signal=np.where(document, Signal.REQUEST, spans.signal).astype(np.uint8),
        kind=np.where(document, Kind.CLIENT, spans.kind).astype(np.uint8),
        start_us=np.where(document, start_us, spans.start_us),
        duration_us=np.where(document, duration_us, spans.duration_us),
        phases_us=np.where(document, timed.phases_us[:, row], spans.phases_us),
        protocol=np.where(page, nothing, spans.protocol),
        response_bytes=np.where(page, UNKNOWN, spans.response_bytes),
    )


def _traces(rows: LogRows, spans: Spans, batch_ids: Sequence[bytes]) -> tuple[U8, U8]:
    """Trace and parent of each record. Records without a trace are together in one: those of a resource in a body."""
    alone: Mask = np.all(spans.trace_id == 0, axis=1)
    if not alone.any():
        return spans.trace_id, spans.parent_span_id
    body = ints(rows.resource_body)
    place = np.arange(len(body)) - np.searchsorted(body, body)
    resource = np.repeat(np.arange(len(body)), ints(rows.resource_spans))
    made = np.zeros((len(body), 16), dtype=np.uint8)
    for one in np.unique(resource[alone]).tolist():
        whose = blake2b(int(place[one]).to_bytes(4, "little"), key=batch_ids[body[one]], digest_size=16)
        made[one] = np.frombuffer(whose.digest(), dtype=np.uint8)
    beside = alone[:, np.newaxis]
    return np.where(beside, made[resource], spans.trace_id), np.where(beside, np.uint8(0), spans.parent_span_id)


def _attributes(rows: LogRows, laid: LaidOut, told: Told) -> Attributes:
    """What the attributes say beside the columns; body, and severity where it means something."""
    sent, codes = laid.attributes, rows.codes
    said = np.isin(sent.key, [codes.get(key, -1) for key in _SAID_BY_VITALS]) & told.vital[sent.owner]
    severity = ints(rows.severities)
    bodied = np.flatnonzero(told.body)
    severe = np.flatnonzero((severity > 0) & (told.signal == Signal.EVENT))
    return Attributes.concat(
        [
            sent.take(~said),
            _attribute(bodied, codes[BODY], told.body[bodied]),
            _attribute(severe, codes[SEVERITY], severity[severe]),
        ]
    )


def _attribute(owner: I64, key: int, value: I64) -> Attributes:
    return Attributes(
        owner=owner.astype(np.int32),
        key=np.full(len(owner), key, dtype=np.int32),
        value=value.astype(np.int32),
    )


def _load_moments(rows: LogRows, laid: LaidOut, load: Mask, first: I64) -> Events:
    """What happened while pages loaded, as events of the pages."""
    at = laid.grid[LOAD_ROWS] * load
    moment, record = np.nonzero(at > 0)
    names = np.array([rows.codes[name] for name in LOAD_MOMENTS], dtype=np.int32) if len(moment) else moment
    return Events(
        owner=first[record].astype(np.int32),
        name=names[moment].astype(np.int32),
        offset_us=(at[moment, record] + 500) // 1000,
    )


def _leave_out(batch: SpanBatch, told: Told, first: I64) -> SpanBatch:
    """The batch without what is no span, which is remarked on."""
    spans = batch.spans
    restored = np.flatnonzero((told.signal == Signal.TTFB) & (spans.duration_us[first] == 0))
    unfinished = np.flatnonzero(told.load & (spans.duration_us[first] == UNKNOWN))
    if not len(restored) and not len(unfinished):
        return batch
    body = batch.body_of_span[first]
    stays = np.ones(len(spans), dtype=np.bool_)
    stays[first[restored]] = stays[first[unfinished]] = False
    remarks = [remark(Note.NOT_WAITED_FOR, body[restored]), remark(Note.LOAD_UNFINISHED, body[unfinished])]
    return replace(batch.select(stays), remarks=Remarks.concat(remarks))
