"""What the browser SDK watches beside requests, in Chromium against a real edge: vitals, errors, routes, long tasks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page

from client_sdk_spec.web.build import NotInstallable, build
from tests.contracts.conftest import Api
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEADLINE_S = 30
PAGE = """<!doctype html><title>shop</title><link rel="icon" href="data:,">
<script src="/firsthop.js"></script>
<script>
  window.sdk = firsthop.start({...%s, url: "%s", key: "%s", service: "web-page", version: "%s"});
  function sortTheCart(end) { while (performance.now() < end) Math.sqrt(Math.random()); }
  function checkout(done) { sortTheCart(performance.now() + 300); done(); }
  const busy = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };
</script>
<h1 style="font-size: 60px">Welcome to the shop</h1>
<button onclick="busy(120); this.textContent = 'Bought'">Buy</button>
<p id="below">Below the fold line</p>"""

Row = dict[str, Any]


@dataclass
class Visitor:
    """A browser of its own on the page of a shop, and what the store holds of it."""

    context: BrowserContext
    site: str
    service: Service
    version: str

    async def visit(self, options: str = "{}") -> Page:
        page = await self.context.new_page()
        page.set_default_timeout(20_000)
        await page.goto(f"{self.site}/shop?version={self.version}&options={options}")
        await page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
        return page

    async def leave(self, page: Page) -> None:
        """As a user who closes the tab does: the page is hidden, then gone."""
        await page.goto("about:blank")

    async def stored(self, until: Callable[[list[Row]], Any]) -> list[Row]:
        """The stored spans of this version, once they are as wanted."""
        connection = await asyncpg.connect(self.service.dsn)
        try:
            async with asyncio.timeout(DEADLINE_S):
                while True:
                    rows = await connection.fetch(
                        "SELECT signal, name, url, route, status, error_type, duration_us, trace_id, parent_span_id,"
                        " span_id, screen, attributes::text AS attributes FROM span WHERE version = $1",
                        self.version,
                    )
                    found = [dict(row) for row in rows]
                    if until(found):
                        return found
                    await asyncio.sleep(0.1)
        finally:
            await connection.close()


def of(rows: list[Row], signal: str) -> list[Row]:
    return [row for row in rows if row["signal"] == signal]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(service: Service) -> AsyncIterator[str]:
    """The shop."""
    try:
        dist = build()
    except NotInstallable as reason:
        pytest.skip(str(reason))

    async def shop(request: web.Request) -> web.Response:
        options, version = request.query.get("options", "{}"), request.query.get("version", "")
        text = PAGE % (options, service.edge, service.client_key, version)
        return web.Response(text=text, content_type="text/html", headers={"Document-Policy": "js-profiling"})

    async def script(_: web.Request) -> web.FileResponse:
        return web.FileResponse(dist / "firsthop.js")

    async def item(_: web.Request) -> web.Response:
        return web.json_response({"item": 1})

    app = web.Application()
    app.router.add_get("/shop", shop)
    app.router.add_get("/firsthop.js", script)
    app.router.add_get("/api/{item}", item)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(
    request: pytest.FixtureRequest, browser: Browser, site: str, service: Service
) -> AsyncIterator[Visitor]:
    """One visitor for each test; the service knows their spans by the version."""
    context = await browser.new_context()
    yield Visitor(context, site, service, f"{crc32(request.node.name.encode()):08x}")
    await context.close()


async def test_every_vital_arrives_once_with_the_browsers_own_value(visitor: Visitor, api: Api) -> None:
    page = await visitor.visit()
    await page.get_by_role("button").click()
    # Not within half a second of the click: such a shift is what the user asked for.
    await page.wait_for_timeout(600)
    await page.evaluate("below.insertAdjacentHTML('beforebegin', '<div style=\"height: 300px\"></div>')")
    await page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    seen = await page.evaluate(
        """() => new Promise(done => {
            const found = {};
            const look = (type, keep) => new PerformanceObserver(list => list.getEntries().forEach(keep))
                .observe({type, buffered: true, durationThreshold: 16});
            look('largest-contentful-paint', entry => found.lcp = entry.startTime);
            look('layout-shift', entry => { if (!entry.hadRecentInput) found.cls = (found.cls ?? 0) + entry.value; });
            look('event', entry => { if (entry.interactionId) found.inp = Math.max(found.inp ?? 0, entry.duration); });
            look('paint', entry => { if (entry.name === 'first-contentful-paint') found.fcp = entry.startTime; });
            setTimeout(() => done({...found, ttfb: performance.getEntriesByType('navigation')[0].responseStart}), 200);
        })"""
    )
    await visitor.leave(page)
    vitals = ("lcp", "inp", "cls", "fcp", "ttfb")
    rows = await visitor.stored(lambda rows: {row["signal"] for row in rows} >= {*vitals, "page"})
    for name in vitals:
        (row,) = of(rows, name)
        scale = 1e6 if name == "cls" else 1000
        assert row["duration_us"] == pytest.approx(seen[name] * scale, abs=1 if name == "cls" else 100), name
        assert row["name"] == name.upper()
        assert '"web_vital.rating"' in row["attributes"]
        figures = await api.get("latency", signal=name, version=visitor.version, q="0.5", group_by="version")
        assert figures[1]["groups"][0]["total"]["spans"] == 1
    assert seen["inp"] >= 100, "the handler was slow"
    assert seen["cls"] > 0, "something moved"


async def test_a_page_that_is_shown_again_tells_no_vital_twice(visitor: Visitor) -> None:
    page = await visitor.visit()
    await page.get_by_role("button").click()
    for state in ("hidden", "visible", "hidden"):
        await page.evaluate(
            """state => {
                Object.defineProperty(document, 'visibilityState', {value: state, configurable: true});
                document.dispatchEvent(new Event('visibilitychange', {bubbles: true}));
            }""",
            state,
        )
    await visitor.leave(page)
    rows = await visitor.stored(lambda rows: of(rows, "lcp") and of(rows, "page"))
    names = [row["name"] for row in rows if row["signal"] in {"lcp", "inp", "cls", "fcp", "ttfb"}]
    assert sorted(names) == sorted(set(names))
    assert len(of(rows, "page")) == 1


async def test_errors_and_rejections_arrive_and_a_burst_is_told_as_one_with_its_number(visitor: Visitor) -> None:
    page = await visitor.visit()
    await page.evaluate(
        """() => {
            const fail = () => { throw new RangeError('cart of jane.doe@example.com is full'); };
            for (let i = 0; i < 20; i++) setTimeout(fail);
            Promise.reject(new TypeError('no price'));
            Promise.reject('out of stock');
            setTimeout(() => { window.done = true; }, 50);
        }"""
    )
    await page.wait_for_function("window.done")
    await visitor.leave(page)
    rows = of(await visitor.stored(lambda rows: len(of(rows, "exception")) >= 4), "exception")
    types = sorted(row["error_type"] for row in rows)
    assert types == ["RangeError", "RangeError", "TypeError", "string"]
    assert {row["status"] for row in rows} == {2}
    first, again = sorted((row["attributes"] for row in rows if row["error_type"] == "RangeError"), key=len)
    assert '"exception.repeats": "19"' in again
    assert "exception.repeats" not in first
    assert "exception.stacktrace" in first
    assert "jane.doe" not in str(rows)


async def test_different_errors_beyond_the_most_are_counted_as_dropped(visitor: Visitor) -> None:
    page = await visitor.visit()
    await page.evaluate(
        """() => {
            for (let i = 0; i < 60; i++) setTimeout(() => { throw new Error(`different ${'x'.repeat(i)}`); });
            setTimeout(() => { window.done = true; }, 50);
        }"""
    )
    await page.wait_for_function("window.done")
    await visitor.leave(page)
    rows = await visitor.stored(lambda rows: len(of(rows, "exception")) >= 50)
    assert len(of(rows, "exception")) == 50
    connection = await asyncpg.connect(visitor.service.dsn)
    try:
        dropped = await connection.fetchval("SELECT sum(spans) FROM ledger WHERE outcome = 'client:rate_limited'")
    finally:
        await connection.close()
    assert dropped == 10


async def test_a_long_task_arrives_with_what_kept_the_page_busy(visitor: Visitor) -> None:
    page = await visitor.visit()
    await page.evaluate("new Promise(done => setTimeout(() => { busy(150); done(); }))")
    await page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 100)))")
    await visitor.leave(page)
    rows = of(await visitor.stored(lambda rows: of(rows, "long_task")), "long_task")
    assert max(row["duration_us"] for row in rows) >= 150_000


async def test_with_a_profiler_long_tasks_say_what_ran(visitor: Visitor) -> None:
    page = await visitor.visit('{"profile":true}')
    if not await page.evaluate("typeof Profiler !== 'undefined'"):
        pytest.skip("this Chromium has no self-profiling")
    await page.evaluate("new Promise(done => setTimeout(checkout, 0, done))")
    await page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))")
    await visitor.leave(page)
    rows = of(await visitor.stored(lambda rows: of(rows, "long_task")), "long_task")
    assert any("sortTheCart" in row["attributes"] for row in rows)


async def test_a_change_of_route_is_a_screen_and_what_it_asked_for_is_in_its_trace(visitor: Visitor) -> None:
    page = await visitor.visit()
    await page.evaluate(
        """async () => {
            history.pushState({}, '', '/shop/cart');
            await (await fetch('/api/cart')).json();
            document.querySelector('h1').textContent = 'Your cart';
        }"""
    )
    await page.wait_for_timeout(500)
    await page.evaluate("history.replaceState({}, '', '/shop/cart?sort=price')")  # the same screen
    await page.evaluate("fetch('/api/later').then(answer => answer.json())")
    await page.wait_for_timeout(300)
    await visitor.leave(page)
    rows = await visitor.stored(lambda rows: of(rows, "screen") and any("later" in (row["url"] or "") for row in rows))
    (screen,) = of(rows, "screen")
    assert (screen["name"], screen["url"].endswith("/shop/cart")) == ("/shop/cart", True)
    assert 0 < screen["duration_us"] < 10_000_000
    cart = next(row for row in rows if row["url"].endswith("/api/cart"))
    assert (cart["trace_id"], cart["parent_span_id"]) == (screen["trace_id"], screen["span_id"])
    later = next(row for row in rows if row["url"].endswith("/api/later"))
    (load,) = of(rows, "page")
    assert later["parent_span_id"] is None
    assert later["trace_id"] not in {screen["trace_id"], load["trace_id"]}
    assert later["screen"] == "/shop/cart"


async def test_a_screen_that_the_app_names_stays_whatever_the_path_becomes_until_it_is_cleared(
    visitor: Visitor,
) -> None:
    page = await visitor.visit()
    await page.evaluate(
        """() => {
            const say = (name) => sdk.span(name).end();
            history.pushState({}, '', '/shop/list');
            say('by the path');
            sdk.setScreen('Cart');
            say('named');
            history.pushState({}, '', '/shop/cart');
            say('named, path changed');
            sdk.setScreen('');
            say('cleared');
        }"""
    )
    await visitor.leave(page)
    rows = of(await visitor.stored(lambda rows: len(of(rows, "operation")) == 4), "operation")
    assert {row["name"]: row["screen"] for row in rows} == {
        "by the path": "/shop/list",
        "named": "Cart",
        "named, path changed": "Cart",
        "cleared": "/shop/cart",
    }


async def test_stopped_it_watches_nothing_and_leaves_nothing_behind(visitor: Visitor) -> None:
    page = await visitor.visit()
    left = await page.evaluate(
        """() => {
            sdk.stop();
            const native = (work) => /native code/.test(Function.prototype.toString.call(work));
            setTimeout(() => { throw new Error('after the end'); });
            return [fetch, XMLHttpRequest.prototype.open, XMLHttpRequest.prototype.send, history.pushState,
                    history.replaceState].map(native);
        }"""
    )
    assert left == [True] * 5
    await page.wait_for_timeout(100)
    await visitor.leave(page)
    rows = await visitor.stored(lambda rows: of(rows, "page"))
    assert of(rows, "exception") == []
