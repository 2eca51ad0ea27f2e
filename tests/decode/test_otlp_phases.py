"""Phases from the timing events of browsers, each case as a browser sends it."""

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode.otlp import decode_otlp_protobuf
from ingest.decode.otlp_phases import MOMENTS, measure_phases
from ingest.model import REUSED, UNKNOWN, Phase
from ingest.settings import Limits
from tests.decode.otlp_messages import NETWORK_EVENTS, request_of, span_of

MS = 1_000_000
COLD = {
    "fetchStart": 0,
    "domainLookupStart": 2 * MS,
    "domainLookupEnd": 22 * MS,
    "connectStart": 22 * MS,
    "secureConnectionStart": 52 * MS,
    "connectEnd": 92 * MS,
    "requestStart": 93 * MS,
    "responseStart": 193 * MS,
    "responseEnd": 233 * MS,
}


def phases_of(events: dict[str, int], url: str = "https://api.shop.example/", **attributes: int) -> dict[str, int]:
    named = {name.replace("_", "."): value for name, value in attributes.items()}
    body = request_of(span_of({"url.full": url} | named, events=list(events.items()))).SerializeToString()
    decoded = decode_otlp_protobuf([body], Limits())
    assert not decoded.faults
    return {phase.name.lower(): int(decoded.batch.spans.phases_us[phase, 0]) for phase in Phase}


def test_a_cold_https_request_has_every_phase_a_browser_can_measure() -> None:
    assert phases_of(COLD) == {
        "redirect": UNKNOWN,
        "blocked": 2_000,
        "dns": 20_000,
        "tcp": 30_000,
        "tls": 40_000,
        "request": UNKNOWN,
        "ttfb": 100_000,
        "download": 40_000,
    }


def test_a_pooled_connection_reuses_dns_tcp_and_tls_and_nobody_calls_that_zero() -> None:
    clamped = dict.fromkeys(NETWORK_EVENTS[:6], 0)
    phases = phases_of(clamped | {"requestStart": 5 * MS, "responseStart": 9 * MS, "responseEnd": 10 * MS})
    assert (phases["dns"], phases["tcp"], phases["tls"], phases["blocked"]) == (REUSED, REUSED, REUSED, UNKNOWN)
    assert (phases["ttfb"], phases["download"]) == (4_000, 1_000)


def test_an_opaque_request_leaves_every_phase_unknown() -> None:
    assert set(phases_of({"fetchStart": 0, "responseEnd": 50 * MS}).values()) == {UNKNOWN}


def test_zeros_sent_as_the_time_origin_are_not_stamps() -> None:
    origin = dict.fromkeys(NETWORK_EVENTS[1:8], -4_000 * MS)
    assert set(phases_of(origin | {"fetchStart": 0, "responseEnd": 50 * MS}).values()) == {UNKNOWN}


def test_http3_has_no_tcp_and_its_whole_handshake_is_tls() -> None:
    phases = phases_of(COLD | {"secureConnectionStart": COLD["connectStart"]})
    assert (phases["tcp"], phases["tls"]) == (REUSED, 70_000)


def test_plain_http_has_no_tls() -> None:
    plain = {name: at for name, at in COLD.items() if name != "secureConnectionStart"}
    phases = phases_of(plain, url="HTTP://intranet.example/")
    assert (phases["tcp"], phases["tls"]) == (70_000, REUSED)


def test_https_without_a_tls_stamp_cannot_be_split_and_is_not_guessed() -> None:
    bare = {name: at for name, at in COLD.items() if name != "secureConnectionStart"}
    phases = phases_of(bare)
    assert (phases["tcp"], phases["tls"], phases["dns"]) == (UNKNOWN, UNKNOWN, 20_000)


def test_a_connect_of_unknown_scheme_is_tcp_and_tls_stays_unknown() -> None:
    bare = {name: at for name, at in COLD.items() if name != "secureConnectionStart"}
    phases = phases_of(bare, url="")
    assert (phases["tcp"], phases["tls"]) == (70_000, UNKNOWN)


def test_a_page_over_plain_http_with_a_tls_stamp_at_the_time_origin_has_no_tls() -> None:
    phases = phases_of(COLD | {"secureConnectionStart": -30 * MS}, url="http://intranet.example/")
    assert (phases["tcp"], phases["tls"]) == (70_000, REUSED)


def test_an_answer_from_a_cache_had_no_first_byte_to_wait_for() -> None:
    phases = phases_of(dict.fromkeys(NETWORK_EVENTS, 0))
    assert (phases["ttfb"], phases["download"]) == (REUSED, 0)


def test_a_first_byte_within_the_clock_s_resolution_is_a_measured_zero() -> None:
    assert phases_of(COLD | {"responseStart": COLD["requestStart"]})["ttfb"] == 0


def test_a_response_before_its_request_stays_negative_and_the_connection_is_still_believed() -> None:
    phases = phases_of(COLD | {"responseStart": 92_500_000})
    assert (phases["ttfb"], phases["download"]) == (-500, UNKNOWN)
    assert (phases["dns"], phases["tcp"], phases["tls"]) == (20_000, 30_000, 40_000)


def test_a_phase_a_microsecond_backwards_is_not_taken_for_reused_or_unknown() -> None:
    assert phases_of(COLD | {"responseStart": COLD["requestStart"] - 1})["ttfb"] < UNKNOWN


def test_a_connect_that_ended_before_it_began_is_negative_whichever_half_of_it_is() -> None:
    phases = phases_of(COLD | {"connectEnd": 40 * MS})
    assert (phases["tcp"], phases["tls"]) == (UNKNOWN, -12_000)
    bare = {name: at for name, at in COLD.items() if name != "secureConnectionStart"}
    assert phases_of(bare | {"connectEnd": 12 * MS}, url="http://intranet.example/")["tcp"] == -10_000


def test_a_lookup_that_ends_after_the_connect_began_makes_both_unknown() -> None:
    phases = phases_of(COLD | {"domainLookupEnd": 23 * MS})
    assert (phases["dns"], phases["tcp"], phases["tls"]) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert phases["ttfb"] == 100_000


@pytest.mark.parametrize("stamp", [21 * MS, 300 * MS])
def test_tls_outside_of_the_connect_leaves_neither_half_measured(stamp: int) -> None:
    phases = phases_of(COLD | {"secureConnectionStart": stamp})
    assert phases["tcp"] <= UNKNOWN
    assert phases["tls"] <= UNKNOWN


def test_the_first_byte_is_that_of_the_final_answer_where_events_tell_it_from_an_interim_one() -> None:
    hinted = COLD | {"responseStart": 95 * MS, "firstInterimResponseStart": 95 * MS}
    phases = phases_of(hinted | {"finalResponseHeadersStart": 193 * MS})
    assert (phases["ttfb"], phases["download"]) == (100_000, 40_000)
    assert (phases_of(hinted)["ttfb"], phases_of(hinted)["download"]) == (UNKNOWN, UNKNOWN)
    older_browser = COLD | {"firstInterimResponseStart": 95 * MS}
    assert (phases_of(older_browser)["ttfb"], phases_of(older_browser)["download"]) == (100_000, 40_000)


def test_interim_stamps_sent_as_the_time_origin_are_not_stamps() -> None:
    origin = dict.fromkeys(("firstInterimResponseStart", "finalResponseHeadersStart"), -4_000 * MS)
    assert phases_of(COLD | origin) == phases_of(COLD)


FROM_A_WORKER = dict.fromkeys(NETWORK_EVENTS[:4], 100_000) | {
    "connectEnd": 100_000,
    "requestStart": 0,
    "responseStart": 2 * MS,
    "responseEnd": 3 * MS,
}
"""As Chromium times what a service worker answered: it is asked before the fetch starts."""


def test_what_a_service_worker_answered_says_nothing_of_the_network() -> None:
    assert set(phases_of(FROM_A_WORKER).values()) == {UNKNOWN}
    pooled = dict.fromkeys(NETWORK_EVENTS[:6], 0) | {"requestStart": 5 * MS, "responseStart": 9 * MS}
    assert set(phases_of(pooled | {"workerStart": -1 * MS}).values()) == {UNKNOWN}
    redirected = {"redirectStart": -30 * MS, "redirectEnd": -10 * MS} | FROM_A_WORKER
    assert phases_of(redirected)["redirect"] == 20_000


def test_a_worker_asked_at_the_instant_of_the_fetch_is_told_from_a_clock_of_whole_milliseconds() -> None:
    asked_at_once = dict.fromkeys(NETWORK_EVENTS[:7], 0)
    fine = asked_at_once | {"responseStart": 63_300_000, "responseEnd": 65 * MS}
    assert set(phases_of(fine).values()) == {UNKNOWN}
    coarse = asked_at_once | {"responseStart": 63 * MS + 255, "responseEnd": 65 * MS - 255}
    assert (phases_of(coarse)["ttfb"], phases_of(coarse)["dns"]) == (63_000, REUSED)


def test_a_request_that_a_service_worker_let_pass_is_believed_for_its_handshake() -> None:
    assert phases_of(COLD | {"workerStart": -1 * MS}) == phases_of(COLD)


def test_an_answer_of_which_nothing_went_over_the_wire_had_no_first_byte_to_wait_for() -> None:
    pooled = dict.fromkeys(NETWORK_EVENTS[:6], 0)
    from_disk = pooled | {"requestStart": 300_000, "responseStart": 700_000, "responseEnd": 900_000}
    assert phases_of(from_disk, http_response_size=0)["ttfb"] == REUSED
    assert phases_of(from_disk, http_response_size=300)["ttfb"] == 400
    assert phases_of({"fetchStart": 0, "responseEnd": 5 * MS}, http_response_size=0)["ttfb"] == UNKNOWN


def test_a_redirect_is_measured_where_events_tell_it() -> None:
    assert phases_of({"redirectStart": -30 * MS, "redirectEnd": -10 * MS} | COLD)["redirect"] == 20_000
    assert phases_of({"redirectStart": -30 * MS, "redirectEnd": 10 * MS} | COLD)["redirect"] == UNKNOWN


def test_events_in_any_order_give_the_same_phases() -> None:
    assert phases_of(dict(reversed(COLD.items()))) == phases_of(COLD)


def test_durations_are_cut_to_microseconds_after_the_subtraction() -> None:
    assert phases_of(COLD | {"responseStart": 93 * MS + 1_999})["ttfb"] == 1


def test_the_specification_names_every_event_that_is_read() -> None:
    specification = (Path(__file__).parents[2] / "client_sdk_spec" / "PHASES.md").read_text()
    read_as_stamps = specification.partition("## OpenTelemetry")[2].partition("Events before")[0]
    assert set(re.findall(r"`(\w+(?:Start|End))`", read_as_stamps)) == set(MOMENTS)


@given(st.lists(st.integers(0, 2**63 - 1), min_size=14, max_size=14), st.booleans(), st.booleans(), st.booleans())
def test_stamps_of_which_none_goes_backwards_give_phases_that_are_measured_reused_or_unknown(
    stamps: list[int], http: bool, https: bool, untransferred: bool
) -> None:
    table = np.array(stamps, dtype=np.int64).reshape(len(MOMENTS), 1)
    sorted_table = np.concatenate([table[:2], np.sort(table[2:11], axis=0), table[11:12], np.zeros((2, 1), np.int64)])
    marks = (np.array([http]), np.array([https]), np.array([untransferred]))
    assert (measure_phases(sorted_table, *marks) >= UNKNOWN).all()
    assert measure_phases(table, *marks).shape == (len(Phase), 1)


@given(st.lists(st.integers(1, 10**12), min_size=9, max_size=9, unique=True))
def test_stamps_in_order_are_all_believed(stamps: list[int]) -> None:
    chain = sorted(stamps)
    table = np.array([0, 0, *chain, 0, 0, 0], dtype=np.int64).reshape(len(MOMENTS), 1)
    phases = measure_phases(table, np.array([False]), np.array([True]), np.array([False]))[:, 0]
    connect = chain[5] - chain[3]
    assert phases[Phase.DNS] == (chain[2] - chain[1]) // 1000
    assert connect // 1000 - 1 <= phases[Phase.TCP] + phases[Phase.TLS] <= connect // 1000
    assert phases[Phase.TTFB] == (chain[7] - chain[6]) // 1000
