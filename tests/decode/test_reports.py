"""What browsers report by themselves, type by type."""

from typing import Any

import numpy as np
import orjson
import pytest

from ingest.decode.reports import SENT_US, decode_reports
from ingest.errors import Malformed, TooLarge
from ingest.model import UNKNOWN, ClockKind, Decoded, SpanBatch
from ingest.outcome import Outcome
from ingest.pipeline.validate import validate
from ingest.pipeline.weigh import weigh
from ingest.settings import Limits, Sampling
from tests.decode.faro_messages import rows

NETWORK_ERROR: dict[str, Any] = {
    "age": 5000,
    "type": "network-error",
    "url": "https://shop.example/",
    "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0",
    "body": {
        "sampling_fraction": 1.0,
        "referrer": "https://shop.example/?q=shoes",
        "server_ip": "192.0.2.1",
        "protocol": "http/1.1",
        "method": "GET",
        "status_code": 0,
        "elapsed_time": 143,
        "phase": "dns",
        "type": "dns.name_not_resolved",
    },
}
VIOLATION: dict[str, Any] = {
    "age": 53531,
    "type": "csp-violation",
    "url": "https://shop.example/cart",
    "user_agent": "Mozilla/5.0",
    "body": {
        "blockedURL": "https://evil.example/x.js",
        "disposition": "enforce",
        "documentURL": "https://shop.example/cart",
        "effectiveDirective": "script-src-elem",
        "lineNumber": 39,
        "originalPolicy": "default-src 'self'; report-to csp",
        "referrer": "https://shop.example/",
        "sample": "",
        "sourceFile": "https://shop.example/app.js",
        "statusCode": 200,
    },
}
CRASH: dict[str, Any] = {
    "age": 27,
    "type": "crash",
    "url": "https://shop.example/",
    "body": {"reason": "oom", "stack": "at f (app.js:1:2)", "is_top_level": True},
}


def decode(*bodies: Any, limits: Limits | None = None) -> Decoded:
    data = [one if isinstance(one, bytes) else orjson.dumps(one) for one in bodies]
    return decode_reports(data, limits or Limits())


def decoded(*reports: Any) -> SpanBatch:
    answer = decode(list(reports))
    assert not answer.faults
    return answer.batch


def network_error(**body: Any) -> dict[str, Any]:
    return NETWORK_ERROR | {"body": NETWORK_ERROR["body"] | body}


def test_a_network_error_is_a_failed_report_that_ended_when_it_was_made() -> None:
    batch = decoded(NETWORK_ERROR)
    (row,) = rows(batch)
    assert (row["signal"], row["name"], row["error_type"]) == ("report", "network-error", "dns.name_not_resolved")
    assert (row["url"], row["method"], row["protocol"], row["http_status"]) == ("https://shop.example/", "GET", "h1", 0)
    assert (row["start_us"], row["duration_us"]) == (SENT_US - 5_143_000, 143_000)
    assert row["attributes"] == {"http.request.header.referer": "https://shop.example/?q=shoes", "nel.phase": "dns"}
    assert batch.spans.failed.tolist() == [True]
    assert batch.bodies.clock.tolist() == [ClockKind.MONOTONIC]
    everything = " ".join(batch.strings)
    assert "192.0.2.1" not in everything
    assert "Mozilla" not in everything


@pytest.mark.parametrize(
    ("body", "status", "failed"),
    [
        ({"type": "ok", "phase": "application", "status_code": 200}, 200, False),
        ({"type": "ok", "phase": "application", "status_code": 0}, UNKNOWN, False),
        ({"type": "http.error", "phase": "application", "status_code": 503}, 503, True),
        ({"type": "tcp.reset", "phase": "connection", "status_code": 0}, 0, True),
        ({"type": "h2.protocol.error", "phase": "application", "status_code": None}, 0, True),
        ({"type": "something.new", "phase": "beyond"}, 0, True),
        ({"type": None, "status_code": "200"}, 0, True),
    ],
)
def test_a_report_has_the_status_of_the_answer_and_none_failed_without_one(
    body: dict[str, Any], status: int, failed: bool
) -> None:
    batch = decoded(network_error(**body))
    assert (batch.spans.http_status.tolist(), batch.spans.failed.tolist()) == ([status], [failed])


def test_a_text_too_long_for_a_kind_is_no_kind_and_is_not_cut_into_one() -> None:
    (row,) = rows(decoded(network_error(type="x" * 65)))
    assert row["error_type"] == "other"
    (row,) = rows(decoded({"type": "y" * 65, "age": 1, "body": {"z" * 65: "a"}}))
    assert (row["signal"], row["name"], row["attributes"]) == ("event", "other", {})


@pytest.mark.parametrize(
    ("fraction", "stands_for"), [(1.0, {1}), (1, {1}), (0.5, {2}), (0.01, {100}), (0.3, {3, 4}), (1e-9, {10_000})]
)
def test_a_sampled_report_stands_for_those_that_were_not_sent(fraction: float, stands_for: set[int]) -> None:
    batch = decoded(*[network_error(sampling_fraction=fraction)] * 50)
    weighed = weigh(batch, Sampling())
    assert set(weighed.stands_for.tolist()) == stands_for
    assert not weighed.forged.any()
    assert weighed.clamped.all() == (fraction == 1e-9)


@pytest.mark.parametrize("fraction", [0, -1, 2.5, "0.5", None, True, [0.5]])
def test_a_fraction_that_is_none_weighs_nothing(fraction: Any) -> None:
    assert decoded(network_error(sampling_fraction=fraction)).spans.threshold.tolist() == [UNKNOWN]


def test_what_decides_over_sampling_is_spread_evenly_over_what_the_browser_left() -> None:
    batch = decoded(*[network_error(sampling_fraction=0.5)] * 2000)
    share = (batch.spans.randomness - (1 << 55)) / (1 << 55)
    assert ((share >= 0) & (share < 1)).all()
    assert abs(float(np.mean(share)) - 0.5) < 0.03
    again = decoded(*[network_error(sampling_fraction=0.5)] * 2000)
    assert (again.spans.randomness == batch.spans.randomness).all()


def test_a_violated_policy_is_an_event_at_its_page() -> None:
    (row,) = rows(decoded(VIOLATION))
    assert (row["signal"], row["name"], row["url"]) == ("event", "csp-violation", "https://shop.example/cart")
    assert row["attributes"] == {
        "csp.blocked_url": "https://evil.example/x.js",
        "csp.disposition": "enforce",
        "csp.directive": "script-src-elem",
        "csp.policy": "default-src 'self'; report-to csp",
        "http.request.header.referer": "https://shop.example/",
        "report.line": "39",
        "report.source_url": "https://shop.example/app.js",
        "report.statusCode": "200",
    }


def test_a_violation_in_the_older_format_is_the_same_event() -> None:
    old = {"document-uri": "https://shop.example/", "blocked-uri": "inline", "effective-directive": "script-src"}
    (row,) = rows(decode({"csp-report": old}).batch)
    assert (row["name"], row["url"], row["start_us"]) == ("csp-violation", "https://shop.example/", SENT_US)
    assert row["attributes"] == {"csp.blocked_url": "inline", "csp.directive": "script-src"}


def test_a_crash_is_an_exception() -> None:
    (row,) = rows(decoded(CRASH))
    assert (row["signal"], row["name"], row["error_type"], row["status"]) == ("exception", "crash", "oom", 2)
    assert row["attributes"]["exception.stacktrace"] == "at f (app.js:1:2)"


@pytest.mark.parametrize(
    "kind", ["deprecation", "intervention", "permissions-policy-violation", "coep", "document-policy-violation", "new"]
)
def test_any_other_report_is_an_event_with_its_plain_fields(kind: str) -> None:
    body = {"id": "websql", "message": "it goes", "lineNumber": 1, "anticipatedRemoval": None, "nested": {"a": 1}}
    (row,) = rows(decoded({"type": kind, "age": 10, "url": "https://shop.example/", "body": body}))
    assert (row["signal"], row["name"]) == ("event", kind)
    assert row["attributes"] == {"report.id": "websql", "report.message": "it goes", "report.line": "1"}


def test_more_fields_than_any_report_has_are_left_out_and_counted() -> None:
    answer = decode([{"type": "new", "age": 1, "body": {f"f{n}": n for n in range(100)}}])
    assert (len(rows(answer.batch)[0]["attributes"]), answer.trimmed) == (24, 76)


@pytest.mark.parametrize(
    "report", [7, None, [], {}, {"type": ""}, {"type": 7}, {"type": "a", "age": "soon"}, {"type": "a", "age": -1}]
)
def test_a_report_that_cannot_be_read_is_rejected_and_costs_no_other(report: Any) -> None:
    batch = decoded(CRASH, report, CRASH)
    fates = validate(batch.spans, Limits()).tolist()
    assert [fate == Outcome.KEPT for fate in fates] == [True, False, True]


@pytest.mark.parametrize("age", [10**9, 10**15, 1e300])
def test_an_age_beyond_belief_lies_before_all_that_is_kept(age: float) -> None:
    batch = decoded(CRASH | {"age": age})
    start = int(batch.spans.start_us[0])
    assert start == UNKNOWN or start <= SENT_US - 10**12


@pytest.mark.parametrize(
    ("data", "kind", "reason"),
    [
        (b"", Malformed, "bad_json"),
        (b"[", Malformed, "bad_json"),
        (b"{}", Malformed, "bad_reports"),
        (b'"a"', Malformed, "bad_reports"),
        (b'{"csp-report":7}', Malformed, "bad_reports"),
        (b"[" * 100_000 + b"]" * 100_000, TooLarge, "too_deep"),
        (b"[" + b"{}," * 5000 + b"{}]", TooLarge, "too_many_spans"),
        (b"[" + b"[]," * 300_000 + b"[]]", TooLarge, "too_many_values"),
    ],
)
def test_a_body_that_is_none_is_refused_alone(data: bytes, kind: type[Exception], reason: str) -> None:
    answer = decode([CRASH], data, [CRASH])
    assert isinstance(answer.faults[1], kind)
    assert answer.faults[1].reason == reason  # type: ignore[attr-defined]
    assert answer.batch.body_of_span.tolist() == [0, 2]


def test_no_reports_are_fine() -> None:
    assert len(decoded().spans) == 0
