"""OpenTelemetry's web SDK in a real browser: exported cross-origin, stored with the browser's own phases."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.async_api import Browser, Page

from tests.contracts.conftest import Api, Site
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")

TOLERANCE_US = 2
"""The SDK turns the browser's float milliseconds into nanoseconds since 1970; each stamp may lose one microsecond."""


@dataclass
class Visited:
    """What one page load made: as the SDK ended it, as the browser timed it, as the service stored it."""

    ended: list[dict[str, Any]]
    entries: dict[str, dict[str, Any]]
    spans: dict[str, dict[str, Any]]
    posts: list[tuple[str, str]]
    """Method and content type of what went to the edge."""

    def stored(self, url: str) -> dict[str, Any]:
        """The stored span of a fetch."""
        return self.spans[next(one["spanId"] for one in self.ended if one["url"] == url and one["name"] == "GET")]


async def visit(browser: Browser, service: Service, api: Api, site: Site, exporter: str, urls: list[str]) -> Visited:
    """Opens the page, fetches the addresses, and returns when the store holds every span the SDK ended."""
    context = await browser.new_context()
    page = await context.new_page()
    page.set_default_timeout(30_000)
    posts: list[tuple[str, str]] = []
    page.on(
        "request",
        lambda request: (
            posts.append((request.method, request.headers.get("content-type", "")))
            if request.url.startswith(service.edge)
            else None
        ),
    )
    given = {"exporter": exporter, "edge": service.edge, "key": service.client_key, "version": f"web-{exporter}"}
    await page.goto(f"{site.origin}/?{urlencode(given)}")
    await page.evaluate("urls => visit(urls)", urls)
    ended = await _ended(page, urls)
    await page.evaluate("flush()")
    entries = {url: await page.evaluate("url => entry(url)", url) for url in urls}
    entries["navigation"] = await page.evaluate("performance.getEntriesByType('navigation')[0].toJSON()")
    await context.close()
    spans: dict[str, dict[str, Any]] = {}
    for trace_id in {one["traceId"] for one in ended}:
        of_trace = [one for one in ended if one["traceId"] == trace_id]
        spans |= await api.spans(trace_id, len(of_trace))
    return Visited(ended, entries, spans, posts)


async def _ended(page: Page, urls: list[str]) -> list[dict[str, Any]]:
    """The spans the SDK ended, once they hold the page load and every fetch."""
    await page.wait_for_function(
        """urls => urls.every(url => ended.some(one => one.name === "GET" && one.url === url))
                   && ended.some(one => one.name === "documentLoad")""",
        arg=urls,
    )
    ended: list[dict[str, Any]] = await page.evaluate("ended")
    return ended


def expected(entry: dict[str, Any], start: str, end: str, when_equal: int | None) -> int | None:
    """The phase between two of the browser's stamps in µs; `when_equal` for none."""
    if entry[start] == entry[end]:
        return when_equal
    return round(float(entry[end] - entry[start]) * 1000)


def assert_phase(phase: dict[str, Any], us: int | None) -> None:
    """The stored phase is the browser's: measured to the microsecond, or reused."""
    if us is None:
        assert phase == {"state": "reused"}
    else:
        assert phase["state"] == "measured"
        assert abs(phase["us"] - us) <= TOLERANCE_US


@pytest.mark.parametrize("exporter", ["json", "proto"])
async def test_a_page_with_opentelemetry_shows_in_traces_and_percentiles_with_the_browsers_own_phases(
    browser: Browser, service: Service, api: Api, site: Site, exporter: str
) -> None:
    timed = [f"{site.other}/timed/{number}?email=jane.doe%40example.com" for number in range(3)]
    own, opaque, broken = f"{site.origin}/orders/4711", f"{site.other}/opaque/1", f"{site.other}/timed/broken"
    xhr = f"{site.other}/timed/4?by=xhr"
    visited = await visit(browser, service, api, site, exporter, [own, *timed, xhr, opaque, broken])

    content_type = {"json": "application/json", "proto": "application/x-protobuf"}[exporter]
    assert ("POST", content_type) in visited.posts
    for one in visited.ended:
        assert visited.spans[one["spanId"]]["duration_us"] == pytest.approx(one["durationUs"], abs=TOLERANCE_US)
        assert visited.spans[one["spanId"]]["parent_span_id"] == one["parentSpanId"]
    document = next(one for one in visited.ended if one["name"] == "documentFetch")
    measured = [(visited.stored(url)["phases"], visited.entries[url]) for url in (own, *timed, xhr)]
    for phases, entry in [*measured, (visited.spans[document["spanId"]]["phases"], visited.entries["navigation"])]:
        assert_phase(phases["dns"], expected(entry, "domainLookupStart", "domainLookupEnd", None))
        assert_phase(phases["tcp"], expected(entry, "connectStart", "connectEnd", None))
        assert_phase(phases["tls"], None)
        assert_phase(phases["ttfb"], expected(entry, "requestStart", "responseStart", 0))
        assert_phase(phases["download"], expected(entry, "responseStart", "responseEnd", 0))
        assert phases["request"] == {"state": "unknown"}
    assert {phase["state"] for phase in visited.stored(opaque)["phases"].values()} == {"unknown"}
    assert (visited.stored(broken)["http_status"], visited.stored(own)["http_status"]) == (503, 200)
    assert "jane.doe" not in str(visited.spans)

    requests = [one for one in visited.ended if visited.spans[one["spanId"]]["signal"] == "request"]
    assert len(requests) == len(visited.ended) - 1, "all but the page load"
    total = await api.total(len(requests), version=f"web-{exporter}", group_by="version")
    assert total["spans"] == len(requests)
    assert (await api.total(1, version=f"web-{exporter}", signal="page"))["spans"] == 1
    route = visited.stored(timed[0])["route"]
    routes = (await api.get("routes", version=f"web-{exporter}"))[1]["routes"]
    assert any(row["route"].endswith(route) or row["route"] == route for row in routes)
    ttfb = await api.total(1, version=f"web-{exporter}", metric="ttfb", q="0,1", group_by="version")
    stored = sorted(s["phases"]["ttfb"]["us"] for s in visited.spans.values() if "us" in s["phases"]["ttfb"])
    assert ttfb["measured"] == len(stored)
    assert ttfb["quantiles"] == [pytest.approx(stored[0], rel=0.0101), pytest.approx(stored[-1], rel=0.0101)]


async def test_a_fetch_that_no_one_answers_is_counted_as_an_error_of_its_own(
    browser: Browser, service: Service, api: Api, site: Site
) -> None:
    nowhere = "http://127.0.0.1:9/orders/1"
    visited = await visit(browser, service, api, site, "json", [nowhere])
    failed = visited.stored(nowhere)
    assert failed["http_status"] == 0
    assert failed["phases"]["ttfb"] == {"state": "unknown"}
    shown = (await api.get("traces", version="web-json", errors="true"))[1]["traces"]
    assert failed["trace_id"] in {trace["trace_id"] for trace in shown}
