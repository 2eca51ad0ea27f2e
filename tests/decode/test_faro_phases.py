"""Phases of Faro's timing entries: what can be known of differences in whole milliseconds, and never more."""

from dataclasses import dataclass, field
from math import floor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.model import REUSED, Phase
from ingest.pipeline.judge_phases import TOLERANCE_US
from tests.decode.faro_messages import decoded, navigation, one, resource, rows

PLAIN = "http://api.shop.example/orders/7"


def phases(**fields: str) -> dict[str, int]:
    found: dict[str, int] = one(rows(decoded(events=[resource(fields)])))["phases"]
    return found


def repaired(**fields: str) -> str:
    attributes: dict[str, str] = one(rows(decoded(events=[resource(fields)])))["attributes"]
    return attributes.get("firsthop.repaired", "")


def test_tcp_is_what_is_left_of_the_connection_without_tls() -> None:
    found = phases(tcpHandshakeTime="98", tlsNegotiationTime="58")
    assert (found["tcp"], found["tls"]) == (40_000, 58_000)


@pytest.mark.parametrize(("protocol", "tcp"), [("http/1.1", 0), ("h2", 0), ("h3", REUSED), ("", None)])
def test_a_connection_that_is_all_tls_had_a_short_tcp_or_none(protocol: str, tcp: int | None) -> None:
    found = phases(tcpHandshakeTime="98", tlsNegotiationTime="98", protocol=protocol)
    assert (found.get("tcp"), found["tls"]) == (tcp, 98_000)


def test_over_plain_http_the_duration_of_tls_is_a_stamp_and_tls_did_not_happen() -> None:
    given = {"name": PLAIN, "tcpHandshakeTime": "40", "tlsNegotiationTime": "6613"}
    assert {name: phases(**given)[name] for name in ("tcp", "tls")} == {"tcp": 40_000, "tls": REUSED}
    assert repaired(**given) == "faro-tls-on-http"


def test_a_stamp_that_happens_to_be_as_long_as_the_connection_is_still_a_stamp() -> None:
    given = {"name": PLAIN, "tcpHandshakeTime": "40", "tlsNegotiationTime": "40"}
    assert {name: phases(**given)[name] for name in ("tcp", "tls")} == {"tcp": 40_000, "tls": REUSED}


def test_an_http_address_that_was_redirected_may_have_had_tls() -> None:
    given = {
        "name": PLAIN,
        "tcpHandshakeTime": "98",
        "tlsNegotiationTime": "58",
        "redirectTime": "30",
        "duration": "700",
    }
    assert {name: phases(**given)[name] for name in ("redirect", "tcp", "tls")} == {
        "redirect": 30_000,
        "tcp": 40_000,
        "tls": 58_000,
    }


def test_a_pooled_connection_over_tls_had_no_lookup_and_no_handshake() -> None:
    found = phases(dnsLookupTime="0", tcpHandshakeTime="0", tlsNegotiationTime="0")
    assert {name: found[name] for name in ("dns", "tcp", "tls")} == dict.fromkeys(("dns", "tcp", "tls"), REUSED)


def test_a_pooled_connection_whose_tls_stamp_is_missing_is_one_all_the_same() -> None:
    given = {"dnsLookupTime": "0", "tcpHandshakeTime": "0", "tlsNegotiationTime": "6613"}
    assert {phases(**given)[name] for name in ("dns", "tcp", "tls")} == {REUSED}
    assert repaired(**given) == "faro-tls-on-http"


def test_over_plain_http_a_connection_of_no_time_is_not_known_to_be_pooled() -> None:
    found = phases(name=PLAIN, dnsLookupTime="0", tcpHandshakeTime="0", tlsNegotiationTime="6613")
    assert ("dns" in found, "tcp" in found, found["tls"]) == (False, False, REUSED)


def test_a_lookup_of_no_time_for_a_new_connection_may_have_been_one() -> None:
    assert "dns" not in phases(dnsLookupTime="0")


@pytest.mark.parametrize("name", [PLAIN, "https://api.shop.example/"])
def test_an_answer_out_of_the_cache_asked_nobody(name: str) -> None:
    found = phases(
        name=name,
        transferSize="0",
        cacheHitStatus="cache",
        dnsLookupTime="0",
        tcpHandshakeTime="0",
        tlsNegotiationTime="0",
        requestTime="1",
        responseTime="2",
        duration="4",
        fetchTime="4",
    )
    assert {name: found[name] for name in ("dns", "tcp", "tls", "ttfb")} == dict.fromkeys(
        ("dns", "tcp", "tls", "ttfb"), REUSED
    )
    assert found["download"] == 2_000


def test_an_answer_that_was_revalidated_asked_the_network() -> None:
    assert phases(transferSize="300", cacheHitStatus="conditionalFetch")["ttfb"] == 158_000


OPAQUE = {
    "dnsLookupTime": "0",
    "tcpHandshakeTime": "0",
    "tlsNegotiationTime": "0",
    "requestTime": "0",
    "responseTime": "6655",
    "fetchTime": "55",
    "duration": "55",
    "transferSize": "0",
    "decodedBodySize": "0",
    "encodedBodySize": "0",
    "protocol": "",
}


@pytest.mark.parametrize("status", ["200", "0"])
def test_of_hidden_timing_nothing_is_known(status: str) -> None:
    assert phases(**OPAQUE, responseStatus=status) == {}
    assert "faro-opaque" in repaired(**OPAQUE, responseStatus=status)


def test_where_nothing_at_all_is_told_nothing_is_known() -> None:
    assert phases(**OPAQUE | {"responseTime": "0", "fetchTime": "0"}) == {}


def test_what_a_service_worker_answered_says_nothing_of_the_network() -> None:
    answered = {"serviceWorkerTime": "3", "transferSize": "0", "redirectTime": "20", "duration": "700"}
    assert phases(**answered) == {"redirect": 20_000}


def test_what_a_service_worker_let_pass_has_the_phases_of_the_network() -> None:
    assert phases(serviceWorkerTime="3")["ttfb"] == 158_000


@pytest.mark.parametrize("value", ["unknown", "", "NaN", "-5", "1e999", "9" * 400, "fast"])
def test_what_is_no_duration_leaves_its_phase_unknown(value: str) -> None:
    found = phases(requestTime=value, dnsLookupTime=value)
    assert "ttfb" not in found
    assert "dns" not in found
    assert found["download"] == 206_000


def test_rounded_numbers_longer_than_their_whole_give_it_up_where_they_are_longest() -> None:
    given = {
        "dnsLookupTime": "0",
        "tcpHandshakeTime": "0",
        "tlsNegotiationTime": "0",
        "redirectTime": "11",
        "requestTime": "101",
        "responseTime": "21",
        "fetchTime": "121",
        "duration": "131",
    }
    assert phases(**given)["ttfb"] == 99_000
    assert "faro-rounded" in repaired(**given)


def test_numbers_that_no_rounding_explains_are_left_for_the_pipeline_to_judge() -> None:
    assert phases(duration="100", fetchTime="590")["ttfb"] == 158_000


def test_of_a_page_a_first_byte_before_its_request_means_that_it_was_loaded_ahead() -> None:
    early, late = (rows(decoded(events=[navigation(ttfb=ttfb)]))[-1]["phases"] for ttfb in ("100", "158"))
    assert (early, late["ttfb"]) == ({}, 158_000)


# A browser's entry, and what Faro makes of it.

_gaps = st.floats(0, 400, allow_nan=False).map(lambda ms: round(ms, 1))
_handshakes = st.floats(0.5, 400, allow_nan=False).map(lambda ms: round(ms, 1))


@dataclass
class Entry:
    """Stamps in ms since the navigation, and what is true of its phases."""

    name: str
    stamps: dict[str, float]
    sizes: dict[str, int]
    protocol: str
    truth: dict[str, float | int | None] = field(default_factory=dict)
    """ms, REUSED, or None for unknown."""

    def as_faro_sends_it(self) -> dict[str, str]:
        s = self.stamps

        def rounded(ms: float) -> str:
            return str(floor(max(ms, 0) + 0.5))

        return {
            "name": self.name,
            "duration": rounded(s["responseEnd"] - s["startTime"]),
            "tcpHandshakeTime": rounded(s["connectEnd"] - s["connectStart"]),
            "dnsLookupTime": rounded(s["domainLookupEnd"] - s["domainLookupStart"]),
            "tlsNegotiationTime": rounded(s["connectEnd"] - s["secureConnectionStart"]),
            "redirectTime": rounded(s["redirectEnd"] - s["redirectStart"]),
            "requestTime": rounded(s["responseStart"] - s["requestStart"]),
            "responseTime": rounded(s["responseEnd"] - s["responseStart"]),
            "fetchTime": rounded(s["responseEnd"] - s["fetchStart"]),
            "serviceWorkerTime": "0",
            "protocol": self.protocol,
        } | {name: str(size) for name, size in self.sizes.items()}


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    """A request of one kind or another, its stamps as the Fetch standard sets them."""
    secure, opaque, cached = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    fresh = draw(st.booleans()) and not cached
    protocol = draw(st.sampled_from(["http/1.1", "h2", "h3"] if secure else ["http/1.1"]))
    start = draw(st.floats(1000, 9000)) // 1
    redirect = draw(st.one_of(st.just(0.0), _handshakes))
    gap, dns, tcp, tls, queue, wait, download = (draw(_gaps) for _ in range(7))
    tls = max(tls, 0.5)
    now = {
        "startTime": start,
        "redirectStart": start if redirect else 0,
        "redirectEnd": start + redirect if redirect else 0,
    }
    at = now["fetchStart"] = start + redirect
    if fresh:
        tcp = 0.0 if protocol == "h3" else tcp
        at = now["domainLookupStart"] = at + gap
        at = now["domainLookupEnd"] = now["connectStart"] = at + dns
        at += tcp
        now["secureConnectionStart"] = at if secure else 0
        at = now["connectEnd"] = at + (tls if secure else 0)
    else:
        now |= dict.fromkeys(("domainLookupStart", "domainLookupEnd", "connectStart", "connectEnd"), at)
        now["secureConnectionStart"] = at if secure else 0
    at = now["requestStart"] = at + queue
    at = now["responseStart"] = at + wait
    now["responseEnd"] = at + download
    truth: dict[str, float | int | None] = {
        "redirect": redirect or REUSED,
        "dns": (dns or REUSED) if fresh else REUSED,
        "tcp": REUSED if not fresh or protocol == "h3" else tcp,
        "tls": tls if fresh and secure else REUSED,
        "ttfb": REUSED if cached else wait,
        "download": download,
    }
    sizes = {"transferSize": 0 if cached else 1300, "decodedBodySize": 1000, "encodedBodySize": 1000}
    if opaque:
        hidden = ("domainLookupStart", "domainLookupEnd", "connectStart", "connectEnd", "secureConnectionStart")
        now |= dict.fromkeys((*hidden, "requestStart", "responseStart", "redirectStart", "redirectEnd"), 0.0)
        sizes, truth = dict.fromkeys(sizes, 0), dict.fromkeys(truth)
    return Entry(f"http{'s' if secure else ''}://a.example/", now, sizes, protocol, truth)


@settings(max_examples=400)
@given(entries())
def test_whatever_a_browser_measures_nothing_is_said_that_is_not_so(entry: Entry) -> None:
    fields: dict[str, Any] = entry.as_faro_sends_it()
    (row,) = rows(decoded(events=[resource(fields)]))
    for name, us in row["phases"].items():
        true = entry.truth[name]
        assert true is not None, f"{name} is hidden"
        if us == REUSED:
            assert true == REUSED, f"{name} happened"
        else:
            # A pooled connection or a lookup of no time: half a millisecond cannot be told from none.
            ms = 0 if true == REUSED else true
            assert abs(us / 1000 - ms) <= 4, f"{name} is {ms} ms"
            assert us >= 0
    together = sum(us for us in row["phases"].values() if us > 0)
    assert together <= row["duration_us"] + TOLERANCE_US


@settings(max_examples=200)
@given(entries())
def test_what_took_a_while_on_a_readable_entry_is_measured(entry: Entry) -> None:
    phases_known = one(rows(decoded(events=[resource(entry.as_faro_sends_it())])))["phases"]
    for phase in Phase:
        true = entry.truth.get(phase.name.lower())
        if true is not None and true >= 1:
            assert phases_known[phase.name.lower()] >= 0
