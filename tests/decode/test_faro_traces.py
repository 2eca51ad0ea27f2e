"""Which trace Faro's items and spans are in, and which of what it sends twice counts."""

import numpy as np
import pytest

from ingest.model import UNKNOWN
from ingest.outcome import Note
from tests.decode.faro_messages import (
    SPAN_ID,
    START_US,
    TRACE_ID,
    body,
    decode,
    decoded,
    event,
    navigation,
    remarked,
    resource,
    rows,
    span,
    traces,
)
from tests.decode.otlp_messages import attributes_in_words, column


def test_the_same_body_has_the_same_ids_again_and_no_two_spans_have_one() -> None:
    one_body, another = (body(events=[resource(), event("a"), navigation()], logs=[{"level": level}]) for level in "ab")
    first, again = decode(one_body, another).batch.spans, decode(another, one_body).batch.spans
    assert first.span_id[:5].tobytes() == again.span_id[5:].tobytes()
    assert first.trace_id[:5].tobytes() == again.trace_id[5:].tobytes()
    assert len({span_id.tobytes() for span_id in first.span_id}) == 10
    assert len({trace_id.tobytes() for trace_id in first.trace_id}) == 4


def test_a_request_is_a_trace_by_itself_and_all_else_that_a_page_told_at_once_is_one() -> None:
    first, second, log, bought, page, document = sorted(
        rows(decoded(events=[resource(), resource(), event("bought"), navigation()], logs=[{"level": "info"}])),
        key=lambda row: ["fetch", "info", "bought", "page", "document"].index(row["name"]),
    )
    assert len({first["trace"], second["trace"], page["trace"]}) == 3
    assert {row["trace"] for row in (log, bought, document)} == {page["trace"]}
    assert [row.get("parent") for row in (first, second, page)] == [None] * 3
    assert {row["parent"] for row in (log, bought, document)} == {page["id"]}, "they belong to the load of their page"


def test_without_a_page_load_what_a_body_tells_has_no_parent() -> None:
    found = rows(decoded(events=[event("a"), event("b")]))
    assert [row.get("parent") for row in found] == [None, None]


def test_made_up_trace_ids_are_spread_evenly_for_the_sampler() -> None:
    batch = decode(*(body(events=[*[resource()] * 20, event(str(n))]) for n in range(100))).batch
    low = np.ascontiguousarray(batch.spans.trace_id[:, 9:]).astype(np.float64)
    assert abs(low.mean() - 127.5) < 2
    assert abs((low[:, 0] < 25.6).mean() - 0.1) < 0.02


def test_events_that_repeat_spans_are_left_out_and_counted() -> None:
    again = [event(f"faro.tracing.{kind}", {"url.full": "x"}) for kind in ("fetch", "xml-http-request")]
    answer = decode(body(events=again), body(events=[event("a")]))
    assert [row["name"] for row in rows(answer.batch)] == ["a"]
    assert remarked(answer) == {Note.SENT_TWICE: 2}


def test_of_an_answered_request_the_entry_counts_and_the_span_is_an_operation_that_says_so() -> None:
    (row,) = rows(decoded(traces=traces(span(200))))
    assert (row["signal"], row["http_status"], row["method"]) == ("operation", 200, "GET")
    assert row["attributes"]["firsthop.repaired"] == "faro-twice"
    (entry,) = rows(decoded(events=[resource()]))
    assert entry["signal"] == "request"


def test_of_a_request_without_an_answer_the_span_counts_and_the_entry_is_an_operation_that_says_so() -> None:
    for status in (0, None):
        (row,) = rows(decoded(traces=traces(span(status))))
        assert (row["signal"], "firsthop.repaired" in row["attributes"]) == ("request", False)
        assert "method" not in row, "routes of entries have none either"
    hidden = {
        "responseStatus": "0",
        "requestTime": "0",
        "responseTime": "9000",
        "transferSize": "0",
        "decodedBodySize": "0",
    }
    (entry,) = rows(decoded(events=[resource(hidden)]))
    assert (entry["signal"], entry["http_status"]) == ("operation", UNKNOWN)
    assert entry["attributes"]["firsthop.repaired"] == "faro-opaque,faro-twice"


@pytest.mark.parametrize(("initiator", "signal"), [("img", "request"), ("xmlhttprequest", "operation")])
def test_what_tracing_never_makes_a_span_of_counts_whatever_its_status(initiator: str, signal: str) -> None:
    (row,) = rows(decoded(events=[resource({"initiatorType": initiator, "responseStatus": "0"})]))
    assert row["signal"] == signal


def test_an_entry_and_its_span_in_one_body_are_one_trace() -> None:
    late = resource(timestamp="2026-11-29T04:22:59.584Z")
    entry, other, sent = rows(decoded(events=[resource(), late], traces=traces(span())))
    assert (entry["trace"], entry["parent"]) == (TRACE_ID, sent["id"])
    assert other["trace"] != TRACE_ID
    assert [row["signal"] for row in (entry, sent)] == ["request", "operation"]


@pytest.mark.parametrize(
    ("seconds", "one_trace"), [("39.500", False), ("39.583", True), ("40.100", True), ("40.182", False)]
)
def test_an_entry_belongs_to_a_span_that_was_under_way_when_it_began(seconds: str, one_trace: bool) -> None:
    entry, sent = rows(decoded(events=[resource(timestamp=f"2026-11-29T04:22:{seconds}Z")], traces=traces(span())))
    assert (entry["trace"] == sent["trace"]) is one_trace


def test_an_entry_whose_trace_the_server_named_belongs_to_the_span_of_that_trace() -> None:
    other = span(traceId="22" * 16, spanId="22" * 8)
    named = resource(trace={"trace_id": TRACE_ID, "span_id": "33" * 8})
    entry, _, sent = rows(decoded(events=[named], traces=traces(other, span())))
    assert (entry["trace"], entry["parent"]) == (TRACE_ID, sent["id"])


def test_each_span_takes_one_entry_of_its_address_the_earliest_first() -> None:
    stamps = ["2026-11-29T04:22:39.585Z", "2026-11-29T04:22:41.001Z"]
    entries = [resource(timestamp=stamp) for stamp in reversed(stamps)]
    starts = [START_US, START_US + 1_415_000]
    spans = [
        span(spanId=f"{n:016x}", startTimeUnixNano=str(at * 1000), endTimeUnixNano=str((at + 600_000) * 1000))
        for n, at in enumerate(starts, 1)
    ]
    second, first, *_ = rows(decoded(events=entries, traces=traces(*spans)))
    assert (first["parent"], second["parent"]) == (f"{1:016x}", f"{2:016x}")


def test_an_entry_that_the_server_put_into_another_trace_is_not_the_spans() -> None:
    named = resource(trace={"trace_id": "11" * 16, "span_id": SPAN_ID})
    entry, _ = rows(decoded(events=[named], traces=traces(span())))
    assert (entry["trace"], entry.get("parent")) == ("11" * 16, None)


def test_spans_of_the_apps_own_are_what_they_are_and_those_of_document_load_are_operations() -> None:
    (own,) = rows(decoded(traces=traces(span(), scope="shop")))
    assert (own["signal"], own["method"]) == ("request", "GET")
    (inner,) = rows(decoded(traces=traces(span(kind=1))))
    assert inner["signal"] == "request", "the pipeline tells requests from operations"
    (copied,) = rows(decoded(traces=traces(span(), scope="@opentelemetry/instrumentation-document-load")))
    assert (copied["signal"], copied["attributes"]["firsthop.repaired"]) == ("operation", "faro-twice")


def test_spans_have_faros_sender_and_their_resources_own_attributes_and_nothing_of_the_user() -> None:
    batch = decoded(traces=traces(span(), **{"deployment.region": "eu", "user.id": "jane"}))
    assert (column(batch, "os_name", "resources"), column(batch, "sdk", "resources")) == ("Linux", "faro-web/2.12.1")
    assert column(batch, "session", "resources") == "t0CoiFa043"
    attributes = {key: value for _, key, value in attributes_in_words(batch, batch.resource_attributes)}
    assert attributes["deployment.region"] == "eu"
    assert not any(word in " ".join(batch.strings) for word in ("jane", "Mozilla", "opentelemetry"))
