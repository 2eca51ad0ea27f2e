"""The query server: from an HTTP request to a checked call, and from its answer or refusal to HTTP."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from ingest.errors import Unavailable
from ingest.openmetrics import CONTENT_TYPE as OPENMETRICS
from ingest.ports import Reader
from ingest.ports.backlog import Backlogs
from ingest.query import docs_page, openapi
from ingest.query.access import Access
from ingest.query.body import read_body, read_members
from ingest.query.call import Call
from ingest.query.endpoint import Endpoint
from ingest.query.endpoints import ENDPOINTS
from ingest.query.installation import Installation
from ingest.query.measure import Measures
from ingest.query.pages import add_pages
from ingest.query.parameters import APP, read
from ingest.query.proxy_login import ProxyLogin
from ingest.query.respond import HEADERS, answer_refusals, reply, reply_text, wants_csv
from ingest.query.sources import Sources
from ingest.query.tables import FORMAT
from ingest.query.turns import Turns
from ingest.query.unread import Unread, gone
from ingest.settings import AppPolicy

DASHBOARD = Path(__file__).parent / "dashboard" / "dist"

LINE_BYTES = 65_536
"""The longest address that is read: a hundred routes to filter by need that. aiohttp's runner wants to be told."""
ANSWER_S = 5.0
"""No answer is waited for longer than this."""
_HEADERS = {**HEADERS, "Cache-Control": "no-store"}
_HUNG_UP = 499
"""Seen by nobody."""


def build(
    sources: Sources,
    *,
    policy_of: Callable[[int], AppPolicy] = lambda _: AppPolicy(),
    installation: Installation,
    proxy: ProxyLogin | None = None,
    dashboard: Path = DASHBOARD,
    now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    clock: Callable[[], float] = time.monotonic,
    answer_s: float = ANSWER_S,
) -> web.Application:
    """The application: query API, OpenAPI document, dashboard, /metrics, /healthz and /readyz.

    Args:
        sources: what answers are made from.
        policy_of: app id → the privacy policy in force; it says how small a group may be shown.
        installation: what the operator set for all apps.
        proxy: whose word is taken for who a user is; None: tokens alone open anything.
        dashboard: directory of the built page; a page that says how to build it when there is none.
        now_us: server time, µs since 1970.
        answer_s: how long an answer may take.
        clock: seconds of a clock that never steps, for what is remembered for a while.
    """
    measures, turns, unread = Measures(clock), Turns(), Unread()
    measures.waiting.read = lambda: turns.waiting
    app = web.Application(middlewares=[measures.count, answer_refusals])
    access = Access(sources.reader, sources.administration, clock, proxy)
    service = _Service(sources, policy_of, installation, access, turns, unread, now_us, answer_s)
    for endpoint in ENDPOINTS:
        app.router.add_route(endpoint.method, endpoint.path, partial(service.serve, endpoint))
    document = openapi.document()
    app.router.add_get("/api/v1/openapi.json", partial(_describe, orjson.dumps(document)))
    app.router.add_get("/api/v1/docs", partial(_explain, docs_page.page(document)))
    app.router.add_get("/metrics", partial(_measured, measures, sources.backlogs))
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", partial(_ready, sources.reader))
    add_pages(app, dashboard)
    return app


@dataclass(frozen=True, slots=True)
class _Service:
    """What every call needs."""

    sources: Sources
    policy_of: Callable[[int], AppPolicy]
    installation: Installation
    access: Access
    turns: Turns
    unread: Unread
    now_us: Callable[[], int]
    answer_s: float

    async def serve(self, endpoint: Endpoint, request: web.Request) -> web.Response:
        """Admits, reads, answers: in this order, so that a stranger learns nothing from how parameters are refused."""
        visitor = await self.access.visitor(request.headers, request.remote or "", request.method)
        visitor = visitor.able(endpoint.roles)
        in_query = endpoint.method != "POST" or endpoint.body is not None
        values = read(request.query if in_query else await read_members(request), endpoint.given)
        table = endpoint.table if wants_csv(request, values.get(FORMAT.name)) else None
        about_an_app = APP in endpoint.parameters
        app_id = await self.access.app_id(visitor, values["app"]) if about_an_app else 0
        call = Call(
            sources=self.sources,
            apps=await self.access.apps(visitor),
            app_id=app_id,
            now_us=self.now_us(),
            values=values,
            path=request.match_info,
            policy_of=self.policy_of,
            actor=visitor.actor(app_id),
            role_in=visitor.role_in,
            installation=self.installation,
            body=await read_body(request, endpoint.body) if endpoint.body else None,
        )
        async with self.turns.turn(visitor.name):
            if endpoint.method == "GET" and gone(request):
                return web.Response(status=_HUNG_UP)
            answer = await self._in_time(endpoint, call)
        if endpoint.method != "GET":
            self.access.forget()
        if isinstance(answer, bytes):
            response = reply_text(request, answer, endpoint.media)
        else:
            response = reply(request, answer, table)
        await self.unread.send(request, response)
        return response

    async def _in_time(self, endpoint: Endpoint, call: Call) -> Mapping[str, Any] | bytes:
        # A change is never left half waited for: whoever asked for it must learn whether it was made.
        try:
            async with asyncio.timeout(self.answer_s if endpoint.method == "GET" else None):
                return await endpoint.answer(call)
        except TimeoutError:
            raise Unavailable(
                "too_slow", "The answer takes longer than 5 seconds; ask for a shorter range or fewer groups."
            ) from None


async def _describe(document: bytes, request: web.Request) -> web.Response:
    return reply_text(request, document, "application/json")


async def _explain(page: str, request: web.Request) -> web.Response:
    headers = {**HEADERS, "Cache-Control": "no-cache", "Content-Security-Policy": docs_page.CSP}
    return web.Response(text=page, content_type="text/html", headers=headers)


async def _measured(measures: Measures, backlogs: Backlogs, request: web.Request) -> web.Response:
    headers = {**HEADERS, "Content-Type": OPENMETRICS}
    return web.Response(body=await measures.render(backlogs), headers=headers)


async def _alive(request: web.Request) -> web.Response:
    return web.Response(text="ok\n", headers=HEADERS)


async def _ready(reader: Reader, request: web.Request) -> web.Response:
    await reader.check()
    return web.Response(text="ready\n", headers=HEADERS)
