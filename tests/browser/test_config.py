"""A page of another origin asks the edge for its configuration, with the code that CONFIG.md gives."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from playwright.async_api import Page

from ingest.edge.config import Configs
from ingest.pipeline.sample import FixedRates
from ingest.settings import Sampling
from ingest.signing import Signer
from ingest.user_agent import UserAgents
from tests.chromium import running_chromium
from tests.edge.conftest import CLIENT_KEY, running_edge

PAGE = Path(__file__).parents[2] / "client_sdk_spec" / "CONFIG.md"
SIGNER = Signer(b"s" * 32)


@pytest_asyncio.fixture
async def page() -> AsyncIterator[Page]:
    """A page that knows nothing but the function of CONFIG.md."""

    async def empty(request: web.Request) -> web.Response:
        del request
        return web.Response(text="<!doctype html><title>shop</title>", content_type="text/html")

    application = web.Application()
    application.router.add_get("/", empty)
    found = re.search(r"```js\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    async with TestServer(application) as server, running_chromium() as browser:
        opened = await browser.new_page()
        await opened.goto(str(server.make_url("/")))
        await opened.evaluate(f"() => {{ globalThis.readConfig = {found[1]} }}")
        yield opened


async def test_a_page_reads_and_checks_its_configuration_without_a_preflight(
    page: Page, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("ingest.edge.cors.PREFLIGHT", {})  # whoever asks for leave first is refused
    rates = FixedRates(Sampling(unknown=0.5))
    async with running_edge(configs=Configs(rates, SIGNER, UserAgents().agent_of)) as edge:
        url = f"{edge.url}/v1/config?key={CLIENT_KEY}&clock=1"
        read = "([url, key]) => readConfig(url, key)"
        told = await page.evaluate(read, [url, SIGNER.public_key])
        assert (told["class"], told["sampling"]["th"]) == ("unknown", "8")
        assert await page.evaluate(read, [url, Signer(b"x" * 32).public_key]) is None

        status, etag, received = await page.evaluate(
            """async (url) => {
                const first = await fetch(url);
                const tag = first.headers.get("ETag");
                const again = await fetch(`${url}&etag=${encodeURIComponent(tag)}`, { cache: "no-store" });
                return [again.status, tag, Number(again.headers.get("Firsthop-Received-Us"))];
            }""",
            url,
        )
        assert (status, bool(etag), received > 1_700_000_000_000_000) == (304, True, True)
