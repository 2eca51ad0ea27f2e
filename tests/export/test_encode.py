"""A stored span as OTLP has it."""

from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ingest.export.encode import encode_spans
from ingest.model import UNKNOWN, Phase

OPTIONAL = (
    *("method", "url", "http_status", "error_type", "protocol", "screen", "request_bytes", "response_bytes", "session"),
    *("route", "country", "device_class", "stratum", "clock_err_ms", "clock_quality", "server_us", "parent_span_id"),
)


def sent(**columns: Any) -> Span:
    """What is sent of a stored span with these columns."""
    stored = dict.fromkeys(OPTIONAL) | {
        "app_id": 1,
        "trace_id": bytes(range(16)),
        "span_id": bytes(range(8)),
        "name": "GET",
        "kind": 3,
        "status": 0,
        "start_us": 1_000_000,
        "duration_us": 5,
        "weight": 1.0,
        "randomness": int.from_bytes(bytes(range(9, 16)), "big"),
        "phases_us": [UNKNOWN] * len(Phase),
        "resource": {},
        "attributes": {},
        "events": [],
        "links": [],
    }
    request = ExportTraceServiceRequest.FromString(encode_spans([stored | columns], {1: "shop"}))
    return request.resource_spans[0].scope_spans[0].spans[0]


def test_a_link_to_a_span_is_sent_and_one_to_a_trace_alone_is_none() -> None:
    trace_id = "ab" * 16
    links = [{"trace_id": trace_id, "span_id": "0" * 16}, {"trace_id": trace_id, "span_id": "00000000000000c0"}]
    assert [(link.trace_id.hex(), link.span_id.hex()) for link in sent(links=links).links] == [
        (trace_id, "00000000000000c0")
    ]


def test_a_span_that_others_stand_for_declares_no_threshold() -> None:
    assert sent(weight=4.0).trace_state == "ot=th:c"
    assert sent(weight=0.0).trace_state == ""
