"""Chromium before the real query server over a real database that holds a small seeded world."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import numpy as np
import pytest
import pytest_asyncio
from playwright.async_api import Browser, ConsoleMessage, Locator, Page, Request

from ingest.store.database import open_pool
from ingest.store.embedded import EmbeddedPostgres
from tests.browser.built import require_page
from tests.browser.traces import HUGE, LONG_FEED, PUSH, SLOW_CHECKOUT, TORN, TORN_DROPPED, TORN_ID, VISIT
from tests.chromium import running_chromium
from tests.conftest import create_database
from tests.query import trace_rows
from tests.query import world as seeded
from tests.query.conftest import TOKEN, add_apps, serve, show_from

TRACE_LINK = "https://jaeger.example/trace/{trace_id}"

PRIVACY = """
    INSERT INTO scrub_count (app_id, hour_at, rule, part, finds) VALUES
    (1, '2026-03-01 10:00Z', 'email', 1, 30), (1, '2026-03-01 11:00Z', 'email', 1, 12),
    (1, '2026-03-01 11:00Z', 'card', 1, 4), (1, '2026-03-01 11:00Z', 'policy:loyalty_card', 1, 3);
    INSERT INTO ledger (app_id, hour_at, outcome, part, spans) VALUES
    (1, '2026-03-01 11:00Z', 'received', 1, 1000), (1, '2026-03-01 11:00Z', 'kept', 1, 100),
    (1, '2026-03-01 11:00Z', 'counted_only', 1, 790), (1, '2026-03-01 11:00Z', 'counted_no_consent', 1, 80),
    (1, '2026-03-01 11:00Z', 'rejected:no_consent', 1, 30);
    INSERT INTO policy (app_id, text, applied_at) VALUES
    (1, E'[actions]\\nemail = "hash"\\n', '2026-02-27 09:30Z')
"""


@dataclass
class Visit:
    """One tab, what it asked the query API, and what went wrong in it."""

    page: Page
    site: str
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    """Path below /api/v1 and parameters of every call, in order."""
    faults: list[str] = field(default_factory=list)

    async def open(self, path: str = "/", token: str | None = TOKEN) -> None:
        """Goes to a page with a token in the fragment."""
        await self.page.goto(self.site + path + (f"#token={token}" if token else ""))

    def note_request(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.path.startswith("/api/v1/"):
            self.asked.append((url.path.removeprefix("/api/v1/"), parse_qs(url.query)))

    def note_console(self, message: ConsoleMessage) -> None:
        # That a request failed is the browser's own note; the page's answer to it is what the tests look at.
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.faults.append(message.text)

    def last(self, call: str) -> dict[str, list[str]]:
        """Parameters of the newest call of this name."""
        return next(parameters for path, parameters in reversed(self.asked) if path == call)


async def ends(bar: Locator) -> tuple[float, float]:
    """Where it begins and ends on the page, from the left."""
    found = await bar.bounding_box()
    assert found
    return found["x"], found["x"] + found["width"]


@pytest.fixture(scope="session")
def world_dsn(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database with 90 minutes of spans of the app `shop` and none of the app `other`; tests only read it."""
    with asyncio.Runner() as runner:
        yield runner.run(_make(postgres.start(), "browser_world"))


async def _make(server: str, name: str) -> str:
    dsn = await create_database(server, name)
    world = seeded.make(1, 900, 5400, seed=3)
    connection = await asyncpg.connect(dsn)
    await add_apps(connection)
    await seeded.store(connection, world, np.ones(900, dtype=bool), 1)
    await seeded.store_spans(connection, world, np.ones(900))
    await trace_rows.store(connection, [*SLOW_CHECKOUT, *LONG_FEED, *PUSH, *TORN, *HUGE, *VISIT])
    await connection.execute(
        "INSERT INTO trace_overflow (app_id, trace_id, part, spans) VALUES (1, $1, 1, $2)", TORN_ID, TORN_DROPPED
    )
    await connection.execute(PRIVACY)
    await connection.close()
    return dsn


@pytest_asyncio.fixture(loop_scope="session")
async def site(world_dsn: str, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """A running query server, as a client of it: `site.make_url("/")` is its address, `site.close()` stops it.

    Its parameter is how many sessions a figure must be about; one will do.
    """
    require_page()
    pool = await open_pool(world_dsn, connections=4)
    try:
        policy = show_from(getattr(request, "param", 1))
        async with serve(pool, policy_of=lambda _: policy, trace_link=TRACE_LINK) as client:
            yield client
    finally:
        pool.terminate()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium, one for all tests; each test has a context of its own in it."""
    async with running_chromium() as launched:
        yield launched


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, site: Any) -> AsyncIterator[Visit]:
    """A tab; the test fails when a script, the console or the content security policy complained in it."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light", locale="en-GB")
    page = await context.new_page()
    page.set_default_timeout(20_000)
    tab = Visit(page, str(site.make_url("/")).rstrip("/"))
    page.on("request", tab.note_request)
    page.on("console", tab.note_console)
    page.on("pageerror", lambda error: tab.faults.append(str(error)))
    yield tab
    await context.close()
    assert tab.faults == []
