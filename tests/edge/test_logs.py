"""OTLP logs over HTTP: answered, journaled, refused as traces are."""

import gzip
import time
from typing import Any

import orjson
import pytest
import zstandard
from google.rpc import status_pb2
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from ingest.model import Signal
from tests.decode.otlp_messages import as_json, logs_of, record_of
from tests.edge.conftest import RunningEdge

PROTOBUF, JSON = "application/x-protobuf", "application/json"
COMPRESSED = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress, "": bytes}


def logs(records: int, age_s: int = 1, **fields: Any) -> Any:
    at = time.time_ns() - age_s * 1_000_000_000
    return logs_of(*(record_of("tapped", {"number": n}, time_unix_nano=at, **fields) for n in range(records)))


@pytest.mark.parametrize("compression", COMPRESSED)
@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
async def test_log_records_reach_the_journal_and_are_answered_with_full_success(
    edge: RunningEdge, content_type: str, compression: str
):
    request = logs(3)
    body = as_json(request) if content_type == JSON else request.SerializeToString()
    encoding = {"content_encoding": compression} if compression else {}
    answer = await edge.send(COMPRESSED[compression](body), "/v1/logs", content_type=content_type, **encoding)
    assert (answer.status, answer.body) == (200, b"{}" if content_type == JSON else b"")
    assert answer.headers["Content-Type"] == content_type
    (record,) = edge.journal.records
    assert record.kept.batch.spans.signal.tolist() == [Signal.EVENT] * 3


async def test_rejected_records_are_a_partial_success_in_the_requests_encoding(edge: RunningEdge):
    request = logs(2, age_s=-3600)
    answer = await edge.send(request.SerializeToString(), "/v1/logs", content_type=PROTOBUF)
    partial = ExportLogsServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, partial.rejected_log_records, partial.error_message) == (200, 2, "future: 2")
    answer = await edge.send(as_json(request), "/v1/logs", content_type=JSON)
    assert answer.json() == {"partialSuccess": {"rejectedLogRecords": "2", "errorMessage": "future: 2"}}


@pytest.mark.parametrize("key_in", ["header", "query", "path"])
async def test_a_key_may_stand_where_it_may_for_traces(edge: RunningEdge, key_in: str):
    path = {"header": "/v1/logs", "query": "/v1/logs?key=fh_pub_one", "path": "/v1/logs/fh_pub_one"}[key_in]
    key = {} if key_in == "header" else {"x_api_key": ""}
    answer = await edge.send(as_json(logs(1)), path, content_type=JSON, **key)
    assert answer.status == 200


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"\x0a\x7f", {"content_type": PROTOBUF}, 400, 3),
        (b'{"resourceLogs":[', {"content_type": JSON}, 400, 3),
        (gzip.compress(b"{}", mtime=0)[:-4], {"content_type": JSON, "content_encoding": "gzip"}, 400, 3),
        (b"not gzip", {"content_type": JSON, "content_encoding": "gzip"}, 400, 3),
        (b"{}", {"content_type": "text/plain"}, 415, 3),
        (b"{}", {"content_type": JSON, "x_api_key": ""}, 401, 16),
        (bytes((1 << 20) + 1), {"content_type": PROTOBUF}, 413, 8),
        (b"\x0a\x00" * 5000, {"content_type": PROTOBUF}, 413, 8),
    ],
)
async def test_what_cannot_be_taken_is_refused_with_a_status_in_the_requests_encoding(
    edge: RunningEdge, body: bytes, headers: dict[str, str], status: int, code: int
):
    answer = await edge.send(body, "/v1/logs", **headers)
    assert answer.status == status
    if headers["content_type"] == PROTOBUF:
        said = status_pb2.Status.FromString(answer.body)
        assert (said.code, bool(said.message)) == (code, True)
    else:
        assert orjson.loads(answer.body)["code"] == code
    assert edge.journal.records == []


async def test_while_the_journal_is_away_logs_are_to_be_sent_again(edge: RunningEdge):
    edge.journal.broken = True
    answer = await edge.send(as_json(logs(1)), "/v1/logs", content_type=JSON)
    assert (answer.status, answer.json()["code"]) == (503, 14)
    assert 1 <= int(answer.headers["Retry-After"]) <= 5


async def test_pages_of_other_origins_may_send_logs_after_a_preflight(edge: RunningEdge):
    preflight = await edge.send(b"", "/v1/logs", "OPTIONS", origin="https://shop.example", x_api_key="")
    assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (204, "*")
    answer = await edge.send(as_json(logs(1)), "/v1/logs", content_type=JSON, origin="https://shop.example")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Retry-After" in answer.headers["Access-Control-Expose-Headers"]
