"""Every page of the dashboard, judged by axe-core: WCAG 2.2 A and AA, wide and light, narrow and dark."""

import re
from collections.abc import Sequence
from typing import Any

import pytest
from playwright.async_api import expect

from ingest.query.server import DASHBOARD
from tests.browser.conftest import Visit
from tests.browser.traces import CHECKOUT_ID

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOURCES = DASHBOARD.parent
AXE = SOURCES / "node_modules" / "axe-core" / "axe.min.js"
PAGES = re.findall(
    r'"(\w+)"', re.search(r"export const PAGES = \[(.*?)\]", (SOURCES / "src/view.ts").read_text(), re.S)[1]
)
SCREENS = {"wide, light": (1440, 900, "light"), "narrow, dark": (390, 844, "dark")}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOADING = ".mantine-Skeleton-root"


async def faults(visit: Visit, inside: str = "html", *, but: Sequence[str] = ()) -> list[str]:
    """What axe finds wrong there, by all rules but these, a line for each rule and element."""
    if not AXE.is_file():
        pytest.skip("axe-core is not installed: make page")
    await expect(visit.page.locator(LOADING)).to_have_count(0)
    await visit.page.evaluate(AXE.read_text())
    found: dict[str, Any] = await visit.page.evaluate(
        "([inside, tags, rules]) => axe.run(inside, {runOnly: tags, rules, resultTypes: ['violations']})",
        [inside, RULES, {rule: {"enabled": False} for rule in but}],
    )
    return [
        f"{fault['id']}: {node['html'][:160]} {node['failureSummary']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("page", PAGES)
async def test_a_page_has_no_barrier_that_axe_knows(visit: Visit, page: str, screen: str) -> None:
    width, height, scheme = SCREENS[screen]
    await visit.page.set_viewport_size({"width": width, "height": height})
    await visit.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await visit.open(f"/?page={page}")
    await expect(visit.page.locator("main .panel").first).to_be_visible()
    assert await faults(visit) == []
    # Nothing but what scrolls by itself is wider than the screen.
    assert await visit.page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("screen", SCREENS)
async def test_the_trace_view_has_no_barrier_that_axe_knows(visit: Visit, screen: str) -> None:
    width, height, scheme = SCREENS[screen]
    await visit.page.set_viewport_size({"width": width, "height": height})
    await visit.page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    await visit.open(f"/?trace={CHECKOUT_ID.hex()}")
    await expect(visit.page.get_by_role("dialog")).to_be_visible()
    # A row shows its figures in columns; its name says them as a sentence.
    assert await faults(visit, "[role=dialog]", but=["label-content-name-mismatch"]) == []


async def test_axe_finds_a_barrier_where_there_is_one(visit: Visit) -> None:
    await visit.open()
    await expect(visit.page.locator("main .panel").first).to_be_visible()
    await visit.page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    assert any(fault.startswith("button-name") for fault in await faults(visit))
