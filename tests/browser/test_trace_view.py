"""One trace as its reader sees it: who made it wait, how sure its times are, what was folded, where its links lead."""

import re

import pytest
from playwright.async_api import Browser, Locator, expect

from tests.browser.conftest import Visit, ends
from tests.browser.traces import CHECKOUT_ID, FEED_ID, HUGE_ID, PUSH_ID, TORN_DROPPED, TORN_ID, VISIT_ID

pytestmark = pytest.mark.asyncio(loop_scope="session")

MOST_ROWS_IN_PAGE = 60
"""Of a trace of any size: those in sight and a few around them."""


async def opened(visit: Visit, trace_id: bytes, more: str = "") -> Locator:
    """The drawer that shows the trace."""
    await visit.open(f"/?trace={trace_id.hex()}{more}")
    drawer = visit.page.get_by_role("dialog")
    await expect(drawer.get_by_role("tree", name="Waterfall")).to_be_visible()
    return drawer


def chosen(drawer: Locator) -> Locator:
    """The row that the keyboard is on."""
    return drawer.locator("[role=treeitem][aria-selected=true]")


async def test_client_and_backend_stand_on_one_line_with_the_clocks_uncertainty_drawn(visit: Visit) -> None:
    drawer = await opened(visit, CHECKOUT_ID)
    rows = drawer.get_by_role("treeitem")
    names = [re.compile(name) for name in ("Checkout", "POST /orders", "POST /orders.*shop-api", "INSERT.*shop-db")]
    await expect(rows.locator(".span-name")).to_have_text(names)
    request, backend = rows.nth(1), rows.nth(2)
    begin, end = await ends(request.locator(".span-bar"))
    backend_begin, backend_end = await ends(backend.locator(".span-bar"))
    assert begin <= backend_begin < backend_end <= end, "stored four seconds apart, shown one inside the other"
    left, right = await ends(request.locator(".whisker"))
    assert left < begin < right
    await expect(drawer.locator(".of-backend.span-bar")).to_have_count(2)
    await request.click()
    await expect(drawer.get_by_role("complementary")).to_contain_text(
        re.compile(r"start ± 1\d\d ms, grade B, tightened by 1 backend span, moved by \+3\.9\d s")
    )
    await expect(drawer).to_contain_text("before: ± 10.0 s")


async def test_a_row_says_what_it_shows_to_those_who_do_not_see_it(visit: Visit) -> None:
    drawer = await opened(visit, CHECKOUT_ID)
    row = drawer.get_by_role("treeitem", name=re.compile("^INSERT, backend shop-db, failed, 1.00 s, starts at .* ± "))
    await expect(row).to_have_attribute("aria-level", "4")
    await expect(row).to_have_attribute("aria-label", re.compile("on the critical path$"))


async def test_time_to_first_byte_is_split_into_network_and_server(visit: Visit) -> None:
    drawer = await opened(visit, CHECKOUT_ID)
    await expect(drawer.locator(".span-bar .of-server")).to_have_count(1)
    await drawer.get_by_role("treeitem").nth(1).click()
    details = drawer.get_by_role("complementary")
    await expect(details).to_contain_text("Network150 ms · 11\u202f%")
    await expect(details).to_contain_text("Server1.25 s · 89\u202f%")
    await expect(details).to_contain_text("DNSunknown")
    await details.get_by_role("button", name="Server", exact=True).click()
    await expect(chosen(drawer)).to_contain_text("shop-api")


async def test_a_server_slower_than_the_first_byte_leaves_the_network_unknown(visit: Visit) -> None:
    drawer = await opened(visit, TORN_ID)
    details = drawer.get_by_role("complementary")
    await expect(details).to_contain_text("Networkunknown")
    await expect(details).to_contain_text("took longer than the time to first byte")
    await drawer.get_by_role("treeitem", name=re.compile("untimed")).click()
    await expect(details).to_contain_text("TTFBunknown")
    await expect(details).to_contain_text("Server500 µs")


async def test_contradictions_unbounded_starts_and_spans_not_stored_are_said(visit: Visit) -> None:
    drawer = await opened(visit, TORN_ID)
    await expect(drawer).to_contain_text(f"{TORN_DROPPED} spans were not stored: the trace is over its limit.")
    await expect(drawer.get_by_role("treeitem", name=re.compile("its clock contradicts itself"))).to_have_count(2)
    await expect(drawer.locator(".whisker.boundless")).to_have_count(1)
    await drawer.get_by_role("treeitem", name=re.compile("elsewhere")).click()
    await expect(drawer.get_by_role("complementary")).to_contain_text("start unbounded")


async def test_what_the_end_waited_for_is_listed_with_shares_and_leads_to_the_span(visit: Visit) -> None:
    drawer = await opened(visit, CHECKOUT_ID)
    waited = drawer.get_by_role("region", name="What the end waited for")
    shares = [float(text.strip("<%\u202f ")) for text in await waited.locator(".strong.number").all_inner_texts()]
    assert shares == sorted(shares, reverse=True)
    assert 98 < sum(shares) < 102
    first = waited.get_by_role("button").first
    await expect(first).to_contain_text("INSERT")
    await first.click()
    await expect(chosen(drawer)).to_contain_text("INSERT")
    await expect(chosen(drawer).locator(".piece.on-path")).to_be_visible()


async def test_failed_spans_are_listed_to_jump_to(visit: Visit) -> None:
    drawer = await opened(visit, HUGE_ID)
    failed = drawer.get_by_role("region", name="1 error")
    await failed.get_by_role("button").click()
    await expect(chosen(drawer)).to_have_attribute("aria-label", re.compile("^load image, client, failed"))
    await expect(chosen(drawer)).to_be_in_viewport()
    await expect(drawer.get_by_role("treeitem", name=re.compile("^step 150,"))).to_be_attached()


async def test_repeated_siblings_are_one_row_until_they_are_opened_and_fetched(visit: Visit) -> None:
    drawer = await opened(visit, FEED_ID)
    fold = drawer.get_by_role("treeitem", name=re.compile("^400 times GET"))
    await expect(fold).to_have_attribute("aria-expanded", "false")
    await expect(fold).to_contain_text("p95")
    await fold.click()
    await expect(fold).to_have_attribute("aria-expanded", "true")
    await expect(drawer.get_by_role("complementary")).to_contain_text("together2.81 s")
    member = drawer.get_by_role("treeitem", name=re.compile("^GET"))
    await expect(member.first).to_have_attribute("aria-setsize", re.compile("200|2[0-4]."))
    assert await member.count() < MOST_ROWS_IN_PAGE
    await visit.page.keyboard.press("End")
    await expect(chosen(drawer)).to_have_attribute("aria-label", re.compile("more spans$"))
    await visit.page.keyboard.press("Enter")
    await expect(chosen(drawer)).to_have_attribute("aria-label", re.compile("^GET"))
    await expect(member.last).to_have_attribute("aria-setsize", "400")
    await visit.page.keyboard.press("Home")
    await visit.page.keyboard.press("ArrowDown")
    await visit.page.keyboard.press("ArrowLeft")
    await expect(fold).to_have_attribute("aria-expanded", "false")
    await expect(drawer.get_by_role("treeitem")).to_have_count(2)


async def test_the_tree_is_walked_opened_and_closed_with_the_arrow_keys(visit: Visit) -> None:
    drawer = await opened(visit, CHECKOUT_ID)
    keyboard, rows = visit.page.keyboard, drawer.get_by_role("treeitem")
    await expect(drawer.get_by_role("tree")).to_be_focused()
    await keyboard.press("ArrowDown")
    await keyboard.press("ArrowRight")
    await expect(chosen(drawer)).to_contain_text("shop-api")
    await keyboard.press("ArrowLeft")
    await expect(rows).to_have_count(3)
    await keyboard.press("ArrowLeft")
    await expect(chosen(drawer)).to_have_attribute("aria-level", "2")
    await keyboard.press("End")
    await keyboard.press("Enter")
    await expect(rows).to_have_count(4)
    active = await drawer.get_by_role("tree").get_attribute("aria-activedescendant")
    assert active == await chosen(drawer).get_attribute("id")


async def test_a_trace_of_ten_thousand_spans_opens_and_is_walked_to_its_end(visit: Visit) -> None:
    drawer = await opened(visit, HUGE_ID)
    await expect(drawer).to_contain_text(re.compile(r"10.0k spans"))
    keyboard, rows = visit.page.keyboard, drawer.get_by_role("treeitem")
    await expect(drawer.get_by_role("tree")).to_be_focused()
    pages = 0
    while True:
        await keyboard.press("End")
        last = chosen(drawer)
        await expect(last).to_have_attribute("aria-label", re.compile("more spans$|^end 9999,"))
        if "end 9999" in await last.inner_text():
            break
        async with visit.page.expect_response(re.compile("/spans")):
            await keyboard.press("Enter")
        await expect(last).not_to_have_attribute("aria-label", re.compile("more spans"))
        pages += 1
    assert pages > 1
    await expect(chosen(drawer)).to_be_in_viewport()
    assert await rows.count() < MOST_ROWS_IN_PAGE


async def test_links_lead_both_ways_and_out_to_the_tracing_system(visit: Visit) -> None:
    drawer = await opened(visit, CHECKOUT_ID)
    outside = f"https://jaeger.example/trace/{CHECKOUT_ID.hex()}"
    await expect(drawer.get_by_role("link", name="Open in your tracing system")).to_have_attribute("href", outside)
    details = drawer.get_by_role("complementary")
    await drawer.get_by_role("treeitem").nth(1).click()
    await expect(details).to_contain_text("answered by, in this trace")
    await details.get_by_role("button", name="POST /orders", exact=True).click()
    await expect(chosen(drawer)).to_contain_text("shop-api")
    await expect(details.get_by_role("heading", name="Linked from")).to_be_visible()
    await details.get_by_role("button", name="Push opened").click()
    await expect(visit.page).to_have_url(re.compile(f"trace={PUSH_ID.hex()}&span=0000000000000001"))
    await expect(details).to_contain_text("Push opened")
    await details.get_by_role("button", name=CHECKOUT_ID.hex()).click()
    await expect(chosen(drawer)).to_contain_text("shop-api")
    await visit.page.go_back()
    await expect(details).to_contain_text("Push opened")


async def test_an_address_may_name_a_span_that_the_summary_does_not_hold(visit: Visit) -> None:
    drawer = await opened(visit, HUGE_ID, f"&span={9000:016x}")
    await expect(chosen(drawer)).to_have_attribute("aria-label", re.compile("^load image"))
    await expect(chosen(drawer)).to_have_attribute("aria-level", "3")
    await visit.open(f"/?trace={HUGE_ID.hex()}&span={'f' * 16}")
    await expect(drawer.get_by_role("alert")).to_contain_text("no such span")


async def test_how_a_span_came_into_the_sample_is_said(visit: Visit) -> None:
    drawer = await opened(visit, PUSH_ID)
    details = drawer.get_by_role("complementary")
    await expect(details).to_contain_text("5.0\u202f% of those like it; stands for 20 spans")
    await expect(details).to_contain_text("stratumrandom")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_phone_shows_a_trace_without_scrolling_sideways(browser: Browser, visit: Visit, scheme: str) -> None:
    context = await browser.new_context(
        viewport={"width": 390, "height": 844}, color_scheme="dark" if scheme == "dark" else "light"
    )
    visit.page = await context.new_page()
    drawer = await opened(visit, CHECKOUT_ID)
    await expect(drawer.get_by_role("region", name="What the end waited for")).to_be_visible()
    assert await visit.page.evaluate("document.documentElement.scrollWidth") == 390
    tree = drawer.get_by_role("tree")
    assert await tree.evaluate("(tree) => tree.scrollWidth <= tree.clientWidth")
    await context.close()


async def test_exceptions_logs_and_vitals_stand_on_the_bar_and_in_the_details_of_their_span(visit: Visit) -> None:
    drawer = await opened(visit, VISIT_ID)
    row = drawer.get_by_role("treeitem", name=re.compile(r"basket.*1 exception, 1 log record, 1 vital$"))
    marks = row.locator(".moment-mark")
    await expect(marks).to_have_count(3)
    begin, end = await ends(row.locator(".span-bar"))
    left, right = await ends(row.locator(".moment-mark.exception"))
    assert (left + right) / 2 == pytest.approx(begin + (end - begin) * 2 / 3, abs=3)
    details = drawer.get_by_role("complementary")
    await expect(details.get_by_role("region", name="exceptions")).to_contain_text(
        "TypeErrorat 2.00 sbasket is undefined"
    )
    await expect(details.get_by_role("region", name="log records")).to_contain_text("warnat 2.50 sshown without prices")
    await expect(details.get_by_role("region", name="vitals")).to_contain_text("LCPat 1.80 s1.80 s")
    await details.get_by_role("button", name="TypeError").click()
    await expect(chosen(drawer)).to_contain_text("TypeError")
    await expect(chosen(drawer).locator(".moment-mark.alone")).to_have_count(1)
