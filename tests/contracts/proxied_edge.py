"""A real edge behind a door: what comes is seen, and may be answered otherwise, or not at all, before it gets there."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from multidict import CIMultiDict

from ingest.edge.cors import ANSWER

HOP_BY_HOP = frozenset(
    {"connection", "content-encoding", "content-length", "date", "host", "server", "transfer-encoding"}
)


@dataclass(frozen=True)
class Seen:
    """One request and the status that it was answered with; None if it was not."""

    method: str
    path: str
    query: dict[str, str]
    headers: CIMultiDict[str]
    body: bytes
    status: int | None

    def batch(self) -> dict[str, Any]:
        """The batch as JSON, compressed or not."""
        plain = gzip.decompress(self.body) if self.body.startswith(b"\x1f\x8b") else self.body
        found: dict[str, Any] = json.loads(plain)
        return found


Answer = Callable[[web.Request, bytes], web.Response | None]
"""What answers instead of the edge; None passes the request on."""


@dataclass
class ProxiedEdge:
    """What was seen, and what answers next."""

    behind: str
    url: str = ""
    down: bool = False
    """Whether connections are cut without an answer."""
    open: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, batches wait at the door."""
    instead: Answer = lambda _request, _body: None
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.open.set()

    def batches(self, *, accepted: bool = True) -> list[dict[str, Any]]:
        """The batches that came; by default those that the edge took."""
        return [each.batch() for each in self.posts() if each.status == 202 or not accepted]

    def posts(self) -> list[Seen]:
        """The attempts to send a batch, in the order in which they were answered."""
        return [each for each in self.seen if each.path == "/v1/batches" and each.method == "POST"]

    async def _handle(self, request: web.Request, session: aiohttp.ClientSession) -> web.StreamResponse:
        body = await request.read()
        if request.path == "/v1/batches":
            await self.open.wait()
        answer = None if self.down else self.instead(request, body)
        if answer is None and not self.down:
            headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP}
            url = f"{self.behind}{request.path_qs}"
            async with session.request(request.method, url, headers=headers, data=body) as passed:
                kept = {name: value for name, value in passed.headers.items() if name.lower() not in HOP_BY_HOP}
                answer = web.Response(status=passed.status, headers=kept, body=await passed.read())
        query, status = dict(request.query), None if answer is None else answer.status
        self.seen.append(Seen(request.method, request.path, query, CIMultiDict(request.headers), body, status))
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return answer


def refusing(status: int, times: int = 1, **headers: str) -> Answer:
    """Answers the first so many batches with this status, as the edge would."""
    left = [times]

    def answer(request: web.Request, _: bytes) -> web.Response | None:
        if request.path != "/v1/batches" or not left[0]:
            return None
        left[0] -= 1
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.json_response({"error": "test"}, status=status, headers={**ANSWER, **given})

    return answer


def telling(config: dict[str, Any]) -> Answer:
    """Answers `GET /v1/config` with this, unsigned."""

    def answer(request: web.Request, _: bytes) -> web.Response | None:
        return web.json_response({"v": 1} | config, headers=ANSWER) if request.path == "/v1/config" else None

    return answer


@asynccontextmanager
async def proxied_edge(behind: str) -> AsyncIterator[ProxiedEdge]:
    """The door, on a port of its own."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        edge = ProxiedEdge(behind)
        app = web.Application(client_max_size=4 * 1024 * 1024)

        async def handle(request: web.Request) -> web.StreamResponse:
            return await edge._handle(request, session)

        app.router.add_route("*", "/{path:.*}", handle)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        edge.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield edge
        await runner.cleanup()
