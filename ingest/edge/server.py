"""The edge: one HTTP server that turns requests into durable batches.

    find → admit → read → inflate → commit → answer

It is aiohttp's low-level server, not an application: routing is one look-up, and a request passes no middleware.
Nothing is logged per request; what a request did shows in the counters.
"""

import asyncio
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

import orjson
from aiohttp import web

from ingest.decode.formats import Format
from ingest.decode.inflate import inflate
from ingest.decode.reports import SENT_US
from ingest.edge import cors, respond
from ingest.edge.admit import Gate, find_key
from ingest.edge.commit import Body, Decoders, GroupCommit, Process
from ingest.edge.config import Configs, matches
from ingest.edge.measure import Measures
from ingest.edge.receive import (
    Addresses,
    Holding,
    Queue,
    now_us,
    read_batch_id,
    read_body,
    read_hints,
    read_host,
    read_origin,
    read_query,
    read_signal,
    read_stamp,
    read_user_agent,
    session_is_sound,
)
from ingest.edge.routes import JSON, Route, Service, check_method, dialect_of, find, format_of
from ingest.edge.script import Script
from ingest.edge.trace_limits import TraceLimits
from ingest.errors import Malformed, MethodNotAllowed, Refusal, UnknownPath
from ingest.model import Reception, SendStamp
from ingest.openmetrics import CONTENT_TYPE
from ingest.ports import Journal, Keys
from ingest.settings import Limits

KEEPALIVE_S = 75.0
"""A connection that is silent, or slow with its headers, is closed after this long."""
LINGERING_S = 5.0
"""How long the rest of a refused body is read and thrown away, so that the client gets to see its answer."""
FINISH_S = 10.0
"""Longest that stopping waits for bodies on their way and their commits."""
FAILED_FOR_S = 5.0
"""A worker whose journal failed says for this long that it is not ready."""

_JSON = {"Content-Type": JSON, "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class EdgeParts:
    """What an edge is made of."""

    journal: Journal
    keys: Keys
    decoders: Decoders
    process: Process
    limits: Limits
    queue_bytes: int
    commit_wait_s: float
    configs: Configs
    trusted_proxies: tuple[str, ...] = ()
    policy_of: Callable[[int], object] = lambda _: None
    """Raises Unavailable for an app whose privacy policy cannot be kept: nothing is taken in for it."""
    script: Script | None = None
    """The browser SDK, where it was built."""
    labels: tuple[tuple[str, str], ...] = (("worker", "0"),)
    read_timeout_s: float = 30.0
    """Longest that a body may take to arrive."""
    traces_per_key: int = 3_000_000
    traces_per_address: int = 60_000
    """New traces a minute."""


class Edge:
    """One edge worker: its state, and the answer to every request."""

    def __init__(self, parts: EdgeParts) -> None:
        self.measures = Measures(dict(parts.labels))
        self.gate = Gate(parts.keys)
        self._trace_limits = TraceLimits(parts.traces_per_key, parts.traces_per_address)
        self.commits = GroupCommit(
            journal=parts.journal,
            decoders=parts.decoders,
            process=parts.process,
            limits=parts.limits,
            measures=self.measures,
            trace_limits=self._trace_limits,
            wait_s=parts.commit_wait_s,
        )
        self._queue = Queue(parts.queue_bytes)
        self.measures.queue_bytes.read = lambda: self._queue.held
        self._limits, self._read_timeout_s = parts.limits, parts.read_timeout_s
        self._addresses = Addresses(parts.trusted_proxies)
        self._policy_of, self._configs = parts.policy_of, parts.configs
        self._script = parts.script
        self._active = 0
        self._idle: asyncio.Event | None = None

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """The answer to any request; never raises but for a cancelled connection."""
        self._active += 1
        try:
            response = await self._answer(request)
        finally:
            self._active -= 1
            if self._idle is not None and not self._active:
                self._idle.set()
        if self._idle is not None:
            response.force_close()
        return response

    async def finish(self) -> None:
        """From now on not ready, and every answer closes its connection; returns when none is owed."""
        self._idle = asyncio.Event()
        if self._active:
            await self._idle.wait()

    async def _answer(self, request: web.BaseRequest) -> web.Response:
        received_us = now_us()
        path, _, query_text = request.raw_path.partition("?")
        dialect = Format.NATIVE
        try:
            route, key_in_path = find(path)
            if not route.serves_clients:
                check_method(route, request.method)
                return self._give_script(request) if route.service is Service.SCRIPT else self._report(route.service)
            if request.method == "OPTIONS":
                return web.Response(status=204, headers=cors.PREFLIGHT)
            dialect = dialect_of(route, request.headers.get("Content-Type", ""))
            check_method(route, request.method)
            if route.service is Service.CONFIG:
                response = await self._tell_config(request, query_text, received_us)
            else:
                response = await self._take_spans(request, route, key_in_path, query_text, received_us)
        except Exception as error:  # noqa: BLE001 - the guard: whatever happens, the client gets an answer without detail
            response = self._refuse(error, dialect, path)
        if "Origin" in request.headers:
            response.headers.update(cors.ANSWER)
        return response

    async def _tell_config(self, request: web.BaseRequest, query_text: str, received_us: int) -> web.Response:
        headers, query = request.headers, read_query(query_text)
        grant = await self.gate.admit(find_key(headers, query, ""), read_origin(request))
        device_class = self._configs.class_of(query, read_hints(request), read_user_agent(request))
        config = self._configs.of(grant.app_id, device_class)
        held = headers.get("If-None-Match") or query.get("etag", "")
        unchanged = bool(held) and matches(config.etag, held)
        self.measures.configs.add(value="unchanged" if unchanged else "sent")
        timed = (received_us, now_us()) if query.get("clock") == "1" else None
        return respond.tell_config(config, timed, unchanged=unchanged)

    async def _take_spans(
        self, request: web.BaseRequest, route: Route, key_in_path: str, query_text: str, received_us: int
    ) -> web.Response:
        headers = request.headers
        query = read_query(query_text)
        format_ = format_of(route, headers.get("Content-Type", ""))
        key, origin = find_key(headers, query, key_in_path), read_origin(request)
        grant = await self.gate.admit(key, origin)
        self._policy_of(grant.app_id)
        reception = Reception(
            app_id=grant.app_id,
            received_at_us=received_us,
            address=self._addresses.of(request),
            user_agent=read_user_agent(request),
            hints=read_hints(request),
            send=_stamp(format_, query),
            trusted=grant.role == "server",
            gpc=read_signal(request, "Sec-GPC"),
            dnt=read_signal(request, "DNT"),
            origin=origin,
            host=read_host(request),
        )
        sender = self._trace_limits.sender(key, reception.address, reception.trusted)
        encoding = headers.get("Content-Encoding") or (query.get("encoding") if format_ is Format.NATIVE else None)
        with Holding(self._queue) as holding:
            sent = await read_body(request, self._limits.wire_bytes, self._read_timeout_s, holding)
            self.measures.bodies.add()
            self.measures.bytes_in.add(len(sent))
            data = inflate(sent, encoding, self._limits.body_bytes)
            holding.hold(len(data))
            del sent
            batch_id = read_batch_id(request, grant.app_id) if format_ is Format.FARO else b""
            tally = await self.commits.commit(Body(format_, data, reception, sender, batch_id))
        response = respond.accept(format_, tally, received_us, now_us())
        if format_ is Format.FARO and not session_is_sound(request):
            response.headers["X-Faro-Session-Status"] = "invalid"
        return response

    def _give_script(self, request: web.BaseRequest) -> web.Response:
        if self._script is None:
            raise UnknownPath("path", "the browser SDK was not built here: make install")
        unchanged = matches(self._script.etag, request.headers.get("If-None-Match", ""))
        gzipped = "gzip" in request.headers.get("Accept-Encoding", "")
        return respond.give_script(self._script, unchanged=unchanged, gzipped=gzipped)

    def _refuse(self, error: Exception, dialect: Format, path: str) -> web.Response:
        self.measures.refused.add(value=respond.reason_of(error))
        if not isinstance(error, Refusal):
            self.measures.unforeseen(error)
        response = respond.refuse(dialect, error)
        if isinstance(error, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(find(path)[0].methods)
        return response

    def _report(self, service: Service) -> web.Response:
        if service is Service.METRICS:
            return web.Response(body=self.measures.render(), headers={"Content-Type": CONTENT_TYPE})
        if service is Service.ALIVE:
            return web.Response(body=b'{"alive":true}', headers=_JSON)
        failing = self.failing()
        return web.Response(
            status=503 if failing else 200,
            body=orjson.dumps({"ready": not failing, "failing": failing}),
            headers=_JSON,
        )

    def failing(self) -> list[str]:
        """Why the worker should get no traffic now; empty when it may."""
        reasons = {
            "stopping": self._idle is not None,
            "keys": not self.gate.open or not self.gate.reachable,
            "journal": asyncio.get_running_loop().time() - self.commits.failed_at < FAILED_FOR_S,
        }
        return [name for name, failing in reasons.items() if failing]


def _stamp(format_: Format, query: Mapping[str, str]) -> SendStamp | None:
    """When the body was sent by its own clock, where that is told or agreed."""
    if format_ is Format.REPORTS:
        return SendStamp(mono_us=SENT_US)
    return read_stamp(query) if format_ is Format.NATIVE else None


class Connection(web.RequestHandler):
    """One connection. Answers broken HTTP like every other error, and keeps addresses out of the log."""

    __slots__ = ("_edge",)

    def __init__(self, edge: Edge, server: web.Server, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=KEEPALIVE_S,
            lingering_time=LINGERING_S,
            auto_decompress=False,
            access_log=None,  # type: ignore[arg-type]  # None is aiohttp's way to switch it off
        )
        self._edge = edge

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """What aiohttp's parser could not read as HTTP; its own version quotes the request and logs the peer."""
        del request, message
        if status == 400:
            error: Exception = Malformed("http", "the request is not valid HTTP/1.1, or its head is too large")
            self._edge.measures.refused.add(value="http")
        else:
            error = exc if isinstance(exc, Exception) else RuntimeError()
            self._edge.measures.unforeseen(error)
        response = respond.refuse(Format.NATIVE, error)
        response.force_close()
        return response

    def log_exception(self, *args: object, **kw: object) -> None:
        """Counts what went wrong outside the answer instead of logging text that may quote the client."""
        del args
        error = kw.get("exc_info")
        self._edge.measures.unforeseen(error if isinstance(error, BaseException) else RuntimeError())


class EdgeServer(web.Server):
    """aiohttp's server with our connections."""

    def __init__(self, edge: Edge) -> None:
        super().__init__(edge.answer)
        self.edge = edge

    def __call__(self) -> web.RequestHandler:
        return Connection(self.edge, self, self._loop)


async def serve(
    parts: EdgeParts,
    listening: socket.socket,
    stop: asyncio.Event,
    on_ready: Callable[[], None],
) -> None:
    """Serves on a bound socket until `stop`; then takes no more, commits and answers what it has, and returns."""
    edge = Edge(parts)
    fresh = asyncio.create_task(edge.gate.keep_fresh())
    runner = web.ServerRunner(EdgeServer(edge), shutdown_timeout=1.0)
    await runner.setup()
    site = web.SockSite(runner, listening, backlog=1024)
    await site.start()
    on_ready()
    try:
        await stop.wait()
    finally:
        await site.stop()
        with suppress(TimeoutError):
            async with asyncio.timeout(FINISH_S):
                await edge.finish()
        await runner.cleanup()
        fresh.cancel()
