"""Ids, times, names and sampling, as OTLP writes them and as clients get them wrong."""

import base64

import numpy as np
import orjson
import pytest
from opentelemetry.proto.trace.v1 import trace_pb2

from ingest.decode.otlp import decode_otlp_json, decode_otlp_protobuf
from ingest.model import UNKNOWN
from tests.decode.otlp_messages import (
    LIMITS,
    NETWORK_EVENTS,
    START,
    TRACE_ID,
    attributes_in_words,
    column,
    decoded,
    in_words,
    request_of,
    span_of,
)


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
