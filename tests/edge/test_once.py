"""A request that a page tells in traces and in logs is counted once, and what it sends here not at all."""

import time
from typing import Any

import pytest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ingest.decode.formats import DECODERS, Format
from ingest.edge.once import MOST_PAGES, REMEMBERED_S, Once
from ingest.model import Reception, SpanBatch
from ingest.outcome import Note
from tests.decode.otlp_messages import LIMITS, as_json, in_words, logs_of, record_of, request_of, span_of
from tests.edge.conftest import RunningEdge

SHOP, OTHER = "https://shop.example", "https://other.example"
CALL = span_of({"http.request.method": "GET", "url.full": "https://api.example/cart"}, kind=3)
LOAD = span_of({"url.full": f"{SHOP}/"}, kind=1, name="documentLoad")
R = "browser.resource_timing"


def resource(initiator: str, url: str = "https://api.example/cart", **fields: Any) -> LogRecord:
    said = {"url.full": url, f"{R}.initiator_type": initiator, f"{R}.fetch_start": 1, f"{R}.response_end": 9}
    return record_of(R, said, **fields)


def navigation(**fields: Any) -> LogRecord:
    said = {"url.full": f"{SHOP}/", f"{R}.fetch_start": 1, f"{R}.response_end": 9}
    return record_of("browser.navigation_timing", said | {"browser.navigation_timing.load_event_end": 20}, **fields)


EVERYTHING = [resource("fetch"), resource("xmlhttprequest"), resource("beacon"), resource("img"), navigation()]
FETCH, XHR, BEACON, IMAGE, PAGE, DOCUMENT = (
    *("fetch", "xmlhttprequest", "beacon", "resourceFetch", "documentLoad", "documentFetch"),
)


def reception(app_id: int = 1, origin: str = SHOP, host: str = "edge.example") -> Reception:
    return Reception(app_id=app_id, received_at_us=0, origin=origin, host=host)


def trace(once: Once, *spans: Span, now_s: float = 0.0, **page: Any) -> None:
    batch = DECODERS[Format.OTLP_JSON]([as_json(request_of(*spans))], LIMITS).batch
    assert once.settle(Format.OTLP_JSON, batch, [reception(**page)], now_s) is batch


def settle(once: Once, *records: LogRecord, now_s: float = 0.0, **page: Any) -> SpanBatch:
    batch = DECODERS[Format.LOGS_JSON]([as_json(logs_of(*records))], LIMITS).batch
    return once.settle(Format.LOGS_JSON, batch, [reception(**page)], now_s)


def names(batch: SpanBatch) -> list[str]:
    return in_words(batch, "spans", "name")


def remarks(batch: SpanBatch) -> dict[int, int]:
    return dict(zip(batch.remarks.note.tolist(), batch.remarks.spans.tolist(), strict=True))


def test_of_a_page_without_traces_every_request_counts() -> None:
    batch = settle(Once(), *EVERYTHING)
    assert names(batch) == [FETCH, XHR, BEACON, IMAGE, PAGE, DOCUMENT]
    assert remarks(batch) == {}


def test_of_a_page_that_traces_its_calls_logs_tell_the_others() -> None:
    once = Once()
    trace(once, CALL)
    batch = settle(once, *EVERYTHING)
    assert names(batch) == [BEACON, IMAGE, PAGE, DOCUMENT]
    assert remarks(batch) == {Note.SENT_TWICE: 2}


def test_of_a_page_that_traces_its_load_logs_tell_no_requests_but_all_else() -> None:
    once = Once()
    trace(once, LOAD)
    vital = record_of("browser.web_vital", {"browser.web_vital.name": "lcp", "browser.web_vital.value": 5})
    batch = settle(once, *EVERYTHING, vital, record_of("session.start"))
    assert names(batch) == ["LCP", "session.start"]
    assert remarks(batch) == {Note.SENT_TWICE: 6}


@pytest.mark.parametrize("page", [{"origin": OTHER}, {"app_id": 2}, {"origin": ""}])
def test_what_one_page_traces_says_nothing_of_another(page: dict[str, Any]) -> None:
    once = Once()
    trace(once, CALL, LOAD)
    assert len(names(settle(once, *EVERYTHING, **page))) == 6


def test_traces_without_an_origin_and_spans_of_no_call_teach_nothing() -> None:
    once = Once()
    trace(once, CALL, LOAD, origin="")
    trace(once, span_of({"url.full": "https://api.example/"}, kind=1), span_of({}, kind=3))
    assert len(names(settle(once, *EVERYTHING))) == len(names(settle(once, *EVERYTHING, origin=""))) == 6


def test_a_page_that_sends_no_more_traces_is_forgotten_after_a_day() -> None:
    once = Once()
    trace(once, CALL)
    assert FETCH not in names(settle(once, *EVERYTHING, now_s=REMEMBERED_S))
    assert FETCH in names(settle(once, *EVERYTHING, now_s=REMEMBERED_S + 1))


def test_the_number_of_pages_remembered_is_bounded_and_the_newest_stay() -> None:
    once = Once()
    for number in range(MOST_PAGES + 1):
        trace(once, CALL, origin=f"https://{number}.example")
    assert FETCH in names(settle(once, *EVERYTHING, origin="https://0.example"))
    assert FETCH not in names(settle(once, *EVERYTHING, origin="https://1.example"))


def test_posts_to_this_edge_are_left_out_and_those_to_any_other_host_or_path_are_not() -> None:
    here = [
        resource("fetch", "https://edge.example/v1/logs"),
        resource("fetch", "https://EDGE.example/v1/traces/fh_pub_one?x=1"),
        resource("beacon", "http://edge.example/v1/batches?key=k"),
        resource("xmlhttprequest", "https://edge.example/v1/config"),
    ]
    elsewhere = [
        resource("fetch", "https://edge.example/cart"),
        resource("fetch", "https://edge.example/healthz"),
        resource("fetch", "https://edge.example:444/v1/logs"),
        resource("fetch", "https://api.example/v1/logs"),
        resource("img", "https://edge.example/v1/logs"),
        resource("fetch", "https://[bad/v1/logs"),
        resource("fetch", ""),
    ]
    batch = settle(Once(), *here, *elsewhere)
    assert len(names(batch)) == len(elsewhere)
    assert remarks(batch) == {Note.OWN_POST: 4}


async def test_what_is_left_out_is_noted_in_the_journal_and_not_among_the_spans_received(edge: RunningEdge) -> None:
    at = time.time_ns() - 1_000_000_000
    origin = {"origin": SHOP, "content_type": "application/json"}
    call = span_of({"http.request.method": "GET"}, kind=3, start_time_unix_nano=at, end_time_unix_nano=at + 9)
    assert (await edge.send(as_json(request_of(call)), "/v1/traces", **origin)).status == 200
    own = resource("fetch", f"{edge.url}/v1/logs", time_unix_nano=at)
    records = [
        own,
        resource("fetch", time_unix_nano=at),
        resource("img", time_unix_nano=at),
        navigation(time_unix_nano=at),
    ]
    answer = await edge.send(as_json(logs_of(*records)), "/v1/logs", **origin)
    assert (answer.status, answer.body) == (200, b"{}")
    record = edge.journal.records[-1]
    assert record.ledger.spans.tolist() == [3]
    noted = dict(zip(record.notes.note.tolist(), record.notes.spans.tolist(), strict=True))
    assert (noted[Note.OWN_POST], noted[Note.SENT_TWICE]) == (1, 1)
    metrics = await edge.metrics()
    assert metrics['firsthop_noted_spans_total{note="own_post"}'] == 1
