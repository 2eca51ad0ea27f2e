"""A client and a real OpenTelemetry backend, both sending to a real firsthop: one trace, figures of clients alone."""

import asyncio
import json
import os
import random
import re
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
from aiohttp import web
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, format_span_id, format_trace_id
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from client_sdk_spec import encoder
from tests.contracts.conftest import DEADLINE_S, Api
from tests.service import Service

pytestmark = pytest.mark.asyncio(loop_scope="session")

BACKEND_DELAY_S = 0.05
REQUESTS = 5


@dataclass
class Request:
    """What a client knows of a request that it made."""

    trace_id: str
    span_id: str
    start_us: int
    duration_us: int
    headers: Mapping[str, str]
    """Of the answer."""


async def firsthop(service: Service, *arguments: str) -> dict[str, Any]:
    """A command as its operator would give it; what it answers."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ingest.cli", *arguments, "--json"),
        env={**os.environ, "FIRSTHOP_DATA": str(service.data)},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    answer: dict[str, Any] = json.loads(output)
    return answer


async def make_server_key(service: Service, app: str = "app") -> str:
    """A server key of an app."""
    key: str = (await firsthop(service, "app", "key", app, "--role", "server"))["server_key"]
    return key


@asynccontextmanager
async def running_backend(service: Service, key: str, version: str) -> AsyncIterator[tuple[str, TracerProvider]]:
    """A service with OpenTelemetry's SDK: continues the trace, says so in Server-Timing, exports with a server key."""
    sdk = TracerProvider(resource=Resource.create({"service.name": "orders", "service.version": version}))
    exporter = OTLPSpanExporter(endpoint=f"{service.edge}/v1/traces", headers={"x-api-key": key})
    sdk.add_span_processor(BatchSpanProcessor(exporter))
    tracer, propagator = sdk.get_tracer("backend"), TraceContextTextMapPropagator()

    async def answer(request: web.Request) -> web.Response:
        started = time.perf_counter()
        context = propagator.extract(request.headers)
        with tracer.start_as_current_span("GET /orders/{id}", context=context, kind=SpanKind.SERVER) as span:
            span.set_attributes(
                {"http.request.method": "GET", "url.path": request.path, "http.response.status_code": 200}
            )
            with tracer.start_as_current_span("SELECT orders", kind=SpanKind.CLIENT):
                await asyncio.sleep(BACKEND_DELAY_S)
            own = span.get_span_context()
        named = f"00-{format_trace_id(own.trace_id)}-{format_span_id(own.span_id)}-01"
        took_ms = (time.perf_counter() - started) * 1000
        return web.Response(headers={"Server-Timing": f'traceparent;desc="{named}", total;dur={took_ms:.3f}'})

    app = web.Application()
    app.router.add_get("/orders/{id}", answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", sdk
    finally:
        await runner.cleanup()
        await asyncio.to_thread(sdk.shutdown)


async def call(session: aiohttp.ClientSession, backend: str, rng: random.Random) -> Request:
    """A request as a client with a tracer makes it."""
    trace_id, span_id = f"{rng.getrandbits(128):032x}", f"{rng.getrandbits(64):016x}"
    start_us, started = time.time_ns() // 1000, time.perf_counter_ns()
    headers = {"traceparent": f"00-{trace_id}-{span_id}-01", "tracestate": "vendor=secret", "baggage": "user=jane"}
    async with session.get(f"{backend}/orders/{rng.randrange(1000)}", headers=headers) as answer:
        await answer.read()
        took_us = (time.perf_counter_ns() - started) // 1000
        return Request(trace_id, span_id, start_us, took_us, answer.headers.copy())


def native_batch(requests: list[Request], version: str, batch_id: int) -> bytes:
    """The client's batch: what it measured, and the answers' header."""
    spans = [
        {
            "trace_id": request.trace_id,
            "span_id": request.span_id,
            "name": "GET /orders/{id}",
            "kind": 3,
            "start_us": request.start_us,
            "duration_us": request.duration_us,
            "method": "GET",
            "url": "https://api.shop.example/orders/7",
            "route": "/orders/{id}",
            "http_status": 200,
            "request_us": 0,
            "ttfb_us": request.duration_us,
            "attributes": {"http.response.header.server-timing": request.headers["Server-Timing"]},
        }
        for request in requests
    ]
    resource = {"service": "shop", "version": version}
    return encoder.encode(
        {"id": f"{batch_id:032x}", "resource": resource, "clock": {"kind": "wall"}, "spans": spans}, "msgpack"
    )


async def stored(service: Service, traces: list[str], at_least: int) -> list[Mapping[str, Any]]:
    """The stored spans of these traces, once there are as many as named."""
    connection = await asyncpg.connect(service.dsn)
    try:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                rows = await connection.fetch(
                    "SELECT *, encode(trace_id, 'hex') AS trace, encode(span_id, 'hex') AS id,"
                    " encode(parent_span_id, 'hex') AS parent FROM span WHERE trace_id = ANY($1)",
                    [bytes.fromhex(trace) for trace in traces],
                )
                if len(rows) >= at_least:
                    return rows
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


async def test_client_and_backend_meet_in_one_trace_and_figures_are_the_clients_alone(
    service: Service, api: Api
) -> None:
    version, rng = "backend-links", random.Random(41)
    key = await make_server_key(service)
    async with running_backend(service, key, version) as (backend, sdk), aiohttp.ClientSession() as session:
        requests = [await call(session, backend, rng) for _ in range(REQUESTS)]
        headers = {"x-api-key": service.client_key}
        async with session.post(
            f"{service.edge}/v1/batches", data=native_batch(requests, version, rng.getrandbits(128)), headers=headers
        ) as answer:
            assert (answer.status, (await answer.json())["accepted"]) == (202, REQUESTS)
        before = await api.total(REQUESTS, version=version, group_by="version")
        # Only now the backend's spans set out, under the same version as the client's.
        assert await asyncio.to_thread(sdk.force_flush)

    rows = await stored(service, [request.trace_id for request in requests], 3 * REQUESTS)
    assert len(rows) == 3 * REQUESTS
    for request in requests:
        trace = {row["name"]: row for row in rows if row["trace"] == request.trace_id}
        client = next(row for row in rows if row["id"] == request.span_id)
        server = next(row for row in rows if row["trace"] == request.trace_id and row["parent"] == request.span_id)
        assert (client["origin"], server["origin"], trace["SELECT orders"]["origin"]) == (
            "client",
            "backend",
            "backend",
        )
        assert trace["SELECT orders"]["parent"] == server["id"]
        assert json.loads(client["links"]) == [
            {"trace_id": request.trace_id, "span_id": server["id"], "kind": "server"}
        ]
        assert BACKEND_DELAY_S * 1e6 <= client["server_us"] <= request.duration_us
        assert server["server_us"] is None
    assert "jane" not in str(rows)
    assert "vendor" not in str(rows)

    after = await api.total(REQUESTS, version=version, group_by="version")
    assert after == before
    assert after["spans"] == REQUESTS


async def send(service: Service, key: str, requests: list[Request], seed: int, **headers: str) -> None:
    """The client's batch of these requests, taken in."""
    body = native_batch(requests, "gateway", random.Random(seed).getrandbits(128))
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.edge}/v1/batches", data=body, headers={"x-api-key": key, **headers}) as answer,
    ):
        assert (answer.status, (await answer.json())["accepted"]) == (202, len(requests))


async def until_renamed(service: Service, key: str, probe: Request) -> None:
    """Returns when the edge has read the app's policy: it does so every few seconds."""
    async with asyncio.timeout(DEADLINE_S), aiohttp.ClientSession() as session:
        for seed in range(1000, 2000):
            await send(service, key, [probe], seed)
            async with session.get(f"{service.edge}/metrics") as answer:
                counts = re.findall(r'firsthop_noted_spans_total\{.*note="trace_renamed"\} (\d+)', await answer.text())
            if any(map(int, counts)):
                return
            await asyncio.sleep(0.2)


async def test_behind_a_gateway_the_trace_as_sent_is_a_link_that_leads_to_the_backend(
    service: Service, tmp_path: Path
) -> None:
    rng, partner = random.Random(47), "https://partner.example"
    client_key: str = (await firsthop(service, "app", "create", "gateway"))["client_key"]
    policy = tmp_path / "gateway.toml"
    policy.write_text(f'[traces]\ngateway = true\npartners = ["{partner}"]\n')
    await firsthop(service, "privacy", "apply", str(policy), "--app", "gateway")
    key = await make_server_key(service, "gateway")
    async with running_backend(service, key, "gateway") as (backend, sdk), aiohttp.ClientSession() as session:
        probe, ours, theirs = [await call(session, backend, rng) for _ in range(3)]
        await until_renamed(service, client_key, probe)
        await send(service, client_key, [ours], 1)
        await send(service, client_key, [theirs], 2, Origin=partner)
        assert await asyncio.to_thread(sdk.force_flush)

    kept = await stored(service, [theirs.trace_id], 3)
    assert sorted(row["origin"] for row in kept) == ["backend", "backend", "client"]
    backends = await stored(service, [ours.trace_id], 2)
    assert [row["origin"] for row in backends] == ["backend", "backend"]
    connection = await asyncpg.connect(service.dsn)
    try:
        found = await connection.fetch(
            "SELECT trace_id, links FROM span WHERE links @> $1 AND origin = 'client'",
            json.dumps([{"trace_id": ours.trace_id, "span_id": ours.span_id, "kind": "external"}]),
        )
    finally:
        await connection.close()
    assert len(found) == 1
    assert found[0]["trace_id"].hex() != ours.trace_id
    server = next(row["id"] for row in backends if row["parent"] == ours.span_id)
    assert {"trace_id": ours.trace_id, "span_id": server, "kind": "server"} in json.loads(found[0]["links"])


async def test_the_ledger_shows_backend_spans_that_were_kept(service: Service, api: Api) -> None:
    """They are received and kept like others: the law received = Σ outcomes holds with them."""
    key = await make_server_key(service)
    now = time.time_ns() // 1000
    spans = [
        {"trace_id": f"{number:032x}", "span_id": f"{number:016x}", "name": "job", "start_us": now, "duration_us": 5}
        for number in range(1, 4)
    ]
    resource = {"service": "orders", "version": "backend-ledger"}
    body = encoder.encode(
        {
            "id": f"{random.Random(43).getrandbits(128):032x}",
            "resource": resource,
            "clock": {"kind": "wall"},
            "spans": spans,
        },
        "json",
    )
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{service.edge}/v1/batches", data=body, headers={"x-api-key": key}) as answer,
    ):
        assert (answer.status, (await answer.json())["accepted"]) == (202, 3)
    await stored(service, [span["trace_id"] for span in spans], 3)
    status, latency = await api.get("latency", version="backend-ledger", group_by="version")
    assert (status, latency["groups"]) == (200, [])
    status, ledger = await api.get("ledger")
    assert status == 200
    assert ledger["closed"]
    assert ledger["total"]["outcomes"]["kept"] >= 3
