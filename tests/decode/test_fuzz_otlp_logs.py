"""Whatever arrives as logs, the decoders answer with columns and refusals, the same from both encodings."""

import json
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from ingest.decode.otlp_log_attributes import LOG, RESOURCE_TIMING
from ingest.decode.otlp_logs import decode_logs_json, decode_logs_protobuf
from ingest.errors import Refusal, TooLarge
from ingest.model import Decoded, Signal
from ingest.settings import Limits
from tests.decode.otlp_messages import (
    LIMITS,
    START,
    Decode,
    as_json,
    codes_in_use,
    fault,
    logs_of,
    record_of,
    value_of,
    without_ids,
)
from tests.decode.test_fuzz_otlp import edit, edits, plain_json
from tests.decode.test_otlp import scalars, values, words

EVENTS = (
    *("browser.resource_timing", "browser.navigation_timing", "browser.web_vital", "browser.console", "exception"),
    *("metrickit.diagnostic.hang", "device.crash", "session.start", "", "tapped"),
)
NAMES = (*LOG.targets, "exception.message", "exception.stacktrace", "client.address", "other", "")
VITALS = ("lcp", "inp", "cls", "fcp", "ttfb", "fid", "LCP")

numbers = (
    st.integers(0, 10**4) | st.floats(0, 1e4) | st.sampled_from([-1.5, 1e300, float("inf"), float("nan"), 2**63 - 1])
)
attributes = st.lists(
    st.builds(
        lambda key, value: KeyValue(key=key, value=value_of(value)),
        st.sampled_from(NAMES) | words,
        numbers | st.sampled_from(VITALS) | values | scalars,
    ),
    max_size=14,
)
times = st.integers(0, 2**64 - 1) | st.integers(START, START + 10**11)
records = st.builds(
    lambda body, **fields: record_of(body=body, **fields),
    body=values
    | scalars
    | st.dictionaries(st.sampled_from(["name", "value", "fetchStart", "responseEnd", "url"]), numbers),
    event=st.sampled_from(EVENTS) | words,
    trace_id=st.just(b"") | st.binary(max_size=17),
    span_id=st.binary(max_size=9),
    time_unix_nano=times,
    observed_time_unix_nano=times,
    severity_number=st.integers(0, 30),
    severity_text=words | st.sampled_from(["ERROR", "warn"]),
)
full_records = st.builds(lambda record, more: _with(record, more), records, attributes)  # noqa: PLW0108 - defined below
requests = st.builds(
    ExportLogsServiceRequest,
    resource_logs=st.lists(
        st.builds(
            ResourceLogs,
            resource=st.builds(Resource, attributes=attributes),
            scope_logs=st.lists(st.builds(ScopeLogs, log_records=st.lists(full_records, max_size=3)), max_size=2),
        ),
        max_size=3,
    ),
)


def _with(record: LogRecord, more: list[KeyValue]) -> LogRecord:
    record.attributes.extend(more)
    return record


def is_finite(value: Any) -> bool:
    """JSON has no other numbers, so the two encodings cannot agree about them."""
    return "NaN" not in value and "Infinity" not in value


def is_sound(decoded: Decoded, bodies: int) -> None:
    batch = decoded.batch
    assert len(batch.bodies) == bodies
    assert all(isinstance(each, Refusal) and each.message for each in decoded.faults.values())
    assert not set(decoded.faults) & set(batch.body_of_span.tolist())
    assert max(codes_in_use(batch), default=0) < len(batch.strings)
    "".join(batch.strings).encode()
    spans = batch.spans
    assert np.isin(spans.signal, list(Signal)).all()
    assert (spans.phases_us[:, spans.signal != Signal.REQUEST] == -2).all()
    assert spans.span_id.any(axis=1).all()
    assert spans.trace_id.any(axis=1).all()
    own = zip(batch.body_of_span.tolist(), (row.tobytes() for row in spans.span_id), strict=True)
    assert len(set(own)) == len(spans), "in a body each has an id of its own"
    assert (spans.duration_us[np.isin(spans.signal, [Signal.EVENT, Signal.EXCEPTION])] == 0).all()
    for rows in (batch.attributes, batch.events):
        assert ((rows.owner >= 0) & (rows.owner < len(spans))).all()


@settings(max_examples=150)
@given(st.lists(requests, max_size=2))
def test_any_messages_give_the_same_columns_through_protobuf_and_json(messages: list[ExportLogsServiceRequest]) -> None:
    by_protobuf = decode_logs_protobuf([message.SerializeToString() for message in messages], LIMITS)
    bodies = [as_json(message) for message in messages]
    by_json = decode_logs_json(bodies, LIMITS)
    is_sound(by_protobuf, len(messages))
    is_sound(by_json, len(messages))
    if all(is_finite(body.decode()) for body in bodies):
        assert without_ids(by_protobuf.batch) == without_ids(by_json.batch)


RICH = logs_of(
    record_of(
        RESOURCE_TIMING,
        {
            f"{RESOURCE_TIMING}.fetch_start": 1.5,
            f"{RESOURCE_TIMING}.response_end": 20.25,
            "url.full": "https://a.example/",
        },
        trace_id=b"t" * 16,
        span_id=b"s" * 8,
    ),
    record_of("browser.web_vital", body={"name": "lcp", "value": 12.5}),
    record_of("exception", {"exception.type": "E", "session.id": "s"}, severity_number=17),
    record_of(body=[1, {"deep": [b"x", None]}], severity_text="warn"),
    resource={"service.name": "shop"},
)
GOOD = logs_of(record_of("good", {"tag": "good"}))
CASES = [
    (decode_logs_protobuf, RICH.SerializeToString(), GOOD.SerializeToString()),
    (decode_logs_json, as_json(RICH), as_json(GOOD)),
]


def check(decode: Decode, body: bytes, good: bytes) -> None:
    decoded, alone = decode([good, body, good], LIMITS), decode([good], LIMITS)
    assert not {0, 2} & set(decoded.faults)
    is_sound_but_for_repeats(decoded, 3)
    names = [decoded.batch.strings[code] for code in decoded.batch.spans.name]
    assert (names[0], names[-1]) == ("good", "good")
    if 1 in decoded.faults:
        assert list(decoded.batch.strings) == list(alone.batch.strings)


def is_sound_but_for_repeats(decoded: Decoded, bodies: int) -> None:
    """The same good body stands there twice, with the same ids."""
    assert len(decoded.batch.bodies) == bodies
    assert max(codes_in_use(decoded.batch), default=0) < len(decoded.batch.strings)


@pytest.mark.parametrize(("decode", "body", "good"), CASES, ids=["protobuf", "json"])
@settings(max_examples=150)
@given(changes=edits)
def test_a_mutated_body_touches_no_other(
    decode: Decode, body: bytes, good: bytes, changes: list[tuple[float, int, bytes]]
) -> None:
    check(decode, edit(body, changes), good)


@pytest.mark.parametrize(("decode", "body", "good"), CASES, ids=["protobuf", "json"])
def test_a_body_cut_anywhere_is_refused_or_shorter(decode: Decode, body: bytes, good: bytes) -> None:
    whole = len(decode([body], LIMITS).batch.spans)
    for end in range(len(body)):
        decoded = decode([body[:end]], LIMITS)
        assert decoded.faults or len(decoded.batch.spans) <= whole


@given(body=st.binary(max_size=200))
def test_arbitrary_bytes_touch_no_other_body(body: bytes) -> None:
    for decode, _, good in CASES:
        check(decode, body, good)


@settings(max_examples=60)
@given(
    st.lists(
        st.dictionaries(st.sampled_from(["attributes", "body", "eventName", "severityNumber", "traceId"]), plain_json)
    )
)
def test_records_of_any_shape_are_read_or_refused(shapes: list[object]) -> None:
    body = json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": shapes}]}]}).encode()
    check(decode_logs_json, body, as_json(GOOD))


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("event", ["", "browser.web_vital"])
def test_bodies_nested_too_deeply_are_refused(event: str) -> None:
    request = logs_of(record_of(event, body={"value": nested(40)} if event else nested(40)))
    for decode, body in ((decode_logs_protobuf, request.SerializeToString()), (decode_logs_json, as_json(request))):
        refusal = fault(decode, body)
        assert (type(refusal), refusal.reason) == (TooLarge, "too_deep")


def test_of_a_hundred_thousand_attributes_the_first_are_kept_and_the_rest_is_counted() -> None:
    record = record_of("tapped")
    record.attributes.extend([KeyValue(key="k", value=value_of("v"))] * 100_000)
    decoded = decode_logs_protobuf([logs_of(record).SerializeToString()], LIMITS)
    assert (len(decoded.batch.attributes), decoded.trimmed) == (LIMITS.attributes, 100_000 - LIMITS.attributes)


def test_of_a_body_with_too_many_fields_the_first_are_kept_and_the_rest_is_counted() -> None:
    fields = {f"f{number}": number for number in range(LIMITS.attributes + 7)}
    request = logs_of(record_of("browser.thing", body=fields))
    for decoded in (
        decode_logs_protobuf([request.SerializeToString()], LIMITS),
        decode_logs_json([as_json(request)], LIMITS),
    ):
        assert decoded.trimmed == 7


def test_more_records_or_more_different_values_than_a_body_may_have_are_refused() -> None:
    many = logs_of(*[record_of("a")] * 3).SerializeToString()
    assert fault(decode_logs_protobuf, many, Limits(spans=2)).reason == "too_many_spans"
    different = logs_of(*(record_of("a", {"k": number}, body=f"line {number}") for number in range(100)))
    for decode, body in ((decode_logs_protobuf, different.SerializeToString()), (decode_logs_json, as_json(different))):
        assert type(fault(decode, body, Limits(strings=50))) is TooLarge


def test_long_bodies_and_stacks_are_cut_and_say_so() -> None:
    request = logs_of(record_of("exception", attributes_of_text("é" * 9000), body="é" * 9000))
    batch = decode_logs_protobuf([request.SerializeToString()], LIMITS).batch
    cut = [text for text in batch.strings if text.endswith("é…")]
    assert cut
    assert all(len(text.encode()) <= LIMITS.string_bytes for text in batch.strings)


def attributes_of_text(text: str) -> dict[str, str]:
    return {"exception.stacktrace": text, "exception.type": "E"}


def test_json_is_read_the_same_whatever_the_order_of_its_fields() -> None:
    body = orjson.loads(as_json(RICH))
    turned = orjson.dumps(body, option=orjson.OPT_SORT_KEYS)
    assert without_ids(decode_logs_json([turned], LIMITS).batch) == without_ids(
        decode_logs_json([as_json(RICH)], LIMITS).batch
    )
