"""The overview as its users go about it."""

import re

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")

CART = "GET api.shop.example/cart"


async def calm(visit: Visit) -> None:
    """Returns when every panel shows what was asked for last."""
    await expect(visit.page.locator("[aria-busy=true]")).to_have_count(0, timeout=20_000)


async def names(routes: Locator) -> list[str]:
    """Routes in the order in which they are listed."""
    found = await routes.get_by_role("rowheader").all_inner_texts()
    return [" ".join(text.split()) for text in found]


async def test_a_page_load_takes_seven_calls(visit: Visit) -> None:
    await visit.open()
    await expect(visit.page.get_by_role("heading", name="Recent traces")).to_be_visible()
    await calm(visit)
    calls = ["apps", "health", "histogram", "overview", "phases", "routes", "traces"]
    assert sorted(call for call, _ in visit.asked) == calls


async def test_old_links_to_the_latency_page_still_open(visit: Visit) -> None:
    await visit.open("/?page=latency&q=0.5")
    await expect(visit.page.get_by_role("heading", name="Phases at p50")).to_be_visible()
    await expect(visit.page.get_by_role("link", name="Overview")).to_have_attribute("aria-current", "page")


async def test_the_target_drives_apdex_and_impact_and_stands_in_the_address(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    target = page.get_by_label("Target")
    await target.fill("100")
    await target.press("Enter")
    await expect(page.get_by_text("Apdex, target 100 ms")).to_be_visible()
    await expect(page.get_by_text("the time users waited beyond 100 ms")).to_be_visible()
    await calm(visit)
    assert visit.last("overview")["target_ms"] == visit.last("routes")["target_ms"] == ["100"]
    assert page.url.endswith("?target=100")
    await target.fill("soon")
    await target.press("Enter")
    assert page.url.endswith("?target=100"), "what is no time is not taken"
    await expect(target).to_have_attribute("aria-invalid", "true")


async def test_history_that_is_missing_is_said_and_nothing_is_compared(visit: Visit) -> None:
    # The world began 90 minutes ago: the hour before the last is not whole, the quarter before is.
    await visit.open()
    page = visit.page
    await expect(page.locator(".compared")).to_contain_text(re.compile("Not compared with .*: data begin"))
    await calm(visit)
    await expect(page.locator(".delta")).to_have_count(0)
    await page.get_by_text("15m", exact=True).click()
    await expect(page.locator(".compared")).to_contain_text(re.compile("^Compared with"))
    await expect(page.locator(".delta").first).to_be_visible()


async def test_a_phase_can_be_seen_over_time(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    await page.get_by_role("region", name="Phases at p95").get_by_role("button", name="DNS").click()
    await expect(page.get_by_role("group", name=re.compile("^DNS over time"))).to_be_visible()
    assert visit.last("overview")["metric"] == ["dns"]


async def test_a_stretch_of_the_trend_is_chosen_by_keyboard(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    await page.get_by_role("group", name=re.compile("^Duration over time")).focus()
    for _ in range(10):
        await page.keyboard.press("ArrowLeft")
    for _ in range(5):
        await page.keyboard.press("Shift+ArrowLeft")
    await page.keyboard.press("Enter")
    # Six points of a minute.
    await expect(page).to_have_url(re.compile(r"from=2026-03-01T11%3A45.*to=2026-03-01T11%3A51"))


async def test_routes_are_sorted_and_found_and_both_can_be_shared(visit: Visit) -> None:
    await visit.open("/?target=1")
    page = visit.page
    routes = page.get_by_role("region", name="Routes by impact")
    await expect(routes.get_by_role("rowheader")).to_have_count(4)
    await routes.get_by_role("button", name="Requests").click()
    await expect(routes.get_by_role("columnheader", name="Requests")).to_have_attribute("aria-sort", "descending")
    counts = [int(text) for text in await routes.locator("tbody td:nth-child(2)").all_inner_texts()]
    assert counts == sorted(counts, reverse=True)
    await routes.get_by_label("Find a route").fill("cart")
    await expect(routes.get_by_role("rowheader")).to_have_count(1)
    assert page.url.endswith("?target=1&sort=spans&find=cart")
    await page.reload()
    await expect(routes.get_by_role("rowheader")).to_have_count(1)
    await routes.get_by_label("Find a route").fill("nowhere")
    await expect(routes.get_by_text("None of 4 routes holds these words.")).to_be_visible()


async def test_every_route_has_a_line_that_is_read_out(visit: Visit) -> None:
    await visit.open()
    lines = visit.page.get_by_role("region", name="Routes by impact").get_by_role("img")
    await expect(lines).to_have_count(4)
    await expect(lines.first).to_have_accessible_name(re.compile(r"^p95 over time: from .* to .*, at most "))


async def test_a_route_is_looked_into_and_the_next_one_is_a_click_away(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    routes = page.get_by_role("region", name="Routes by impact")
    await routes.get_by_role("button", name=CART).click()
    details = page.get_by_role("group", name=f"{CART} in detail")
    await expect(details.get_by_role("region")).to_have_count(3)
    await calm(visit)
    assert visit.last("values")["route"] == visit.last("phases")["route"] == [CART]
    await expect(routes.get_by_role("rowheader")).to_have_count(4)
    await details.get_by_role("button", name="5.2.1").click()
    await expect(page).to_have_url(re.compile("version=5.2.1"))
    await routes.get_by_role("button", name="GET api.shop.example/search").click()
    await expect(page.get_by_role("group", name="GET api.shop.example/search in detail")).to_be_visible()


async def test_what_failed_is_shown_by_kind_and_where_it_comes_from(visit: Visit) -> None:
    await visit.open()
    failures = visit.page.get_by_role("region", name="Failures")
    await expect(failures).to_contain_text(re.compile(r"Estimated from \d+ sampled failures"))
    await expect(failures.get_by_role("rowheader").first).to_be_visible()


@pytest.mark.parametrize("width", [390, 820])
async def test_narrow_screens_do_not_scroll_sideways(visit: Visit, width: int) -> None:
    await visit.page.set_viewport_size({"width": width, "height": 844})
    await visit.open(f"/?route={CART.replace(' ', '+')}")
    await expect(visit.page.get_by_role("heading", name="Recent traces")).to_be_visible()
    await calm(visit)
    assert await visit.page.evaluate("document.documentElement.scrollWidth") == width
