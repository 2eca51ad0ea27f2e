"""After a hostile network every span is stored exactly once, or its client said that it dropped it."""

import asyncio
import random
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from aiohttp import web

from client_sdk_spec.client import Client, mono_us
from client_sdk_spec.web.build import NotInstallable, build
from tests.adversity.hostile_network import FATES, hostile_network
from tests.chromium import running_chromium
from tests.service import Service, running_service

EVERYTHING = {f"FIRSTHOP_KEEP_{name}": "1" for name in ("LOW", "MID", "HIGH", "UNKNOWN")} | {
    "FIRSTHOP_SPANS_PER_MINUTE": "1000000"
}
"""Nothing is sampled away, so that the store can be compared with what was sent span by span."""
BATCHES = 60


def span(chance: random.Random) -> dict[str, Any]:
    """A request that just ended; every tenth failed."""
    failed = chance.random() < 0.1
    return {
        "trace_id": secrets.token_hex(16),
        "span_id": secrets.token_hex(8),
        "name": "GET /orders",
        "method": "GET",
        "url": f"https://api.shop.example/orders/{chance.randrange(1000)}",
        "http_status": 503 if failed else 200,
        "start_us": mono_us() - 80_000,
        "duration_us": 80_000,
        "ttfb_us": 60_000,
        "attributes": {"note": "x" * chance.randrange(200)},
    }


async def stored(service: Service) -> Counter[str]:
    """How often each span is stored, by its id."""
    await service.drained()
    connection = await asyncpg.connect(service.dsn)
    try:
        return Counter(row["span_id"].hex() for row in await connection.fetch("SELECT span_id FROM span"))
    finally:
        await connection.close()


async def ledger(service: Service) -> Counter[str]:
    """The ledger's rows, summed."""
    connection = await asyncpg.connect(service.dsn)
    try:
        rows = await connection.fetch("SELECT outcome, sum(spans)::bigint AS spans FROM ledger GROUP BY 1")
    finally:
        await connection.close()
    return Counter({row["outcome"]: row["spans"] for row in rows})


def judge(sent: Sequence[str], found: Counter[str], said: Counter[str]) -> None:
    """Every span once or owned up to, counted as often as stored, and nothing that was never sent."""
    assert set(found) <= set(sent)
    assert max(found.values()) == 1, "stored twice"
    missing = len(sent) - len(found)
    dropped = sum(spans for outcome, spans in said.items() if outcome.startswith("client:"))
    assert missing == dropped, "missing and not reported, or reported and not missing"
    assert said["kept"] == len(found)
    assert said["received"] == len(found) + said["duplicate"]
    assert said["duplicate"] > 0, "the network repeated something"


async def test_the_reference_client_gets_every_span_through_once(tmp_path: Path) -> None:
    chance = random.Random(5)
    async with running_service(tmp_path / "data", **EVERYTHING) as service:
        async with hostile_network(service.edge, seed=5) as (address, network):
            async with Client(address, service.client_key, {"service": "shop"}, chance=lambda: 0.02) as client:
                sent: list[str] = []
                for _ in range(BATCHES):
                    spans = [span(chance) for _ in range(chance.randrange(1, 60))]
                    sent += [each["span_id"] for each in spans]
                    for each in spans:
                        client.record(each)
                    client.seal()
                network.offline = True
                for _ in range(5):
                    later = span(chance)
                    sent.append(later["span_id"])
                    client.record(later)
                client.seal()
                network.offline = False
                await client.flush()
                network.hostile = False
                client.seal()  # what was dropped last is told by a batch of its own
                await client.flush()
                assert client.held == 0
            assert await network.deliver_late_copies() > 0
        found, said = await stored(service), await ledger(service)
        assert set(network.fates) == set(FATES), "every fate struck"
        judge(sent, found, said)
        assert len(found) > 0.9 * len(sent)


PAGE = """<!doctype html><title>shop</title><link rel="icon" href="data:,"><script src="/firsthop-core.js"></script>
<script>
  const sdk = firsthop.start({url: "%s", key: "%s", service: "shop"});
  function record(count) {
    const made = [];
    for (let i = 0; i < count; i++) {
      const ids = {traceId: sdk.newTraceId(), spanId: sdk.newSpanId()};
      const url = `https://api.shop.example/orders/${i}`;
      const httpStatus = i %% 10 ? 200 : 503;
      const attributes = {note: "x".repeat(i * 7 %% 200)};
      const request = {name: "GET", method: "GET", url, httpStatus, attributes};
      sdk.record({...ids, ...request, startUs: sdk.nowUs(), durationUs: 1000});
      made.push(ids.spanId);
    }
    return made;
  }
</script>"""


@asynccontextmanager
async def shop(edge: str, key: str) -> AsyncIterator[str]:
    """A page with the browser SDK."""
    try:
        dist = build()
    except NotInstallable as reason:
        pytest.skip(str(reason))

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=PAGE % (edge, key), content_type="text/html")

    async def script(_: web.Request) -> web.FileResponse:
        return web.FileResponse(dist / "firsthop-core.js")

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/firsthop-core.js", script)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_the_browser_sdk_gets_every_span_through_once_across_pages(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with (
        running_service(tmp_path / "data", **EVERYTHING) as service,
        hostile_network(service.edge, seed=7) as (address, network),
        shop(address, service.client_key) as site,
        running_chromium() as browser,
    ):
        context = await browser.new_context()
        await context.add_init_script("Math.random = () => 0.02")  # short waits; ids are drawn by crypto
        page = await context.new_page()
        await page.goto(site)
        sent: list[str] = []
        for visit in range(3):
            for _ in range(BATCHES // 3):
                sent += await page.evaluate("count => record(count)", chance.randrange(1, 60))
                await page.evaluate("sdk.flush()")
            network.offline = True
            sent += await page.evaluate("record(5)")
            await page.evaluate("sdk.flush()")
            await page.goto(f"{site}/?{visit}")
            network.offline = False
        network.hostile = False
        sent += await page.evaluate("record(1)")

        async def settled() -> bool:
            await page.evaluate("sdk.flush()")
            found, said = await stored(service), await ledger(service)
            dropped = sum(spans for outcome, spans in said.items() if outcome.startswith("client:"))
            return len(found) + dropped >= len(sent)

        async with asyncio.timeout(90):
            while not await settled():
                await asyncio.sleep(0.5)
        assert await network.deliver_late_copies() > 0
        judge(sent, await stored(service), await ledger(service))
        await context.close()
