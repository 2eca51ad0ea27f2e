"""The distribution: bars on a logarithmic axis, percentiles among them, and a way from each bar to a trace."""

import re

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")


def panel(visit: Visit) -> Locator:
    return visit.page.get_by_role("region", name="Distribution of duration")


async def test_bars_show_how_many_and_percentiles_stand_among_them(visit: Visit) -> None:
    await visit.open()
    bars = panel(visit).get_by_role("option")
    await bars.nth(10).wait_for()
    names = [await bar.get_attribute("aria-label") for bar in await bars.all()]
    assert all(re.fullmatch(r"[\d.]+ m?s – [\d.]+ m?s: \d+, .*%", name or "") for name in names)
    markers = panel(visit).locator(".marker")
    assert [re.sub(r" .*", "", text) for text in await markers.all_inner_texts()] == ["p50", "p75", "p95", "p99"]
    lefts = [(await marker.bounding_box() or {})["x"] for marker in await markers.all()]
    assert lefts == sorted(lefts)
    assert visit.last("histogram")["metric"] == ["duration"]


async def test_the_bar_of_the_chosen_percentile_is_chosen_first(visit: Visit) -> None:
    await visit.open("/?q=0.5")
    chosen = panel(visit).get_by_role("option", selected=True)
    marker = panel(visit).locator(".marker.chosen")
    box, line = await chosen.bounding_box(), await marker.bounding_box()
    assert box
    assert line
    assert box["x"] - 2 <= line["x"] <= box["x"] + box["width"] + 2


async def test_a_click_on_a_bar_offers_traces_of_it_and_one_opens(visit: Visit) -> None:
    await visit.open()
    last = panel(visit).get_by_role("option").last
    await last.click()
    await expect(last).to_have_attribute("aria-selected", "true")
    await panel(visit).get_by_role("button", name=re.compile("open the trace")).first.click()
    await expect(visit.page.get_by_role("dialog")).to_be_visible()
    await expect(visit.page).to_have_url(re.compile(r"trace=[0-9a-f]{32}&span=[0-9a-f]{16}"))


async def test_bars_are_walked_and_a_trace_opened_by_keyboard(visit: Visit) -> None:
    await visit.open()
    bars = panel(visit).get_by_role("listbox")
    await bars.focus()
    await visit.page.keyboard.press("End")
    options = panel(visit).get_by_role("option")
    await expect(options.last).to_have_attribute("aria-selected", "true")
    await visit.page.keyboard.press("ArrowLeft")
    chosen = options.nth(await options.count() - 2)
    await expect(chosen).to_have_attribute("aria-selected", "true")
    await expect(bars).to_have_attribute("aria-activedescendant", await chosen.get_attribute("id") or "")
    await visit.page.keyboard.press("Enter")
    await expect(visit.page.get_by_role("dialog")).to_be_visible()


async def test_filters_and_the_measure_chosen_are_asked_for(visit: Visit) -> None:
    await visit.open("/?metric=tls&version=5.2.1")
    shown = visit.page.get_by_role("region", name="Distribution of TLS")
    await shown.get_by_role("option", name=re.compile("^0 µs: ")).wait_for()
    asked = visit.last("histogram")
    assert (asked["metric"], asked["version"]) == (["tls"], ["5.2.1"])
