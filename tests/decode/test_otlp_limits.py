"""What is too large, too deep or no OTLP at all is refused alone, before it costs much."""

import gc
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

from ingest.decode.otlp import decode_otlp_json, decode_otlp_protobuf
from ingest.errors import Malformed, TooLarge
from ingest.settings import Limits
from tests.decode.otlp_messages import (
    LIMITS,
    SPAN_ID,
    TRACE_ID,
    as_json,
    attributes_in_words,
    codes_in_use,
    decoded,
    fault,
    in_words,
    request_of,
    span_of,
)


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
