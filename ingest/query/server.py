"""The query server: from an HTTP request to a checked call, and from its answer or refusal to HTTP."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from ingest.errors import (
    Forbidden,
    Malformed,
    MethodNotAllowed,
    Refusal,
    TooLarge,
    Unauthenticated,
    Unavailable,
    UnknownPath,
)
from ingest.ports import Administration, Erasures, Reader
from ingest.query import openapi
from ingest.query.access import Access
from ingest.query.body import read_body, read_members
from ingest.query.call import Call
from ingest.query.endpoints import ENDPOINTS, Endpoint
from ingest.query.installation import Installation
from ingest.query.pages import add_pages
from ingest.query.parameters import APP, BadParameter, read
from ingest.query.proxy_login import ProxyLogin
from ingest.settings import AppPolicy

DASHBOARD = Path(__file__).parent / "dashboard" / "dist"

MOST_AT_ONCE = 8
MOST_WAITING = 64

_STATUS: Mapping[type[Refusal], int] = {
    Malformed: 400,
    Unauthenticated: 401,
    Forbidden: 403,
    UnknownPath: 404,
    MethodNotAllowed: 405,
    TooLarge: 413,
    Unavailable: 503,
}
_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer"}
_MORE_HEADERS = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "1"}}
_COMPRESS_FROM = 1024

_log = logging.getLogger(__name__)


def build(
    reader: Reader,
    administration: Administration,
    erasures: Erasures,
    *,
    policy_of: Callable[[int], AppPolicy] = lambda _: AppPolicy(),
    installation: Installation,
    proxy: ProxyLogin | None = None,
    dashboard: Path = DASHBOARD,
    now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    clock: Callable[[], float] = time.monotonic,
) -> web.Application:
    """The application: query API, OpenAPI document, dashboard, /healthz and /readyz.

    Args:
        reader: the store.
        administration: who may do what, and what of it can be changed.
        erasures: how a user's data goes.
        policy_of: app id → the privacy policy in force; it says how small a group may be shown.
        installation: what the operator set for all apps.
        proxy: whose word is taken for who a user is; None: tokens alone open anything.
        dashboard: directory of the built page; a page that says how to build it when there is none.
        now_us: server time, µs since 1970.
        clock: seconds of a clock that never steps, for what is remembered for a while.
    """
    app = web.Application(middlewares=[_answer_refusals])
    access = Access(reader, administration, clock, proxy)
    service = _Service(reader, erasures, administration, policy_of, installation, access, Turns(), now_us)
    for endpoint in ENDPOINTS:
        app.router.add_route(endpoint.method, endpoint.path, partial(service.serve, endpoint))
    described = orjson.dumps(openapi.document())
    app.router.add_get("/api/v1/openapi.json", partial(_describe, described))
    app.router.add_get("/healthz", _alive)
    app.router.add_get("/readyz", partial(_ready, reader))
    add_pages(app, dashboard)
    return app


class Turns:
    """Bounds the questions that are answered at once, and those that wait."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(MOST_AT_ONCE)
        self._waiting = 0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a turn.

        Raises:
            Unavailable: too many wait already.
        """
        if self._waiting >= MOST_WAITING:
            raise Unavailable("too_busy", "Too many questions are waiting; try again shortly.")
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._free.release()


@dataclass(frozen=True, slots=True)
class _Service:
    """What every call needs."""

    reader: Reader
    erasures: Erasures
    administration: Administration
    policy_of: Callable[[int], AppPolicy]
    installation: Installation
    access: Access
    turns: Turns
    now_us: Callable[[], int]

    async def serve(self, endpoint: Endpoint, request: web.Request) -> web.Response:
        """Admits, reads, answers: in this order, so that a stranger learns nothing from how parameters are refused."""
        visitor = await self.access.visitor(request.headers, request.remote or "", request.method)
        visitor = visitor.able(endpoint.roles)
        in_query = endpoint.method != "POST" or endpoint.body is not None
        values = read(request.query if in_query else await read_members(request), endpoint.parameters)
        about_an_app = APP in endpoint.parameters
        app_id = await self.access.app_id(visitor, values["app"]) if about_an_app else 0
        call = Call(
            reader=self.reader,
            erasures=self.erasures,
            administration=self.administration,
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
        async with self.turns.turn():
            answer = await endpoint.answer(call)
        if endpoint.method != "GET":
            self.access.forget()
        return _json(200, answer)


def _json(status: int, answer: Mapping[str, Any]) -> web.Response:
    body = orjson.dumps(answer)
    response = web.Response(
        status=status,
        body=body,
        content_type="application/json",
        headers={**_HEADERS, **_MORE_HEADERS.get(status, {})},
        zlib_executor_size=_COMPRESS_FROM,
    )
    if len(body) >= _COMPRESS_FROM:
        response.enable_compression()
    return response


@web.middleware
async def _answer_refusals(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refusal as refusal:
        return _refuse(refusal)
    except web.HTTPNotFound:
        return _refuse(UnknownPath("unknown_path", "Nothing is served here; see /api/v1/openapi.json."))
    except web.HTTPMethodNotAllowed:
        return _refuse(MethodNotAllowed("method", "This call has another method; see /api/v1/openapi.json."))
    except Exception:  # noqa: BLE001 - a fault of ours still gets the one shape of an error
        _log.exception("a call of the query API failed")
        return _json(500, {"error": "internal", "message": "This is a fault of the server.", "parameter": None})


def _refuse(refusal: Refusal) -> web.Response:
    status = next(_STATUS[kind] for kind in type(refusal).__mro__ if kind in _STATUS)
    parameter = refusal.parameter if isinstance(refusal, BadParameter) else None
    return _json(status, {"error": refusal.reason, "message": refusal.message, "parameter": parameter})


async def _describe(described: bytes, request: web.Request) -> web.Response:
    return web.Response(body=described, content_type="application/json", headers=_HEADERS)


async def _alive(request: web.Request) -> web.Response:
    return web.Response(text="ok\n", headers=_HEADERS)


async def _ready(reader: Reader, request: web.Request) -> web.Response:
    await reader.check()
    return web.Response(text="ready\n", headers=_HEADERS)
