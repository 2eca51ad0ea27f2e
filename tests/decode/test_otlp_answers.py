"""The private schema reads the official wire, and every answer reads as OTLP."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from ingest.decode import otlp_wire
from ingest.decode.otlp_status import REJECTED_RECORDS, status, success

OFFICIAL = {
    "Request": trace_service_pb2.ExportTraceServiceRequest,
    "ResourceSpans": trace_pb2.ResourceSpans,
    "Resource": resource_pb2.Resource,
    "ScopeSpans": trace_pb2.ScopeSpans,
    "Span": trace_pb2.Span,
    "Event": trace_pb2.Span.Event,
    "Link": trace_pb2.Span.Link,
    "Status": trace_pb2.Status,
    "LogRecord": logs_pb2.LogRecord,
    "KeyValue": common_pb2.KeyValue,
    "AnyValue": common_pb2.AnyValue,
    "ArrayValue": common_pb2.ArrayValue,
    "KeyValueList": common_pb2.KeyValueList,
}


@pytest.mark.parametrize("message", sorted(OFFICIAL))
def test_the_private_schema_has_the_official_numbers_and_wire_types(message: str) -> None:
    official = OFFICIAL[message].DESCRIPTOR.fields_by_name
    delimited = {"string", "bytes", "message"}
    kinds = {
        9: "string",
        12: "bytes",
        11: "message",
        14: "int32",
        5: "int32",
        3: "int64",
        6: "fixed64",
        8: "bool",
        1: "double",
    }
    for ours in getattr(otlp_wire, message).DESCRIPTOR.fields:
        if ours.name == "library_spans":
            continue
        theirs = official[ours.name]
        assert (ours.number, ours.is_repeated) == (theirs.number, theirs.is_repeated)
        one, other = kinds[ours.type], kinds[theirs.type]
        assert one == other or {one, other} <= delimited


@pytest.mark.parametrize(
    ("ours", "theirs", "names"),
    [
        ("Request", logs_service_pb2.ExportLogsServiceRequest, {"resource_spans": "resource_logs"}),
        ("ResourceSpans", logs_pb2.ResourceLogs, {"scope_spans": "scope_logs"}),
        ("ScopeSpans", logs_pb2.ScopeLogs, {"spans": "log_records"}),
    ],
)
def test_requests_for_logs_have_the_numbers_of_requests_for_traces(
    ours: str, theirs: Any, names: dict[str, str]
) -> None:
    official = theirs.DESCRIPTOR.fields_by_name
    for field in getattr(otlp_wire, ours).DESCRIPTOR.fields:
        if field.name != "library_spans":
            assert field.number == official[names.get(field.name, field.name)].number


@pytest.mark.parametrize(("rejected", "message"), [(0, ""), (3, "too old"), (0, "a warning"), (1 << 40, "é")])
def test_success_reads_as_an_export_response(rejected: int, message: str) -> None:
    response = trace_service_pb2.ExportTraceServiceResponse.FromString(success(rejected, message, as_json=False))
    assert response.partial_success.rejected_spans == rejected
    assert response.partial_success.error_message == message
    assert response.HasField("partial_success") == bool(rejected or message)
    written = orjson.loads(success(rejected, message, as_json=True))
    if rejected or message:
        assert written == {"partialSuccess": {"rejectedSpans": str(rejected), "errorMessage": message}}
    else:
        assert written == {}


def test_rejected_log_records_read_as_an_export_response_for_logs() -> None:
    response = logs_service_pb2.ExportLogsServiceResponse.FromString(success(3, "too old", as_json=False))
    assert (response.partial_success.rejected_log_records, response.partial_success.error_message) == (3, "too old")
    written = orjson.loads(success(3, "too old", as_json=True, field=REJECTED_RECORDS))
    assert written == {"partialSuccess": {"rejectedLogRecords": "3", "errorMessage": "too old"}}


@given(st.integers(0, 16), st.text(max_size=300).filter(lambda text: text.isprintable()))
def test_status_reads_as_a_google_rpc_status(code: int, message: str) -> None:
    from google.rpc.status_pb2 import Status  # comes with the exporter

    read = Status.FromString(status(code, message, as_json=False))
    assert (read.code, read.message) == (code, message)
    assert orjson.loads(status(code, message, as_json=True)) == {"code": code, "message": message}
