"""Attributes of spans and resources, under old and new names, become columns or stay attributes."""

import base64
from typing import Any

import orjson
import pytest
from opentelemetry.proto.trace.v1 import trace_pb2

from ingest.decode.otlp import decode_otlp_json, decode_otlp_protobuf
from ingest.decode.otlp_attributes import NEVER_KEPT
from ingest.model import UNKNOWN, ConsentState
from tests.decode.otlp_messages import (
    LIMITS,
    SPAN_ID,
    TRACE_ID,
    as_json,
    attributes_in_words,
    codes_in_use,
    column,
    decoded,
    in_words,
    request_of,
    span_of,
)


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


CONSENT = "firsthop.consent"


@pytest.mark.parametrize(
    ("said", "state"),
    [
        ({}, ConsentState.MISSING),
        ({CONSENT: "granted"}, ConsentState.GRANTED),
        ({CONSENT: "pending"}, ConsentState.PENDING),
        ({CONSENT: "denied"}, ConsentState.DENIED),
    ],
)
def test_a_resource_says_what_its_user_agreed_to(said: dict[str, Any], state: ConsentState) -> None:
    assert decoded(span_of(), resource=said).resources.consent.tolist() == [state]
    assert decoded(span_of(said)).resources.consent.tolist() == [state]


@pytest.mark.parametrize("value", ["GRANTED", "granted ", "yes", "missing", "", None, True, 1, ["granted"], b"granted"])
def test_a_consent_that_nobody_knows_is_denied(value: Any) -> None:
    batch = decoded(span_of(), resource={CONSENT: value})
    assert batch.resources.consent.tolist() == [ConsentState.DENIED]
    assert len(batch.resource_attributes) == 0
    assert not any(batch.strings[code] for code in codes_in_use(batch) if batch.strings[code] != "GET")


def test_a_span_s_own_consent_divides_its_resource() -> None:
    said = ("denied", "granted", "no such word")
    batch = decoded(*(span_of({CONSENT: word}) for word in said), span_of(), resource={CONSENT: "pending"})
    states = batch.resources.consent[batch.spans.resource].tolist()
    assert states == [ConsentState.DENIED, ConsentState.GRANTED, ConsentState.DENIED, ConsentState.PENDING]
    assert len(batch.attributes) == 0


@pytest.mark.parametrize("words", [("granted", "denied"), ("denied", "granted"), ("pending", "granted")])
@pytest.mark.parametrize("where", ["resource", "span"])
def test_consents_that_contradict_each_other_are_denied_and_no_attribute(words: tuple[str, str], where: str) -> None:
    """A key said twice, which the protocol forbids and merged resources bring about."""
    span, request = span_of(), request_of()
    owner = span if where == "span" else request.resource_spans[0].resource
    for word in words:
        owner.attributes.add(key=CONSENT).value.string_value = word
    request.resource_spans[0].scope_spans[0].spans.append(span)
    for batch in (
        decode_otlp_protobuf([request.SerializeToString()], LIMITS).batch,
        decode_otlp_json([as_json(request)], LIMITS).batch,
    ):
        assert batch.resources.consent.tolist() == [ConsentState.DENIED]
        assert len(batch.attributes) == len(batch.resource_attributes) == 0


def test_a_consent_said_twice_alike_is_that_consent() -> None:
    span = span_of({CONSENT: "granted"})
    span.attributes.add(key=CONSENT).value.string_value = "granted"
    assert decoded(span).resources.consent.tolist() == [ConsentState.GRANTED]


@pytest.mark.parametrize(
    ("value", "reported"), [(True, True), ("true", True), (1, True), (False, False), ("no", False)]
)
def test_a_resource_says_that_its_user_reported_a_problem(value: Any, reported: bool) -> None:
    batch = decoded(span_of(), resource={"firsthop.reported": value})
    assert batch.resources.reported.tolist() == [reported]
    assert attributes_in_words(batch, batch.resource_attributes) == []


def test_without_a_word_about_it_nothing_was_reported() -> None:
    assert decoded(span_of()).resources.reported.tolist() == [False]
