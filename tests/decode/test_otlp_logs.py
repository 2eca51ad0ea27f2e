"""Log records become spans that say what they are about, the same from protobuf and JSON."""

from typing import Any

import numpy as np
import pytest

from ingest.decode.otlp_logs import decode_logs_json, decode_logs_protobuf
from ingest.model import UNKNOWN, Signal, SpanBatch
from tests.decode.otlp_messages import (
    LIMITS,
    SPAN_ID,
    START,
    TRACE_ID,
    as_json,
    attributes_in_words,
    column,
    decoded_logs,
    in_words,
    logs_of,
    record_of,
)

START_US = START // 1000


def attributes(batch: SpanBatch, row: int = 0) -> dict[str, str]:
    return {key: value for owner, key, value in attributes_in_words(batch, batch.attributes) if owner == row}


THROWN = {"exception.type": "TypeError", "exception.message": "x is null", "exception.stacktrace": "at f (a.js:1)"}


@pytest.mark.parametrize(
    "event", ["exception", "app.crash", "device.crash", "metrickit.diagnostic.crash", "", "checkout.failed"]
)
def test_whatever_says_what_was_thrown_is_an_exception(event: str) -> None:
    batch = decoded_logs(record_of(event, THROWN | {"browser.document.url.full": "https://shop.example/cart"}))
    assert (column(batch, "signal"), column(batch, "status"), column(batch, "kind")) == (Signal.EXCEPTION, 2, 1)
    assert (column(batch, "name"), column(batch, "error_type")) == ("TypeError", "TypeError")
    assert (column(batch, "url"), column(batch, "duration_us")) == ("https://shop.example/cart", 0)
    assert attributes(batch) == THROWN


def test_an_app_that_does_not_respond_is_an_exception_by_its_events_name() -> None:
    batch = decoded_logs(record_of("device.anr", {"exception.stacktrace": "at main"}))
    assert (column(batch, "signal"), column(batch, "name")) == (Signal.EXCEPTION, "device.anr")


def test_a_hang_is_a_long_task() -> None:
    batch = decoded_logs(record_of("metrickit.diagnostic.hang", {"metrickit.diagnostic.hang.hang_duration": 1.25}))
    assert (column(batch, "signal"), column(batch, "duration_us")) == (Signal.LONG_TASK, 1_250_000)


@pytest.mark.parametrize(
    "event", ["session.start", "device.app.lifecycle", "app.screen.view", "app.jank", "browser.navigation"]
)
def test_other_events_are_events_of_no_duration(event: str) -> None:
    said = {
        "url.full": "https://shop.example/",
        "app.screen.name": "Cart",
        "session.id": "abc",
        "session.previous_id": "old",
    }
    batch = decoded_logs(record_of(event, said, severity_number=9))
    assert (column(batch, "signal"), column(batch, "name"), column(batch, "duration_us")) == (Signal.EVENT, event, 0)
    assert (column(batch, "url"), column(batch, "screen"), column(batch, "status")) == (
        "https://shop.example/",
        "Cart",
        0,
    )
    assert column(batch, "session", "resources") == "abc"
    assert attributes(batch) == {"log.severity": "INFO", "session.previous_id": "old"}


def test_a_session_that_swift_starts_is_named_by_its_body() -> None:
    batch = decoded_logs(record_of("", {"session.id": "abc"}, body="session.start"))
    assert (column(batch, "name"), attributes(batch)) == ("session.start", {})


@pytest.mark.parametrize(
    ("fields", "name", "severity", "status"),
    [
        ({"severity_number": 9, "severity_text": "info"}, "info", "info", 0),
        ({"severity_number": 13}, "WARN", "WARN", 0),
        ({"severity_number": 20}, "ERROR", "ERROR", 2),
        ({"severity_text": "fatal"}, "fatal", "fatal", 2),
        ({"severity_number": 99}, "log", None, 0),
        ({}, "log", None, 0),
    ],
)
def test_a_log_line_is_named_by_its_severity_and_an_error_from_error_on(
    fields: dict[str, Any], name: str, severity: str | None, status: int
) -> None:
    batch = decoded_logs(record_of(body="out of stock", **fields))
    assert (column(batch, "signal"), column(batch, "name"), column(batch, "status")) == (Signal.EVENT, name, status)
    assert attributes(batch) == {"log.body": "out of stock"} | ({"log.severity": severity} if severity else {})


def test_a_nested_body_is_json() -> None:
    batch = decoded_logs(record_of("cart.emptied", body={"items": [1, {"name": "tea"}], "ok": True}))
    assert attributes(batch) == {"log.body": '{"items":[1,{"name":"tea"}],"ok":true}'}


def test_the_time_is_when_it_happened_else_when_it_was_seen() -> None:
    seen = record_of("a", time_unix_nano=0, observed_time_unix_nano=START + 5_000)
    neither = record_of("b", time_unix_nano=0)
    batch = decoded_logs(record_of("c", observed_time_unix_nano=7), seen, neither)
    assert in_words(batch, "spans", "start_us") == [START_US, START_US + 5, UNKNOWN]


def test_a_record_with_a_trace_is_a_child_of_the_span_it_names() -> None:
    batch = decoded_logs(record_of("a", trace_id=TRACE_ID, span_id=SPAN_ID))
    assert batch.spans.trace_id.tobytes() == TRACE_ID
    assert batch.spans.parent_span_id.tobytes() == SPAN_ID
    assert batch.spans.span_id.any()


@pytest.mark.parametrize("trace_id", [b"", bytes(16), b"short"])
def test_records_without_a_trace_are_one_trace_for_each_resource_of_a_body(trace_id: bytes) -> None:
    request = logs_of(record_of("a", trace_id=trace_id, span_id=SPAN_ID), record_of("b"))
    request.resource_logs.add().scope_logs.add().log_records.append(record_of("c"))
    spans = decode_logs_protobuf([request.SerializeToString(), b""], LIMITS).batch.spans
    first, second, third = (trace.tobytes() for trace in spans.trace_id)
    assert first == second != third
    assert any(first)
    assert not spans.parent_span_id.any()


def test_ids_are_the_same_wherever_a_body_stands_and_differ_between_equal_records() -> None:
    other, body = (logs_of(*([record_of(name)] * 3)).SerializeToString() for name in ("a", "b"))
    alone, behind = (
        decode_logs_protobuf([body], LIMITS).batch.spans,
        decode_logs_protobuf([other, body], LIMITS).batch.spans,
    )
    assert np.array_equal(alone.span_id, behind.span_id[3:])
    assert np.array_equal(alone.trace_id, behind.trace_id[3:])
    assert len({one.tobytes() for one in behind.span_id}) == 6


def test_json_names_severities_and_takes_times_as_numbers() -> None:
    record = b'{"timeUnixNano":%d,"severityNumber":"SEVERITY_NUMBER_ERROR3"}' % START
    batch = decode_logs_json([b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[%b]}]}]}' % record], LIMITS).batch
    assert (column(batch, "name"), column(batch, "start_us"), column(batch, "status")) == ("ERROR", START_US, 2)


def test_records_of_the_library_groups_before_otlp_0_15_are_read() -> None:
    body = as_json(logs_of(record_of("a"))).replace(b"scopeLogs", b"instrumentationLibraryLogs")
    assert column(decode_logs_json([body], LIMITS).batch, "name") == "a"
