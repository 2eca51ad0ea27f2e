"""Batches as OpenTelemetry's web SDK would send them: OTLP protobuf and JSON with the nine network events."""

import base64
from typing import Any

import numpy as np
import orjson
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from loadtest.timing import PHASES
from loadtest.visits import Batch

STAMPS = (
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
"""Event names in the order in which `sdk-trace-web` adds them."""

_RESOURCE = {
    "service": "service.name",
    "version": "service.version",
    "environment": "deployment.environment.name",
    "os_name": "os.name",
    "os_version": "os.version",
    "device_manufacturer": "device.manufacturer",
    "device_model": "device.model.identifier",
    "network": "network.connection.type",
    "session": "session.id",
    "installation": "app.installation.id",
    "sdk": "telemetry.sdk.name",
}
_TEXT = {
    "method": "http.request.method",
    "url": "url.full",
    "route": "url.template",
    "error_type": "error.type",
    "screen": "app.screen.name",
}
_NUMBERS = {
    "http_status": "http.response.status_code",
    "request_bytes": "http.request.body.size",
    "response_bytes": "http.response.body.size",
}
_PROTOCOLS = {"h1": "1.1", "h2": "2", "h3": "3"}


def encode_protobuf(batch: Batch) -> bytes:
    """The batch as an uncompressed `ExportTraceServiceRequest`."""
    return bytes(_request(batch).SerializeToString())


def encode_json(batch: Batch) -> bytes:
    """The same as OTLP/JSON: hex ids, 64-bit numbers as text."""
    tree = MessageToDict(_request(batch), use_integers_for_enums=True)
    for span in tree["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        for key in ("traceId", "spanId", "parentSpanId"):
            if key in span:
                span[key] = base64.b64decode(span[key]).hex()
    return orjson.dumps(tree)


def _request(batch: Batch) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    for field, name in _RESOURCE.items():
        if value := batch.sender.resource.get(field):
            resource_spans.resource.attributes.append(_text(name, str(value)))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "@opentelemetry/instrumentation-fetch"
    strings = ["", *batch.strings]
    columns: dict[str, Any] = {name: column.tolist() for name, column in batch.columns.items()}
    wall_us = batch.sender.epoch_at_us + batch.sender.wall_error_us
    stamps = _stamps(batch)
    for row in range(batch.spans):
        span = scope_spans.spans.add()
        span.trace_id = batch.trace_ids[columns["trace"][row]].tobytes()
        span.span_id = batch.span_ids[row].tobytes()
        parent = batch.parent_span_ids[row]
        if parent.any():
            span.parent_span_id = parent.tobytes()
        span.name = strings[columns["name"][row]]
        span.kind = columns["kind"][row]
        start_us = wall_us + columns["start_us"][row]
        span.start_time_unix_nano = start_us * 1000
        span.end_time_unix_nano = (start_us + columns["duration_us"][row]) * 1000
        _attributes(span, strings, columns, row)
        for name, stamp_us in zip(STAMPS, stamps[row], strict=True):
            if stamp_us >= 0:
                event = span.events.add()
                event.name, event.time_unix_nano = name, (wall_us + stamp_us) * 1000
    for row, key, value in batch.attributes:
        scope_spans.spans[row].attributes.append(_text(strings[key], strings[value]))
    return request


def _attributes(span: Span, strings: list[str], columns: dict[str, Any], row: int) -> None:
    for column, name in _TEXT.items():
        if text := strings[columns[column][row]]:
            span.attributes.append(_text(name, text))
    for column, name in _NUMBERS.items():
        if (number := columns[column][row]) >= 0:
            span.attributes.append(KeyValue(key=name, value=AnyValue(int_value=number)))
    if protocol := strings[columns["protocol"][row]]:
        span.attributes.append(_text("network.protocol.version", _PROTOCOLS[protocol]))


def _text(name: str, text: str) -> KeyValue:
    return KeyValue(key=name, value=AnyValue(string_value=text))


def _stamps(batch: Batch) -> list[list[int]]:
    """Per span the nine moments in the batch's clock; -1 where a browser has 0: opaque, failed, no request."""
    phase = {name: batch.columns[f"{name}_us"] for name in PHASES}
    took = {name: np.where(us > 0, us, 0) for name, us in phase.items()}
    fetch = batch.columns["start_us"] + took["redirect"]
    # A pooled connection has its five stamps clamped to fetchStart; its waiting then stands before requestStart.
    fresh = (phase["dns"] >= 0) | (phase["tcp"] >= 0) | (phase["tls"] >= 0)
    lookup = fetch + np.where(fresh, took["blocked"], 0)
    connect = lookup + took["dns"]
    secure = connect + took["tcp"]
    connected = secure + took["tls"]
    request = connected + np.where(fresh, 0, took["blocked"])
    response = request + took["request"] + took["ttfb"]
    stamps = np.stack(
        [fetch, lookup, connect, connect, secure, connected, request, response, response + took["download"]], axis=1
    )
    stamps[phase["ttfb"] < 0, 1:8] = -1
    stamps[batch.columns["method"] == 0] = -1
    rows: list[list[int]] = stamps.tolist()
    return rows
