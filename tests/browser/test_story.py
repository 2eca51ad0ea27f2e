"""A running service: a release is slow for some; the page says for whom and why; an alert follows."""

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import ClientSession
from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from loadtest.countries import write_countries
from tests.alerts.stage import Inbox, inbox
from tests.browser.built import require_page
from tests.browser.rollout import CHECKOUT, NEW, OLD, roll_out
from tests.service import DEADLINE_SECONDS, Service, running_service

pytestmark = pytest.mark.asyncio(loop_scope="session")

RULE = "slow checkout in Brazil"
MOST_TABS = 120
LONG = re.compile(r"^([\d.]+ s|[5-9]\d\d ms)$")
"""At least half a second: no handshake but the slow ones takes as long."""


@dataclass
class Journey:
    """A service that has heard of the release, somebody's tab before it, and what it tells by webhook."""

    service: Service
    page: Page
    colleague: BrowserContext
    ops: Inbox

    async def open(self) -> None:
        await self.page.goto(f"{self.service.query}/?app={self.service.ready['app']}#token={self.service.token}")


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest_asyncio.fixture(loop_scope="session", scope="module")
async def told(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Service, Inbox]]:
    """A service that counted every span of the release, and its receiver."""
    require_page()
    directory = tmp_path_factory.mktemp("story")
    write_countries(directory / "countries.mmdb")
    port = free_port()
    async with inbox() as ops, running_service(directory / "data", **settings(directory, port, ops)) as service:
        await roll_out(service.edge, service.client_key, time.time_ns() // 1000)
        await service.drained()
        yield service, ops


def settings(directory: Path, port: int, ops: Inbox) -> dict[str, str]:
    """What an operator would set: countries, a proxy before the edge, whom to tell and which address links have."""
    return {
        "FIRSTHOP_GEOIP": str(directory / "countries.mmdb"),
        "FIRSTHOP_TRUSTED_PROXIES": "127.0.0.0/8",
        # Half an hour comes within seconds here: a budget for a minute would have to leave most of it out.
        "FIRSTHOP_SPANS_PER_MINUTE": "10000000",
        "FIRSTHOP_ALERT_WEBHOOKS": f"ops={ops.url}",
        "FIRSTHOP_QUERY_PORT": str(port),
        "FIRSTHOP_DASHBOARD_URL": f"http://127.0.0.1:{port}",
    }


@pytest_asyncio.fixture(loop_scope="session")
async def journey(told: tuple[Service, Inbox], browser: Browser) -> AsyncIterator[Journey]:
    service, ops = told
    faults: list[str] = []
    contexts = [
        await browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB", timezone_id="UTC")
        for _ in range(2)
    ]
    page = await contexts[0].new_page()
    page.set_default_timeout(20_000)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield Journey(service, page, contexts[1], ops)
    for context in contexts:
        await context.close()
    assert faults == []


async def viewer_token(service: Service) -> str:
    """The token of somebody who may only read."""
    headers = {"Authorization": f"Bearer {service.token}"}
    url = f"{service.query}/api/v1/keys"
    async with ClientSession(headers=headers) as session, session.post(url, json={"role": "token"}) as answer:
        assert answer.status == 200, await answer.text()
        return str((await answer.json())["key"])


def handshake(page: Page) -> Locator:
    """What the details of a span say of its TLS phase."""
    lines = page.get_by_role("dialog").locator(".phases-of-span > div")
    return lines.filter(has_text="TLS").locator("dd")


async def choose(page: Page, dimension: str, value: str) -> None:
    """Filters by one value."""
    filters = page.get_by_role("navigation", name="Time range and filters")
    await filters.get_by_role("button", name=re.compile(f"^{dimension}")).click()
    await page.get_by_role("option", name=re.compile(value)).click()
    await page.keyboard.press("Escape")


async def test_a_slow_release_is_found_explained_shared_and_watched(journey: Journey) -> None:
    page = journey.page
    await journey.open()
    flags = page.get_by_role("list", name="Versions that arrived")
    await expect(flags.get_by_role("button", name=NEW)).to_be_visible()

    # For whom, and why.
    await page.get_by_role("region", name="Routes by impact").get_by_role("button", name=CHECKOUT).click()
    await page.get_by_role("link", name=f"Compare {NEW} with {OLD}").click()
    await choose(page, "Country", "BR")
    await choose(page, "Device class", "low")
    verdict = page.locator(".verdict")
    await expect(verdict).to_contain_text(re.compile(rf"{NEW} is slower than {OLD} on average by .* of it in TLS\."))
    tls = page.get_by_role("region", name="In which phase").get_by_role("row", name=re.compile("^TLS"))
    await expect(tls.locator(".worse").first).to_be_visible()

    # Down to one user's request.
    await page.get_by_role("link", name=f"Figures and traces of {NEW}").click()
    distribution = page.get_by_role("region", name="Distribution of duration")
    await distribution.get_by_role("button", name=re.compile("open the trace")).first.click()
    await expect(handshake(page)).to_have_text(LONG)
    chosen = page.get_by_role("treeitem", selected=True)
    await expect(chosen).to_have_attribute("aria-label", re.compile("POST"))

    # The same for a colleague who only reads.
    said, link = await handshake(page).inner_text(), page.url
    assert "token" not in link
    other = await journey.colleague.new_page()
    await other.goto(f"{link}#token={await viewer_token(journey.service)}")
    await expect(handshake(other)).to_have_text(said)
    await expect(other.get_by_role("button", name="Country Brazil (BR)")).to_be_attached()
    assert other.url == link

    # So that it is told the next time.
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Alert on this view").click()
    await make_rule(page)
    async with asyncio.timeout(DEADLINE_SECONDS):
        await journey.ops.came.wait()
    assert journey.ops.told() == [("firing", RULE)]
    body = journey.ops.bodies[0]
    await page.reload()
    now = page.get_by_role("region", name="Now")
    await expect(now.get_by_text(re.compile(r"p95 of requests is [\d.]+ s, above 1 s"))).to_be_visible()
    await expect(now.get_by_text("Examples:").get_by_role("link").first).to_be_visible()
    await expect(now.get_by_role("link", name="Open view")).to_be_visible()
    assert body["traces"]

    # Where the notification leads.
    await other.goto(body["dashboard_url"])
    filters = other.get_by_role("navigation", name="Time range and filters")
    for named in ("Version 5.2.1", "Country Brazil (BR)", "Device class low", f"Remove {CHECKOUT}"):
        await expect(filters.get_by_role("button", name=named)).to_be_visible()
    await expect(other.get_by_role("radio", name=re.compile("p95")).first).to_be_checked()
    await other.goto(body["traces"][0]["url"])
    await expect(other.get_by_role("dialog").get_by_role("treeitem").first).to_be_visible()


async def tab_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Walks the focus there, as somebody without a mouse has to."""
    await wanted.wait_for()
    for _ in range(MOST_TABS):
        if await wanted.evaluate("element => element === document.activeElement"):
            return
        await page.keyboard.press(key)
    raise AssertionError(f"not reached by {key}: {wanted}")


async def choose_by_keyboard(page: Page, dimension: str, value: str) -> None:
    """Filters by one value, found by typing."""
    filters = page.get_by_role("navigation", name="Time range and filters")
    await tab_to(page, filters.get_by_role("button", name=re.compile(f"^{dimension}")))
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("option", name=re.compile(value))).to_be_visible()
    await page.keyboard.type(value)
    await expect(page.get_by_role("option")).to_have_count(1)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(f"={value}"))
    await page.keyboard.press("Escape")


async def test_the_way_from_the_overview_to_the_reason_needs_no_mouse(journey: Journey) -> None:
    page = journey.page
    await journey.open()
    await tab_to(page, page.get_by_role("textbox", name="Find a route"))
    await page.keyboard.type("checkout")
    await tab_to(page, page.get_by_role("region", name="Routes by impact").get_by_role("button", name=CHECKOUT))
    await page.keyboard.press("Enter")
    await tab_to(page, page.get_by_role("link", name=f"Compare {NEW} with {OLD}"), "Shift+Tab")
    await page.keyboard.press("Enter")
    await choose_by_keyboard(page, "Country", "BR")
    await choose_by_keyboard(page, "Device class", "low")
    await expect(page.locator(".verdict")).to_contain_text("of it in TLS")
    await tab_to(page, page.get_by_role("link", name=f"Figures and traces of {NEW}"))
    await page.keyboard.press("Enter")
    bars = page.get_by_role("region", name="Distribution of duration").get_by_role("listbox")
    await tab_to(page, bars)
    await page.keyboard.press("Enter")
    await expect(handshake(page)).to_have_text(LONG)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)


async def make_rule(page: Page) -> None:
    """Fills the form that the view began: above a second, by the minute, at once."""
    form = page.get_by_role("form", name="Rule")
    for value in (CHECKOUT, NEW, "BR", "low"):
        await expect(form.get_by_text(value, exact=True)).to_be_visible()
    await form.get_by_label("Name").fill(RULE)
    await form.get_by_label("Above").fill("1000")
    await form.get_by_role("combobox", name="Window").click()
    await page.get_by_role("option", name="1m", exact=True).click()
    await form.get_by_role("combobox", name="For", exact=True).click()
    await page.get_by_role("option", name="one window", exact=True).click()
    await form.get_by_label("Spans at least").fill("5")
    preview = page.get_by_role("region", name="What it would have done")
    await expect(preview.get_by_text(re.compile("^have fired"))).to_be_visible()
    await form.get_by_role("button", name="Make rule").click()
    await expect(page.get_by_role("region", name="Rules").get_by_text(RULE)).to_be_visible()
