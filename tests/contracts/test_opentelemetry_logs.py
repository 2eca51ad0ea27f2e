"""OpenTelemetry's browser SDK and its logging instrumentations in a real browser, against the browser's own entries."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import orjson
import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from ingest.model import REUSED, UNKNOWN, Phase
from tests.contracts.slow_browser import slow_browser
from tests.contracts.web.bundle import NotInstallable, bundle
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEADLINE_S = 60
PACKAGES = Path(__file__).parent / "web_logs"
ORIGIN_US = 2_000
"""How far the time origin may be off: the package's clock counts whole milliseconds."""
VITALS = {"lcp", "inp", "cls", "fcp", "ttfb"}


Site = tuple[BrowserContext, int, int]
"""A browser, and the two ports on which every name ending in .firsthop.test answers: HTTP/1.1 and HTTP/2."""


@dataclass(frozen=True)
class Visit:
    """The browser's entries of a page with their phases by the reference, and what was stored and noted of it."""

    entries: list[dict[str, Any]]
    painted_ms: float
    examples: dict[str, str]
    rows: list[dict[str, Any]]
    noted: dict[str, int]

    def of(self, signal: str) -> list[dict[str, Any]]:
        """Stored spans of a signal."""
        return [row for row in self.rows if row["signal"] == signal]

    @property
    def navigation(self) -> dict[str, Any]:
        """The browser's entry of the page load."""
        return next(entry for entry in self.entries if entry["entryType"] == "navigation")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """The slow site with the page that logs."""
    directory = tmp_path_factory.mktemp("slow_logs")
    script = directory / "page.js"
    try:
        bundle(script, packages=PACKAGES)
    except NotInstallable as reason:
        pytest.skip(str(reason))
    async with slow_browser(directory, script) as browser:
        yield browser.context, browser.http1, browser.http2


async def open_page(site: Site, service: Service, version: str, **given: str) -> Page:
    context, http1, _ = site
    page = await context.new_page()
    page.set_default_timeout(30_000)
    known = {"edge": service.edge, "key": service.client_key, "version": version}
    await page.goto(f"https://page.firsthop.test:{http1}/?{urlencode(known | given)}")
    return page


async def stored(service: Service, version: str, enough: Any) -> list[dict[str, Any]]:
    """The spans of a version, once there are enough."""
    connection = await asyncpg.connect(service.dsn)
    try:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                found = await connection.fetch("SELECT * FROM span WHERE version = $1 ORDER BY start_at", version)
                rows = [
                    dict(row) | {name: orjson.loads(row[name]) for name in ("attributes", "events")} for row in found
                ]
                if enough(rows):
                    return rows
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def notes(service: Service) -> dict[str, int]:
    connection = await asyncpg.connect(service.dsn)
    try:
        rows = await connection.fetch("SELECT outcome, sum(spans)::bigint AS spans FROM ledger GROUP BY outcome")
    finally:
        await connection.close()
    return {row["outcome"].removeprefix("noted:"): row["spans"] for row in rows}


@pytest_asyncio.fixture(scope="module", loop_scope="session", params=["json", "proto"])
async def visit(request: pytest.FixtureRequest, site: Site, service: Service) -> Visit:
    """A page that fetches, fails, navigates, is clicked and left."""
    version, before = f"logs-{request.param}", await notes(service)
    page = await open_page(site, service, version, exporter=request.param)
    _, http1, http2 = site
    own, fresh, second = (
        f"https://{name}.firsthop.test" for name in ("page", f"fresh-{request.param}", f"second-{request.param}")
    )
    examples = {
        "fresh": f"{fresh}:{http1}/answer?wait=150&rest=60&email=jane.doe%40example.com",
        "reused": f"{fresh}:{http1}/answer?wait=30",
        "opaque": f"{fresh}:{http1}/opaque?wait=20",
        "cached": f"{own}:{http1}/answer?cache=1&wait=20&by={request.param}",
        "redirected": f"{own}:{http1}/redirect?{urlencode({'wait': 70, 'to': '/answer?wait=30'})}",
        "h2": f"{second}:{http2}/answer?wait=50",
        "no such name": f"https://nowhere.firsthop.test:{http1}/",
    }
    await page.evaluate("url => visit([url])", examples["cached"])
    await page.evaluate("urls => visit(urls)", [*examples.values()])
    await page.evaluate("url => picture(url)", f"{own}:{http1}/answer?picture=1")
    await page.evaluate("() => { setTimeout(() => { throw new TypeError('no basket for jane.doe@example.com') }) }")
    await page.evaluate("() => { Promise.reject(new RangeError('42 of 7')) }")
    await page.evaluate("() => { console.warn('low on', { tea: 3 }); history.pushState({}, '', '/cart') }")
    await page.evaluate("flush()")
    await page.evaluate("posted")
    await page.evaluate("flush()")
    await page.click("button")
    # Headless Chromium is idle, which web-vitals waits for, when it drew something after the click.
    await page.mouse.move(300, 300)
    await page.evaluate("clicked")
    entries = await page.evaluate("timings()")
    painted_ms = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    await page.goto("about:blank")
    rows = await stored(service, version, lambda rows: {row["signal"] for row in rows} >= VITALS)
    await page.close()
    after = await notes(service)
    noted = {note: spans - before.get(note, 0) for note, spans in after.items()}
    return Visit(entries, painted_ms, examples, rows, noted)


def phases(entry: dict[str, Any]) -> list[int]:
    """The reference's phases of an entry, in the order of `Phase`."""
    return [entry["phases"][f"{phase.name.lower()}_us"] for phase in Phase]


def started_us(row: dict[str, Any]) -> float:
    return float(row["start_at"].timestamp() * 1_000_000)


async def test_every_resource_is_stored_once_as_the_browser_timed_it(visit: Visit) -> None:
    told = sorted(
        (entry for entry in visit.entries if entry["entryType"] == "resource"), key=lambda one: one["startTime"]
    )
    stored = [row for row in visit.of("request") if row["name"] != "documentFetch"]
    for entry, row in zip(told, stored, strict=True):
        assert row["url"] == entry["name"].replace("jane.doe%40example.com", "{email}")
        assert row["phases_us"] == phases(entry), row["url"]
        assert row["duration_us"] == round(entry["duration"] * 1000)
        assert abs(started_us(row) - (entry["origin"] + entry["startTime"]) * 1000) <= ORIGIN_US
        assert row["name"] == (entry["initiatorType"] if entry["initiatorType"] == "fetch" else "resourceFetch")
        assert row["attributes"]["browser.resource_timing.initiator_type"] == entry["initiatorType"]
        assert (row["clock_quality"], row["clock_err_ms"]) == (b"E", None)


async def test_the_examples_are_what_they_are_examples_of(visit: Visit) -> None:
    """Else equal phases would prove little."""
    found = {
        name: phases(next(e for e in reversed(visit.entries) if e["name"] == url))
        for name, url in visit.examples.items()
    }
    assert min(found["fresh"][Phase.DNS], found["fresh"][Phase.TLS], found["fresh"][Phase.TTFB]) > 0
    assert found["reused"][Phase.DNS] == found["reused"][Phase.TLS] == REUSED
    assert set(found["opaque"]) == set(found["no such name"]) == {UNKNOWN}
    assert found["cached"][Phase.TTFB] == REUSED
    assert found["redirected"][Phase.REDIRECT] >= 70_000
    assert found["h2"][Phase.TTFB] >= 50_000


async def test_a_page_load_is_a_page_and_under_it_the_request_for_its_document(visit: Visit) -> None:
    (page,) = visit.of("page")
    (document,) = [row for row in visit.of("request") if row["name"] == "documentFetch"]
    entry = visit.navigation
    assert page["duration_us"] == round(entry["loadEventEnd"] * 1000)
    assert set(page["phases_us"]) == {UNKNOWN}
    assert abs(started_us(page) - entry["origin"] * 1000) <= ORIGIN_US
    assert (document["trace_id"], document["parent_span_id"]) == (page["trace_id"], page["span_id"])
    assert document["phases_us"] == phases(entry)
    assert document["duration_us"] == round((entry["responseEnd"] - entry["fetchStart"]) * 1000)
    moments = {event["name"]: event["offset_us"] for event in page["events"]}
    assert moments["domInteractive"] == round(entry["domInteractive"] * 1000)


async def test_each_web_vital_is_stored_once_with_its_value(visit: Visit) -> None:
    values = {row["signal"]: row["duration_us"] for row in visit.rows if row["signal"] in VITALS}
    assert sorted(row["signal"] for row in visit.rows if row["signal"] in VITALS) == sorted(VITALS)
    assert values["ttfb"] == round(visit.navigation["responseStart"] * 1000)
    assert values["fcp"] == round(visit.painted_ms * 1000)
    assert values["lcp"] >= values["fcp"]
    assert values["inp"] >= 56_000, "the click took 60 ms, told in steps of 8"
    (lcp,) = visit.of("lcp")
    assert abs(started_us(lcp) - visit.navigation["origin"] * 1000) <= ORIGIN_US
    assert lcp["attributes"]["web_vital.rating"] == "good"
    assert lcp["attributes"]["web_vital.navigation_type"] == "navigate"


async def test_errors_are_exceptions_at_their_page_and_say_nothing_of_the_user(visit: Visit) -> None:
    thrown, rejected = visit.of("exception")
    assert (thrown["name"], thrown["error_type"], thrown["status"]) == ("TypeError", "TypeError", 2)
    assert thrown["attributes"]["exception.message"] == "no basket for {email}"
    assert "jane.doe" not in thrown["attributes"]["exception.stacktrace"]
    assert rejected["error_type"] == "RangeError"
    assert thrown["url"].startswith("https://page.firsthop.test:")


async def test_all_else_that_is_logged_is_an_event_of_the_same_session(visit: Visit) -> None:
    assert Counter(row["name"] for row in visit.of("event")) == {"browser.navigation": 2, "browser.console": 1}
    (console,) = [row for row in visit.of("event") if row["name"] == "browser.console"]
    assert console["attributes"]["log.severity"] == "warn"
    assert console["attributes"]["log.body"] == 'low on {"tea":3}'
    assert visit.of("event")[-1]["url"].endswith("/cart")
    assert len({row["session"] for row in visit.rows}) == 1
    assert visit.rows[0]["session"]


async def test_posts_to_the_edge_are_left_out_and_noted_and_nothing_is_rejected(visit: Visit) -> None:
    assert visit.noted["own_post"] >= 1
    assert visit.noted["received"] == visit.noted["kept"] == len(visit.rows)
    assert not {note: spans for note, spans in visit.noted.items() if note.startswith(("rejected", "phase"))}


async def test_a_call_that_a_page_traces_and_logs_is_stored_once_as_its_span(site: Site, service: Service) -> None:
    version, before = "logs-traced", await notes(service)
    _, http1, _ = site
    calls = [f"https://page.firsthop.test:{http1}/answer?traced={number}" for number in range(3)]
    # The first page teaches the edge that pages of this origin trace their calls.
    page = await open_page(site, service, "logs-teacher", traced="yes")
    await page.evaluate("urls => visit(urls)", calls)
    await stored(service, "logs-teacher", lambda rows: len(rows) >= len(calls))
    await page.close()
    page = await open_page(site, service, version, traced="yes")
    await page.evaluate("urls => visit(urls)", calls)
    await page.evaluate("flush()")
    rows = await stored(
        service,
        version,
        lambda rows: sum(row["method"] == "GET" for row in rows) == 3 and any(row["signal"] == "page" for row in rows),
    )
    await page.close()
    requests = Counter(row["url"] for row in rows if row["signal"] == "request")
    assert requests == Counter([*calls, f"https://page.firsthop.test:{http1}/page.js", document_of(rows)])
    assert (await notes(service))["sent_twice"] - before.get("sent_twice", 0) >= len(calls)


def document_of(rows: list[dict[str, Any]]) -> str:
    (url,) = [row["url"] for row in rows if row["signal"] == "page"]
    return str(url)
