"""Clients this project did not write, against a real `firsthop serve`."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser

from tests.chromium import running_chromium
from tests.contracts.web.bundle import NotInstallable, bundle
from tests.service import Service, running_service

DEADLINE_S = 60
PAGE = b'<!doctype html><title>contract</title><link rel="icon" href="data:,"><script src="/page.js"></script>'


@dataclass
class Api:
    """The query API as a dashboard uses it."""

    service: Service
    session: aiohttp.ClientSession

    async def get(self, path: str, **parameters: str) -> tuple[int, Any]:
        """Status and body of a call."""
        headers = {"Authorization": f"Bearer {self.service.token}"}
        async with self.session.get(
            f"{self.service.query}/api/v1/{path}", params=parameters, headers=headers
        ) as answer:
            return answer.status, await answer.json()

    async def spans(self, trace_id: str, at_least: int) -> dict[str, dict[str, Any]]:
        """The spans of a trace by id, once there are as many as named."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                status, trace = await self.get(f"traces/{trace_id}")
                if status == 200 and len(trace["spans"]) >= at_least:
                    return {span["span_id"]: span for span in trace["spans"]}
                await asyncio.sleep(0.1)

    async def total(self, spans: int, *, exact: bool = True, **parameters: str) -> dict[str, Any]:
        """The latency call's one group over the last hour, once it counts as many spans as named.

        Args:
            spans: so many, or more.
            exact: no client of the app has sampled by itself; other tests may.
        """
        async with asyncio.timeout(DEADLINE_S):
            while True:
                status, latency = await self.get("latency", **parameters)
                assert status == 200, latency
                if sum(group["total"]["spans"] for group in latency["groups"]) >= spans:
                    assert latency["exact"] or not exact
                    total: dict[str, Any] = latency["groups"][0]["total"]
                    return total
                await asyncio.sleep(0.1)


@dataclass(frozen=True)
class Site:
    """A page and two APIs: one of its own origin, one of another."""

    origin: str
    other: str


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One running service for all contracts; each test knows its own spans by their version."""
    async with running_service(tmp_path_factory.mktemp("contracts") / "data") as running:
        yield running


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(service: Service) -> AsyncIterator[Api]:
    """The service's query API."""
    async with aiohttp.ClientSession() as session:
        yield Api(service, session)


@pytest.fixture(scope="session")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled page script."""
    target = tmp_path_factory.mktemp("bundle") / "page.js"
    try:
        bundle(target)
    except NotInstallable as reason:
        pytest.skip(str(reason))
    return target


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def site(script: Path) -> AsyncIterator[Site]:
    """The page's site, and an API on another origin; under /timed it allows its timing to be read."""

    async def page(_: web.Request) -> web.Response:
        return web.Response(body=PAGE, content_type="text/html")

    async def page_script(_: web.Request) -> web.FileResponse:
        return web.FileResponse(script)

    async def answer(request: web.Request) -> web.StreamResponse:
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}
        if request.method == "OPTIONS":
            return web.Response(status=204, headers=headers)
        if request.path.startswith("/timed/"):
            headers["Timing-Allow-Origin"] = "*"
        status = 503 if request.path.endswith("/broken") else 200
        return web.Response(status=status, headers=headers, body=b"x" * 20_000)

    own, foreign = web.Application(), web.Application()
    own.router.add_get("/", page)
    own.router.add_get("/page.js", page_script)
    own.router.add_get("/orders/{order}", answer)
    foreign.router.add_route("*", "/{path:.*}", answer)
    runners = [web.AppRunner(app, access_log=None) for app in (own, foreign)]
    for runner in runners:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    origin, other = (f"http://127.0.0.1:{runner.addresses[0][1]}" for runner in runners)
    yield Site(origin, other)
    for runner in runners:
        await runner.cleanup()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Headless Chromium, one for all tests."""
    async with running_chromium() as launched:
        yield launched
