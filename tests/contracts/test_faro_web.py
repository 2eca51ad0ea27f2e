"""Grafana Faro's own web SDK with its tracing, unmodified, in Chromium: every request counted once, with its phases.

The site has known delays over real TLS, and so has the way to the edge TLS. What the SDK handed to its transport and
what the browser measured is compared with what the store holds.
"""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import ConsoleMessage, Page, Request, Route

from ingest.model import REUSED, UNKNOWN, Phase
from tests.contracts.conftest import Api
from tests.contracts.slow_browser import SlowBrowser, slow_browser
from tests.contracts.slow_network import DNS_S, TLS_S, behind_tls
from tests.contracts.web.bundle import NotInstallable, bundle
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEADLINE_S = 60
FARO = Path(__file__).parent / "faro"
WAIT_MS, REST_MS = 150, 200
ROUNDED_US = 1_001
"""Faro's milliseconds are rounded, and tcp is the difference of two of them."""


@dataclass(frozen=True)
class Site:
    """A browser, a site and an edge, and how to open the page that reports from one to the other."""

    browser: SlowBrowser
    collect: str
    service: Service

    @property
    def origin(self) -> str:
        return f"https://page.firsthop.test:{self.browser.http1}"

    async def open(self, version: str, **given: Any) -> Page:
        """A fresh page of this version of the app."""
        page = await self.browser.context.new_page()
        page.set_default_timeout(30_000)
        given = {"collect": f"{self.collect}/{self.service.client_key}", "version": version} | given
        await page.add_init_script(f"window.given = {json.dumps(given)}")
        await page.goto(f"{self.origin}/")
        return page


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, service: Service) -> AsyncIterator[Site]:
    directory = tmp_path_factory.mktemp("faro")
    script = directory / "page.js"
    try:
        bundle(script, packages=FARO)
    except NotInstallable as reason:
        pytest.skip(str(reason))
    async with slow_browser(directory, script) as browser:
        edge_port = int(service.edge.rpartition(":")[2])
        async with behind_tls(edge_port, browser.certificate) as port:
            yield Site(browser, f"https://127.0.0.1:{port}/collect", service)


@dataclass(frozen=True)
class Visit:
    """What a page did, by itself, by the browser and by the store."""

    urls: dict[str, str]
    entries: dict[str, dict[str, Any]]
    vitals: list[dict[str, float]]
    spans: list[dict[str, Any]]
    noted: dict[str, int]

    def of(self, signal: str) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["signal"] == signal]

    def request(self, example: str) -> dict[str, Any]:
        """The one request that was made of an example."""
        (found,) = [span for span in self.of("request") if span["url"] == self.urls[example]]
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def visit(site: Site) -> Visit:
    """A page with tracing that asks for examples, does this and that, and is left."""
    version = "faro-traced"
    fresh, second = (
        f"https://fresh.firsthop.test:{site.browser.http1}",
        f"https://second.firsthop.test:{site.browser.http2}",
    )
    urls = {
        "fresh": f"{fresh}/answer?wait={WAIT_MS}&rest={REST_MS}",
        "reused": f"{fresh}/answer?wait=30",
        "opaque": f"{fresh}/opaque?wait=20",
        "fresh h2": f"{second}/answer?wait={WAIT_MS}&rest={REST_MS}",
        "filled": f"{site.origin}/answer?cache=1&wait=20",
        "redirected": f"{site.origin}/redirect?{urlencode({'wait': 70, 'to': '/answer?wait=31'})}",
        "by xhr": f"{site.origin}/answer?wait=15&by=xhr",
        "no answer": f"https://nowhere.firsthop.test:{site.browser.http1}/",
        "hidden answer": f"{fresh}/opaque?wait=25&by=no-cors",
        "aborted": f"{site.origin}/answer?wait=10&rest=500&by=abort",
    }
    before = await _noted(site.service)
    page = await site.open(version, tracing=True)
    await page.evaluate("urls => visit(urls)", [*urls.values(), urls["filled"]])
    await page.evaluate("act()")
    await page.mouse.click(5, 5)
    await page.wait_for_function("handed", arg=dict(Counter([*urls.values(), urls["filled"]])))
    await page.wait_for_function("['ttfb', 'fcp'].every(name => vitals().some(values => name in values))")
    entries = {example: await page.evaluate("url => entry(url)", url) for example, url in urls.items()}
    entries["page load"] = await page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    vitals = await page.evaluate("vitals()")
    urls["page load"] = page.url
    await page.goto("about:blank")
    spans = await _stored(site.service, version, lambda found: any(span["name"] == "leaving" for span in found))
    await page.close()
    noted = await _noted(site.service)
    return Visit(urls, entries, vitals, spans, {note: noted[note] - before.get(note, 0) for note in noted})


async def _stored(service: Service, version: str, complete: Any) -> list[dict[str, Any]]:
    """Every stored span of a version, once they are complete and nothing is on its way any more."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            await service.drained()
            found = await _rows(service, "SELECT * FROM span WHERE version = $1 ORDER BY start_at", version)
            if complete(found):
                return found
            await asyncio.sleep(0.1)


async def _rows(service: Service, query: str, *arguments: Any) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(service.dsn)
    try:
        await connection.set_type_codec("jsonb", encoder=json.dumps, decoder=json.loads, schema="pg_catalog")
        return [dict(row) for row in await connection.fetch(query, *arguments)]
    finally:
        await connection.close()


async def _noted(service: Service) -> dict[str, int]:
    rows = await _rows(service, "SELECT outcome, sum(spans)::bigint AS spans FROM ledger GROUP BY outcome")
    return {row["outcome"]: row["spans"] for row in rows}


def phases(span: dict[str, Any]) -> dict[str, int]:
    return {phase.name.lower(): us for phase, us in zip(Phase, span["phases_us"], strict=True)}


def between(entry: dict[str, Any], start: str, end: str) -> int:
    """From one stamp of the browser's entry to another, µs."""
    return round((entry[end] - entry[start]) * 1000)


async def test_every_request_is_counted_once_though_it_was_sent_three_times(visit: Visit, api: Api) -> None:
    counted = Counter(span["url"] for span in visit.of("request"))
    assert counted == Counter([*visit.urls.values(), visit.urls["filled"]])
    total = await api.total(len(visit.of("request")), version="faro-traced", group_by="version")
    assert total["spans"] == len(visit.urls) + 1
    # Ten addresses, one asked for twice: each a span besides, or an entry, and an event.
    assert visit.noted["noted:repaired_faro_twice"] == visit.noted["noted:sent_twice"] == 11
    assert len(visit.of("operation")) == 11


@pytest.mark.parametrize("example", ["fresh", "fresh h2"])
async def test_a_fresh_connection_has_the_browsers_phases_and_none_below_the_known_delays(
    visit: Visit, example: str
) -> None:
    found, entry = phases(visit.request(example)), visit.entries[example]
    expected = {
        "dns": between(entry, "domainLookupStart", "domainLookupEnd"),
        "tcp": between(entry, "connectStart", "secureConnectionStart"),
        "tls": between(entry, "secureConnectionStart", "connectEnd"),
        "ttfb": between(entry, "requestStart", "responseStart"),
        "download": between(entry, "responseStart", "responseEnd"),
    }
    assert {name: found[name] for name in expected} == {
        name: pytest.approx(us, abs=ROUNDED_US) for name, us in expected.items()
    }
    assert (found["redirect"], found["blocked"], found["request"]) == (REUSED, UNKNOWN, UNKNOWN)
    assert (found["dns"], found["tls"], found["ttfb"]) >= (DNS_S * 1e6, TLS_S * 1e6, WAIT_MS * 1e3)
    assert visit.request(example)["attributes"]["firsthop.repaired"] == "faro-tcp-with-tls"


async def test_a_page_load_is_a_page_with_a_request_for_its_document(visit: Visit) -> None:
    (page,), document, entry = visit.of("page"), visit.request("page load"), visit.entries["page load"]
    assert page["duration_us"] == pytest.approx(between(entry, "startTime", "loadEventEnd"), abs=ROUNDED_US)
    assert (document["trace_id"], document["parent_span_id"]) == (page["trace_id"], page["span_id"])
    found = phases(document)
    assert found["dns"] == pytest.approx(between(entry, "domainLookupStart", "domainLookupEnd"), abs=ROUNDED_US)
    assert found["tls"] == pytest.approx(between(entry, "secureConnectionStart", "connectEnd"), abs=ROUNDED_US)
    assert found["ttfb"] == pytest.approx(between(entry, "requestStart", "responseStart"), abs=ROUNDED_US)
    assert found["redirect"] == UNKNOWN


@pytest.mark.parametrize("example", ["reused", "by xhr"])
async def test_on_a_pooled_connection_nothing_was_looked_up_or_shaken(visit: Visit, example: str) -> None:
    found, entry = phases(visit.request(example)), visit.entries[example]
    assert {found[name] for name in ("dns", "tcp", "tls")} == {REUSED}
    assert found["ttfb"] == pytest.approx(between(entry, "requestStart", "responseStart"), abs=ROUNDED_US)


async def test_of_hidden_timing_nothing_is_made_up(visit: Visit) -> None:
    opaque = visit.request("opaque")
    assert set(opaque["phases_us"]) == {UNKNOWN}
    assert (opaque["http_status"], opaque["attributes"]["firsthop.repaired"]) == (200, "faro-opaque")


async def test_an_answer_out_of_the_cache_asked_nobody(visit: Visit) -> None:
    filled, cached = (span for span in visit.of("request") if span["url"] == visit.urls["filled"])
    assert visit.entries["filled"]["deliveryType"] == "cache"
    assert phases(filled)["ttfb"] >= 20_000
    assert {phases(cached)[name] for name in ("dns", "tcp", "tls", "ttfb")} == {REUSED}


async def test_a_redirect_is_measured_and_is_in_no_other_phase(visit: Visit) -> None:
    found, entry = phases(visit.request("redirected")), visit.entries["redirected"]
    assert found["redirect"] == pytest.approx(between(entry, "redirectStart", "redirectEnd"), abs=ROUNDED_US)
    assert found["redirect"] >= 70_000
    assert found["ttfb"] == pytest.approx(between(entry, "requestStart", "responseStart"), abs=ROUNDED_US)


@pytest.mark.parametrize("example", ["no answer", "hidden answer", "aborted"])
async def test_a_request_without_an_answer_is_a_failed_one_by_its_span(visit: Visit, example: str) -> None:
    request = visit.request(example)
    assert (request["http_status"], set(request["phases_us"])) == (0, {UNKNOWN})
    assert request["route"].startswith(("nowhere.", "fresh.", "page.")), "as entries are named, without a method"


async def test_nothing_that_a_real_page_sent_contradicts_itself(visit: Visit) -> None:
    judged = {name: spans for name, spans in visit.noted.items() if "phase" in name and spans}
    assert judged == {}
    # A post of a page that is being left may look lost to it: then it comes again.
    assert visit.noted["received"] - visit.noted.get("duplicate", 0) == len(visit.spans)


async def test_web_vitals_are_stored_with_the_value_that_the_sdk_measured(visit: Visit) -> None:
    for signal in ("ttfb", "fcp"):
        (value,) = [values[signal] for values in visit.vitals if signal in values]
        (span,) = visit.of(signal)
        assert span["duration_us"] == pytest.approx(value * 1000, abs=1)
        assert span["url"] == visit.urls["page load"]
        assert span["attributes"]["web_vital.rating"] in {"good", "needs-improvement", "poor"}
    assert len(visit.of("lcp")) == 1, "measured until the page is left, and sent then"


async def test_errors_logs_views_numbers_and_events_arrive_and_so_does_what_is_said_last(visit: Visit) -> None:
    (thrown,) = visit.of("exception")
    assert (thrown["name"], thrown["error_type"], thrown["status"]) == ("TypeError", "TypeError", 2)
    assert thrown["attributes"]["exception.message"] == "thrown at {email}"
    assert "page.js:" in thrown["attributes"]["exception.stacktrace"]
    events = {span["name"]: span for span in visit.of("event")}
    assert events["info"]["attributes"] == {"log.message": "cart of {email}", "size": "3"}
    assert events["cart"]["attributes"] == {"items": "3", "total": "12.5"}
    assert events["bought"]["attributes"] == {"price": "12"}
    assert {"session_start", "leaving"} <= set(events)
    (screen,) = visit.of("screen")
    assert (screen["name"], screen["screen"]) == ("checkout", "checkout")


async def test_all_of_it_belongs_to_one_session_and_nothing_says_who_the_user_is(visit: Visit) -> None:
    assert len({span["session"] for span in visit.spans}) == 1
    assert {span["os"] for span in visit.spans} == {"linux"}
    assert "jane" not in str(visit.spans)
    assert "user-4711" not in str(visit.spans)


async def test_without_tracing_entries_alone_are_the_requests(site: Site) -> None:
    page = await site.open("faro-plain")
    url = f"{site.origin}/answer?wait=20"
    await page.evaluate("urls => visit(urls)", [url])
    await page.wait_for_function("url => timed().includes(url)", arg=url)
    await page.goto("about:blank")
    spans = await _stored(site.service, "faro-plain", lambda found: any(span["name"] == "leaving" for span in found))
    await page.close()
    requests = [span for span in spans if span["signal"] == "request"]
    assert [span["name"] for span in requests] == ["document", "fetch"]
    assert [span["url"] for span in spans if span["signal"] == "operation"] == []


async def test_a_batch_whose_answer_was_lost_is_sent_again_and_stored_once(site: Site) -> None:
    plain = f"{site.service.edge}/collect/{site.service.client_key}"
    page = await site.open("faro-lost", collect=plain)
    keys: list[str] = []

    async def lose_the_first_answer(route: Route, request: Request) -> None:
        if request.method == "OPTIONS":
            await route.continue_()
            return
        key = request.headers["idempotency-key"]
        keys.append(key)
        answer = await route.fetch()
        assert answer.status == 202
        if keys.count(key) == 1:
            await route.abort("connectionreset")
        else:
            await route.fulfill(response=answer)

    await page.route("**/collect/**", lose_the_first_answer)
    before = await _noted(site.service)
    async with page.expect_response(lambda answer: "/collect/" in answer.url and answer.status == 202):
        await page.evaluate("faro.api.pushEvent('twice')")
    (key,) = {key for key in keys if keys.count(key) > 1}
    spans = await _stored(site.service, "faro-lost", lambda found: any(span["name"] == "twice" for span in found))
    await page.close()
    assert [span["name"] for span in spans].count("twice") == 1
    noted = await _noted(site.service)
    assert noted["duplicate"] - before.get("duplicate", 0) >= 1, key


async def test_a_refusal_ends_it_and_the_sdk_sends_nothing_again(site: Site) -> None:
    keys: list[str] = []
    refused = asyncio.Event()

    def note(request: Request) -> None:
        if "/collect/" in request.url and request.method == "POST":
            keys.append(request.headers["idempotency-key"])

    def hear(message: ConsoleMessage) -> None:
        if "Permanent delivery failure" in message.text:
            refused.set()

    site.browser.context.on("request", note)
    site.browser.context.on("console", hear)
    page = await site.open("faro-refused", collect=f"{site.collect}/fh_pub_nobody")
    await asyncio.wait_for(refused.wait(), DEADLINE_S)
    await page.close()
    site.browser.context.remove_listener("request", note)
    site.browser.context.remove_listener("console", hear)
    assert keys
    assert len(set(keys)) == len(keys)


async def test_a_session_id_that_is_none_makes_the_sdk_begin_another(site: Site) -> None:
    page = await site.open("faro-session", session="jane doe")
    await page.wait_for_function("faro.api.getSession().id !== 'jane doe'")
    await page.evaluate("faro.api.pushEvent('after')")
    spans = await _stored(site.service, "faro-session", lambda found: any(span["name"] == "after" for span in found))
    await page.close()
    sessions = {span["name"]: span["session"] for span in spans}
    assert sessions["session_start"] is None
    assert sessions["after"]
