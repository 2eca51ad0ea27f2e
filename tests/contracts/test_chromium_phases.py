"""Phases of real pages: Chromium's own timing entries against what the store holds, over a network of known delays.

Each request is reported twice: by OpenTelemetry's web SDK as OTLP, and natively with the reference guards of
`client_sdk_spec/phases.js`.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from ingest.model import REUSED, UNKNOWN, Phase
from tests.contracts.slow_browser import slow_browser
from tests.contracts.slow_network import DNS_S, TLS_S
from tests.contracts.web.bundle import NotInstallable, bundle
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEADLINE_S = 60
TOLERANCE_US = 2
"""The SDK turns the browser's float milliseconds into nanoseconds since 1970; each stamp may lose one microsecond."""
WAIT_MS, REST_MS, FINAL_MS = 150, 200, 400
"""From the request to the first byte, from there to the last, and from the request to the answer after a 103."""
CONTRADICTIONS = {"noted:phase_negative", "noted:phase_too_long", "noted:phases_exceed", "noted:phase_impossible"}
INTERIM = "noted:ttfb_interim"


@dataclass(frozen=True)
class Reported:
    """One request: the browser's entry, and the eight stored phases by each of the two ways."""

    entry: dict[str, Any]
    native: dict[str, int]
    otlp: dict[str, int]

    def between(self, start: str, end: str) -> int:
        """From one stamp of the entry to another, µs."""
        return round((self.entry[end] - self.entry[start]) * 1000)


@dataclass(frozen=True)
class Visit:
    """The requests of a page by what they are an example of, and what the edge noted about all its spans."""

    requests: dict[str, Reported]
    noted: dict[str, int]

    def __getitem__(self, example: str) -> Reported:
        return self.requests[example]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def network(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[BrowserContext, int, int]]:
    """A browser, and the two ports on which every name ending in .firsthop.test answers: HTTP/1.1 and HTTP/2."""
    directory = tmp_path_factory.mktemp("slow_network")
    script = directory / "page.js"
    try:
        bundle(script, "phases_page.js")
    except NotInstallable as reason:
        pytest.skip(str(reason))
    async with slow_browser(directory, script) as browser:
        yield browser.context, browser.http1, browser.http2


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def visit(network: tuple[BrowserContext, int, int], service: Service) -> Visit:
    """A page without a service worker."""
    context, http1, http2 = network
    own, fresh, second = (f"https://{name}.firsthop.test" for name in ("page", "fresh", "second"))
    examples = {
        "fresh": f"{fresh}:{http1}/answer?wait={WAIT_MS}&rest={REST_MS}",
        "reused": f"{fresh}:{http1}/answer?wait=30",
        "opaque": f"{fresh}:{http1}/opaque?wait=20",
        "cached": f"{own}:{http1}/answer?cache=1&wait=20",
        "redirected": f"{own}:{http1}/redirect?{urlencode({'wait': 70, 'to': '/answer?wait=30'})}",
        "early hints": f"{fresh}:{http1}/answer?early=1&wait={FINAL_MS}&timing={FINAL_MS}",
        "fresh h2": f"{second}:{http2}/answer?wait={WAIT_MS}&rest={REST_MS}",
        "reused h2": f"{second}:{http2}/answer?wait=40",
        "early hints h2": f"{second}:{http2}/answer?early=1&wait={FINAL_MS}&timing={FINAL_MS}",
        "no such name": f"https://nowhere.firsthop.test:{http1}/",
    }
    page = await _open(context, service, f"{own}:{http1}", "plain")
    await page.evaluate("url => visit([url])", examples["cached"])
    return await _report(page, service, examples)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worked(network: tuple[BrowserContext, int, int], visit: Visit, service: Service) -> Visit:
    """A page whose requests all go by a service worker, which answers some of them."""
    context, http1, _ = network
    del visit  # Both count notes: one after the other.
    own = f"https://page.firsthop.test:{http1}"
    examples = {
        "answered": f"{own}/by-worker",
        "let pass": f"{own}/answer?wait=50",
        "let pass, fresh": f"https://third.firsthop.test:{http1}/answer?wait={WAIT_MS}",
    }
    page = await _open(context, service, own, "worker")
    await page.evaluate("hire()")
    return await _report(page, service, examples)


async def _open(context: BrowserContext, service: Service, origin: str, version: str) -> Page:
    page = await context.new_page()
    page.set_default_timeout(30_000)
    given = {
        "exporter": "proto",
        "edge": service.edge,
        "key": service.client_key,
        "version": version,
        "propagate": "no",
    }
    await page.goto(f"{origin}/?{urlencode(given)}")
    return page


async def _report(page: Page, service: Service, examples: dict[str, str]) -> Visit:
    """Fetches the examples one after the other, reports them both ways and waits for both in the store."""
    urls = [*examples.values()]
    before = await _noted(service)
    await page.evaluate("urls => visit(urls)", urls)
    await page.wait_for_function("ended.some(one => one.name === 'documentLoad')")
    await page.wait_for_function(
        "urls => urls.every(url => ended.filter(one => one.url === url).length === fetched(url))", arg=urls
    )
    await page.evaluate("flush()")
    examples = {"page load": page.url} | examples
    reported = await page.evaluate("urls => report(urls)", [*examples.values()])
    assert (reported["status"], reported["answer"]["accepted"]) == (202, len(examples))
    ended = [one for one in await page.evaluate("ended") if one["name"] in {"GET", "documentFetch"}]
    otlp_ids = [[one["spanId"] for one in ended if one["url"] == url][-1] for url in examples.values()]
    stored = await _stored(service, [*otlp_ids, *reported["spanIds"]])
    requests = {
        example: Reported(await page.evaluate("url => entry(url)", url), native=stored[native], otlp=stored[otlp])
        for (example, url), native, otlp in zip(examples.items(), reported["spanIds"], otlp_ids, strict=True)
    }
    after = await _noted(service)
    return Visit(requests, {note: after[note] - before.get(note, 0) for note in after})


async def _stored(service: Service, span_ids: list[str]) -> dict[str, dict[str, int]]:
    """The phases of these spans, once the store holds them all."""
    wanted = {bytes.fromhex(span_id) for span_id in span_ids}
    connection = await asyncpg.connect(service.dsn)
    try:
        async with asyncio.timeout(DEADLINE_S):
            rows: list[asyncpg.Record] = []
            while len(rows) < len(wanted):
                await asyncio.sleep(0.1)
                rows = await connection.fetch("SELECT span_id, phases_us FROM span WHERE span_id = ANY($1)", wanted)
    finally:
        await connection.close()
    return {
        row["span_id"].hex(): {phase.name.lower(): us for phase, us in zip(Phase, row["phases_us"], strict=True)}
        for row in rows
    }


async def _noted(service: Service) -> dict[str, int]:
    connection = await asyncpg.connect(service.dsn)
    try:
        rows = await connection.fetch("SELECT outcome, sum(spans)::bigint AS spans FROM ledger GROUP BY outcome")
    finally:
        await connection.close()
    return {row["outcome"]: row["spans"] for row in rows}


def assert_measured(request: Reported, phase: str, us: int) -> None:
    """Both ways stored what the browser measured."""
    assert request.native[phase] == us
    assert abs(request.otlp[phase] - us) <= TOLERANCE_US


@pytest.mark.parametrize("example", ["fresh", "fresh h2"])
async def test_a_fresh_connection_has_the_browsers_own_phases_and_none_below_the_known_delays(
    visit: Visit, example: str
) -> None:
    request = visit[example]
    assert_measured(request, "blocked", request.between("fetchStart", "domainLookupStart"))
    assert_measured(request, "dns", request.between("domainLookupStart", "domainLookupEnd"))
    assert_measured(request, "tls", request.between("secureConnectionStart", "connectEnd"))
    assert_measured(request, "ttfb", request.between("requestStart", "responseStart"))
    assert_measured(request, "download", request.between("responseStart", "responseEnd"))
    tcp_us = request.between("connectStart", "secureConnectionStart")
    assert request.native["tcp"] == tcp_us
    # Without the protocol, a TCP handshake below the clock's resolution looks like none at all.
    assert request.otlp["tcp"] == (pytest.approx(tcp_us, abs=TOLERANCE_US) if tcp_us else REUSED)
    assert (request.native["redirect"], request.otlp["redirect"]) == (REUSED, UNKNOWN)
    assert request.native["request"] == request.otlp["request"] == UNKNOWN

    # The first byte may be late by itself, and the download then shorter than what lay between at the server.
    bounds = {"dns": DNS_S * 1000, "tls": TLS_S * 1000, "ttfb": WAIT_MS, "download": REST_MS / 2}
    for phase, ms in bounds.items():
        assert request.native[phase] >= ms * 1000


async def test_a_page_load_has_the_phases_of_its_navigation_and_does_not_claim_that_nothing_redirected_to_it(
    visit: Visit,
) -> None:
    load = visit["page load"]
    assert load.entry["entryType"] == "navigation"
    assert_measured(load, "dns", load.between("domainLookupStart", "domainLookupEnd"))
    assert_measured(load, "tls", load.between("secureConnectionStart", "connectEnd"))
    assert_measured(load, "ttfb", load.between("requestStart", "responseStart"))
    assert (load.native["redirect"], load.otlp["redirect"]) == (UNKNOWN, UNKNOWN)
    # Chromium looks up and connects ahead of a page load: what it waited for is less than the delays.
    assert min(load.native["dns"], load.native["tls"]) > 0


@pytest.mark.parametrize("example", ["reused", "reused h2"])
async def test_on_a_pooled_connection_nothing_was_looked_up_or_shaken(visit: Visit, example: str) -> None:
    request = visit[example]
    for stored in (request.native, request.otlp):
        assert (stored["dns"], stored["tcp"], stored["tls"], stored["blocked"]) == (REUSED, REUSED, REUSED, UNKNOWN)
    assert_measured(request, "ttfb", request.between("requestStart", "responseStart"))
    assert request.native["ttfb"] >= 30_000


async def test_another_origin_that_does_not_allow_its_timing_leaves_everything_unknown(visit: Visit) -> None:
    assert set(visit["opaque"].native.values()) == set(visit["opaque"].otlp.values()) == {UNKNOWN}


async def test_an_answer_out_of_the_cache_had_no_first_byte_to_wait_for(visit: Visit) -> None:
    cached = visit["cached"]
    assert (cached.entry["deliveryType"], cached.entry["transferSize"]) == ("cache", 0)
    assert {cached.native[phase] for phase in ("dns", "tcp", "tls", "ttfb")} == {REUSED}
    assert cached.native["download"] == cached.between("responseStart", "responseEnd")
    # The SDK does not say that it came out of a cache; its stamps are those of the disk.
    assert {cached.otlp[phase] for phase in ("dns", "tcp", "tls")} == {REUSED}
    assert abs(cached.otlp["ttfb"] - cached.between("requestStart", "responseStart")) <= TOLERANCE_US


async def test_a_redirect_is_measured_where_it_is_told_and_is_in_no_other_phase(visit: Visit) -> None:
    request = visit["redirected"]
    assert request.native["redirect"] == request.between("redirectStart", "redirectEnd") >= 70_000
    assert request.otlp["redirect"] == UNKNOWN
    assert_measured(request, "ttfb", request.between("requestStart", "responseStart"))
    assert request.native["ttfb"] >= 30_000


@pytest.mark.parametrize("example", ["early hints", "early hints h2"])
async def test_the_first_byte_is_that_of_the_final_answer_never_that_of_early_hints(visit: Visit, example: str) -> None:
    request = visit[example]
    assert request.entry["responseStart"] < request.entry["finalResponseHeadersStart"]
    assert request.native["ttfb"] == request.between("requestStart", "finalResponseHeadersStart") >= FINAL_MS * 1000
    assert request.native["download"] == request.between("finalResponseHeadersStart", "responseEnd")
    assert (request.otlp["ttfb"], request.otlp["download"]) == (UNKNOWN, UNKNOWN)
    assert {request.otlp[phase] for phase in ("dns", "tcp", "tls")} == {REUSED}


async def test_where_a_name_does_not_exist_no_phase_is_made_up(visit: Visit) -> None:
    assert visit["no such name"].between("startTime", "responseEnd") >= DNS_S * 1_000_000
    assert set(visit["no such name"].native.values()) == set(visit["no such name"].otlp.values()) == {UNKNOWN}


async def test_what_a_service_worker_answered_says_nothing_of_the_network(worked: Visit) -> None:
    answered = worked["answered"]
    assert answered.entry["transferSize"] == 0
    assert {us for phase, us in answered.native.items() if phase != "redirect"} == {UNKNOWN}
    # The SDK leaves workerStart out; whole milliseconds, by chance, hide what is left to tell it by.
    gaps_us = [answered.between("fetchStart", end) for end in ("responseStart", "responseEnd")]
    if any(us % 1000 for us in gaps_us):
        assert set(answered.otlp.values()) == {UNKNOWN}


async def test_what_a_service_worker_let_pass_has_the_phases_of_the_network(worked: Visit) -> None:
    pooled, fresh = worked["let pass"], worked["let pass, fresh"]
    assert min(request.entry["workerStart"] for request in (pooled, fresh)) > 0
    assert pooled.native["dns"] == pooled.otlp["dns"] == REUSED
    assert_measured(pooled, "ttfb", pooled.between("requestStart", "responseStart"))
    assert_measured(fresh, "dns", fresh.between("domainLookupStart", "domainLookupEnd"))
    assert_measured(fresh, "tls", fresh.between("secureConnectionStart", "connectEnd"))
    assert fresh.native["dns"] >= DNS_S * 1_000_000


async def test_nothing_that_a_real_page_sent_contradicts_itself_and_each_hidden_interim_answer_is_noted(
    visit: Visit, worked: Visit
) -> None:
    for noted in (visit.noted, worked.noted):
        assert sum(noted.get(note, 0) for note in CONTRADICTIONS) == 0
    assert (visit.noted[INTERIM], worked.noted[INTERIM]) == (2, 0)
