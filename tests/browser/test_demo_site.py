"""The demo's web site and its slow backend, before a running service: what the trace view tells of a click."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, expect

from ingest.store.database import open_pool
from ingest.store.keys import PostgresKeys
from loadtest.demo_site.server import Backend
from tests.browser.built import require_page
from tests.browser.conftest import ends
from tests.service import DEADLINE_SECONDS, Service, running_service

pytestmark = pytest.mark.asyncio(loop_scope="session")

SPANS = 6
"""Click, request, the backend's answer and its three steps."""


async def summary_of(service: Service, trace_id: str) -> dict[str, Any]:
    """The trace, when all its spans have arrived."""
    headers = {"Authorization": f"Bearer {service.token}"}
    async with asyncio.timeout(DEADLINE_SECONDS), aiohttp.ClientSession(headers=headers) as session:
        while True:
            async with session.get(f"{service.query}/api/v1/traces/{trace_id}") as answer:
                found: dict[str, Any] = await answer.json()
            if answer.status == 200 and found["counts"]["spans"] == SPANS:
                return found
            await asyncio.sleep(0.1)


async def press(page: Page, button: str) -> str:
    """Presses a button of the shop and returns the id of its trace."""
    await page.get_by_role("button", name=button).click()
    said = page.locator("#said")
    await expect(said.get_by_role("link", name="See its trace")).to_be_visible()
    return str(await said.get_attribute("data-trace"))


@pytest_asyncio.fixture(loop_scope="session")
async def clicked(browser: Browser, tmp_path: Path) -> AsyncIterator[tuple[dict[str, Any], Page]]:
    """The trace of a second check-out as the query API tells it, and the tab with the view that the shop links to."""
    require_page()
    async with running_service(tmp_path / "data") as service:
        pool = await open_pool(service.dsn, connections=1)
        keys = PostgresKeys(pool)
        app = next(app for app in await keys.apps() if app.client_key == service.client_key)
        server_key = await keys.create_key(app.app_id, "server")
        await pool.close()
        where = {"edge": service.edge, "key": service.client_key, "dashboard": f"{service.query}/?app={app.name}"}
        async with TestServer(Backend(service.edge, server_key, where).application()) as site:
            page = await browser.new_page(viewport={"width": 1440, "height": 900})
            await page.goto(str(site.make_url("/")))
            await press(page, "Check out")  # whose answer anchors the page's clock for the next
            trace_id = await press(page, "Check out")
            summary = await summary_of(service, trace_id)
            link = await page.get_by_role("link", name="See its trace").get_attribute("href")
            await page.goto(f"{link}#token={service.token}")
            yield summary, page
            await page.close()


def share(text: str) -> float:
    """The share that a line such as `894 ms · 99.7 %` gives, as a number up to 1."""
    found = re.search(r"([\d.]+)\s*%", text)
    assert found, text
    return float(found[1]) / 100


async def test_a_slow_backend_is_seen_on_the_line_of_the_click_and_in_the_split_of_its_first_byte(
    clicked: tuple[dict[str, Any], Page],
) -> None:
    summary, page = clicked
    drawer = page.get_by_role("dialog")
    rows = drawer.get_by_role("treeitem")
    await expect(rows).to_have_count(SPANS)
    await expect(drawer).to_contain_text("Backends: demo-shop-backend (4 spans)")

    click, request, answer = (
        drawer.get_by_role("treeitem", name=re.compile(name))
        for name in (
            "^Check out, client",
            "^POST .api.checkout, client",
            "^POST .api.checkout, backend demo-shop-backend",
        )
    )
    begin, end = await ends(click.locator(".span-bar"))
    inner, outer = await ends(answer.locator(".span-bar"))
    # Two clocks of one machine: apart by less than the bounds, which are far below a tenth of the click.
    slack = (end - begin) * 0.15
    assert begin - slack < inner < outer < end + slack
    assert outer - inner > (end - begin) * 0.8

    await request.click()
    details = drawer.get_by_role("complementary")
    await expect(details).to_contain_text("TTFB")
    lines = details.locator(".phases-of-span > .inset dd")
    network, server = [share(text) for text in await lines.all_inner_texts()]
    assert server > 0.8
    assert abs(network + server - 1) < 0.011
    await expect(request.locator(".of-server")).to_be_visible()
    await expect(details).to_contain_text("TCPreused")

    error_us = next(span for span in summary["spans"] if span["name"] == "Check out")["line"]["err_us"]
    assert 0 < error_us < 1_000_000
    await expect(details).to_contain_text(re.compile(r"start ± [\d.]+ (µs|ms), grade [AB]"))
    await expect(drawer.locator(".whisker")).to_have_count(SPANS)
    await expect(drawer.get_by_text("start ± its clock’s error")).to_be_visible()

    waited = drawer.get_by_role("region", name="What the end waited for")
    await expect(waited.get_by_role("listitem").first).to_contain_text("POST payments.example/charge")
