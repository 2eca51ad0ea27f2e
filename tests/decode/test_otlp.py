"""OTLP traces become columns, the same from protobuf and JSON, and every answer reads as OTLP."""

import base64
import gc
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode

from ingest.decode import otlp_wire
from ingest.decode.formats import DECODERS, Format
from ingest.decode.otlp import decode_otlp_json, decode_otlp_protobuf
from ingest.decode.otlp_attributes import NEVER_KEPT
from ingest.decode.otlp_status import status, success
from ingest.errors import Malformed, Refusal, TooLarge
from ingest.model import UNKNOWN, ClockKind, Decoded, SpanBatch
from ingest.settings import Limits
from tests.decode.otlp_messages import (
    NETWORK_EVENTS,
    SPAN_ID,
    START,
    TRACE_ID,
    all_in_words,
    as_json,
    attributes_in_words,
    codes_in_use,
    in_words,
    request_of,
    span_of,
    value_of,
)

Decode = Callable[[Sequence[bytes], Limits], Decoded]
LIMITS = Limits()


def decoded(*spans: trace_pb2.Span, resource: dict[str, Any] | None = None, limits: Limits = LIMITS) -> SpanBatch:
    """The spans as one body, read both ways, which must agree."""
    request = request_of(*spans, resource=resource)
    by_protobuf = decode_otlp_protobuf([request.SerializeToString()], limits)
    by_json = decode_otlp_json([as_json(request)], limits)
    assert not by_protobuf.faults
    assert not by_json.faults
    assert all_in_words(by_protobuf.batch) == all_in_words(by_json.batch)
    return by_protobuf.batch


def fault(decode: Decode, body: bytes, limits: Limits = LIMITS) -> Refusal:
    answer = decode([body], limits)
    assert len(answer.batch.spans) == 0
    refusal = answer.faults[0]
    assert isinstance(refusal, Refusal)
    return refusal


def column(batch: SpanBatch, name: str, table: str = "spans") -> Any:
    (value,) = in_words(batch, table, name)
    return value


# --- a real client


def test_spans_of_the_real_sdk_arrive_with_everything_they_said() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(
        resource=Resource.create({"service.name": "shop", "service.version": "5.2.1", "team": "cart"})
    )
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    other = SpanContext(0xABC, 0xDEF, is_remote=True)
    with provider.get_tracer("app").start_as_current_span(
        "GET", kind=SpanKind.CLIENT, links=[Link(other)], attributes={"http.request.method": "GET", "tries": 2}
    ) as span:
        span.add_event("fetchStart", timestamp=START)
        span.add_event("tapped", timestamp=START)
        span.record_exception(ValueError("no basket"))
        span.set_status(StatusCode.ERROR, "failed")
    (finished,) = exporter.get_finished_spans()
    assert isinstance(finished, ReadableSpan)
    body = encode_spans([finished]).SerializeToString()
    answer = decode_otlp_protobuf([body], LIMITS)
    batch = answer.batch

    assert not answer.faults
    context = finished.get_span_context()
    assert context is not None
    assert batch.spans.trace_id.tobytes().hex() == f"{context.trace_id:032x}"
    assert batch.spans.span_id.tobytes().hex() == f"{context.span_id:016x}"
    assert (column(batch, "name"), column(batch, "kind"), column(batch, "status")) == ("GET", 3, 2)
    assert finished.start_time is not None
    assert finished.end_time is not None
    assert column(batch, "start_us") == finished.start_time // 1000
    assert column(batch, "duration_us") == (finished.end_time - finished.start_time) // 1000
    assert column(batch, "error_type") == "ValueError"
    said = {key: value for _, key, value in attributes_in_words(batch, batch.attributes)}
    assert said["tries"] == "2"
    assert said["exception.message"] == "no basket"
    assert said["otel.status_description"] == "failed"
    assert "ValueError: no basket" in said["exception.stacktrace"]
    assert in_words(batch, "events", "name") == ["tapped"]
    assert batch.links.trace_id.tobytes().hex() == f"{0xABC:032x}"
    assert (column(batch, "service", "resources"), column(batch, "version", "resources")) == ("shop", "5.2.1")
    assert column(batch, "sdk", "resources").startswith("opentelemetry/")
    assert (0, "team", "cart") in attributes_in_words(batch, batch.resource_attributes)


def test_a_body_gets_a_hash_for_an_id_and_the_wall_clock() -> None:
    body = request_of(span_of()).SerializeToString()
    bodies = decode_otlp_protobuf([body, b"", body], LIMITS).batch.bodies
    assert bodies.batch_id[0].tobytes() == blake2b(body, digest_size=16).digest()
    assert bodies.batch_id[2].tobytes() == bodies.batch_id[0].tobytes() != bodies.batch_id[1].tobytes()
    assert set(bodies.clock.tolist()) == {ClockKind.WALL}
    assert set(bodies.sealed_mono_us.tolist()) | set(bodies.sealed_wall_us.tolist()) == {UNKNOWN}


def test_many_bodies_become_one_batch_with_one_string_table() -> None:
    one = request_of(span_of({"tag": "x"}, name="a"), span_of(name="b"), resource={"service.name": "shop"})
    two = request_of(span_of({"tag": "x"}, name="b"), resource={"service.name": "shop"})
    batch = decode_otlp_protobuf([one.SerializeToString(), two.SerializeToString()], LIMITS).batch
    assert batch.body_of_span.tolist() == [0, 0, 1]
    assert in_words(batch, "spans", "name") == ["a", "b", "b"]
    assert len(set(batch.strings)) == len(batch.strings)


# --- attributes and columns


@pytest.mark.parametrize(
    ("name", "value", "where", "expected"),
    [
        ("http.request.method", "GET", "method", "GET"),
        ("http.method", "GET", "method", "GET"),
        ("url.full", "https://a.example/", "url", "https://a.example/"),
        ("http.url", "https://a.example/", "url", "https://a.example/"),
        ("url.template", "/orders/{id}", "route", "/orders/{id}"),
        ("http.route", "/orders/{id}", "route", "/orders/{id}"),
        ("http.response.status_code", 404, "http_status", 404),
        ("http.status_code", 404, "http_status", 404),
        ("http.status_code", "404", "http_status", 404),
        ("http.response.status_code", 200.0, "http_status", 200),
        ("http.response.status_code", 0, "http_status", 0),
        ("error.type", "timeout", "error_type", "timeout"),
        ("exception.type", "TypeError", "error_type", "TypeError"),
        ("network.protocol.version", "2", "protocol", "h2"),
        ("network.protocol.version", "1.1", "protocol", "h1"),
        ("http.flavor", "HTTP/3", "protocol", "h3"),
        ("http.flavor", "SPDY", "protocol", "SPDY"),
        ("app.screen.name", "Cart", "screen", "Cart"),
        ("screen.name", "Cart", "screen", "Cart"),
        ("http.request.body.size", 12, "request_bytes", 12),
        ("http.response.body.size", 12, "response_bytes", 12),
        ("http.response_content_length", 12, "response_bytes", 12),
        ("http.response_content_length_uncompressed", 12, "response_bytes", 12),
    ],
)
def test_old_and_new_names_fill_the_same_column(name: str, value: Any, where: str, expected: Any) -> None:
    batch = decoded(span_of({name: value}))
    assert column(batch, where) == expected
    assert len(batch.attributes) == (1 if name == "exception.type" else 0)


def test_the_better_name_wins_and_what_the_worse_one_said_stays_an_attribute() -> None:
    batch = decoded(span_of({"url.full": "https://new.example/", "http.url": "https://old.example/"}))
    assert column(batch, "url") == "https://new.example/"
    assert attributes_in_words(batch, batch.attributes) == [(0, "http.url", "https://old.example/")]


def test_two_names_that_say_the_same_are_said_once() -> None:
    batch = decoded(span_of({"url.full": "https://a.example/", "http.url": "https://a.example/"}))
    assert len(batch.attributes) == 0


@pytest.mark.parametrize("value", ["4x4", -1, 1000, 200.5, "", True, [200]])
def test_a_status_that_is_none_is_no_status(value: Any) -> None:
    assert column(decoded(span_of({"http.status_code": value})), "http_status") == UNKNOWN


@pytest.mark.parametrize("name", sorted(NEVER_KEPT))
def test_raw_addresses_and_user_agents_are_not_even_in_the_string_table(name: str) -> None:
    batch = decoded(span_of({name: "secret-1"}), resource={name: "secret-2", "service.name": "shop"})
    assert len(batch.attributes) == len(batch.resource_attributes) == 0
    assert not any("secret" in text for text in batch.strings)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("text", "text"),
        (7, "7"),
        (-(2**63), str(-(2**63))),
        (1.5, "1.5"),
        (2.0, "2.0"),
        (-0.0, "0.0"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
        (True, "true"),
        (False, "false"),
        (b"\x00\xff", base64.b64encode(b"\x00\xff").decode()),
        ([], "[]"),
        ([1, "a", None, [2.5]], '[1,"a",null,[2.5]]'),
        ({"a": {"b": [True]}}, '{"a":{"b":[true]}}'),
        (None, ""),
        (0, "0"),
        ("", ""),
    ],
)
def test_values_of_every_type_become_text(value: Any, text: str) -> None:
    batch = decoded(span_of({"mine": value}))
    assert attributes_in_words(batch, batch.attributes) == [(0, "mine", text)]


def test_a_url_is_put_together_from_its_old_parts() -> None:
    parts = {"http.scheme": "https", "http.host": "api.shop.example:8443", "http.target": "/orders?id=1"}
    assert column(decoded(span_of(parts)), "url") == "https://api.shop.example:8443/orders?id=1"


def test_a_url_is_put_together_from_its_new_parts() -> None:
    parts = {
        "url.scheme": "https",
        "server.address": "api.shop.example",
        "server.port": 8443,
        "url.path": "/orders",
        "url.query": "id=1",
    }
    assert column(decoded(span_of(parts)), "url") == "https://api.shop.example:8443/orders?id=1"


# --- resources


def test_a_resource_fills_its_columns_and_keeps_the_rest() -> None:
    said = {
        "service.name": "shop",
        "service.version": "5.2.1",
        "deployment.environment": "prod",
        "os.type": "linux",
        "os.name": "Android",
        "os.version": "15",
        "device.manufacturer": "Google",
        "device.model.name": "Pixel 8",
        "network.connection.type": "cell",
        "session.id": "s1",
        "device.id": "d1",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": "2.1.0",
        "device.memory": 8,
        "device.cores": 6,
        "team": "cart",
    }
    batch = decoded(span_of(), resource=said)
    row = {name: column(batch, name, "resources") for name in batch.resources.CODES}
    assert row == {
        "service": "shop",
        "version": "5.2.1",
        "environment": "prod",
        "os_name": "Android",
        "os_version": "15",
        "device_manufacturer": "Google",
        "device_model": "Pixel 8",
        "network": "cell",
        "session": "s1",
        "installation": "d1",
        "sdk": "opentelemetry/2.1.0",
    }
    assert (column(batch, "memory_mb", "resources"), column(batch, "cores", "resources")) == (8192, 6)
    assert attributes_in_words(batch, batch.resource_attributes) == [(0, "os.type", "linux"), (0, "team", "cart")]


def test_a_span_s_own_session_divides_its_resource() -> None:
    batch = decoded(
        span_of({"session.id": "a"}),
        span_of({"session.id": "b", "network.connection.type": "wifi"}),
        span_of({"session.id": "a"}),
        span_of(),
        resource={"service.name": "shop", "session.id": "r", "team": "cart"},
    )
    sessions = in_words(batch, "resources", "session")
    assert [sessions[row] for row in batch.spans.resource] == ["a", "b", "a", "r"]
    networks = in_words(batch, "resources", "network")
    assert [networks[row] for row in batch.spans.resource] == ["", "wifi", "", ""]
    assert in_words(batch, "resources", "service") == ["shop"] * 3
    assert [value for _, _, value in attributes_in_words(batch, batch.resource_attributes)] == ["cart"] * 3


def test_spans_of_the_old_library_field_are_read_too() -> None:
    span = {"traceId": TRACE_ID.hex(), "spanId": SPAN_ID.hex(), "name": "old"}
    body = orjson.dumps({"resourceSpans": [{"instrumentationLibrarySpans": [{"spans": [span]}]}]})
    assert column(decode_otlp_json([body], LIMITS).batch, "name") == "old"
    scope = trace_pb2.ScopeSpans(spans=[span_of(name="old")]).SerializeToString()
    group = b"\xc2\x3e" + bytes([len(scope)]) + scope
    protobuf = decode_otlp_protobuf([b"\x0a" + bytes([len(group)]) + group], LIMITS)
    assert column(protobuf.batch, "name") == "old"


# --- ids, times, names, sampling


@pytest.mark.parametrize("length", [0, 7, 9, 15, 17])
def test_an_id_of_wrong_length_is_zeros_for_validation_to_judge(length: int) -> None:
    batch = decoded(span_of(trace_id=b"\1" * length, span_id=b"\1" * length), span_of())
    assert batch.spans.trace_id[0].tobytes() == bytes(16)
    assert batch.spans.span_id[0].tobytes() == bytes(8)
    assert batch.spans.trace_id[1].tobytes() == TRACE_ID


def test_json_ids_are_hex_in_either_case_and_anything_else_is_zeros() -> None:
    ids = [TRACE_ID.hex().upper(), TRACE_ID.hex(), "zz" * 16, " " * 32, 7, None, base64.b64encode(TRACE_ID).decode()]
    body = orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": one} for one in ids]}]}]})
    read = [row.tobytes() for row in decode_otlp_json([body], LIMITS).batch.spans.trace_id]
    assert read == [TRACE_ID] * 2 + [bytes(16)] * 5


@pytest.mark.parametrize(
    ("start", "end", "start_us", "duration_us"),
    [
        (START + 999, START + 1_999, START // 1000, 1),
        (START, START, START // 1000, 0),
        (START, START - 5_000, START // 1000, -5),
        (START, START - 1_500, START // 1000, -3),
        (0, START, UNKNOWN, UNKNOWN),
        (START, 0, START // 1000, UNKNOWN),
        (2**63, 2**63 + 1, UNKNOWN, UNKNOWN),
        (2**64 - 1, START, UNKNOWN, UNKNOWN),
    ],
)
def test_times_keep_what_validation_must_see(start: int, end: int, start_us: int, duration_us: int) -> None:
    batch = decoded(span_of(start_time_unix_nano=start, end_time_unix_nano=end))
    assert (column(batch, "start_us"), column(batch, "duration_us")) == (start_us, duration_us)


def test_json_takes_whole_numbers_as_numbers_or_text_and_enums_by_name() -> None:
    span = {"startTimeUnixNano": START, "endTimeUnixNano": str(START + 1_000), "kind": "SPAN_KIND_CLIENT"}
    spans = [span | {"status": {"code": "STATUS_CODE_ERROR"}}, span | {"kind": 3, "status": {"code": 2}}]
    body = orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans, "new": {"field": 1}}], "x": []}], "y": 1})
    batch = decode_otlp_json([body], LIMITS).batch
    assert batch.spans.start_us.tolist() == [START // 1000] * 2
    assert batch.spans.duration_us.tolist() == [1, 1]
    assert batch.spans.kind.tolist() == [3, 3]
    assert batch.spans.status.tolist() == [2, 2]


def test_snake_case_keys_are_not_otlp_json() -> None:
    body = b'{"resource_spans":[{"scope_spans":[{"spans":[{"name":"a"}]}]}]}'
    answer = decode_otlp_json([body], LIMITS)
    assert len(answer.batch.spans) == 0
    assert not answer.faults


def test_an_unknown_kind_or_status_is_unset() -> None:
    body = request_of(span_of())
    raw = body.SerializeToString().replace(b"\x30\x03", b"\x30\x63", 1)
    assert column(decode_otlp_protobuf([raw], LIMITS).batch, "kind") == 0


def test_a_name_that_is_no_text_is_no_name_and_the_other_spans_stay() -> None:
    raw = (
        request_of(span_of(name="four"), span_of(name="good")).SerializeToString().replace(b"four", b"\xff\xfe\xfd\xfc")
    )
    batch = decode_otlp_protobuf([raw], LIMITS).batch
    assert in_words(batch, "spans", "name") == ["", "good"]


def test_bad_utf8_in_a_value_is_replaced() -> None:
    raw = request_of(span_of({"mine": "four"})).SerializeToString().replace(b"four", b"fo\xff\xff")
    batch = decode_otlp_protobuf([raw], LIMITS).batch
    assert attributes_in_words(batch, batch.attributes) == [(0, "mine", "fo��")]


@pytest.mark.parametrize(
    ("state", "threshold", "randomness"),
    [
        ("ot=th:8", 1 << 55, UNKNOWN),
        ("ot=th:0", 0, UNKNOWN),
        ("congo=t61, ot=rv:0123456789abcd;th:fd70a", 0xFD70A << 36, 0x0123456789ABCD),
        ("ot=th:ABC", UNKNOWN, UNKNOWN),
        ("ot=th:;rv:12", UNKNOWN, UNKNOWN),
        ("ot=th:123456789012345", UNKNOWN, UNKNOWN),
        ("congo=t61", UNKNOWN, UNKNOWN),
        ("", UNKNOWN, UNKNOWN),
    ],
)
def test_the_sampling_threshold_is_all_that_is_kept_of_tracestate(state: str, threshold: int, randomness: int) -> None:
    batch = decoded(span_of(trace_state=state))
    assert (column(batch, "threshold"), column(batch, "randomness")) == (threshold, randomness)
    assert "congo=t61" not in batch.strings


def test_events_keep_their_distance_from_the_start_and_phase_stamps_are_no_events() -> None:
    batch = decoded(span_of(events=[("click", 1_500_999), ("fetchStart", 0), ("early", -1_000)]))
    assert in_words(batch, "events", "name") == ["click", "early"]
    assert batch.events.offset_us.tolist() == [1_500, -1]


def test_an_encoder_that_writes_the_event_s_name_before_its_time_is_read_the_same() -> None:
    span = span_of(events=[(name, number * 1_000_000) for number, name in enumerate(NETWORK_EVENTS)])
    usual = request_of(span)
    turned = trace_pb2.Span.FromString(span.SerializeToString())
    del turned.events[:]
    raw = turned.SerializeToString()
    for event in span.events:
        whole = event.SerializeToString()
        raw += b"\x5a" + bytes([len(whole)]) + whole[9:] + whole[:9]
    scope = b"\x12" + bytes([len(raw) & 0x7F | 0x80, len(raw) >> 7]) + raw
    group = b"\x12" + bytes([len(scope) & 0x7F | 0x80, len(scope) >> 7]) + scope
    body = b"\x0a" + bytes([len(group) & 0x7F | 0x80, len(group) >> 7]) + group
    one, other = (decode_otlp_protobuf([b], LIMITS).batch for b in (usual.SerializeToString(), body))
    assert np.array_equal(one.spans.phases_us, other.spans.phases_us)
    assert (one.spans.phases_us >= 0).any()


# --- limits and faults


def test_a_bad_body_is_refused_alone_and_leaves_no_text_behind() -> None:
    good = request_of(span_of(name="good")).SerializeToString()
    bad = request_of(span_of({"mail": "ann@shop.example"}, name="secret")).SerializeToString()[:-1]
    too_many = request_of(*[span_of({"k": "secret"})] * 3).SerializeToString()
    answer = decode_otlp_protobuf([good, bad, too_many, good], Limits(spans=2))
    assert {row: type(refusal) for row, refusal in answer.faults.items()} == {1: Malformed, 2: TooLarge}
    assert answer.batch.body_of_span.tolist() == [0, 3]
    assert len(answer.batch.bodies) == 4
    assert not any("secret" in text or "ann" in text for text in answer.batch.strings)


def test_a_truncated_body_is_refused_with_its_offset() -> None:
    body = request_of(span_of({"key": "value"}, name="a")).SerializeToString()
    assert fault(decode_otlp_protobuf, body[:-1]).offset == 0
    broken = body.replace(b"\x0a\x03key", b"\x0a\x63key")
    refusal = fault(decode_otlp_protobuf, broken)
    assert isinstance(refusal, Malformed)
    assert refusal.offset == broken.index(b"\x0a\x63key")
    text = '{"resourceSpans": ["é", }'.encode()
    assert fault(decode_otlp_json, text).offset == len(text) - 1


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"1",
        b'{"resourceSpans":{}}',
        b'{"resourceSpans":[1]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":["secret"]}]}]}',
        b'{"resourceSpans":[{"resource":[],"scopeSpans":[{"spans":[{}]}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":1}]}]}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"key":"a","value":"secret"}]}]}]}]}',
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"events":["secret"]}]}]}]}',
    ],
)
def test_json_of_another_shape_is_refused_and_not_quoted(body: bytes) -> None:
    refusal = fault(decode_otlp_json, body)
    assert isinstance(refusal, Malformed)
    assert "secret" not in refusal.message


@pytest.mark.parametrize("body", [b"", b"{}", b'{"resourceSpans":[]}'])
def test_an_empty_request_is_a_good_request(body: bytes) -> None:
    answer = (decode_otlp_json if body else decode_otlp_protobuf)([body], LIMITS)
    assert not answer.faults
    assert (len(answer.batch.bodies), len(answer.batch.spans)) == (1, 0)


def test_no_bodies_at_all_give_an_empty_batch() -> None:
    assert len(decode_otlp_protobuf([], LIMITS).batch.spans) == 0


def test_the_first_attributes_events_and_links_are_kept_up_to_the_limit() -> None:
    limits = Limits(attributes=2, events=2, links=1)
    span = span_of({"a": "1", "b": "2", "c": "3"}, events=[("x", 0), ("y", 0), ("z", 0)])
    span.links.add(trace_id=TRACE_ID, span_id=SPAN_ID)
    span.links.add(trace_id=TRACE_ID, span_id=SPAN_ID)
    batch = decoded(span, limits=limits)
    assert [key for _, key, _ in attributes_in_words(batch, batch.attributes)] == ["a", "b"]
    assert in_words(batch, "events", "name") == ["x", "y"]
    assert len(batch.links) == 1


def test_long_text_is_cut_and_says_so() -> None:
    batch = decoded(span_of({"mine": "é" * 50}), limits=Limits(string_bytes=64))
    ((_, _, text),) = attributes_in_words(batch, batch.attributes)
    assert text == "é" * 30 + "…"
    assert len(text.encode()) <= 64


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def test_values_nested_up_to_32_deep_are_text_and_deeper_ones_are_refused() -> None:
    assert attributes_in_words(batch := decoded(span_of({"a": nested(32)})), batch.attributes)[0][2].startswith("[[[[")
    for decode, write in ((decode_otlp_protobuf, lambda r: r.SerializeToString()), (decode_otlp_json, as_json)):
        refusal = fault(decode, write(request_of(span_of({"a": nested(33)}))))
        assert (type(refusal), refusal.reason) == (TooLarge, "too_deep")


def field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    size, out = len(content), bytearray([number << 3 | 2])
    while size > 0x7F:
        out.append(size & 0x7F | 0x80)
        size >>= 7
    return bytes(out) + bytes([size]) + content


def spans_with(content: bytes, count: int) -> bytes:
    return field(1, field(2, field(2, content) * count))


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"\x0a\x00" * 100_000, "too_many_spans"),
        (field(1, b"\x12\x00" * 100_000), "too_many_spans"),
        (spans_with(b"", 100_000), "too_many_spans"),
        (spans_with(b"\x5a\x00" * 128, 1000), "too_many_values"),
        (spans_with(b"\x6a\x00" * 128, 1000), "too_many_values"),
        (spans_with(field(9, field(1, b"a") + field(2, field(5, b"\x0a\x00" * 100_000))), 1), "too_many_values"),
        (
            spans_with(b"", 1)
            + b"".join(
                spans_with(field(9, field(1, b"k%d" % i) + field(2, field(1, b"%d" % i))), 1) for i in range(4000)
            ),
            "too_many_strings",
        ),
    ],
)
def test_shapes_that_cost_more_than_they_weigh_are_refused(body: bytes, reason: str) -> None:
    refusal = fault(decode_otlp_protobuf, body, Limits(strings=3000))
    assert (type(refusal), refusal.reason) == (TooLarge, reason)


def test_json_with_more_brackets_than_spans_need_is_refused_before_it_is_parsed() -> None:
    refusal = fault(decode_otlp_json, b'{"resourceSpans":[' + b"[]," * 100_000 + b"[]]}")
    assert (type(refusal), refusal.reason) == (TooLarge, "too_many_values")


def test_every_code_in_use_has_text_and_text_without_a_code_is_blank() -> None:
    batch = decoded(span_of({"session.id": "mine"}), resource={"session.id": "replaced", "telemetry.sdk.name": "sdk"})
    assert "replaced" not in batch.strings
    used = codes_in_use(batch)
    assert all(not text for code, text in enumerate(batch.strings) if code not in used)


# --- the same through protobuf and JSON

names = st.sampled_from(
    [
        "url.full",
        "http.url",
        "http.status_code",
        "session.id",
        "exception.type",
        "client.address",
        "http.flavor",
        "a",
        "",
    ]
)
words = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=6)
scalars = words | st.integers(-(2**63), 2**63 - 1) | st.booleans() | st.floats() | st.binary(max_size=4) | st.none()
values = st.recursive(
    scalars.filter(lambda v: not isinstance(v, float) or np.isfinite(v)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
attribute_lists = st.lists(
    st.builds(lambda key, value: common_pb2.KeyValue(key=key, value=value_of(value)), names | words, values | scalars),
    max_size=5,
)
times = st.integers(0, 2**64 - 1) | st.integers(START, START + 10**9)
events = st.builds(
    trace_pb2.Span.Event,
    time_unix_nano=times,
    name=st.sampled_from([*NETWORK_EVENTS, "exception", "click"]) | words,
    attributes=attribute_lists,
)
links = st.builds(trace_pb2.Span.Link, trace_id=st.binary(max_size=17), span_id=st.binary(max_size=9))
any_spans = st.builds(
    trace_pb2.Span,
    trace_id=st.just(TRACE_ID) | st.binary(max_size=17),
    span_id=st.just(SPAN_ID) | st.binary(max_size=9),
    parent_span_id=st.binary(max_size=9),
    trace_state=words | st.sampled_from(["ot=th:8", "a=b,ot=rv:00000000000001;th:c"]),
    name=words,
    kind=st.integers(0, 5),
    start_time_unix_nano=times,
    end_time_unix_nano=times,
    attributes=attribute_lists,
    events=st.lists(events, max_size=12),
    links=st.lists(links, max_size=2),
    status=st.builds(trace_pb2.Status, code=st.integers(0, 2), message=words),
)
requests = st.builds(
    trace_service_pb2.ExportTraceServiceRequest,
    resource_spans=st.lists(
        st.builds(
            trace_pb2.ResourceSpans,
            resource=st.builds(resource_pb2.Resource, attributes=attribute_lists),
            scope_spans=st.lists(st.builds(trace_pb2.ScopeSpans, spans=st.lists(any_spans, max_size=3)), max_size=2),
        ),
        max_size=3,
    ),
)


@settings(max_examples=40)
@given(st.lists(requests, max_size=2))
def test_the_same_messages_through_protobuf_and_json_give_identical_columns(
    messages: list[trace_service_pb2.ExportTraceServiceRequest],
) -> None:
    by_protobuf = decode_otlp_protobuf([message.SerializeToString() for message in messages], LIMITS)
    by_json = decode_otlp_json([as_json(message) for message in messages], LIMITS)
    assert not by_protobuf.faults
    assert not by_json.faults
    assert all_in_words(by_protobuf.batch) == all_in_words(by_json.batch)
    assert len(by_protobuf.batch.spans) == sum(
        len(scope.spans) for message in messages for group in message.resource_spans for scope in group.scope_spans
    )


def test_every_format_has_a_decoder_and_all_take_no_bodies() -> None:
    assert set(DECODERS) == set(Format)
    for decode in DECODERS.values():
        assert len(decode([], LIMITS).batch.bodies) == 0


# --- the private schema and the answers


OFFICIAL = {
    "Request": trace_service_pb2.ExportTraceServiceRequest,
    "ResourceSpans": trace_pb2.ResourceSpans,
    "Resource": resource_pb2.Resource,
    "ScopeSpans": trace_pb2.ScopeSpans,
    "Span": trace_pb2.Span,
    "Event": trace_pb2.Span.Event,
    "Link": trace_pb2.Span.Link,
    "Status": trace_pb2.Status,
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


@given(st.integers(0, 16), st.text(max_size=300).filter(lambda text: text.isprintable()))
def test_status_reads_as_a_google_rpc_status(code: int, message: str) -> None:
    from google.rpc.status_pb2 import Status  # comes with the exporter

    read = Status.FromString(status(code, message, as_json=False))
    assert (read.code, read.message) == (code, message)
    assert orjson.loads(status(code, message, as_json=True)) == {"code": code, "message": message}


@pytest.mark.parametrize("decode", [decode_otlp_protobuf, decode_otlp_json])
def test_what_a_span_has_too_much_of_is_left_out_and_counted(decode: Any) -> None:
    request = trace_service_pb2.ExportTraceServiceRequest()
    span = request.resource_spans.add().scope_spans.add().spans.add(trace_id=b"t" * 16, span_id=b"s" * 8, name="GET")
    for number in range(130):
        span.attributes.add(key=f"key.{number}").value.string_value = "v"
        span.events.add(name="tick", time_unix_nano=number)
    body = as_json(request) if decode is decode_otlp_json else request.SerializeToString()
    decoded = decode([body], Limits())
    assert decoded.trimmed == 130 - Limits().attributes + 130 - Limits().events


@pytest.mark.parametrize("decode", [decode_otlp_protobuf, decode_otlp_json])
def test_what_was_read_is_let_go_without_the_garbage_collector(decode: Any) -> None:
    request = request_of(span_of(attributes={"a": 1, "b": "two"}))
    body = as_json(request) if decode is decode_otlp_json else request.SerializeToString()
    decode([body], Limits())
    gc.collect()
    gc.disable()
    try:
        decode([body, b"{"], Limits())
        assert gc.collect() < 20
    finally:
        gc.enable()
