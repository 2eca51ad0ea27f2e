"""A receiver on the loopback interface that misbehaves on purpose, and remembers what it was sent."""

import asyncio
import base64
import hashlib
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from client_sdk_spec.conformance.scenarios import SCENARIOS, SILENCE, Act, Scenario
from client_sdk_spec.decoder import Unreadable, decode, inflate

AHEAD_US = 7_000_000
"""How far this server's clock is ahead of the machine's: only a client that learns it can know."""
REASONS = {0: "", 400: "bad_json", 401: "no_key", 403: "unknown_key", 404: "path", 408: "slow_body", 410: "gone"}
REASONS |= {413: "body_too_large", 415: "unknown_encoding", 429: "too_many_traces", 503: "queue_full"}
PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "content-type, content-encoding, authorization, x-api-key, if-none-match",
}
READABLE = {
    "Access-Control-Allow-Origin": "*",
    "Timing-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "Retry-After, ETag, Firsthop-Signature, Firsthop-Received-Us, Firsthop-Replied-Us",
}
OURS, THEIRS = (Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32) for seed in (1, 2))


@dataclass
class Attempt:
    """One POST of a batch, and what became of it."""

    began_s: float
    """When its head was there; by a clock that only grows, like `ended_s`."""
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    wire: bytes
    """The body as sent."""
    body: bytes
    """Inflated; as sent where it could not be."""
    batch: Mapping[str, Any]
    """Decoded; empty where it could not be read."""
    fault: str
    """Why it could not be read."""
    act: Act = SILENCE
    ended_s: float = 0.0
    """When it was answered, reset, or given up by the client."""
    received_us: int = 0
    replied_us: int = 0

    @property
    def stored(self) -> bool:
        """Whether its spans arrived, as far as the receiver goes."""
        told = 200 <= self.act.status < 300
        return not self.fault and (told if self.act.stored is None else self.act.stored)


@dataclass
class Seen:
    """What one scenario saw."""

    attempts: list[Attempt] = field(default_factory=list)
    asked_s: list[float] = field(default_factory=list)
    """When the configuration was asked for."""
    told_us: list[int] = field(default_factory=list)
    """Server times that its answers told, with `clock=1`."""
    preflights: int = 0
    strayed: list[str] = field(default_factory=list)
    """Requests to other addresses."""
    in_flight: int = 0
    most_in_flight: int = 0


class Receiver:
    """Takes requests of many scenarios at once.

    Args:
        silence_s: longest that a request without an answer is held.
    """

    def __init__(self, silence_s: float = 15.0) -> None:
        self._silence_s = silence_s
        self.seen: dict[str, Seen] = {}
        self.address = ""

    def of(self, name: str) -> Seen:
        """What a scenario saw so far."""
        return self.seen.setdefault(name, Seen())

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer to any request."""
        began_s, received_us = time.monotonic(), _server_us()
        name = self._scenario(request)
        if name not in SCENARIOS:
            return web.json_response({"error": "unknown_key", "message": "the key names a scenario"}, status=403)
        scenario, seen = SCENARIOS[name], self.of(name)
        if request.method == "OPTIONS":
            seen.preflights += 1
            return web.Response(status=204, headers=PREFLIGHT)
        if request.path == "/v1/config":
            return self._tell_config(request, scenario, seen, received_us)
        if request.path.removesuffix(f"/{name}") != "/v1/batches":
            seen.strayed.append(request.path)
            return web.Response(status=404, headers=READABLE)
        attempt = await self._read(request, began_s)
        attempt.received_us = received_us
        attempt.act = scenario.act(len(seen.attempts), attempt.batch)
        seen.attempts.append(attempt)
        seen.in_flight += 1
        seen.most_in_flight = max(seen.most_in_flight, seen.in_flight)
        try:
            return await self._act(request, attempt)
        finally:
            seen.in_flight -= 1
            attempt.ended_s = time.monotonic()

    @staticmethod
    def _scenario(request: web.BaseRequest) -> str:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        in_path = request.path.rpartition("/")[2]
        return request.headers.get("X-Api-Key") or bearer or request.query.get("key") or in_path

    @staticmethod
    async def _read(request: web.BaseRequest, began_s: float) -> Attempt:
        wire = await request.read()
        body, batch, fault = wire, {}, ""
        try:
            body = inflate(wire, request.headers.get("Content-Encoding") or request.query.get("encoding", ""))
            batch = decode(body)
        except Unreadable as found:
            fault = str(found)
        return Attempt(began_s, request.path, dict(request.query), dict(request.headers), wire, body, batch, fault)

    async def _act(self, request: web.BaseRequest, attempt: Attempt) -> web.StreamResponse:
        act = attempt.act
        if act.status == -1:
            await self._until_given_up(request)
        if act.status < 200:
            _reset(request)
        attempt.replied_us = _server_us()
        if act.body is not None:
            body = act.body
        elif act.status == 202:
            spans = len(attempt.batch.get("spans", ()))
            told = {"accepted": spans, "rejected": {}}
            body = json.dumps(told | {"received_us": attempt.received_us, "replied_us": attempt.replied_us}).encode()
        else:
            reason = REASONS.get(act.status, "internal")
            body = json.dumps({"error": reason, "message": "on purpose", "offset": None}).encode()
        headers = {"Content-Type": "application/json", **READABLE, **act.headers}
        return web.Response(status=max(act.status, 200), body=body, headers=headers)

    async def _until_given_up(self, request: web.BaseRequest) -> None:
        """Returns when the client has closed the connection, or nobody wants to wait any longer."""
        ends_s = time.monotonic() + self._silence_s
        while time.monotonic() < ends_s and request.transport is not None:  # noqa: ASYNC110 - nobody tells that it closed
            await asyncio.sleep(0.01)

    @staticmethod
    def _tell_config(request: web.BaseRequest, scenario: Scenario, seen: Seen, received_us: int) -> web.StreamResponse:
        seen.asked_s.append(time.monotonic())
        body = json.dumps(scenario.config(seen.asked_s[-1] - seen.asked_s[0])).encode()
        key = OURS if scenario.signed == "well" else THEIRS
        headers = {**READABLE, "Content-Type": "application/json", "Cache-Control": "private, max-age=1"}
        headers |= signed(key, body)
        if request.query.get("clock") == "1":
            seen.told_us.append(_server_us())
            times = {"Firsthop-Received-Us": str(received_us), "Firsthop-Replied-Us": str(seen.told_us[-1])}
            headers |= times | {"Cache-Control": "no-store"}
        if headers["ETag"] in (request.headers.get("If-None-Match"), request.query.get("etag")):
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, headers=headers)


def signed(key: Ed25519PrivateKey, body: bytes) -> dict[str, str]:
    """ETag and signature of an answer."""

    key_id = hashlib.sha256(key.public_key().public_bytes_raw()).hexdigest()[:16]
    signature = f"keyid={key_id}; ed25519={base64.b64encode(key.sign(body)).decode()}"
    return {"ETag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "Firsthop-Signature": signature}


def _server_us() -> int:
    return time.time_ns() // 1_000 + AHEAD_US


def _reset(request: web.BaseRequest) -> None:
    """Ends the connection so that the client sees a reset, and no answer."""
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


@asynccontextmanager
async def receiving(port: int = 0, silence_s: float = 15.0) -> AsyncIterator[Receiver]:
    """A receiver on a port of the loopback interface."""
    receiver = Receiver(silence_s)
    runner = web.ServerRunner(web.Server(receiver.answer, auto_decompress=False), shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        receiver.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield receiver
    finally:
        await runner.cleanup()
