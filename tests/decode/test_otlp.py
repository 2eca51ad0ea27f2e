"""OTLP traces become columns, from a real client, and the same from protobuf and JSON."""

from hashlib import blake2b

import numpy as np
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

from ingest.decode.formats import DECODERS, Format
from ingest.decode.otlp import decode_otlp_json, decode_otlp_protobuf
from ingest.model import UNKNOWN, ClockKind
from tests.decode.otlp_messages import (
    LIMITS,
    NETWORK_EVENTS,
    SPAN_ID,
    START,
    TRACE_ID,
    all_in_words,
    as_json,
    attributes_in_words,
    column,
    in_words,
    request_of,
    span_of,
    value_of,
)


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
