"""From a session to its traces, and back."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import Visit
from tests.browser.traces import VISIT_ID, VISITOR

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_recent_sessions_open_as_timelines(visit: Visit) -> None:
    await visit.open("/?range=6h")
    await visit.page.get_by_role("navigation", name="Pages").get_by_role("link", name="Sessions").click()
    sessions = visit.page.get_by_role("region", name="Recent sessions")
    await expect(sessions.locator("tbody tr")).to_have_count(50)
    await sessions.get_by_role("radiogroup", name="Which sessions").get_by_text("With errors").click()
    await expect(sessions.locator("tbody tr").first.locator(".badge-bad")).to_be_visible()
    assert visit.last("sessions")["errors"] == ["true"]
    await sessions.locator("tbody tr").first.get_by_role("button").click()
    await expect(visit.page.get_by_role("list", name="Timeline")).to_be_visible()
    await visit.page.get_by_role("button", name="All sessions").click()
    await expect(sessions).to_be_visible()


async def test_a_timeline_shows_what_the_session_saw_in_its_order_with_what_went_wrong(visit: Visit) -> None:
    await visit.open(f"/?page=sessions&session={VISITOR}")
    timeline = visit.page.get_by_role("list", name="Timeline")
    await expect(timeline.locator(".session-kind")).to_have_text(
        ["page load", "LCP", "request", "exception", "event", "request"]
    )
    await expect(timeline.get_by_text("later")).to_have_text("118 s later")
    await expect(
        timeline.get_by_role("button", name=re.compile(r"^exception, TypeError, \+2\.00 s ± 15\.0 ms"))
    ).to_be_visible()
    await expect(visit.page.get_by_text("One clock. 6 spans: starts ± 15.0 ms, grade B")).to_be_visible()
    await expect(visit.page.get_by_text("6 sampled spans in 2 traces, 2 failed")).to_be_visible()


async def test_a_moment_opens_in_its_trace_and_the_trace_leads_back_to_its_session(visit: Visit) -> None:
    await visit.open(f"/?page=sessions&session={VISITOR}")
    page = visit.page
    await page.get_by_role("button", name=re.compile("^exception, TypeError")).click()
    drawer = page.get_by_role("dialog")
    await expect(drawer.locator("[role=treeitem][aria-selected=true]")).to_contain_text("TypeError")
    await drawer.get_by_role("button", name="Close the trace").click()
    await expect(page.get_by_role("list", name="Timeline")).to_be_visible()
    await visit.open(f"/?trace={VISIT_ID.hex()}")
    await drawer.get_by_role("button", name=f"What session {VISITOR[:8]} saw").click()
    await expect(page).to_have_url(re.compile(f"page=sessions&session={VISITOR}$"))
    await expect(page.get_by_role("list", name="Timeline")).to_be_visible()


async def test_a_session_that_is_not_there_says_what_may_have_become_of_it(visit: Visit) -> None:
    await visit.open(f"/?page=sessions&session={'f' * 20}")
    await expect(visit.page.get_by_role("alert")).to_contain_text("The sample holds no span of this session")
