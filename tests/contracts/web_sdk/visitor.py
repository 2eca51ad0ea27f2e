"""A visitor of a shop's page on which the SDK's core runs, behind a door that sees what comes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.async_api import BrowserContext, Page

from tests.contracts.proxied_edge import ProxiedEdge

DEADLINE_S = 90
"""A page that begins while the one before it still holds the queue looks again after 30 to 60 s."""
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
