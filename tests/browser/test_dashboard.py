"""The dashboard as its users meet it."""

import re
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from ingest.decode.native import decode_native
from ingest.settings import Limits
from tests.browser.conftest import Visit
from tests.query.conftest import CLIENT_KEY, OPERATOR, OTHER_TOKEN, TOKEN

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_page_shows_figures_for_the_last_hour(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    await expect(page.get_by_role("group", name=re.compile("^Duration over time: p50 .* spans"))).to_be_visible()
    await expect(page.get_by_role("region", name="Phases at p95").get_by_role("row")).to_have_count(11)
    routes = page.get_by_role("region", name="Routes by impact")
    await expect(routes.get_by_role("button", name="GET api.shop.example/orders/{id}")).to_be_visible()
    await expect(
        page.get_by_role("region", name="Recent traces").get_by_role("button", name="Open trace")
    ).to_have_count(50)
    await expect(page.get_by_text("exact", exact=False).first).to_be_visible()
    assert visit.last("overview")["from"] == ["-1h"]


async def test_the_token_leaves_the_address_bar_and_goes_along_with_the_tab(visit: Visit) -> None:
    await visit.open("/?range=6h")
    await expect(visit.page.get_by_role("heading", name="Trend")).to_be_visible()
    assert visit.page.url == visit.site + "/?range=6h"
    await visit.page.reload()
    await expect(visit.page.get_by_role("heading", name="Trend")).to_be_visible()


async def test_without_a_token_the_page_asks_for_one(visit: Visit) -> None:
    await visit.open(token=None)
    page = visit.page
    await page.get_by_label("Token").first.fill(TOKEN)
    await page.get_by_role("button", name="Open the dashboard").click()
    await expect(page.get_by_role("heading", name="Trend")).to_be_visible()


@pytest.mark.parametrize("token", ["fh_tok_stale", CLIENT_KEY])
async def test_a_token_that_does_not_read_is_refused_and_another_can_be_given(visit: Visit, token: str) -> None:
    await visit.open(token=token)
    page = visit.page
    await expect(page.get_by_text(re.compile("This (token|key) "))).to_be_visible()
    await page.get_by_label("Token").first.fill(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Trend")).to_be_visible()


async def test_the_percentile_selector_drives_every_panel(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    await expect(page.get_by_role("heading", name="Phases at p95")).to_be_visible()
    await page.get_by_text("p50", exact=True).first.click()
    await expect(page.get_by_role("heading", name="Phases at p50")).to_be_visible()
    await expect(page.get_by_role("columnheader", name="p50", exact=True)).to_be_visible()
    await expect(page.get_by_text("Slower than p50")).to_be_visible()
    assert visit.last("phases")["q"] == visit.last("routes")["q"] == ["0.5"]
    assert page.url.endswith("?q=0.5")


async def test_filters_ask_every_panel_anew_and_stand_in_the_address(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    await page.get_by_role("button", name="Version").click()
    await page.get_by_role("option", name="5.2.0").click()
    await page.get_by_role("option", name="5.3.0").click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Version 5.2.0 +1")).to_be_visible()
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    for call in ("overview", "phases", "routes", "traces"):
        assert visit.last(call)["version"] == ["5.2.0", "5.3.0"], call
    assert page.url.endswith("?version=5.2.0&version=5.3.0")
    await page.go_back()
    await expect(page.get_by_role("button", name="Version 5.2.0", exact=True)).to_be_visible()
    await page.get_by_role("button", name="Clear filters").click()
    await expect(page).to_have_url(visit.site + "/")


async def test_a_shared_address_shows_the_same_view(visit: Visit) -> None:
    await visit.open("/?range=24h&q=0.99&metric=dns&network=wifi&country=DE")
    page = visit.page
    await expect(page.get_by_role("group", name=re.compile("^DNS over time"))).to_be_visible()
    await expect(page.get_by_role("button", name="Country Germany (DE)")).to_be_visible()
    asked = visit.last("overview")
    assert (asked["from"], asked["metric"], asked["network"], asked["country"]) == (["-24h"], ["dns"], ["wifi"], ["DE"])


async def test_a_click_on_a_route_narrows_the_page_to_it(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    await page.get_by_role("button", name="GET api.shop.example/cart").click()
    await expect(page.get_by_role("button", name="Remove GET api.shop.example/cart")).to_be_visible()
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert visit.last("phases")["route"] == ["GET api.shop.example/cart"]


async def test_what_no_view_covers_is_shown_as_estimated_with_its_interval(visit: Visit) -> None:
    await visit.open("/?version=5.2.0&route=GET+api.shop.example/cart&network=wifi")
    await expect(visit.page.get_by_text("estimated").first).to_be_visible(timeout=20_000)
    await expect(visit.page.get_by_text("Not compared: these are estimates.")).to_be_visible()
    await expect(visit.page.get_by_title("95 % interval of the estimate").first).to_be_visible()
    spans = visit.page.locator(".figure", has=visit.page.get_by_text("Requests", exact=True))
    await expect(spans).to_have_text(re.compile(r"^Requests≈\s\d+ – \d+$"))


async def test_dragging_over_the_chart_looks_closer(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    box = await page.locator(".plot .u-over").bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + 40)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 40, steps=4)
    await page.mouse.up()
    await expect(page).to_have_url(re.compile(r"\?from=2026-03-01T11.*&to=2026-03-01T11"))
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert visit.last("routes")["to"][0].startswith("2026-03-01T11")


async def test_the_chart_can_be_read_by_keyboard(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    await page.get_by_role("group", name=re.compile("^Duration over time")).focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await expect(page.locator(".reading")).to_contain_text("spans")


async def test_a_trace_opens_with_its_phases_and_the_attributes_of_the_span_chosen(visit: Visit) -> None:
    await visit.open("/?version=5.2.0")
    page = visit.page
    await page.get_by_role("button", name="Open trace").first.click()
    drawer = page.get_by_role("dialog")
    await expect(drawer.get_by_role("tree", name="Waterfall")).to_be_visible()
    rows = drawer.get_by_role("treeitem")
    await expect(rows).to_have_count(3)
    await rows.nth(1).click()
    await expect(rows.nth(1)).to_have_attribute("aria-selected", "true")
    title = re.search(r"span \d+", await rows.nth(1).inner_text())
    assert title
    details = drawer.get_by_role("complementary")
    await expect(details.get_by_role("heading", level=3)).to_contain_text(title[0])
    await expect(details).to_contain_text("screen.id")
    await expect(details).to_contain_text("start ± 12.0 ms, grade A")
    await expect(details).to_contain_text("grade A: anchored both ways")
    await page.keyboard.press("Escape")
    await expect(drawer).to_have_count(0)
    assert "trace=" not in page.url


async def test_a_trace_opens_by_its_id_and_one_that_is_gone_says_so(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    field = page.get_by_label("Open a trace by its id")
    await field.fill("not an id")
    await expect(page.get_by_text("A trace id has 32 hexadecimal digits.")).to_be_visible()
    await field.fill("ab" * 16)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("no span of this trace")


async def test_traces_can_be_narrowed_to_errors_and_to_slow_ones(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    traces = page.get_by_role("region", name="Recent traces")
    await traces.get_by_text("Errors", exact=True).click()
    await expect(traces.get_by_text(re.compile(r"^(error|\d errors)$")).first).to_be_visible()
    assert visit.last("traces")["errors"] == ["true"]
    await traces.get_by_text("Slower than p95").click()
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    assert int(visit.last("traces")["min_ms"][0]) > 100


async def test_light_and_dark_follow_the_system_and_the_button(browser: Browser, visit: Visit) -> None:
    context = await browser.new_context(color_scheme="dark")
    page = await context.new_page()
    await page.goto(f"{visit.site}/#token={TOKEN}")
    root = page.locator("html")
    await expect(root).to_have_attribute("data-mantine-color-scheme", "dark")
    await page.get_by_role("button", name="Light colours").click()
    await expect(root).to_have_attribute("data-mantine-color-scheme", "light")
    await page.reload()
    await expect(root).to_have_attribute("data-mantine-color-scheme", "light")
    await context.close()


async def test_live_refresh_asks_again_and_rests_while_the_page_is_hidden(visit: Visit) -> None:
    page = visit.page
    await page.clock.install()
    await visit.open("/?live=1")
    await expect(page.get_by_role("heading", name="Trend")).to_be_visible()

    def asked() -> int:
        return sum(path == "overview" for path, _ in visit.asked)

    before = asked()
    async with page.expect_request(re.compile("/overview")):
        await page.clock.run_for(10_000)
    assert asked() == before + 1
    await page.evaluate(
        """() => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => window.away });
            window.away = true;
            document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    await page.clock.run_for(60_000)
    assert asked() == before + 1
    async with page.expect_request(re.compile("/overview")):
        await page.evaluate("() => { window.away = false; document.dispatchEvent(new Event('visibilitychange')); }")


async def test_an_app_without_spans_is_shown_the_command_that_sends_one(visit: Visit) -> None:
    await visit.open(token=OTHER_TOKEN)
    page = visit.page
    await expect(page.get_by_role("heading", name="No spans from other")).to_be_visible()
    command = await page.locator("pre").inner_text()
    body = re.search(r"-d '(.*)'", command, re.DOTALL)
    assert body is not None
    decoded = decode_native([body[1].encode()], Limits())
    assert not decoded.faults
    assert decoded.batch.spans.phases_us[:, 0].tolist() == [-1, 2000, 23000, 31000, 44000, 1000, 92000, 21000]
    assert f"http://{page.url.split('/')[2].split(':')[0]}:4318/v1/batches" in command


async def test_filters_that_match_nothing_offer_the_way_back(visit: Visit) -> None:
    await visit.open("/?version=9.9.9")
    page = visit.page
    await page.get_by_role("button", name="Clear all filters").click()
    await expect(page.get_by_role("heading", name="Trend")).to_be_visible()


async def test_an_operator_chooses_among_apps(visit: Visit) -> None:
    await visit.open("/?app=shop", token=OPERATOR)
    page = visit.page
    await expect(page.get_by_role("heading", name="Trend")).to_be_visible()
    await page.get_by_role("combobox", name="App").click()
    await page.get_by_role("option", name="other").click()
    await expect(page.get_by_role("heading", name="No spans from other")).to_be_visible()


async def test_a_server_that_is_gone_is_named_and_asked_again(visit: Visit, site: Any) -> None:
    await visit.open()
    page = visit.page
    await expect(page.get_by_role("heading", name="Phases at p95")).to_be_visible()
    await expect(page.locator("[aria-busy=true]")).to_have_count(0)
    await site.close()
    await page.get_by_text("p99", exact=True).first.click()
    await expect(page.get_by_role("alert").first).to_contain_text("The query server does not answer")
    before = len(visit.asked)
    await page.get_by_role("button", name="Try again").first.click()
    await expect(page.get_by_role("alert").first).to_be_visible()
    assert len(visit.asked) > before


async def test_a_phone_shows_everything_without_scrolling_sideways(visit: Visit) -> None:
    await visit.page.set_viewport_size({"width": 390, "height": 844})
    await visit.open()
    await expect(visit.page.get_by_role("heading", name="Recent traces")).to_be_visible()
    await expect(visit.page.locator("[aria-busy=true]")).to_have_count(0)
    assert await visit.page.evaluate("document.documentElement.scrollWidth") == 390
