"""The set-ups to copy work as they are: in Chromium, filled in like the dashboard does, against a running service."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest
from aiohttp import web
from playwright.async_api import Browser

from client_sdk_spec.web import build as sdk
from tests.contracts.web.bundle import NotInstallable, bundle
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")

HERE = Path(__file__).parent
SNIPPETS = HERE.parents[1] / "client_sdk_spec" / "snippets"
DEADLINE_S = 40
READS_MS = 1000
PAGE = '<!doctype html><title>shop</title><link rel="icon" href="data:,">{script}<p>Welcome to the shop</p>'


def filled(name: str, service: Service, app: str) -> str:
    """The snippet as a reader would have it."""
    text = (SNIPPETS / name).read_text()
    return text.replace("{{edge}}", service.edge).replace("{{key}}", service.client_key).replace("{{app}}", app)


@pytest.fixture(scope="module")
def packages() -> Callable[[str], Path]:
    """Where a snippet's npm packages are; `firsthop-web` is the one that was built here."""

    def of(name: str) -> Path:
        if name == "browser.js":
            sdk.build()
            return sdk.HERE
        return HERE / {"faro.js": "faro", "opentelemetry-web.js": "web"}[name]

    return of


@asynccontextmanager
async def shop(html: str, script: Path | None = None) -> AsyncIterator[str]:
    """A site with one page and its orders."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(text=html, content_type="text/html")

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"order": 1})

    async def give(_: web.Request) -> web.StreamResponse:
        assert script is not None
        return web.FileResponse(script)

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_get("/page.js", give)
    app.router.add_get("/orders/{order}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def told(service: Service, app: str) -> list[tuple[str, str]]:
    """Signal and address of every stored span of the app, once there are a page load and the order."""
    connection = await asyncpg.connect(service.dsn)
    try:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                rows = await connection.fetch(
                    "SELECT signal, coalesce(url, '') AS url FROM span WHERE resource->>'service' = $1", app
                )
                found = [(row["signal"], row["url"]) for row in rows]
                signals = {signal for signal, _ in found}
                if "page" in signals and any("/orders/" in url for _, url in found):
                    return found
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def visit(browser: Browser, site: str, ready: str, service: Service, app: str) -> list[tuple[str, str]]:
    """Opens the page, asks for an order as its code would, leaves, and returns what the service was told."""
    context = await browser.new_context()
    page = await context.new_page()
    page.set_default_timeout(30_000)
    await page.goto(site + "/")
    await page.wait_for_function(ready)
    await page.evaluate("fetch('/orders/1?email=jane.doe%40example.com').then(answer => answer.json())")
    await page.wait_for_function("performance.getEntriesByType('resource').some(({ name }) => /orders/.test(name))")
    # A visitor who reads: OpenTelemetry ends a span of fetch 300 ms after its answer; what has not ended is not sent.
    await page.wait_for_timeout(READS_MS)
    await page.goto("about:blank")
    found = await told(service, app)
    await context.close()
    return found


def judge(found: list[tuple[str, str]]) -> None:
    """The page load and the order, once each, scrubbed."""
    assert [signal for signal, _ in found].count("page") == 1
    orders = [url for signal, url in found if signal == "request" and "/orders/" in url]
    assert len(orders) == 1, found
    assert "jane" not in orders[0]


@pytest.mark.parametrize("name", ["faro.js", "opentelemetry-web.js", "browser.js"])
async def test_a_script_as_it_is_shown_sends_what_a_page_does(
    name: str,
    browser: Browser,
    service: Service,
    packages: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    app = f"snippet-{name}"
    try:
        folder = packages(name)
        entry, script = tmp_path / "entry.js", tmp_path / "page.js"
        text = filled(name, service, app)
        entry.write_text(text.replace('"firsthop-web"', f'"{(sdk.DIST / "firsthop.mjs").as_posix()}"') + READY)
        monkeypatch.setenv("NODE_PATH", str(folder / "node_modules"))
        bundle(script, page=str(entry), packages=folder)
    except (NotInstallable, sdk.NotInstallable) as reason:
        pytest.skip(str(reason))
    async with shop(PAGE.format(script='<script type="module" src="/page.js"></script>'), script) as site:
        judge(await visit(browser, site, "window.begun", service, app))


READY = "\nwindow.begun = true;\n"


async def test_the_script_tag_as_it_is_shown_sends_what_a_page_does(browser: Browser, service: Service) -> None:
    async with shop(PAGE.format(script=filled("browser.html", service, "snippet-tag"))) as site:
        judge(await visit(browser, site, "window.firsthop", service, "snippet-tag"))
