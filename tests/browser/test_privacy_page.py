"""The privacy page as those who answer for an app meet it."""

import re
import time
from pathlib import Path

import aiohttp
import pytest
from playwright.async_api import Browser, expect

from client_sdk_spec import encoder
from tests.browser.built import require_page
from tests.browser.conftest import Visit
from tests.query.conftest import OTHER_TOKEN
from tests.service import running_service

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_privacy_page_is_a_click_away_and_back(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    pages = page.get_by_role("navigation", name="Pages")
    await expect(pages.get_by_role("link", name="Overview")).to_have_attribute("aria-current", "page")
    await pages.get_by_role("link", name="Privacy").click()
    await expect(page).to_have_url(visit.site + "/?page=privacy")
    await expect(page.get_by_role("heading", name="What was scrubbed")).to_be_visible()
    await expect(pages.get_by_role("link", name="Privacy")).to_have_attribute("aria-current", "page")
    await page.go_back()
    await expect(page.get_by_role("heading", name="Trend")).to_be_visible()


async def test_each_rule_says_what_it_is_and_how_often_it_replaced_something(visit: Visit) -> None:
    await visit.open("/?page=privacy&range=6h")
    rules = visit.page.get_by_role("region", name="What was scrubbed")
    rows = rules.locator("tbody tr")
    await expect(rows).to_have_text(
        [
            re.compile(r"^All rules 49$"),
            re.compile(r"^E-mail addresses.*42$"),
            re.compile(r"^Payment cards.*check digit is right\.4$"),
            re.compile(r"^loyalty card.*3$"),
        ]
    )
    await expect(
        rules.get_by_role("img", name=re.compile("^E-mail addresses over time; most, 30, from"))
    ).to_be_visible()


async def test_the_range_is_asked_for_and_filters_of_spans_are_not_offered(visit: Visit) -> None:
    await visit.open("/?page=privacy&version=5.2.0")
    page = visit.page
    await expect(page.get_by_role("heading", name="What was scrubbed")).to_be_visible()
    await expect(page.get_by_role("button", name="Version")).to_have_count(0)
    await page.get_by_text("15m", exact=True).click()
    await expect(page.get_by_role("row", name=re.compile("^All rules 19"))).to_be_visible()
    assert visit.last("privacy") == {"app": ["shop"], "from": ["-15m"]}


async def test_what_consent_kept_out_is_shown_beside_the_rest(visit: Visit) -> None:
    await visit.open("/?page=privacy")
    consent = visit.page.get_by_role("region", name="Consent")
    await expect(consent.locator("tbody tr")).to_have_text(
        [
            re.compile(r"^Treated as consented.*89089.?%$"),
            re.compile(r"^Counted without identifiers.*808\.0.?%$"),
            re.compile(r"^Not taken in.*303\.0.?%$"),
        ]
    )


async def test_the_policy_in_force_is_named_dated_and_quoted(visit: Visit) -> None:
    await visit.open("/?page=privacy")
    policy = visit.page.get_by_role("region", name="Policy in force")
    await expect(policy).to_contain_text("This app’s own")
    await expect(policy.get_by_title("2026-02-27T09:30:00Z")).to_be_visible()
    await expect(policy.get_by_label("Text of the policy")).to_have_text('[actions]\nemail = "hash"')


@pytest.mark.parametrize("site", [12], indirect=True)
async def test_what_is_left_out_for_too_few_sessions_is_said_with_its_reason(visit: Visit) -> None:
    await visit.open()
    trend = visit.page.get_by_role("region", name="Trend")
    left_out = trend.get_by_text(re.compile(r"^\d+ left out$"))
    await expect(left_out).to_be_visible()
    await left_out.focus()
    await expect(visit.page.get_by_role("tooltip")).to_contain_text("with fewer than 12 sessions")


@pytest.mark.parametrize("site", [5000], indirect=True)
async def test_an_app_with_too_few_sessions_says_from_how_many_figures_appear(visit: Visit) -> None:
    await visit.open()
    page = visit.page
    await expect(page.get_by_text("Figures appear from 5000 sessions.")).to_be_visible()
    await expect(page.get_by_role("region", name="Trend")).to_have_count(0)
    await visit.open("/?version=5.2.0")
    await expect(page.get_by_text("No figures with these filters.")).to_be_visible()
    await page.get_by_role("button", name="Clear all filters").click()
    await expect(page.get_by_text("Figures appear from 5000 sessions.")).to_be_visible()
    await page.get_by_role("link", name="Privacy").click()
    await expect(page.get_by_text("shown from 5000 distinct sessions on")).to_be_visible()


async def test_an_app_that_sent_nothing_is_told_how_to_see_scrubbing_at_work(visit: Visit) -> None:
    await visit.open("/?page=privacy", token=OTHER_TOKEN)
    page = visit.page
    await expect(page.get_by_text("No spans from other in this time range.")).to_be_visible()
    await expect(page.get_by_text("firsthop privacy explain TEXT")).to_be_visible()
    await expect(page.get_by_text("The built-in one: no policy has been given")).to_be_visible()
    await page.get_by_role("button", name="Look at the last 30 days").click()
    await expect(page).to_have_url(visit.site + "/?page=privacy&range=30d")


async def test_a_phone_shows_the_privacy_page_without_scrolling_sideways(visit: Visit) -> None:
    await visit.page.set_viewport_size({"width": 390, "height": 844})
    await visit.open("/?page=privacy&range=24h")
    await expect(visit.page.get_by_role("row", name=re.compile("^All rules"))).to_be_visible()
    assert await visit.page.evaluate("document.documentElement.scrollWidth") == 390


async def test_what_a_client_sends_shows_by_rule_and_its_value_nowhere(browser: Browser, tmp_path: Path) -> None:
    require_page()
    span = {
        "trace_id": "1" * 32,
        "span_id": "2" * 16,
        "name": "GET /orders",
        "url": "https://api.shop.example/orders?email=jane.roe@example.org",
        "start_us": time.time_ns() // 1000 - 1_000_000,
        "duration_us": 120_000,
        "attributes": {"note": "mail jane.roe@example.org"},
    }
    body = encoder.encode({"id": "3" * 32, "resource": {}, "clock": {"kind": "wall"}, "spans": [span]})
    async with running_service(tmp_path) as service, aiohttp.ClientSession() as session:
        headers = {"x-api-key": service.client_key}
        async with session.post(f"{service.edge}/v1/batches", data=body, headers=headers) as answer:
            assert answer.status == 202
        await service.drained()
        page = await browser.new_page()
        await page.goto(f"{service.query}/?page=privacy#token={service.token}")
        await expect(
            page.get_by_role("row", name=re.compile("^E-mail addresses email In any encoding. [1-9]"))
        ).to_be_visible()
        assert "jane.roe" not in await page.content()
        await page.close()
