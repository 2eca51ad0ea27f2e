"""The browser SDK's core in real Chromium, against a real edge."""

from collections.abc import AsyncIterator
from zlib import crc32

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser

from client_sdk_spec.web.build import NotInstallable, build
from tests.contracts.proxied_edge import proxied_edge
from tests.contracts.web_sdk.visitor import PAGE, Visitor
from tests.service import Service


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
        errors: list[str] = []
        context.on("weberror", lambda error: errors.append(str(error.error)))
        version = f"{crc32(request.node.name.encode()):08x}"
        yield Visitor(context, site, edge, service.client_key, version)
        await context.close()
        assert errors == []
        assert {seen.method for seen in edge.seen} <= {"GET", "POST"}, "a preflight was asked for"
