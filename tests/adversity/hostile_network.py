"""A network that loses, repeats, delays and refuses: a proxy on loopback before a real edge, seeded.

Whatever it does to a request, it tells nobody: a client must get every span through once, or say that it could not.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

FATES: Mapping[str, float] = {
    "delivered": 0.40,
    "answer_lost": 0.14,
    "repeated": 0.10,
    "delayed": 0.06,
    "cut_off": 0.10,
    "429": 0.08,
    "503": 0.06,
    "413": 0.06,
}
"""What becomes of a request, and how often. 413 is for bodies worth halving alone."""
WORTH_HALVING = 1_500
"""Bytes."""
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
_PASSED_ON = ("Content-Type", "Content-Encoding", "x-api-key", "Origin", "User-Agent", "If-None-Match")


class HostileNetwork:
    """What lies between clients and the edge.

    Attributes:
        hostile: fates are drawn; else everything is delivered.
        offline: nothing gets through, no connection is answered.
        fates: how often each fate has struck.
    """

    def __init__(self, edge: str, session: aiohttp.ClientSession, seed: int) -> None:
        self._edge, self._session, self._random = edge, session, random.Random(seed)
        self._late: list[tuple[str, bytes, dict[str, str]]] = []
        self.hostile = True
        self.offline = False
        self.fates: Counter[str] = Counter()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Draws a fate for one request and lets it happen."""
        sent = await request.read()
        if self.offline:
            return self._cut(request)
        fate = self._draw(len(sent)) if request.method == "POST" and self.hostile else "delivered"
        self.fates[fate] += 1
        if fate == "cut_off":
            return self._cut(request)
        if fate in {"413", "429", "503"}:
            seconds = {"Retry-After": "1"} if fate == "429" else {}
            return web.Response(status=int(fate), headers={**CORS, **seconds})
        if fate == "delayed":
            await asyncio.sleep(self._random.uniform(0.05, 0.3))
        answer = await self._forward(request.method, request.raw_path, sent, _headers(request))
        if fate == "repeated":
            answer = await self._forward(request.method, request.raw_path, sent, _headers(request))
        if fate == "answer_lost":
            # A copy is still on its way somewhere, and arrives when everybody has forgotten it.
            self._late.append((request.raw_path, sent, _headers(request)))
            return self._cut(request)
        return answer

    async def deliver_late_copies(self) -> int:
        """Delivers once more what was repeated somewhere on the way; returns how many copies."""
        late, self._late = self._late, []
        for path, sent, headers in late:
            await self._forward("POST", path, sent, headers)
        return len(late)

    def _draw(self, size: int) -> str:
        fate = self._random.choices([*FATES], [*FATES.values()])[0]
        return "delivered" if fate == "413" and size < WORTH_HALVING else fate

    def _cut(self, request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=502)

    async def _forward(self, method: str, path: str, sent: bytes, headers: dict[str, str]) -> web.Response:
        async with self._session.request(method, self._edge + path, data=sent, headers=headers) as answer:
            kept = {name: value for name, value in answer.headers.items() if name not in _HOP_BY_HOP}
            return web.Response(status=answer.status, body=await answer.read(), headers=kept)


_HOP_BY_HOP = ("Content-Length", "Transfer-Encoding", "Connection", "Date", "Server", "Content-Encoding")


def _headers(request: web.Request) -> dict[str, str]:
    return {name: request.headers[name] for name in _PASSED_ON if name in request.headers}


@asynccontextmanager
async def hostile_network(edge: str, seed: int) -> AsyncIterator[tuple[str, HostileNetwork]]:
    """The address to send to instead of the edge's, and the network."""
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        network = HostileNetwork(edge, session, seed)
        app = web.Application(client_max_size=1 << 24)
        app.router.add_route("*", "/{path:.*}", network.answer)
        runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}", network
        finally:
            await runner.cleanup()
