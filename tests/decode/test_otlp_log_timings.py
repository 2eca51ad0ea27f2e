"""Records of a browser's timings and vitals become requests, page loads and vitals."""

from typing import Any

import pytest

from ingest.decode.otlp_log_times import LONGEST_WAIT_NS
from ingest.decode.otlp_logs import decode_logs_protobuf
from ingest.model import REUSED, UNKNOWN, Phase, Signal, SpanBatch
from ingest.outcome import Note
from tests.decode.otlp_messages import (
    LIMITS,
    START,
    attributes_in_words,
    column,
    decoded_logs,
    in_words,
    logs_of,
    record_of,
)

R, N, V = "browser.resource_timing", "browser.navigation_timing", "browser.web_vital"


START_US = START // 1000


IDLE_NS = 7_000_000


"""From the end of what a record tells to the record."""


STAMPS = {
    "fetch_start": 100.0,
    "domain_lookup_start": 104.5,
    "domain_lookup_end": 124.5,
    "connect_start": 124.5,
    "secure_connection_start": 130.5,
    "connect_end": 170.5,
    "request_start": 171.0,
    "response_start": 321.0,
    "response_end": 350.25,
    "redirect_start": 0,
    "redirect_end": 0,
    "worker_start": 0,
}


def timing(told: str = R, at: int = START, **changes: Any) -> Any:
    """A record of a resource, or of a navigation that ends with the load event 400 ms after its start."""
    said: dict[str, Any] = STAMPS | {"duration": 250.25, "transfer_size": 5300, "encoded_body_size": 5000}
    own = {} if told == R else {"load_event_end": 400.0, "dom_interactive": 360.5, "type": "navigate"}
    if told == R:
        own = {"initiator_type": "script", "next_hop_protocol": "h2"}
    else:
        said = {
            name: value
            for name, value in said.items()
            if name not in {"redirect_start", "redirect_end", "worker_start"}
        }
        said["duration"] = 400.0
    names = dict.fromkeys(said, R) | dict.fromkeys(own, told)
    values = said | own | changes
    address = values.pop("url", "https://shop.example/app.js")
    attributes = {f"{names.get(name, R)}.{name}": value for name, value in values.items() if value is not None}
    return record_of(told, attributes | {"url.full": address}, time_unix_nano=at, severity_number=9)


def vital(name: str, value: float, **more: Any) -> Any:
    said = {"name": name, "value": value, "delta": value, "id": "v5-1", "rating": "good", "navigation_type": "navigate"}
    return record_of(V, {f"{V}.{key}": each for key, each in (said | more).items()})


def phases(batch: SpanBatch, row: int = 0) -> dict[str, int]:
    return {phase.name.lower(): int(us) for phase, us in zip(Phase, batch.spans.phases_us[:, row], strict=True)}


def attributes(batch: SpanBatch, row: int = 0) -> dict[str, str]:
    return {key: value for owner, key, value in attributes_in_words(batch, batch.attributes) if owner == row}


def test_a_resource_is_a_request_with_the_phases_between_its_stamps() -> None:
    batch = decoded_logs(timing(at=START + IDLE_NS))
    assert phases(batch) == {
        "redirect": REUSED,
        "blocked": 4500,
        "dns": 20_000,
        "tcp": 6000,
        "tls": 40_000,
        "request": UNKNOWN,
        "ttfb": 150_000,
        "download": 29_250,
    }
    assert (column(batch, "signal"), column(batch, "name"), column(batch, "kind")) == (
        Signal.REQUEST,
        "resourceFetch",
        3,
    )
    assert (column(batch, "url"), column(batch, "method")) == ("https://shop.example/app.js", "")
    assert (column(batch, "duration_us"), column(batch, "protocol")) == (250_250, "h2")
    assert (column(batch, "response_bytes"), column(batch, "http_status")) == (5000, UNKNOWN)
    assert attributes(batch) == {f"{R}.initiator_type": "script", f"{R}.transfer_size": "5300"}


def test_whole_milliseconds_say_the_same_as_integers_and_as_doubles() -> None:
    whole = {name: round(value) for name, value in STAMPS.items()}
    as_integers = decoded_logs(timing(**whole, duration=250, transfer_size=0))
    as_doubles = decoded_logs(
        timing(**{name: float(value) for name, value in whole.items()}, duration=250.0, transfer_size=0.0)
    )
    assert phases(as_integers) == phases(as_doubles)
    assert phases(as_integers)["ttfb"] == REUSED
    assert column(as_integers, "duration_us") == column(as_doubles, "duration_us") == 250_000


def test_a_request_that_a_script_made_is_called_as_the_browser_calls_it() -> None:
    batch = decoded_logs(*(timing(initiator_type=name) for name in ("fetch", "xmlhttprequest", "beacon", "img")))
    assert in_words(batch, "spans", "name") == ["fetch", "xmlhttprequest", "beacon", "resourceFetch"]


def test_what_the_browser_hides_is_unknown_and_its_zeros_are_no_sizes() -> None:
    hidden = dict.fromkeys(set(STAMPS) - {"fetch_start", "response_end"}, 0)
    batch = decoded_logs(timing(**hidden, transfer_size=0, encoded_body_size=0))
    assert set(phases(batch).values()) == {UNKNOWN}
    assert (column(batch, "duration_us"), column(batch, "response_bytes")) == (250_250, UNKNOWN)


def test_a_pooled_connection_shook_no_hands() -> None:
    clamped = dict.fromkeys(
        ("domain_lookup_start", "domain_lookup_end", "connect_start", "secure_connection_start", "connect_end"), 100.0
    )
    batch = decoded_logs(timing(**clamped))
    assert [phases(batch)[phase] for phase in ("blocked", "dns", "tcp", "tls")] == [UNKNOWN, REUSED, REUSED, REUSED]


def test_the_answer_of_a_service_worker_says_nothing_of_the_network_and_what_it_let_pass_does() -> None:
    clamped = dict.fromkeys(
        ("domain_lookup_start", "domain_lookup_end", "connect_start", "secure_connection_start", "connect_end"), 100.0
    )
    answered = decoded_logs(timing(**clamped, worker_start=99.0, transfer_size=0))
    let_pass = decoded_logs(timing(**clamped, worker_start=99.0))
    assert {us for phase, us in phases(answered).items() if phase != "redirect"} == {UNKNOWN}
    assert phases(let_pass)["ttfb"] == 150_000


def test_a_request_that_began_at_once_is_not_taken_for_a_workers_where_there_was_none() -> None:
    clamped = dict.fromkeys(
        (name for name in STAMPS if name.startswith(("domain", "connect", "secure", "request"))), 100.0
    )
    assert phases(decoded_logs(timing(**clamped)))["ttfb"] == 221_000
    assert phases(decoded_logs(timing(**clamped, worker_start=None, transfer_size=None)))["ttfb"] == UNKNOWN


@pytest.mark.parametrize(("protocol", "tcp"), [("h3", REUSED), ("h2", 0), ("", REUSED)])
def test_tls_that_begins_with_the_connection_is_quic_unless_the_protocol_has_tcp(protocol: str, tcp: int) -> None:
    batch = decoded_logs(timing(secure_connection_start=124.5, next_hop_protocol=protocol))
    assert (phases(batch)["tcp"], phases(batch)["tls"]) == (tcp, 46_000)


def test_redirects_that_may_be_read_are_measured_and_begin_the_request() -> None:
    batch = decoded_logs(timing(redirect_start=20.0, redirect_end=90.0, duration=None))
    assert (phases(batch)["redirect"], column(batch, "duration_us")) == (70_000, 330_250)


def test_stamps_out_of_order_are_unknown() -> None:
    batch = decoded_logs(timing(domain_lookup_start=130.0))
    assert (phases(batch)["blocked"], phases(batch)["ttfb"]) == (UNKNOWN, 150_000)
    assert phases(batch)["dns"] < 0


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -1.0, 1e300, "soon", [1], None])
def test_a_stamp_that_is_none_stays_an_attribute_and_makes_nothing_up(bad: Any) -> None:
    request = logs_of(timing(request_start=bad))
    batch = decode_logs_protobuf([request.SerializeToString()], LIMITS).batch
    assert (phases(batch)["ttfb"], phases(batch)["dns"]) == (UNKNOWN, 20_000)
    assert (f"{R}.request_start" in attributes(batch)) == (bad is not None)


def test_a_record_without_an_end_is_rejected_for_its_time_and_not_given_one() -> None:
    assert column(decoded_logs(timing(response_end=None)), "duration_us") == UNKNOWN


def test_all_records_of_a_page_begin_by_the_one_time_origin_that_fits_them() -> None:
    """The first waited for the load event, the last was told 7 ms after it ended; both are 100 ms into the page."""
    batch = decoded_logs(timing(at=START + 5_000_000_000), timing(at=START + IDLE_NS))
    begun = START + IDLE_NS - 250_250_000
    assert in_words(batch, "spans", "start_us") == [begun // 1000] * 2


def test_a_paint_that_the_browser_stamped_makes_the_time_origin_exact() -> None:
    painted = vital("lcp", 90.0)
    batch = decoded_logs(timing(at=START + IDLE_NS + 300_000_000), painted)
    origin = START - 90_000_000
    assert in_words(batch, "spans", "start_us") == [(origin + 100_000_000) // 1000, origin // 1000]


def test_after_a_computer_slept_a_record_goes_by_its_own_time() -> None:
    hour = 3_600_000_000_000
    batch = decoded_logs(timing(at=START), timing(at=START + hour), timing(at=START + LONGEST_WAIT_NS))
    begun = [START - 250_250_000, START + hour - 250_250_000, START - 250_250_000]
    assert in_words(batch, "spans", "start_us") == [at // 1000 for at in begun]


def test_resources_of_a_body_have_time_origins_of_their_own() -> None:
    request = logs_of(timing(at=START))
    request.resource_logs.add().scope_logs.add().log_records.append(timing(at=START + 10_000_000_000))
    batch = decode_logs_protobuf([request.SerializeToString()], LIMITS).batch
    first, second = in_words(batch, "spans", "start_us")
    assert second - first == 10_000_000


def test_a_navigation_is_a_page_and_the_request_for_its_document_under_it() -> None:
    batch = decoded_logs(timing(N, url="https://shop.example/", at=START + 400_000_000 + IDLE_NS))
    assert in_words(batch, "spans", "signal") == [Signal.PAGE, Signal.REQUEST]
    assert in_words(batch, "spans", "name") == ["documentLoad", "documentFetch"]
    assert in_words(batch, "spans", "url") == ["https://shop.example/"] * 2
    assert in_words(batch, "spans", "duration_us") == [400_000, 250_250]
    origin_us = (START + IDLE_NS) // 1000
    assert in_words(batch, "spans", "start_us") == [origin_us, origin_us + 100_000]
    assert set(phases(batch, 0).values()) == {UNKNOWN}
    assert (phases(batch, 1)["ttfb"], phases(batch, 1)["redirect"]) == (150_000, UNKNOWN)
    assert in_words(batch, "spans", "response_bytes") == [UNKNOWN, 5000]
    spans = batch.spans
    assert spans.parent_span_id[1].tolist() == spans.span_id[0].tolist() != spans.span_id[1].tolist()
    assert spans.trace_id[0].tolist() == spans.trace_id[1].tolist()
    moments = zip(
        in_words(batch, "events", "owner"),
        in_words(batch, "events", "name"),
        batch.events.offset_us.tolist(),
        strict=True,
    )
    assert list(moments) == [(0, "domInteractive", 360_500), (0, "loadEventEnd", 400_000)]


def test_a_page_that_was_left_before_it_had_loaded_is_no_page_load_but_its_document_was_asked_for() -> None:
    batch = decoded_logs(timing(N, load_event_end=0, duration=0))
    assert (column(batch, "signal"), column(batch, "name")) == (Signal.REQUEST, "documentFetch")
    assert not batch.spans.parent_span_id.any()
    assert (batch.remarks.note.tolist(), batch.remarks.spans.tolist()) == ([Note.LOAD_UNFINISHED], [1])


@pytest.mark.parametrize(
    ("name", "value", "signal", "us"),
    [
        ("lcp", 1234.5, Signal.LCP, 1_234_500),
        ("inp", 48, Signal.INP, 48_000),
        ("cls", 0.123456, Signal.CLS, 123_456),
        ("cls", 0, Signal.CLS, 0),
        ("fcp", 700.25, Signal.FCP, 700_250),
        ("TTFB", 0.5, Signal.TTFB, 500),
    ],
)
def test_the_value_of_a_web_vital_is_its_duration(name: str, value: float, signal: Signal, us: int) -> None:
    batch = decoded_logs(vital(name, value))
    assert (column(batch, "signal"), column(batch, "name"), column(batch, "duration_us")) == (signal, name.upper(), us)
    before = us if signal in {Signal.LCP, Signal.FCP, Signal.TTFB} else 0
    assert column(batch, "start_us") == START_US - before
    delta = {"web_vital.delta": str(value)}
    said = {"web_vital.id": "v5-1", "web_vital.rating": "good", "web_vital.navigation_type": "navigate"}
    assert attributes(batch) == delta | said


def test_the_body_of_older_events_says_what_attributes_say_now() -> None:
    fields = {"name": "lcp", "value": 1234.5, "delta": 3, "id": "v3", "rating": "poor", "navigationType": "reload"}
    by_field = decoded_logs(record_of(V, body=fields))
    by_attribute = decoded_logs(record_of("", {"event.name": V}, body=fields))
    for batch in (by_field, by_attribute):
        assert (column(batch, "signal"), column(batch, "duration_us")) == (Signal.LCP, 1_234_500)
        assert attributes(batch)["web_vital.navigation_type"] == "reload"
        assert "log.body" not in attributes(batch)
    resource = decoded_logs(record_of(R, body={"url": "https://shop.example/", "fetchStart": 5, "responseEnd": 9.5}))
    assert (column(resource, "url"), column(resource, "duration_us")) == ("https://shop.example/", 4500)


def test_a_field_that_nobody_knows_keeps_its_name_however_it_is_written() -> None:
    fields = {"name": "lcp", "value": 5, "User aB%3D": "x", "fetchStart": 1}
    said = attributes(decoded_logs(record_of(V, body=fields)))
    assert said == {"User aB%3D": "x", "fetchStart": "1"}


def test_the_first_byte_of_a_page_that_was_not_loaded_is_left_out_and_counted() -> None:
    batch = decoded_logs(vital("ttfb", 0, navigation_type="back-forward-cache"), vital("lcp", 90.0))
    assert column(batch, "name") == "LCP"
    assert (batch.remarks.note.tolist(), batch.remarks.spans.tolist()) == ([Note.NOT_WAITED_FOR], [1])


def test_a_vital_that_has_no_figures_is_an_event_that_keeps_its_value() -> None:
    batch = decoded_logs(vital("fid", 12.5))
    assert (column(batch, "signal"), column(batch, "name"), column(batch, "duration_us")) == (Signal.EVENT, V, 0)
    assert (attributes(batch)["web_vital.name"], attributes(batch)["web_vital.value"]) == ("fid", "12.5")


@pytest.mark.parametrize("value", ["", "fast", float("nan"), -3.5])
def test_a_vital_without_a_value_is_rejected_for_its_time(value: Any) -> None:
    request = logs_of(vital("lcp", value))
    assert column(decode_logs_protobuf([request.SerializeToString()], LIMITS).batch, "duration_us") == UNKNOWN
