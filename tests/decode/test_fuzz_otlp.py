"""Whatever arrives, a decoder answers with columns and refusals, never with another exception."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.decode.otlp import decode_otlp_json, decode_otlp_protobuf
from ingest.errors import Refusal
from ingest.model import Decoded
from ingest.settings import Limits
from tests.decode.otlp_messages import NETWORK_EVENTS, all_in_words, as_json, codes_in_use, request_of, span_of

Decode = Callable[[Sequence[bytes], Limits], Decoded]

RICH = request_of(
    span_of(
        {
            "url.full": "https://api.shop.example/",
            "http.response.status_code": 200,
            "list": [1, {"deep": [b"x", None]}],
        },
        events=[(name, number) for number, name in enumerate((*NETWORK_EVENTS, "click"))],
        trace_state="ot=th:8;rv:0123456789abcd",
        links=[{"trace_id": bytes(16), "span_id": b"12345678"}],
        status={"message": "no answer", "code": 2},
    ),
    span_of({"session.id": "s", "user_agent.original": "Mozilla/5.0"}),
    resource={"service.name": "shop", "telemetry.sdk.name": "opentelemetry", "telemetry.sdk.version": "2.1.0"},
)
RICH.resource_spans[0].scope_spans[0].spans[1].events.add(name="exception").attributes.add(key="exception.type")
PROTOBUF, JSON = RICH.SerializeToString(), as_json(RICH)
GOOD = request_of(span_of({"tag": "good"}, name="good"))


def is_sound(decoded: Decoded, bodies: int) -> None:
    batch = decoded.batch
    assert len(batch.bodies) == bodies
    assert all(isinstance(fault, Refusal) and fault.message for fault in decoded.faults.values())
    assert not set(decoded.faults) & set(batch.body_of_span.tolist())
    assert max(codes_in_use(batch)) < len(batch.strings)
    assert batch.strings[0] == ""
    "".join(batch.strings).encode()
    assert (batch.spans.phases_us >= -2).all()
    for rows in (batch.attributes, batch.events, batch.links):
        assert ((rows.owner >= 0) & (rows.owner < len(batch.spans))).all()
    assert (batch.resource_attributes.owner < max(1, len(batch.resources))).all()
    assert np.bincount(batch.spans.resource, minlength=len(batch.resources)).all()


def check(decode: Decode, body: bytes, good: bytes) -> None:
    decoded = decode([good, body, good], Limits())
    is_sound(decoded, 3)
    alone = decode([good], Limits())
    names = [decoded.batch.strings[code] for code in decoded.batch.spans.name]
    assert (names[0], names[-1]) == ("good", "good")
    assert 0 not in decoded.faults
    assert 2 not in decoded.faults
    if 1 in decoded.faults:
        assert list(decoded.batch.strings) == list(alone.batch.strings)


@given(st.binary(max_size=200))
@example(b"")
@example(b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01")
def test_arbitrary_bytes_as_protobuf_touch_no_other_body(body: bytes) -> None:
    check(decode_otlp_protobuf, body, GOOD.SerializeToString())


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
@example(b"")
@example(b"null")
@example(b'"text"')
@example(b"[" * 5000)
def test_arbitrary_bytes_as_json_touch_no_other_body(body: bytes) -> None:
    check(decode_otlp_json, body, as_json(GOOD))


edits = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 3), st.binary(min_size=1, max_size=4)),
    min_size=1,
    max_size=6,
)


def edit(body: bytes, changes: list[tuple[float, int, bytes]]) -> bytes:
    """Overwrites, inserts, deletes or cuts off at random places."""
    for place, way, octets in changes:
        at = int(place * len(body))
        body = body[:at] + (octets, octets, b"", b"")[way] + (body[at + len(octets) :] if way != 1 else body[at:])
        if way == 3:
            body = body[:at]
    return body


@settings(max_examples=200)
@given(edits)
def test_mutated_protobuf_touches_no_other_body(changes: list[tuple[float, int, bytes]]) -> None:
    check(decode_otlp_protobuf, edit(PROTOBUF, changes), GOOD.SerializeToString())


@settings(max_examples=200)
@given(edits)
def test_mutated_json_touches_no_other_body(changes: list[tuple[float, int, bytes]]) -> None:
    check(decode_otlp_json, edit(JSON, changes), as_json(GOOD))


plain_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *(
                        "resourceSpans",
                        "scopeSpans",
                        "instrumentationLibrarySpans",
                        "spans",
                        "resource",
                        "attributes",
                        "events",
                    ),
                    *(
                        "links",
                        "status",
                        "key",
                        "value",
                        "stringValue",
                        "intValue",
                        "doubleValue",
                        "boolValue",
                        "bytesValue",
                    ),
                    *("arrayValue", "kvlistValue", "values", "traceId", "spanId", "name", "kind", "code", "message"),
                    *("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "traceState"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=30,
)


@settings(max_examples=60)
@given(
    st.lists(st.dictionaries(st.sampled_from(["attributes", "events", "links", "status", "name", "kind"]), plain_json))
)
def test_json_of_any_shape_is_read_or_refused(spans: list[object]) -> None:
    import orjson

    try:
        body = orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}], "resource": {"attributes": spans}}]})
    except TypeError:  # whole numbers beyond 64 bits, which orjson does not write
        return
    check(decode_otlp_json, body, as_json(GOOD))


@given(plain_json)
def test_any_json_is_read_or_refused(value: object) -> None:
    import json

    check(decode_otlp_json, json.dumps(value).encode(), as_json(GOOD))


@pytest.mark.parametrize(("decode", "body"), [(decode_otlp_protobuf, PROTOBUF), (decode_otlp_json, JSON)])
def test_a_body_cut_anywhere_is_refused_or_shorter(decode: Decode, body: bytes) -> None:
    whole = len(decode([body], Limits()).batch.spans)
    for end in range(len(body)):
        decoded = decode([body[:end]], Limits())
        is_sound_enough = decoded.faults or len(decoded.batch.spans) <= whole
        assert is_sound_enough


def test_the_same_bodies_give_the_same_columns_again() -> None:
    first, second = (decode_otlp_protobuf([PROTOBUF, JSON, PROTOBUF], Limits()) for _ in range(2))
    assert all_in_words(first.batch) == all_in_words(second.batch)
