"""The settings page as an app's owner, a viewer, and somebody whom a proxy signed in meet it."""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from ingest.query.proxy_login import ProxyLogin
from ingest.settings import Settings
from ingest.store.database import open_pool
from tests.browser.built import require_page
from tests.browser.conftest import Visit
from tests.query.conftest import CLIENT_KEY, OWNER, TOKEN, add_apps, serve

pytestmark = pytest.mark.asyncio(loop_scope="session")

SETTINGS = "/?page=settings"


@pytest_asyncio.fixture(loop_scope="session")
async def site(dsn: str) -> AsyncIterator[Any]:
    """A query server over a database of this test's own that takes the word of a proxy on this machine."""
    require_page()
    proxy = ProxyLogin.of(
        Settings.from_env(
            {
                "FIRSTHOP_PROXY_USER_HEADER": "X-Forwarded-User",
                "FIRSTHOP_PROXY_NETWORKS": "127.0.0.1",
                "FIRSTHOP_PROXY_ROLES": "jane@shop.example=owner:shop",
            }
        )
    )
    pool = await open_pool(dsn, connections=4)
    try:
        async with pool.acquire() as connection:
            await add_apps(connection)
        async with serve(pool, proxy=proxy) as client:
            yield client
    finally:
        pool.terminate()


async def test_an_owner_makes_a_key_sees_it_once_and_revokes_it(visit: Visit) -> None:
    await visit.open(SETTINGS, OWNER)
    page = visit.page
    keys, audit = page.get_by_role("region", name="Keys of shop"), page.get_by_role("region", name="Audit log")
    await expect(audit).to_contain_text("Nothing has been changed yet.")
    await keys.get_by_label("What it is for").fill("wall screen")
    await keys.get_by_role("button", name="Make the key").click()
    made = keys.get_by_role("status")
    await expect(made).to_contain_text("Copy it now: it is not shown again.")
    key = await made.locator("code").inner_text()
    assert key.startswith("fh_tok_")
    row = keys.get_by_role("row", name=re.compile("wall screen"))
    await expect(row).to_be_visible()
    await expect(audit.locator("tbody tr")).to_have_text([re.compile("Key made.*Viewer; label: wall screen")])
    answer = await page.request.get(visit.site + "/api/v1/me", headers={"Authorization": f"Bearer {key}"})
    assert answer.status == 200

    await made.get_by_role("button", name="Done").click()
    await page.reload()
    await expect(row).to_be_visible()
    assert key not in await page.content()

    await keys.get_by_role("button", name="Revoke Viewer wall screen", exact=True).click()
    await keys.get_by_role("button", name="Revoke Viewer wall screen for good").click()
    await expect(row).to_have_count(0)
    await expect(audit.locator("tbody tr")).to_have_text([re.compile("Key revoked"), re.compile("Key made")])
    answer = await page.request.get(visit.site + "/api/v1/me", headers={"Authorization": f"Bearer {key}"})
    assert answer.status == 401


async def test_an_owner_sets_the_origins_of_a_client_key_and_is_told_what_is_wrong_with_them(visit: Visit) -> None:
    await visit.open(SETTINGS, OWNER)
    keys = visit.page.get_by_role("region", name="Keys of shop")
    await expect(keys).to_contain_text("Any web origin may send with it.")
    await keys.get_by_role("button", name=re.compile("^Change origins")).click()
    origins = keys.get_by_label("Web origins that may use it")
    await origins.fill("shop.example")
    await keys.get_by_role("button", name="Save").click()
    await expect(keys).to_contain_text("must be web origins as browsers write them")
    await origins.fill("https://shop.example, https://m.shop.example")
    await keys.get_by_role("button", name="Save").click()
    await expect(keys).to_contain_text("https://shop.example, https://m.shop.example Change")
    await expect(visit.page.get_by_role("region", name="Audit log")).to_contain_text(
        "origins: any → https://shop.example, https://m.shop.example"
    )


async def test_a_viewer_sees_what_is_set_and_can_change_nothing(visit: Visit) -> None:
    await visit.open(SETTINGS, TOKEN)
    page = visit.page
    keys = page.get_by_role("region", name="Keys of shop")
    await expect(keys).to_contain_text("You look at this as a viewer.")
    await expect(keys.get_by_role("row", name=re.compile("Client key"))).to_contain_text(CLIENT_KEY)
    await expect(page.get_by_role("button", name=re.compile("Revoke|Make the key|Change"))).to_have_count(0)
    assert OWNER not in await page.content()
    await expect(page.get_by_role("region", name="What is kept")).to_contain_text("60.0k spans a minute")
    await expect(page.get_by_role("region", name="Send to this app")).to_contain_text(CLIENT_KEY)


async def test_the_policy_leads_to_the_privacy_page(visit: Visit) -> None:
    await visit.open(SETTINGS, TOKEN)
    page = visit.page
    await page.get_by_role("link", name="See what it does on the privacy page").click()
    await expect(page.get_by_role("heading", name="What was scrubbed")).to_be_visible()


async def test_older_changes_are_fetched_when_asked_for(visit: Visit) -> None:
    for number in range(25):
        await visit.page.request.post(
            f"{visit.site}/api/v1/keys",
            data={"role": "token", "label": f"key {number}"},
            headers={"Authorization": f"Bearer {OWNER}"},
        )
    await visit.open(SETTINGS, OWNER)
    audit = visit.page.get_by_role("region", name="Audit log")
    await expect(audit.get_by_role("rowheader")).to_have_count(20)
    await audit.get_by_role("button", name="Show older changes").click()
    await expect(audit.get_by_role("rowheader")).to_have_count(25)
    await expect(audit.get_by_role("button", name="Show older changes")).to_have_count(0)


async def test_whom_the_proxy_signed_in_needs_no_token_and_changes_under_their_name(visit: Visit) -> None:
    page = visit.page
    await page.set_extra_http_headers({"X-Forwarded-User": "jane@shop.example"})
    await visit.open(SETTINGS, None)
    keys = page.get_by_role("region", name="Keys of shop")
    await keys.get_by_role("button", name="Make the key").click()
    await expect(keys.get_by_role("status")).to_contain_text("Copy it now")
    await expect(page.get_by_role("region", name="Audit log")).to_contain_text("jane@shop.example")
    await expect(page.get_by_label("Token")).to_have_count(0)


async def test_whom_nobody_signed_in_is_asked_for_a_token(visit: Visit) -> None:
    await visit.open(SETTINGS, None)
    await expect(visit.page.get_by_role("button", name="Open the dashboard")).to_be_visible()
    await expect(visit.page.get_by_text("Send a token in the header")).to_have_count(0)
