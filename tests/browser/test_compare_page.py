"""Comparing versions, as somebody does who was told that the new one is slow."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import replace

import asyncpg
import numpy as np
import pytest
from playwright.async_api import Locator, expect

from ingest.store.embedded import EmbeddedPostgres
from tests.browser.conftest import Visit
from tests.conftest import create_database
from tests.query import world as seeded
from tests.query.conftest import add_apps

pytestmark = pytest.mark.asyncio(loop_scope="session")

SLOWER_US = 1_200_000
"""In version 5.3.0 every TLS handshake takes so much longer."""


@pytest.fixture(scope="module")
def world_dsn(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database in which version 5.3.0 has slow handshakes, and 5.2.1 nothing of the kind."""
    with asyncio.Runner() as runner:
        yield runner.run(_make(postgres.start(), "browser_compare"))


async def _make(server: str, name: str) -> str:
    dsn = await create_database(server, name)
    world = seeded.make(1, 900, 5400, seed=3)
    slow = (world.dims["version"] == "5.3.0") & (world.metrics["tls"] >= 0)
    metrics = {**world.metrics}
    for metric in ("tls", "duration"):
        metrics[metric] = np.where(slow, metrics[metric] + SLOWER_US, metrics[metric])
    connection = await asyncpg.connect(dsn)
    await add_apps(connection)
    await seeded.store(connection, replace(world, metrics=metrics), np.ones(900, dtype=bool), 1)
    await connection.close()
    return dsn


def verdict(visit: Visit) -> Locator:
    """What is said in words."""
    return visit.page.locator(".verdict")


async def test_two_clicks_say_whether_the_new_version_is_slower_and_in_which_phase(visit: Visit) -> None:
    await visit.open("/?range=6h")
    await visit.page.get_by_role("link", name="Compare 5.3.0 with 5.2.1").click()
    await expect(verdict(visit)).to_contain_text("5.3.0 is slower than 5.2.1 at p95 by 1.")
    await expect(verdict(visit)).to_contain_text(
        re.compile(r"On average 5\.3\.0 takes \d\d\d ms more: all of it in TLS\.")
    )
    await expect(verdict(visit)).to_contain_text("which may be chance")
    phases = visit.page.get_by_role("region", name="In which phase")
    tls = phases.get_by_role("row", name=re.compile("^TLS"))
    await expect(tls.locator(".worse")).to_have_count(2)
    await expect(phases.locator("tbody tr:not(.all) .worse")).to_have_count(2)
    asked = visit.last("compare")
    assert (asked["a.version"], asked["b.version"], asked["at"]) == (["5.2.1"], ["5.3.0"], ["0.95"])


async def test_the_page_suggests_the_two_newest_versions_and_keeps_the_filters(visit: Visit) -> None:
    await visit.open("/?range=6h&country=DE")
    await visit.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Compare").click()
    await expect(verdict(visit)).to_contain_text("5.3.0")
    assert visit.last("compare")["country"] == ["DE"]


async def test_what_may_be_chance_is_said_to_be(visit: Visit) -> None:
    await visit.open("/?page=compare&range=6h&a.version=5.2.0&b.version=5.2.1")
    await expect(verdict(visit)).to_contain_text(re.compile(r"^At p95 no difference beyond chance: [+−].* \(−.* to \+"))
    await expect(visit.page.get_by_role("region", name="Both sides").locator(".worse, .better")).to_have_count(0)


async def test_a_side_is_chosen_by_hand_and_the_address_says_so(visit: Visit) -> None:
    await visit.open("/?page=compare&range=6h&a.version=5.2.1&b.version=5.3.0")
    page = visit.page
    await page.get_by_role("button", name="To: Version").click()
    await page.get_by_role("option", name=re.compile("5.3.0")).click()
    await page.get_by_role("option", name=re.compile("5.2.0")).click()
    await expect(page).to_have_url(re.compile(r"a\.version=5\.2\.1&b\.version=5\.2\.0"))
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("group", name="Side B").locator("strong")).to_have_text("5.2.0")
    await page.get_by_role("button", name="Swap the sides").click()
    await expect(page).to_have_url(re.compile(r"a\.version=5\.2\.0&b\.version=5\.2\.1"))
    await page.go_back()
    await expect(page.get_by_role("group", name="Side A").locator("strong")).to_have_text("5.2.1")


async def test_a_click_on_a_percentile_compares_there(visit: Visit) -> None:
    await visit.open("/?page=compare&range=6h&a.version=5.2.1&b.version=5.3.0")
    await visit.page.get_by_role("region", name="Both sides").get_by_role("button", name="p50").click()
    await expect(verdict(visit)).to_contain_text("at p50")
    assert visit.last("compare")["at"] == ["0.5"]


async def test_both_lines_stand_over_one_another_and_can_be_walked(visit: Visit) -> None:
    await visit.open("/?page=compare&range=6h&a.version=5.2.1&b.version=5.3.0")
    chart = visit.page.get_by_role("group", name="p95 of 5.2.1 and of 5.3.0 over time")
    await chart.focus()
    await visit.page.keyboard.press("ArrowLeft")
    await expect(chart.get_by_role("status")).to_contain_text("5.2.1")
    await expect(chart.get_by_role("status")).to_contain_text("5.3.0")


async def test_the_same_on_both_sides_is_not_asked_and_a_range_before_is_offered(visit: Visit) -> None:
    await visit.open("/?page=compare&range=1h&a.version=5.2.0&b.version=5.2.0")
    await expect(visit.page.get_by_text("Both sides are the same.")).to_be_visible()
    assert "compare" not in [call for call, _ in visit.asked]
    await visit.page.get_by_role("button", name="Compare with the range before").click()
    await expect(verdict(visit)).to_be_visible()
    assert (visit.last("compare")["a.from"], visit.last("compare")["a.to"]) == (["-7200s"], ["-3600s"])


async def test_a_side_of_which_nothing_is_shown_is_named(visit: Visit) -> None:
    await visit.open("/?page=compare&range=6h&a.version=5.2.0&b.version=9.9")
    await expect(verdict(visit)).to_have_text("Nothing to show of 9.9.")
    await expect(visit.page.get_by_role("heading", name="In which phase")).to_have_count(0)
