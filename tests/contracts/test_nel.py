"""What Chromium reports by itself (Reporting API, Network Error Logging), of a site over real TLS, to the service."""

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Page, async_playwright

from ingest.model import UNKNOWN
from tests.chromium import ARGUMENTS
from tests.contracts.conftest import Api
from tests.contracts.slow_network import DNS_S, behind_tls, certify, slow_resolver, use_resolver
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")

DEADLINE_S = 60
SOON = "--short-reporting-delay"
"""Reports are uploaded within a second instead of a minute."""
PAGE = '<!doctype html><title>reports</title><link rel="icon" href="data:,"><img src="/forbidden.png">'


@dataclass(frozen=True)
class Site:
    """A page, whose site asks for reports, and where they go."""

    page: Page
    port: int
    service: Service

    def origin(self, name: str) -> str:
        return f"https://{name}.firsthop.test:{self.port}"

    async def ask(self, *urls: str) -> None:
        """Fetches addresses from the page, whatever comes of it."""
        await self.page.evaluate(
            "async urls => { for (const url of urls) await fetch(url).catch(() => null) }", [*urls]
        )

    async def reported(self, wanted: int, **where: Any) -> list[dict[str, Any]]:
        """Stored spans of an address, once there are as many as wanted."""
        query = "SELECT * FROM span WHERE url = $1 AND signal = $2 ORDER BY start_at"
        connection = await asyncpg.connect(self.service.dsn)
        try:
            async with asyncio.timeout(DEADLINE_S):
                while True:
                    rows = await connection.fetch(query, where["url"], where.get("signal", "report"))
                    if len(rows) >= wanted:
                        return [dict(row) | {"attributes": json.loads(row["attributes"])} for row in rows]
                    await asyncio.sleep(0.1)
        finally:
            await connection.close()


def asking_for_reports(endpoint: str) -> dict[str, str]:
    """The headers of a site that wants every request reported, failed or not."""
    group = {"group": "nel", "max_age": 86_400, "include_subdomains": True, "endpoints": [{"url": endpoint}]}
    errors = {"report_to": "nel", "max_age": 86_400, "include_subdomains": True}
    return {
        "Report-To": json.dumps(group),
        "NEL": json.dumps(errors | {"success_fraction": 1.0, "failure_fraction": 1.0}),
        "Reporting-Endpoints": f'csp="{endpoint}"',
        "Content-Security-Policy": "img-src data:; report-to csp",
    }


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def site(tmp_path_factory: pytest.TempPathFactory, service: Service) -> AsyncIterator[Site]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed: python tests/browser/setup.py")
    directory = tmp_path_factory.mktemp("nel")
    certificate = certify(directory)
    endpoints: dict[str, str] = {}

    async def answer(request: web.Request) -> web.Response:
        closed = request.host.startswith("closed.")
        # Headers that name the endpoint again would make the browser know it again.
        headers = {} if request.path == "/second" else asking_for_reports(endpoints["nobody" if closed else "client"])
        if request.path == "/empty":
            assert request.transport is not None
            request.transport.close()
        status = 503 if request.path == "/broken" else 200
        headers["Access-Control-Allow-Origin"] = "*"
        return web.Response(status=status, text=PAGE, content_type="text/html", headers=headers)

    async with AsyncExitStack() as stack:
        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=certificate.server_side()).start()
        edge = await stack.enter_async_context(behind_tls(int(service.edge.rpartition(":")[2]), certificate))
        reports = f"https://reports.firsthop.test:{edge}/reports"
        endpoints |= {"client": f"{reports}/{service.client_key}", "nobody": f"{reports}/fh_pub_nobody"}
        use_resolver(directory / "profile", await stack.enter_async_context(slow_resolver(certificate)))
        playwright = await stack.enter_async_context(async_playwright())
        trusted = f"--ignore-certificate-errors-spki-list={certificate.fingerprint}"
        context = await playwright.chromium.launch_persistent_context(
            directory / "profile", executable_path=chromium, args=[*ARGUMENTS, trusted, SOON]
        )
        stack.push_async_callback(context.close)
        page = await context.new_page()
        opened = Site(page, runner.addresses[0][1], service)
        await page.goto(f"{opened.origin('shop')}/")
        yield opened


async def test_requests_that_failed_are_reports_with_what_failed_and_those_that_did_not_are_not_failed(
    site: Site,
) -> None:
    shop, nowhere = site.origin("shop"), "https://nowhere.shop.firsthop.test/"
    before_us = time.time_ns() // 1000
    await site.ask(f"{shop}/broken?q=1", f"{shop}/empty", f"{shop}/fine", nowhere)
    (broken,) = await site.reported(1, url=f"{shop}/broken?q=1")
    empty, *_ = await site.reported(1, url=f"{shop}/empty")
    (fine,) = await site.reported(1, url=f"{shop}/fine")
    (missing,) = await site.reported(1, url=nowhere)
    after_us = time.time_ns() // 1000
    assert (broken["error_type"], broken["http_status"], broken["status"]) == ("http.error", 503, 2)
    # What the browser calls a connection that ended instead of an answer depends on what it was used for before.
    assert empty["error_type"].startswith(("tcp.", "http.response."))
    assert (empty["http_status"], empty["status"]) == (0, 2)
    assert (fine["error_type"], fine["http_status"], fine["status"]) == (None, 200, 0)
    assert (missing["error_type"], missing["http_status"]) == ("dns.name_not_resolved", 0)
    assert missing["duration_us"] >= DNS_S * 1_000_000
    assert missing["attributes"]["nel.phase"] == "dns"
    for report in (broken, empty, fine, missing):
        assert (report["method"], report["version"], report["clock_quality"]) == ("GET", None, b"B")
        err_us = report["clock_err_ms"] * 1000
        start_us = round(report["start_at"].timestamp() * 1e6)
        assert before_us - err_us <= start_us <= after_us + err_us
        assert set(report["phases_us"]) == {UNKNOWN}
        assert "127.0.0.1" not in str(report["attributes"])


async def test_users_who_never_loaded_a_page_are_in_the_failure_rate(site: Site, api: Api) -> None:
    url = "https://nowhere.shop.firsthop.test/"
    before = len(await site.reported(1, url=url))
    await site.ask(url)
    assert len(await site.reported(before + 1, url=url)) == before + 1
    total = await api.total(before + 1, signal="report", route="GET nowhere.shop.firsthop.test/")
    assert (total["spans"], total["errors"]) == (before + 1, before + 1)


async def test_a_violated_policy_is_an_event_at_its_page(site: Site) -> None:
    (violated, *_) = await site.reported(1, url=f"{site.origin('shop')}/", signal="event")
    assert violated["name"] == "csp-violation"
    attributes = violated["attributes"]
    assert (attributes["csp.directive"], attributes["csp.disposition"]) == ("img-src", "enforce")
    assert attributes["csp.blocked_url"] == f"{site.origin('shop')}/forbidden.png"


async def test_a_browser_forgets_an_endpoint_whose_key_opens_nothing(site: Site) -> None:
    async def refused() -> float:
        async with aiohttp.ClientSession() as session, session.get(f"{site.service.edge}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        counted = [line for line in lines if line.startswith("firsthop_refused_total") and '"unknown_key"' in line]
        return float(counted[0].rpartition(" ")[2]) if counted else 0.0

    closed, shop = site.origin("closed"), site.origin("shop")
    before = await refused()
    await site.ask(f"{closed}/first")
    async with asyncio.timeout(DEADLINE_S):
        while await refused() == before:
            await asyncio.sleep(0.1)
    told = await refused()
    await site.ask(f"{closed}/second")
    # What the same browser reports later elsewhere has arrived: what it had for the closed endpoint would have, too.
    for later in ("/later/1", "/later/2"):
        await site.ask(f"{shop}{later}")
        await site.reported(1, url=f"{shop}{later}")
    assert await refused() == told
