"""What a client is answered: the table of errors, in every dialect."""

import asyncio
import time

import orjson
import pytest
from google.rpc import status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from ingest import errors
from ingest.decode.formats import Format
from ingest.edge import respond
from tests.edge.conftest import SHOP_KEY, TOKEN, RunningEdge, StartEdge, native

PROTOBUF, JSON = "application/x-protobuf", "application/json"


def otlp_request(spans: int, *, span_id: bytes = b"12345678") -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    now = time.time_ns()
    for row in range(spans):
        span = scope.spans.add(trace_id=(row + 1).to_bytes(16, "big"), span_id=span_id, name="GET", kind=3)
        span.start_time_unix_nano, span.end_time_unix_nano = now - 2_000_000_000, now - 1_000_000_000
    return request


async def test_an_accepted_native_batch_is_answered_202_with_its_counts_and_both_server_times(edge: RunningEdge):
    answer = await edge.send(native(3))
    assert answer.status == 202
    counts = answer.json()
    assert (counts["accepted"], counts["rejected"]) == (3, {})
    assert 0 < counts["received_us"] <= counts["replied_us"]
    assert edge.journal.spans == 3


async def test_rejected_spans_of_an_accepted_batch_are_named_by_their_outcome(edge: RunningEdge):
    counts = (await edge.send(native(2, duration_us=-5))).json()
    assert (counts["accepted"], counts["rejected"]) == (0, {"rejected:negative_duration": 2})


async def test_an_empty_native_batch_is_fine(edge: RunningEdge):
    assert (await edge.send(native(0))).json()["accepted"] == 0


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON, "Application/JSON; charset=utf-8"])
async def test_an_empty_otlp_request_is_answered_with_full_success_in_its_own_encoding(
    edge: RunningEdge, content_type: str
):
    as_json = "json" in content_type.lower()
    answer = await edge.send(b"{}" if as_json else b"", "/v1/traces", content_type=content_type)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == (JSON if as_json else PROTOBUF)
    assert answer.body == (b"{}" if as_json else b"")


async def test_rejected_otlp_spans_are_a_partial_success_that_says_how_many_and_why(edge: RunningEdge):
    request = otlp_request(2, span_id=bytes(8)).SerializeToString()
    answer = await edge.send(request, "/v1/traces", content_type=PROTOBUF)
    partial = ExportTraceServiceResponse.FromString(answer.body).partial_success
    assert (answer.status, partial.rejected_spans) == (200, 2)
    assert "invalid_id" in partial.error_message


async def test_accepted_otlp_spans_reach_the_journal(edge: RunningEdge):
    answer = await edge.send(otlp_request(4).SerializeToString(), "/v1/traces", content_type=PROTOBUF)
    assert (answer.status, answer.body) == (200, b"")
    assert edge.journal.spans == 4


def test_every_kind_of_refusal_has_its_row_in_the_table():
    kinds = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.Refusal)}
    assert set(respond.TABLE) == kinds - {errors.Refusal}


@pytest.mark.parametrize(("kind", "answered"), respond.TABLE.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_every_row_of_the_table_is_spoken_in_every_dialect(kind: type[errors.Refusal], answered: respond.Answered):
    error = kind("some_reason", "one sentence", offset=7)
    for dialect in Format:
        response = respond.refuse(dialect, error)
        assert response.status == answered.status
        assert ("Retry-After" in response.headers) == answered.retry
        if dialect in {Format.OTLP_PROTOBUF, Format.LOGS_PROTOBUF}:
            status = status_pb2.Status.FromString(response.body)
            assert (status.code, status.message) == (answered.rpc_code, "one sentence")
        elif dialect in {Format.OTLP_JSON, Format.LOGS_JSON}:
            assert orjson.loads(response.body) == {"code": answered.rpc_code, "message": "one sentence"}
        else:
            assert orjson.loads(response.body) == {"error": "some_reason", "message": "one sentence", "offset": 7}


def test_statuses_that_may_be_retried_say_when_and_the_others_do_not():
    assert {a.status for a in respond.TABLE.values() if a.retry} == {408, 429, 503}


def test_retry_after_spreads_clients_over_five_seconds():
    error = errors.Unavailable("journal", "later")
    waits = {respond.refuse(Format.NATIVE, error).headers["Retry-After"] for _ in range(200)}
    assert waits == {"1", "2", "3", "4", "5"}


@pytest.mark.parametrize(
    ("status", "reason", "request_"),
    [
        (400, "bad_json", {"body": b'{"v":1,'}),
        (401, "no_key", {"body": native(), "x_api_key": ""}),
        (403, "unknown_key", {"body": native(), "x_api_key": "fh_pub_nobody"}),
        (403, "role", {"body": native(), "x_api_key": TOKEN}),
        (404, "path", {"body": b"", "path": "/v1/elsewhere"}),
        (405, "method", {"body": b"", "method": "GET"}),
        (413, "body_too_large", {"body": bytes((1 << 20) + 1)}),
        (415, "unknown_encoding", {"body": native(), "content_encoding": "br"}),
    ],
)
async def test_each_refusal_is_answered_and_counted_under_its_reason(
    edge: RunningEdge, status: int, reason: str, request_: dict[str, str]
):
    answer = await edge.send(**request_)
    error = answer.json()
    assert (answer.status, set(error)) == (status, {"error", "message", "offset"})
    assert (await edge.metrics())[f'firsthop_refused_total{{reason="{error["error"]}"}}'] == 1
    assert edge.journal.records == []
    if status != 400:
        assert error["error"] == reason


async def test_a_method_the_path_does_not_know_is_answered_with_those_it_does(edge: RunningEdge):
    assert (await edge.send(b"", method="DELETE")).headers["Allow"] == "POST, OPTIONS"
    assert (await edge.send(b"", "/healthz")).headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("content_type", [PROTOBUF, JSON])
async def test_otlp_errors_are_google_rpc_status_in_the_encoding_of_the_request(edge: RunningEdge, content_type: str):
    bodies = {"malformed": (b"\xff\xff{", {}), "no key": (b"", {"x_api_key": ""})}
    for body, changes in bodies.values():
        answer = await edge.send(body, "/v1/traces", content_type=content_type, **changes)
        assert answer.status in {400, 401}
        assert answer.headers["Content-Type"] == content_type
        if content_type == PROTOBUF:
            assert status_pb2.Status.FromString(answer.body).message
        else:
            assert answer.json()["message"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/grpc", ""])
async def test_otlp_in_another_content_type_is_refused_with_415(edge: RunningEdge, content_type: str):
    headers = {"content_type": content_type} if content_type else {}
    answer = await edge.send(b"{}", "/v1/traces", **headers)
    assert answer.status == 415
    assert "application/x-protobuf" in answer.json()["message"]


async def test_answers_never_quote_what_the_client_sent(edge: RunningEdge):
    secret = "jane.doe-4711"
    answers = [
        await edge.send(b'{"v":"' + secret.encode() + b'"}'),
        await edge.send(native(), f"/v1/batches?s={secret}"),
        await edge.send(native(), f"/{secret}"),
        await edge.send(native(), x_api_key=secret),
        await edge.send(native(), content_encoding=secret),
        await edge.send(b"", "/v1/traces", content_type=secret),
    ]
    assert all(answer.status >= 400 and secret.encode() not in answer.body for answer in answers)


async def test_an_error_nobody_foresaw_is_a_500_without_detail_and_is_counted(
    start_edge: StartEdge, caplog: pytest.LogCaptureFixture
):
    def explode(*_: object) -> None:
        raise RuntimeError("jane.doe-4711 broke it")

    edge = await start_edge(process=explode)
    answer = await edge.send(native())
    assert answer.status == 500
    assert answer.json()["error"] == "internal"
    metrics = await edge.metrics()
    assert metrics["firsthop_unhandled_errors_total"] == 1
    assert metrics['firsthop_refused_total{reason="internal"}'] == 1
    assert "unforeseen RuntimeError" in caplog.text
    assert "jane" not in answer.body.decode() + caplog.text


async def test_what_is_no_http_is_refused_without_naming_the_peer(edge: RunningEdge, caplog: pytest.LogCaptureFixture):
    reader, writer = await asyncio.open_connection("127.0.0.1", edge.port)
    writer.write(b"\x16\x03\x01\x02\x00 this is TLS\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))
    assert b'"error":"http"' in answer
    assert "127.0.0.1" not in caplog.text


async def test_an_app_whose_policy_cannot_be_kept_is_told_to_come_back_and_others_are_served(start_edge: StartEdge):
    def policy_of(app_id: int) -> None:
        if app_id == 1:
            raise errors.Unavailable("policy", "the app's privacy policy cannot be read now")

    edge = await start_edge(policy_of=policy_of)
    answer = await edge.send(native())
    assert (answer.status, answer.json()["error"]) == (503, "policy")
    assert "Retry-After" in answer.headers
    assert edge.journal.spans == 0
    assert (await edge.send(native(), x_api_key=SHOP_KEY)).status == 202
    assert (await edge.metrics())['firsthop_refused_total{reason="policy"}'] == 1
