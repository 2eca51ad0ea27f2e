"""The page of data quality as those who answer for an app meet it."""

import asyncio
import re
from collections.abc import Iterator

import asyncpg
import numpy as np
import pytest
from playwright.async_api import expect

from ingest.store.embedded import EmbeddedPostgres
from tests.browser.conftest import Visit
from tests.conftest import create_database
from tests.query import world as seeded
from tests.query.conftest import OTHER_TOKEN, add_apps

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEDGER = """
    INSERT INTO ledger (app_id, hour_at, outcome, part, spans) VALUES
    (1, '2026-03-01 09:00Z', 'received', 1, 40000), (1, '2026-03-01 09:00Z', 'kept', 1, 9000),
    (1, '2026-03-01 09:00Z', 'counted_only', 1, 31000),
    (1, '2026-03-01 10:00Z', 'received', 1, 60000), (1, '2026-03-01 10:00Z', 'kept', 1, 11000),
    (1, '2026-03-01 10:00Z', 'counted_only', 1, 44000), (1, '2026-03-01 10:00Z', 'rejected:future', 1, 1100),
    (1, '2026-03-01 10:00Z', 'rejected:too_old', 1, 300), (1, '2026-03-01 10:00Z', 'duplicate', 1, 1200),
    (1, '2026-03-01 10:00Z', 'counted_no_consent', 1, 2400),
    (1, '2026-03-01 10:00Z', 'client:queue_overflow', 1, 2100), (1, '2026-03-01 10:00Z', 'client:sampled', 1, 900),
    (1, '2026-03-01 10:00Z', 'client:expired', 1, 120),
    (1, '2026-03-01 09:00Z', 'noted:clock_a', 1, 40000), (1, '2026-03-01 10:00Z', 'noted:clock_a', 1, 30000),
    (1, '2026-03-01 10:00Z', 'noted:clock_b', 1, 11000), (1, '2026-03-01 10:00Z', 'noted:clock_c', 1, 500),
    (1, '2026-03-01 10:00Z', 'noted:clock_e', 1, 14600), (1, '2026-03-01 10:00Z', 'noted:clock_f', 1, 2500),
    (1, '2026-03-01 10:00Z', 'noted:repaired_faro_tcp_with_tls', 1, 5200),
    (1, '2026-03-01 10:00Z', 'noted:repaired_faro_opaque', 1, 3100),
    (1, '2026-03-01 10:00Z', 'noted:phases_exceed', 1, 41), (1, '2026-03-01 10:00Z', 'noted:load_unfinished', 1, 330),
    (1, '2026-03-01 10:00Z', 'noted:stratum_thinned', 1, 700),
    (2, '2026-03-01 10:00Z', 'received', 1, 100), (2, '2026-03-01 10:00Z', 'kept', 1, 60);
    INSERT INTO scrub_count (app_id, hour_at, rule, part, finds) VALUES
    (1, '2026-03-01 10:00Z', 'email', 1, 30), (1, '2026-03-01 10:00Z', 'card', 1, 4)
"""


@pytest.fixture(scope="session")
def world_dsn(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database in which the app `shop` has a full ledger, and that of the app `other` does not close."""
    with asyncio.Runner() as runner:
        yield runner.run(_make(postgres.start(), "quality_world"))


async def _make(server: str, name: str) -> str:
    dsn = await create_database(server, name)
    connection = await asyncpg.connect(dsn)
    await add_apps(connection)
    await seeded.store(connection, seeded.make(1, 600, 5400, seed=5), np.ones(600, dtype=bool), 1)
    await connection.execute(LEDGER)
    await connection.close()
    return dsn


PATH = "/?page=quality&from=2026-03-01T09%3A00%3A00Z&to=2026-03-01T11%3A00%3A00Z"


async def test_one_line_says_whether_the_figures_can_be_trusted_and_why_not(visit: Visit) -> None:
    await visit.open(PATH)
    band = visit.page.get_by_role("region", name="Verdict")
    await expect(band.get_by_role("heading")).to_have_text("These figures can be trusted, with care.")
    await expect(band.locator("li")).to_have_text(
        [
            re.compile("^1.4.% of what arrived was refused .* “in the future”"),
            re.compile("^Clients say that they lost 2.2.% before it arrived, most of it as “queue full”"),
        ]
    )


async def test_the_ledger_says_how_spans_ended_and_what_to_do_about_refusals(visit: Visit) -> None:
    await visit.open(PATH)
    ledger = visit.page.get_by_role("region", name="Ledger")
    await expect(ledger.get_by_text("● closes")).to_be_visible()
    await expect(ledger.locator(".equation")).to_have_text(
        re.compile("^Whole range100k received = 20.0k kept \\+ 75.0k counted \\+ 2.400 counted without .* refused$")
    )
    row = ledger.get_by_role("row", name=re.compile("^In the future"))
    await expect(row).to_contain_text("Send the stamps of the clock with each attempt")
    await expect(row).to_contain_text("1.1")


async def test_arrow_keys_walk_along_the_hours_and_check_each_sum(visit: Visit) -> None:
    await visit.open(PATH)
    ledger = visit.page.get_by_role("region", name="Ledger")
    await ledger.get_by_role("group", name=re.compile("^Spans by the hour")).focus()
    await visit.page.keyboard.press("ArrowRight")
    await expect(ledger.locator(".equation")).to_contain_text("40.0k received = 9\u202f000 kept + 31.0k counted")
    await visit.page.keyboard.press("ArrowRight")
    await expect(ledger.locator(".equation")).to_contain_text("60.0k received = ")
    await visit.page.keyboard.press("Escape")
    await expect(ledger.locator(".equation")).to_contain_text("Whole range")


async def test_a_ledger_that_does_not_close_is_told_before_anything_else(visit: Visit) -> None:
    await visit.open(PATH, token=OTHER_TOKEN)
    band = visit.page.get_by_role("region", name="Verdict")
    await expect(band.get_by_role("heading")).to_have_text("These figures are not to be trusted as they are.")
    await expect(band.locator("li").first).to_contain_text("The ledger does not close: 40 spans")
    await expect(visit.page.get_by_text("does not close in 1 hour")).to_be_visible()


async def test_clock_grades_drops_repairs_and_unknown_phases_each_have_their_words(visit: Visit) -> None:
    await visit.open(PATH)
    page = visit.page
    clocks = page.get_by_role("region", name="When spans began")
    await expect(clocks.get_by_role("img")).to_have_attribute(
        "aria-label", re.compile("^A 71.%, B 11.%, C 0.5.%, D 0.%")
    )
    await expect(clocks.get_by_role("row", name=re.compile("^E, wall clock"))).to_contain_text("send stamp")
    drops = page.get_by_role("region", name="Dropped by clients")
    await expect(drops.get_by_role("row", name=re.compile("^Sampled away"))).to_contain_text("meant")
    notes = page.get_by_role("region", name="Noticed and put right")
    await expect(notes.get_by_role("row", name=re.compile("^Hidden timing written as 0"))).to_contain_text(
        "Timing-Allow-Origin"
    )
    unknown = page.get_by_role("region", name="Unknown phases")
    await expect(unknown.get_by_role("columnheader")).to_have_text(["Phase", "All", re.compile("."), re.compile(".")])
    await expect(unknown.get_by_role("row", name=re.compile("^TTFB"))).to_be_visible()


async def test_what_was_scrubbed_is_counted_here_and_explained_on_the_page_of_privacy(visit: Visit) -> None:
    await visit.open(PATH)
    page = visit.page
    await expect(page.get_by_role("region", name="Scrubbed").get_by_role("listitem")).to_have_text(
        ["E-mail addresses 30", "Payment cards 4"]
    )
    await page.get_by_role("link", name="What each rule replaced").click()
    await expect(page.get_by_role("heading", name="What was scrubbed")).to_be_visible()
    assert visit.last("privacy")["from"] == ["2026-03-01T09:00:00Z"]


async def test_a_range_without_spans_is_not_judged(visit: Visit) -> None:
    await visit.open("/?page=quality&range=15m", token=OTHER_TOKEN)
    page = visit.page
    await expect(page.get_by_role("heading", name="There is nothing to judge yet.")).to_be_visible()
    await expect(page.get_by_text("No spans arrived in this time range.")).to_be_visible()
    await page.get_by_role("button", name="Look at the last 30 days").click()
    await expect(page).to_have_url(visit.site + "/?page=quality&range=30d")


async def test_a_phone_shows_the_page_of_quality_without_scrolling_sideways(visit: Visit) -> None:
    await visit.page.set_viewport_size({"width": 390, "height": 844})
    await visit.open(PATH)
    await expect(visit.page.get_by_role("row", name=re.compile("^In the future"))).to_be_visible()
    await expect(visit.page.get_by_role("row", name=re.compile("^TTFB"))).to_be_visible()
    assert await visit.page.evaluate("document.documentElement.scrollWidth") == 390
