"""OTLP requests for tests: built with the official classes, written as protobuf or JSON, and batches in words."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import Any

import numpy as np
import orjson
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ingest.decode.otlp import decode_otlp_json, decode_otlp_protobuf
from ingest.decode.otlp_logs import decode_logs_json, decode_logs_protobuf
from ingest.errors import Refusal
from ingest.model import Attributes, Decoded, SpanBatch
from ingest.settings import Limits

Decode = Callable[[Sequence[bytes], Limits], Decoded]
LIMITS = Limits()

START = 1_790_000_000_000_000_000
TRACE_ID = bytes(range(1, 17))
SPAN_ID = bytes(range(1, 9))
NETWORK_EVENTS = (
    "fetchStart",
    "domainLookupStart",
    "domainLookupEnd",
    "connectStart",
    "secureConnectionStart",
    "connectEnd",
    "requestStart",
    "responseStart",
    "responseEnd",
)


def value_of(plain: Any) -> AnyValue:  # noqa: PLR0911 - one a type
    match plain:
        case None:
            return AnyValue()
        case bool():
            return AnyValue(bool_value=plain)
        case int():
            return AnyValue(int_value=plain)
        case float():
            return AnyValue(double_value=plain)
        case bytes():
            return AnyValue(bytes_value=plain)
        case str():
            return AnyValue(string_value=plain)
        case list():
            value = AnyValue()
            value.array_value.values.extend([value_of(part) for part in plain])
            value.array_value.SetInParent()
            return value
        case _:
            value = AnyValue()
            value.kvlist_value.values.extend(attributes_of(plain))
            value.kvlist_value.SetInParent()
            return value


def attributes_of(plain: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=value_of(value)) for key, value in plain.items()]


def span_of(
    attributes: Mapping[str, Any] | None = None,
    events: Sequence[tuple[str, int]] = (),
    **fields: Any,
) -> Span:
    """A span of 250 ms; events as (name, nanoseconds after its start)."""
    given = {
        "trace_id": TRACE_ID,
        "span_id": SPAN_ID,
        "name": "GET",
        "kind": 3,
        "start_time_unix_nano": START,
        "end_time_unix_nano": START + 250_000_000,
    } | fields
    span = Span(**given, attributes=attributes_of(attributes or {}))
    for name, after in events:
        span.events.add(name=name, time_unix_nano=START + after)
    return span


def request_of(*spans: Span, resource: Mapping[str, Any] | None = None) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.extend(attributes_of(resource or {}))
    group.scope_spans.add().spans.extend(spans)
    return request


def record_of(
    event: str = "", attributes: Mapping[str, Any] | None = None, body: Any = None, **fields: Any
) -> LogRecord:
    """A log record of `START`."""
    given = {"time_unix_nano": START, "event_name": event} | fields
    record = LogRecord(**given, attributes=attributes_of(attributes or {}))
    if body is not None:
        record.body.CopyFrom(value_of(body))
    return record


def logs_of(*records: LogRecord, resource: Mapping[str, Any] | None = None) -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    group = request.resource_logs.add()
    group.resource.attributes.extend(attributes_of(resource or {}))
    group.scope_logs.add().log_records.extend(records)
    return request


def as_json(request: ExportTraceServiceRequest | ExportLogsServiceRequest) -> bytes:
    """In OTLP's JSON: protobuf's own, but ids in hex."""

    def hex_ids(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: base64.b64decode(part).hex() if key in {"traceId", "spanId", "parentSpanId"} else hex_ids(part)
                for key, part in value.items()
            }
        return [hex_ids(part) for part in value] if isinstance(value, list) else value

    return orjson.dumps(hex_ids(MessageToDict(request)))


def in_words(batch: SpanBatch, table: str, column: str) -> list[Any]:
    """A column with its codes resolved."""
    rows = getattr(batch, table)
    values = getattr(rows, column)
    if column in rows.CODES:
        return [batch.strings[code] for code in values]
    listed: list[Any] = values.tolist()
    return listed


def attributes_in_words(batch: SpanBatch, attributes: Attributes) -> list[tuple[int, str, str]]:
    return sorted(
        (owner, batch.strings[key], batch.strings[value])
        for owner, key, value in zip(
            attributes.owner.tolist(), attributes.key.tolist(), attributes.value.tolist(), strict=True
        )
    )


def all_in_words(batch: SpanBatch) -> dict[str, Any]:
    """Everything the batch says, but for the ids of the bodies."""
    said: dict[str, Any] = {}
    for table in ("resources", "spans", "events", "links", "drops"):
        rows = getattr(batch, table)
        for column in (field.name for field in fields(rows)):
            said[f"{table}.{column}"] = in_words(batch, table, column)
    said["attributes"] = attributes_in_words(batch, batch.attributes)
    said["resource_attributes"] = attributes_in_words(batch, batch.resource_attributes)
    return said


def codes_in_use(batch: SpanBatch) -> set[int]:
    tables = (batch.bodies, batch.resources, batch.spans, batch.attributes, batch.resource_attributes, batch.events)
    return {int(code) for rows in tables for name in rows.CODES for code in np.unique(getattr(rows, name))}


def decoded(*spans: Span, resource: dict[str, Any] | None = None, limits: Limits = LIMITS) -> SpanBatch:
    """The spans as one body, read both ways, which must agree."""
    request = request_of(*spans, resource=resource)
    by_protobuf = decode_otlp_protobuf([request.SerializeToString()], limits)
    by_json = decode_otlp_json([as_json(request)], limits)
    assert not by_protobuf.faults
    assert not by_json.faults
    assert all_in_words(by_protobuf.batch) == all_in_words(by_json.batch)
    return by_protobuf.batch


def decoded_logs(*records: LogRecord, resource: dict[str, Any] | None = None, limits: Limits = LIMITS) -> SpanBatch:
    """The records as one body, read both ways, which must agree but for the ids that are made."""
    request = logs_of(*records, resource=resource)
    by_protobuf = decode_logs_protobuf([request.SerializeToString()], limits)
    by_json = decode_logs_json([as_json(request)], limits)
    assert not by_protobuf.faults
    assert not by_json.faults
    assert without_ids(by_protobuf.batch) == without_ids(by_json.batch)
    return by_protobuf.batch


def without_ids(batch: SpanBatch) -> dict[str, Any]:
    """Everything the batch says, but for ids, and what was left out."""
    said = {name: values for name, values in all_in_words(batch).items() if not name.endswith("_id")}
    remarks = batch.remarks
    return said | {
        "remarks": list(zip(remarks.body.tolist(), remarks.note.tolist(), remarks.spans.tolist(), strict=True))
    }


def fault(decode: Decode, body: bytes, limits: Limits = LIMITS) -> Refusal:
    answer = decode([body], limits)
    assert len(answer.batch.spans) == 0
    refusal = answer.faults[0]
    assert isinstance(refusal, Refusal)
    return refusal


def column(batch: SpanBatch, name: str, table: str = "spans") -> Any:
    (value,) = in_words(batch, table, name)
    return value
