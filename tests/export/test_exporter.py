"""Kept client spans reach a tracing backend: once each, however often it fails, and never instead of ingest."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import numpy as np
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from ingest.aggregate.consume import Aggregator
from ingest.errors import Unavailable
from ingest.export.exporter import Exporter
from ingest.journal.postgres import PostgresJournal
from ingest.model import Origin
from ingest.ports import Portion
from ingest.settings import SettingError, Settings
from ingest.store.exports import PostgresExports
from ingest.store.plan import Retention
from ingest.store.read import PostgresReader
from ingest.store.write import PostgresStore
from tests.aggregate.turns import append, ledger
from tests.records import NOW_US, make_record
from tests.service import running_service

Pool = asyncpg.Pool
RETENTION = Retention.of(Settings.from_env({}))


@dataclass
class Backend:
    """A tracing backend: takes what it is sent, unless told otherwise."""

    spans: list[Span] = field(default_factory=list)
    requests: list[ExportTraceServiceRequest] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)
    answer: Callable[[ExportTraceServiceRequest, int], web.Response] = lambda _request, _number: web.Response()
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        body = ExportTraceServiceRequest.FromString(await request.read())
        assert request.headers["Content-Encoding"] == "gzip"
        self.headers.append(request.headers)
        self.requests.append(body)
        response = self.answer(body, len(self.requests))
        if response.status == 200:
            self.spans += spans_of(body)
        return response

    def ids(self) -> list[bytes]:
        return sorted(span.span_id for span in self.spans)


def spans_of(body: ExportTraceServiceRequest) -> list[Span]:
    return [span for group in body.resource_spans for scope in group.scope_spans for span in scope.spans]


@asynccontextmanager
async def listening() -> AsyncIterator[Backend]:
    backend = Backend()
    app = web.Application()
    app.router.add_post("/v1/traces", backend.take)
    async with TestServer(app, host="127.0.0.1") as server:
        backend.url = str(server.make_url("/v1/traces"))
        yield backend


async def store(pool: "Pool[Any]", *records: Any) -> list[bytes]:
    """Takes records in as the aggregator would, exporting; returns the ids of what they keep of clients."""
    await append(pool, *records)
    own = PostgresStore(pool, export=True)
    aggregator = Aggregator(own, PostgresJournal(pool), lambda: NOW_US, series_limit=1000, turn_seconds=0.01)
    await own.lead()
    while await aggregator.turn():
        pass
    await own._connection.execute("SELECT pg_advisory_unlock_all()")
    return sorted(
        span_id.tobytes()
        for record in records
        for span_id, origin in zip(record.kept.batch.spans.span_id, record.kept.assigned.origin, strict=True)
        if origin == Origin.CLIENT
    )


def exporter(pool: "Pool[Any]", url: str, *, most: int = 100_000, exports: Any = None, **headers: str) -> Exporter:
    return Exporter(
        exports or PostgresExports(pool), PostgresReader(pool, RETENTION), url, headers, most=most, dice=lambda: 0.0
    )


async def run_until(exporter: Exporter, done: Callable[[], Any]) -> None:
    """Runs the exporter until a condition holds."""
    stop = asyncio.Event()
    running = asyncio.create_task(exporter.run(stop))
    try:
        async with asyncio.timeout(30):
            while not await done():
                if running.done():
                    running.result()
                await asyncio.sleep(0.02)
    finally:
        stop.set()
        await asyncio.gather(running, return_exceptions=True)


def empty(pool: "Pool[Any]") -> Callable[[], Any]:
    async def check() -> bool:
        return await pool.fetchval("SELECT count(*) FROM export_queue") == 0

    return check


async def test_every_kept_client_span_arrives_once_with_what_is_known_of_it(pool: "Pool[Any]") -> None:
    ids = await store(pool, make_record(1, keep=0.5), make_record(2, keep=0.25))
    async with listening() as backend:
        await run_until(exporter(pool, backend.url, Authorization="Bearer s3cret"), empty(pool))
    assert backend.ids() == ids
    assert backend.headers[0]["Authorization"] == "Bearer s3cret"
    row = await pool.fetchrow(
        "SELECT *, extract(epoch FROM start_at) * 1000000 AS us FROM span WHERE http_status = 200"
    )
    sent = next(span for span in backend.spans if span.span_id == row["span_id"])
    assert (sent.trace_id, sent.name, sent.kind) == (row["trace_id"], row["name"], row["kind"])
    assert sent.start_time_unix_nano == int(row["us"]) * 1000
    assert sent.end_time_unix_nano - sent.start_time_unix_nano == row["duration_us"] * 1000
    attributes = {pair.key: pair.value for pair in sent.attributes}
    assert attributes["url.full"].string_value == row["url"]
    assert attributes["http.response.status_code"].int_value == 200
    assert attributes["firsthop.clock.quality"].string_value == row["clock_quality"].decode()
    assert sent.trace_state.startswith("ot=th:8" if row["weight"] == 2 else "ot=th:c")
    assert f"rv:{row['randomness']:014x}" in sent.trace_state
    resource = {pair.key for pair in backend.requests[0].resource_spans[0].resource.attributes}
    assert {"service.name", "service.version", "device.model.identifier"} <= resource


async def test_what_a_backend_measured_is_not_sent_back_to_it(pool: "Pool[Any]") -> None:
    record = make_record(1, keep=1.0)
    origin = np.arange(len(record.kept.assigned), dtype=np.uint8) % 2
    ids = await store(
        pool, replace(record, kept=replace(record.kept, assigned=replace(record.kept.assigned, origin=origin)))
    )
    async with listening() as backend:
        await run_until(exporter(pool, backend.url), empty(pool))
    assert backend.ids() == ids
    assert len(ids) == 30


async def test_a_backend_that_fails_gets_everything_later_and_nothing_twice(pool: "Pool[Any]") -> None:
    ids = await store(pool, make_record(1, keep=1.0))
    failures = [
        web.Response(status=503, headers={"Retry-After": "0"}),
        web.Response(status=429),
        web.Response(status=401),
    ]
    async with listening() as backend:
        backend.answer = lambda _, number: failures[number - 1] if number <= len(failures) else web.Response()
        sending = exporter(pool, backend.url)
        sending._pause_s = lambda: 0.0  # type: ignore[method-assign]
        await run_until(sending, empty(pool))
    assert len(backend.requests) == 4
    assert backend.ids() == ids


async def test_nobody_listening_loses_nothing(pool: "Pool[Any]", unused_tcp_port: int) -> None:
    ids = await store(pool, make_record(1, keep=1.0))
    sending = exporter(pool, f"http://127.0.0.1:{unused_tcp_port}/v1/traces")
    sending._pause_s = lambda: 0.0  # type: ignore[method-assign]

    async def failed() -> bool:
        return sending._failures >= 3

    await run_until(sending, failed)
    assert await pool.fetchval("SELECT count(*) FROM export_queue") == len(ids)


async def test_after_a_crash_between_taking_and_forgetting_the_same_ids_are_sent_again(pool: "Pool[Any]") -> None:
    class Crashing(PostgresExports):
        async def finish(self, portion: Portion, *, refused: bool) -> None:
            raise asyncio.CancelledError

    ids = await store(pool, make_record(1, keep=1.0))
    async with listening() as backend:

        async def taken() -> bool:
            return bool(backend.spans)

        await run_until(exporter(pool, backend.url, exports=Crashing(pool)), taken)
        async with pool.acquire() as connection:
            await connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            )
        await run_until(exporter(pool, backend.url), empty(pool))
    assert backend.ids() == sorted(ids * 2)


async def test_a_span_that_is_refused_for_good_does_not_take_others_with_it(pool: "Pool[Any]") -> None:
    ids = await store(pool, make_record(1, keep=1.0))
    poison = ids[17]
    async with listening() as backend:
        backend.answer = lambda body, _: web.Response(
            status=400 if poison in {span.span_id for span in spans_of(body)} else 200
        )
        await run_until(exporter(pool, backend.url), empty(pool))
    assert backend.ids() == [span_id for span_id in ids if span_id != poison]
    assert (await ledger(pool))["noted:export_refused"] == 1


async def test_what_waits_is_bounded_and_the_oldest_go_counted(pool: "Pool[Any]", unused_tcp_port: int) -> None:
    await store(pool, make_record(1, keep=1.0))
    newest = await store(pool, make_record(2, keep=1.0))
    sending = exporter(pool, f"http://127.0.0.1:{unused_tcp_port}/v1/traces", most=60)

    async def trimmed() -> bool:
        return await pool.fetchval("SELECT count(*) FROM export_queue") == 60

    await run_until(sending, trimmed)
    waiting = await pool.fetch("SELECT span_id FROM export_queue ORDER BY span_id")
    assert [row["span_id"] for row in waiting] == newest
    assert (await ledger(pool))["noted:export_dropped"] == 60


async def test_who_was_erased_meanwhile_is_not_sent_on(pool: "Pool[Any]") -> None:
    ids = await store(pool, make_record(1, keep=1.0))
    await pool.execute("DELETE FROM span WHERE span_id = ANY($1)", ids[:20])
    async with listening() as backend:
        await run_until(exporter(pool, backend.url), empty(pool))
    assert backend.ids() == ids[20:]


async def test_a_second_exporter_waits_until_the_first_is_gone(pool: "Pool[Any]") -> None:
    first, second = PostgresExports(pool), PostgresExports(pool)
    await first.lead()
    waiting = asyncio.create_task(second.lead())
    done, _ = await asyncio.wait({waiting}, timeout=0.3)
    assert not done
    await first._connection.execute("SELECT pg_advisory_unlock_all()")
    await asyncio.wait_for(waiting, 10)


async def test_a_database_that_is_away_is_said_to_be(dsn: str, pool: "Pool[Any]") -> None:
    exports = PostgresExports(pool)
    await exports.lead()
    await pool.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted")
    with pytest.raises(Unavailable):
        await exports.next(10)


@pytest.mark.parametrize(
    "url",
    ["ftp://example.org/v1/traces", "http://user:pw@example.org/", "file:///etc/passwd", "http://", "http://a/?q=1"],
)
def test_only_a_plain_http_address_is_exported_to(url: str) -> None:
    with pytest.raises(SettingError, match="FIRSTHOP_EXPORT_URL"):
        Settings.from_env({"FIRSTHOP_EXPORT_URL": url})


async def test_ingest_goes_on_while_the_tracing_backend_hangs(tmp_path: Path) -> None:
    hanging = asyncio.Event()

    async def hang(_: web.Request) -> web.Response:
        await hanging.wait()
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", hang)
    async with TestServer(app, host="127.0.0.1") as server:
        settings = {"FIRSTHOP_EXPORT_URL": str(server.make_url("/v1/traces")), "FIRSTHOP_WORKERS": "1"}
        async with running_service(tmp_path / "data", **settings) as service, aiohttp.ClientSession() as http:
            for number in range(3):
                body = service.native_batch(number.to_bytes(16, "big") or b"", 20, number)
                async with http.post(f"{service.edge}/v1/batches?key={service.client_key}", data=body) as answer:
                    assert answer.status in (202, 400)
            database = await asyncpg.connect(service.dsn)
            async with asyncio.timeout(30):
                while await database.fetchval("SELECT count(*) FROM export_queue") < 20:
                    await asyncio.sleep(0.1)
            assert await database.fetchval("SELECT count(*) FROM span") >= 20
            await database.close()
        hanging.set()
