"""What Grafana Faro sends, item by item."""

from typing import Any

import pytest

from ingest.errors import Malformed, TooLarge
from ingest.model import UNKNOWN
from ingest.outcome import Note, Outcome
from ingest.pipeline.validate import validate
from ingest.settings import Limits
from tests.decode.faro_messages import (
    META,
    PAGE,
    SPAN_ID,
    STAMP,
    START_US,
    TIMING,
    TRACE_ID,
    body,
    decode,
    decoded,
    event,
    navigation,
    one,
    remarked,
    resource,
    rows,
    vital,
)
from tests.decode.otlp_messages import attributes_in_words, column


def test_meta_is_the_sender_and_nothing_of_the_user_is_read() -> None:
    batch = decoded(events=[event("session_start")])
    said = {name: column(batch, name, "resources") for name in batch.resources.CODES}
    assert said == {
        "service": "shop",
        "version": "5.2.1",
        "environment": "production",
        "os_name": "Linux",
        "os_version": "",
        "device_manufacturer": "",
        "device_model": "",
        "network": "",
        "session": "t0CoiFa043",
        "installation": "install-1",
        "sdk": "faro-web/2.12.1",
    }
    attributes = {key: value for _, key, value in attributes_in_words(batch, batch.resource_attributes)}
    assert attributes["browser.name"] == "Chrome"
    assert (attributes["session.previous_id"], attributes["faro.session.cohort"]) == ("s0CoiFa042", "b")
    everything = " ".join(batch.strings)
    assert not any(word in everything for word in ("jane", "4711", "gold", "Mozilla", "Berlin"))


@pytest.mark.parametrize("session", ["jane doe", "x" * 129, "a\nb", "", 7, None])
def test_a_session_id_that_is_none_is_left_out(session: Any) -> None:
    batch = decoded(meta=META | {"session": {"id": session}}, events=[event("session_start")])
    assert column(batch, "session", "resources") == ""


def test_consent_and_report_are_said_by_attributes_of_the_session() -> None:
    session = {"id": "s", "attributes": {"firsthop.consent": "pending", "firsthop.reported": "true"}}
    resources = decoded(meta=META | {"session": session}, events=[event("session_start")]).resources
    assert (resources.consent.tolist(), resources.reported.tolist()) == ([2], [True])


def test_a_timing_entry_is_a_request_with_phases() -> None:
    (row,) = rows(decoded(events=[resource()]))
    assert row["signal"] == "request"
    assert (row["name"], row["url"], row["http_status"], row["protocol"]) == ("fetch", TIMING["name"], 200, "h2")
    assert (row["start_us"], row["duration_us"], row["screen"]) == (START_US, 590_000, "checkout")
    assert row["phases"] == {
        "redirect": -1,
        "dns": 127_000,
        "tcp": 40_000,
        "tls": 58_000,
        "ttfb": 158_000,
        "download": 206_000,
    }
    assert row["attributes"] == {
        "browser.cache": "fullLoad",
        "browser.render_blocking": "non-blocking",
        "browser.visibility": "visible",
        "http.response.size": "1000",
        "firsthop.repaired": "faro-tcp-with-tls",
    }


def test_what_an_older_browser_does_not_know_is_not_stored_as_a_word() -> None:
    unknown = dict.fromkeys(("responseStatus", "encodedBodySize", "renderBlockingStatus"), "unknown")
    (row,) = rows(decoded(events=[resource(unknown)]))
    assert (row["signal"], row["http_status"]) == ("request", UNKNOWN)
    assert {"http.response.status_code", "http.response.body.size"}.isdisjoint(row["attributes"])


def test_a_page_load_is_a_page_and_the_request_for_its_document_is_its_child() -> None:
    batch = decoded(events=[navigation()])
    page, document = rows(batch)
    assert (page["signal"], page["url"], page["duration_us"], page["phases"]) == ("page", PAGE, 801_000, {})
    assert (page["route"], page["attributes"]["browser.navigation.type"]) == ("/checkout", "navigate")
    assert (document["signal"], document["name"], document["duration_us"]) == ("request", "document", 590_000)
    assert document["phases"]["ttfb"] == 158_000, "from the request, not from the activation of the page"
    assert "redirect" not in document["phases"], "redirects of other origins are hidden"
    assert (document["trace"], document["parent"]) == (page["trace"], page["id"])


def test_of_a_page_loaded_before_anybody_asked_only_the_document_is_there_and_nothing_is_known_of_it() -> None:
    answer = decode(body(events=[navigation(ttfb="0")]))
    (document,) = rows(answer.batch)
    assert (document["name"], document["phases"]) == ("document", {})
    assert remarked(answer) == {Note.NOT_WAITED_FOR: 1}


@pytest.mark.parametrize(
    ("values", "signal", "duration_us", "start_us"),
    [
        ({"lcp": 2512.5, "delta": 12.5}, "lcp", 2_512_500, START_US - 2_512_500),
        ({"inp": 200, "delta": 200}, "inp", 200_000, START_US - 200_000),
        ({"cls": 0.125, "delta": 0.125}, "cls", 125_000, START_US),
        ({"fcp": 900.1, "delta": 900.1}, "fcp", 900_100, START_US - 900_100),
        ({"ttfb": 257.5, "delta": 257.5}, "ttfb", 257_500, START_US - 257_500),
    ],
)
def test_a_web_vital_is_its_value_and_a_score_is_counted_in_millionths(
    values: dict[str, float], signal: str, duration_us: int, start_us: int
) -> None:
    (row,) = rows(decoded(measurements=[vital(values, load_state="complete")]))
    assert (row["signal"], row["name"], row["url"]) == (signal, signal.upper(), PAGE)
    assert (row["duration_us"], row["start_us"]) == (duration_us, start_us)
    assert row["attributes"] == {
        "web_vital.delta": str(values["delta"]),
        "web_vital.id": "v6-1",
        "web_vital.rating": "good",
        "web_vital.navigation_type": "navigate",
        "web_vital.load_state": "complete",
    }


@pytest.mark.parametrize("navigation_type", ["back-forward-cache", "soft-navigation", "prerender"])
def test_a_first_byte_that_nobody_waited_for_is_left_out_and_counted(navigation_type: str) -> None:
    seen = vital({"lcp": 20.0, "delta": 20.0}, navigation_type=navigation_type)
    answer = decode(body(measurements=[vital({"ttfb": 0, "delta": 0}, navigation_type=navigation_type), seen]))
    assert [row["signal"] for row in rows(answer.batch)] == ["lcp"]
    assert remarked(answer) == {Note.NOT_WAITED_FOR: 1}


@pytest.mark.parametrize("value", ["fast", None, -1, True, [1], 1e300])
def test_a_vital_without_a_number_is_rejected(value: Any) -> None:
    batch = decoded(measurements=[vital({"lcp": value})])
    assert validate(batch.spans, Limits()).tolist() == [Outcome.INVALID_TIME]


def test_numbers_of_the_apps_own_are_attributes_of_an_event() -> None:
    cart = {"type": "cart", "values": {"items": 3, "total": 12.5}, "context": {"shop": "b"}, "timestamp": STAMP}
    (row,) = rows(decoded(measurements=[cart]))
    assert (row["signal"], row["name"], row["duration_us"]) == ("event", "cart", 0)
    assert row["attributes"] == {"items": "3", "total": "12.5", "shop": "b"}


def test_an_error_has_its_message_and_at_most_fifty_frames() -> None:
    frames = [
        {"filename": "https://shop.example/app.js", "function": f"f{n}", "lineno": n, "colno": 4} for n in range(60)
    ]
    thrown = {
        "type": "TypeError",
        "value": "x is not a function",
        "stacktrace": {"frames": frames},
        "context": {"cause": "none"},
        "fatal": True,
        "timestamp": STAMP,
    }
    (row,) = rows(decoded(exceptions=[thrown]))
    assert (row["signal"], row["name"], row["error_type"], row["status"]) == ("exception", "TypeError", "TypeError", 2)
    attributes = row["attributes"]
    assert (attributes["exception.message"], attributes["cause"]) == ("x is not a function", "none")
    stack = attributes["exception.stacktrace"].split("\n")
    assert (len(stack), stack[1]) == (50, "    at f1 (https://shop.example/app.js:1:4)")


def test_a_log_line_is_an_event_named_by_its_level_and_an_error_failed() -> None:
    lines = [
        {"message": "hello", "level": level, "context": {"a": "b"}, "timestamp": STAMP} for level in ("info", "error")
    ]
    info, error = rows(decoded(logs=lines))
    assert (info["signal"], info["name"], info["status"]) == ("event", "info", 0)
    assert info["attributes"] == {"log.message": "hello", "a": "b"}
    assert (error["name"], error["status"]) == ("error", 2)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (event("session_start"), {"signal": "event", "name": "session_start"}),
        (event("session_extend", {}), {"signal": "event", "name": "session_extend"}),
        (
            event("view_changed", {"fromView": "cart", "toView": "pay"}),
            {"signal": "screen", "name": "pay", "screen": "pay", "url": PAGE, "attributes": {}},
        ),
        (
            event("route_change", {"toRoute": "/a/:id", "toUrl": "https://shop.example/a/1"}),
            {"name": "/a/:id", "route": "/a/:id", "url": "https://shop.example/a/1", "attributes": {}},
        ),
        (
            event("faro.navigation", {"toUrl": "https://shop.example/b", "duration": "250.5", "sameDocument": "true"}),
            {
                "signal": "screen",
                "url": "https://shop.example/b",
                "duration_us": 250_500,
                "start_us": START_US - 250_500,
            },
        ),
        (
            event(
                "faro.user.action", {"userActionName": "pay", "userActionDuration": "99", "userActionTrigger": "click"}
            ),
            {"signal": "operation", "name": "pay", "duration_us": 99_000, "attributes": {"userActionTrigger": "click"}},
        ),
        (
            event(
                "securitypolicyviolation", {"blockedURI": "https://evil.example/x", "referrer": "", "lineNumber": "7"}
            ),
            {"name": "csp-violation", "attributes": {"csp.blocked_url": "https://evil.example/x", "csp.line": "7"}},
        ),
        (
            event("bought", {"price": "12", "url.full": "x", "user.name": "jane"}, action={"name": "pay", "id": "1"}),
            {"signal": "event", "attributes": {"price": "12", "faro.url.full": "x", "faro.action.name": "pay"}},
        ),
    ],
    ids=lambda given: given["name"] if isinstance(given, dict) and "domain" in given else "",
)
def test_every_event_becomes_what_it_is(given: dict[str, Any], expected: dict[str, Any]) -> None:
    (row,) = rows(decoded(events=[given]))
    assert {name: row.get(name) for name in expected} == expected


def test_an_item_joins_the_trace_that_was_active() -> None:
    thrown = {"type": "Error", "value": "", "timestamp": STAMP, "trace": {"trace_id": TRACE_ID, "span_id": SPAN_ID}}
    (row,) = rows(decoded(exceptions=[thrown]))
    assert (row["trace"], row["parent"]) == (TRACE_ID, SPAN_ID)


@pytest.mark.parametrize(
    "trace", [{}, {"trace_id": "", "span_id": ""}, {"trace_id": "00" * 16, "span_id": SPAN_ID}, {"trace_id": 7}]
)
def test_a_trace_that_is_none_leaves_an_item_in_that_of_its_body(trace: dict[str, Any]) -> None:
    item, other = rows(decoded(events=[event("a", trace=trace), event("b")]))
    assert "parent" not in item
    assert item["trace"] == other["trace"] != "00" * 16


def test_a_span_that_the_server_named_is_linked_and_the_entry_joins_its_trace() -> None:
    (row,) = rows(decoded(events=[resource(trace={"trace_id": TRACE_ID, "span_id": SPAN_ID})]))
    assert (row["trace"], row.get("parent")) == (TRACE_ID, None)
    assert (row["attributes"]["link.traceId"], row["attributes"]["link.spanId"]) == (TRACE_ID, SPAN_ID)


def test_an_item_that_cannot_be_read_is_rejected_and_counted_and_costs_no_other() -> None:
    events = [event("a"), 7, {"attributes": [], "timestamp": STAMP}, {"name": "c", "timestamp": "soon"}, event("d")]
    batch = decoded(events=events, logs=["x"])
    names = [row.get("name") for row in rows(batch)]
    assert names == ["a", None, None, "c", "d", None]
    fates = validate(batch.spans, Limits()).tolist()
    assert [fate == Outcome.KEPT for fate in fates] == [True, False, False, False, True, False]


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        (b"", Malformed, "bad_json"),
        (b"{", Malformed, "bad_json"),
        (b"[]", Malformed, "bad_faro"),
        (b'{"meta":7}', Malformed, "bad_faro"),
        (b'{"events":{}}', Malformed, "bad_faro"),
        (b'{"traces":{"resourceSpans":7}}', Malformed, "bad_otlp"),
        (b'{"traces":[1]}', Malformed, "bad_otlp"),
        (b'{"traces":{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":7}]}]}]}}', Malformed, "bad_otlp"),
        (b'{"events":' + b"[" * 100_000 + b"]" * 100_000 + b"}", TooLarge, "too_deep"),
        (b'{"events":[' + b"{}," * 5000 + b"{}]}", TooLarge, "too_many_spans"),
        (b'{"x":[' + b"[]," * 300_000 + b"[]]}", TooLarge, "too_many_values"),
    ],
)
def test_a_body_that_is_none_is_refused_alone(data: bytes, kind: type[Exception], reason: str) -> None:
    good = body(events=[event("a")])
    answer = decode(good, data, good)
    refusal = one(list(answer.faults.values()))
    assert isinstance(refusal, kind)
    assert refusal.reason == reason  # type: ignore[attr-defined]
    assert answer.batch.body_of_span.tolist() == [0, 2]
    assert len(answer.batch.bodies) == 3


def test_a_page_load_is_two_spans_of_those_that_a_body_may_have() -> None:
    assert not decode(body(events=[navigation()] * 2), limits=Limits(spans=4)).faults
    assert decode(body(events=[navigation()] * 2), limits=Limits(spans=3)).faults


@pytest.mark.parametrize("data", [b"{}", b'{"meta":{}}', b'{"meta":null,"events":null,"traces":null}'])
def test_an_empty_body_is_a_good_one(data: bytes) -> None:
    answer = decode(data)
    assert (answer.faults, len(answer.batch.spans)) == ({}, 0)


def test_text_cut_inside_an_emoji_costs_nothing_but_the_emoji() -> None:
    text = body(events=[event("a", {"b": "HERE"})]).replace(b"HERE", b"\\ud83d!")
    (row,) = rows(decode(text).batch)
    assert row["attributes"]["b"] == "\ufffd!"


def test_more_attributes_than_a_span_may_have_are_left_out_and_counted() -> None:
    answer = decode(body(events=[event("a", {f"k{n}": "v" for n in range(10)})]), limits=Limits(attributes=4))
    assert len(rows(answer.batch)[0]["attributes"]) == 4
    assert answer.trimmed >= 6


def test_values_that_are_no_text_are_written_as_json() -> None:
    (row,) = rows(decoded(events=[event("a", {"n": 1, "f": 1.5, "t": True, "l": [1, {"x": None}], "z": None})]))
    assert row["attributes"] == {"n": "1", "f": "1.5", "t": "true", "l": '[1,{"x":null}]', "z": ""}
    huge = body(events=[event("a", {})]).replace(b'"attributes":{}', b'"attributes":{"n":' + b"9" * 400 + b"}")
    assert len(decode(huge).batch.spans) == 1
