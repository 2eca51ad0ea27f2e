"""The alerts page as an app's owner meets it: a rule is made from a view, tried, fires, is silenced and ends."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from ingest.alerts.deliver import Receiver
from ingest.store.database import open_pool
from tests.alerts.stage import Inbox, Stage, inbox, minutes, put, rule, store
from tests.browser.built import require_page
from tests.query import world as seeded
from tests.query.conftest import OWNER, TOKEN, add_apps, serve

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIRST = -30
"""Minutes before the server's time at which the spans begin."""


@dataclass
class Scene:
    """A page over a database of its own, an evaluator of the same, and its receiver."""

    page: Page
    site: str
    pool: "asyncpg.Pool[Any]"
    play: Stage
    ops: Inbox

    async def open(self, path: str, token: str = OWNER) -> None:
        await self.page.goto(f"{self.site}{path}#token={token}")


@pytest_asyncio.fixture(loop_scope="session")
async def scene(browser: Browser, dsn: str) -> AsyncIterator[Scene]:
    require_page()
    pool = await open_pool(dsn, connections=8)
    async with pool.acquire() as one:
        await add_apps(one)
    course = [300] * 20 + [4000] * 10
    await store(pool, minutes(course, first=FIRST, dims={"country": "BR"}), sampled=True)
    await store(pool, minutes([300] * 30, first=FIRST))
    context = await browser.new_context(
        viewport={"width": 1440, "height": 900}, color_scheme="light", locale="en-GB", timezone_id="UTC"
    )
    page = await context.new_page()
    page.set_default_timeout(20_000)
    await page.clock.set_fixed_time(seeded.NOW)
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    async with serve(pool) as client, inbox() as ops:
        site = str(client.make_url("/")).rstrip("/")
        play = Stage(pool, [Receiver("ops", ops.url)], least_sessions=1)
        play.lookups = type(play.lookups)(play.measurer, play.app_name, lambda _: 1, f"{site}/", lambda: seeded.NOW_US)
        await play.states.lead()
        yield Scene(page, site, pool, play, ops)
    await context.close()
    pool.terminate()
    assert faults == []


async def test_a_rule_made_from_a_view_is_tried_and_fires_with_a_link_that_opens_the_view(scene: Scene) -> None:
    page = scene.page
    await scene.open("/?app=shop&country=BR&range=6h")
    await page.get_by_role("button", name="Alert on this view").click()
    form = page.get_by_role("form", name="Rule")
    await expect(form.get_by_text("BR", exact=True)).to_be_visible()
    await form.get_by_label("Name").fill("slow in Brazil")
    await form.get_by_role("combobox", name="Window").click()
    await page.get_by_role("option", name="1m", exact=True).click()
    await form.get_by_role("combobox", name="For", exact=True).click()
    await page.get_by_role("option", name="5m", exact=True).click()
    preview = page.get_by_role("region", name="What it would have done")
    await expect(preview.get_by_text("have fired once", exact=True)).to_be_visible()
    await expect(preview.get_by_role("img", name=re.compile("values over time, 1 firings"))).to_be_visible()
    await form.get_by_role("button", name="Make rule").click()
    rules = page.get_by_role("region", name="Rules")
    await expect(rules.get_by_text("slow in Brazil")).to_be_visible()
    await expect(rules.get_by_text("p95 of requests above 2.00 s")).to_be_visible()
    now = page.get_by_role("region", name="Now")
    await expect(now.get_by_text("Nothing fires")).to_be_visible()

    await scene.play.at(0)
    assert scene.ops.told() == [("firing", "slow in Brazil")]
    await page.reload()
    await expect(now.get_by_text("p95 of requests is 4.03 s, above 2 s")).to_be_visible()
    await expect(now.get_by_text("Examples:").get_by_role("link")).to_have_count(3)

    await page.goto(scene.ops.bodies[0]["dashboard_url"])
    await expect(page.get_by_role("button", name="Country BR")).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("^Remove 11:4"))).to_be_visible()
    await expect(page).to_have_url(re.compile("country=BR"))


async def test_what_fires_is_silenced_with_a_reason_and_the_silence_ended(scene: Scene) -> None:
    page = scene.page
    await put(scene.pool, rule(group_by=["country"], name="slow"))
    await scene.play.at(0)
    await scene.open("/?page=alerts&app=shop")
    now = page.get_by_role("region", name="Now")
    await now.get_by_role("button", name="Silence").click()
    form = page.get_by_role("form", name="Silence")
    await form.get_by_label("Reason").fill("deploying a fix")
    await form.get_by_role("button", name="Silence").click()
    silences = page.get_by_role("region", name="Silences")
    await expect(silences.get_by_text("deploying a fix")).to_be_visible()
    await expect(now.get_by_text("silenced")).to_be_visible()
    await silences.get_by_role("button", name="End now").click()
    await expect(silences.get_by_role("button", name="End now")).to_have_count(0)


async def test_a_rule_is_tested_changed_and_removed(scene: Scene) -> None:
    page = scene.page
    await put(scene.pool, rule(name="slow"))
    await scene.open("/?page=alerts&app=shop")
    await page.get_by_role("button", name="Test slow").click()
    await expect(page.get_by_text("A test is on its way to ops.")).to_be_visible()
    await scene.play.deliver()
    assert [body["status"] for body in scene.ops.bodies] == ["test"]
    await page.get_by_role("button", name="Change slow").click()
    form = page.get_by_role("form", name="Rule")
    await form.get_by_label("Above").fill("9000")
    await expect(
        page.get_by_role("region", name="What it would have done").get_by_text("not have fired", exact=True)
    ).to_be_visible()
    await form.get_by_role("button", name="Save").click()
    await expect(page.get_by_text("p95 of requests above 9.00 s")).to_be_visible()
    await page.get_by_role("button", name="Remove slow").click()
    await page.get_by_role("button", name="Really remove slow").click()
    await expect(page.get_by_text("There is no rule yet.")).to_be_visible()


async def test_a_reader_sees_everything_and_is_offered_no_change(scene: Scene) -> None:
    page = scene.page
    await put(scene.pool, rule(name="slow"))
    await scene.play.at(0)
    await scene.open("/?page=alerts&app=shop", token=TOKEN)
    await expect(page.get_by_role("region", name="Rules").get_by_text("slow", exact=True)).to_be_visible()
    await expect(page.get_by_role("link", name="Open view")).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("New rule|Change|Silence|Remove|Test"))).to_have_count(0)


async def test_the_page_fits_a_phone(scene: Scene) -> None:
    page = scene.page
    await put(scene.pool, rule(name="slow", group_by=["country"]))
    await scene.play.at(0)
    await page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/?page=alerts&app=shop", "/?page=alerts&app=shop&edit=new"):
        await scene.open(path)
        await expect(page.locator("main .panel").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390
