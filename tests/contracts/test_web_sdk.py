"""The browser SDK's core in real Chromium, against a real edge behind a door that sees what comes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, Page

from client_sdk_spec.web.build import NotInstallable, build
from tests.contracts.conftest import Api
from tests.contracts.proxied_edge import ProxiedEdge, proxied_edge, refusing
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEADLINE_S = 30
PAGE = """<!doctype html><title>sdk</title><link rel="icon" href="data:,"><script src="/firsthop-core.js"></script>
<script>
  let spans = 0;
  function record(count, more = {}) {
    for (let i = 0; i < count; i++) {
      const ids = {traceId: sdk.newTraceId(), spanId: sdk.newSpanId()};
      const url = `https://api.shop.example/orders/${++spans}`;
      sdk.record({...ids, name: "GET", method: "GET", url, startUs: sdk.nowUs(), durationUs: 1000, ...more});
    }
  }
</script>"""


async def until(condition: Callable[[], Any]) -> Any:
    """What the condition gives, once it is true."""
    async with asyncio.timeout(DEADLINE_S):
        while not (found := condition()):
            await asyncio.sleep(0.02)
        return found


@dataclass
class Visitor:
    """A browser of its own on the page of a shop."""

    context: BrowserContext
    site: str
    edge: ProxiedEdge
    key: str
    version: str

    async def visit(self, **options: Any) -> Page:
        """A page on which the SDK runs as `sdk`."""
        page = await self.context.new_page()
        await self.open(page, **options)
        return page

    async def open(self, page: Page, **options: Any) -> None:
        """Loads the page (again)."""
        await page.goto(self.site)
        given = {"url": self.edge.url, "key": self.key, "service": "web-sdk", "version": self.version} | options
        await page.evaluate("options => { window.sdk = firsthop.start(options) }", given)

    def spans(self) -> int:
        """How many spans the edge took; retries of a batch count once."""
        return sum({batch["id"]: batch["n"] for batch in self.edge.batches()}.values())

    async def sent(self, spans: int) -> None:
        """Returns when the edge took so many spans."""
        await until(lambda: self.spans() >= spans)
        assert self.spans() == spans


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site() -> AsyncIterator[str]:
    """The shop's pages."""
    try:
        dist = build()
    except NotInstallable as reason:
        pytest.skip(str(reason))

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE, content_type="text/html")

    async def script(request: web.Request) -> web.FileResponse:
        return web.FileResponse(dist / request.match_info["name"])

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/{name:firsthop.*}", script)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(
    request: pytest.FixtureRequest, browser: Browser, site: str, service: Service
) -> AsyncIterator[Visitor]:
    """One visitor for each test, behind a door of their own; the service knows their spans by the version."""
    async with proxied_edge(service.edge) as edge:
        context = await browser.new_context()
        version = str(abs(hash(request.node.name)))
        yield Visitor(context, site, edge, service.client_key, version)
        await context.close()


async def test_spans_reach_the_store_with_their_parts_and_no_preflight_is_asked_for(visitor: Visitor, api: Api) -> None:
    page = await visitor.visit(environment="test")
    trace_id = await page.evaluate(
        """async () => {
          const step = sdk.span("put into the cart", {article: "tea", pieces: 2});
          step.event("priced");
          const ids = {traceId: step.traceId, spanId: sdk.newSpanId(), parentSpanId: step.spanId};
          const phases = {dns_us: -1, tcp_us: -1, tls_us: -1, ttfb_us: 900, download_us: 50};
          const url = "https://api.shop.example/cart";
          const times = {startUs: sdk.nowUs(), durationUs: 1000, phases};
          sdk.record({...ids, ...times, name: "PUT /cart", method: "PUT", url, httpStatus: 200, protocol: "h2"});
          step.end();
          await sdk.flush();
          return step.traceId;
        }"""
    )
    spans = await api.spans(trace_id, 2)
    put = next(span for span in spans.values() if span["name"] == "PUT /cart")
    assert put
    assert {seen.method for seen in visitor.edge.seen} == {"GET", "POST"}
    [batch] = visitor.edge.batches()
    print(put, batch, visitor.edge.seen[0])
