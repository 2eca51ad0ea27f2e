"""Whatever is sent, by the document or against it: no fault of the server, and no answer that it does not describe."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import hypothesis
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, Verbosity
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ingest.query.openapi import document
from ingest.query.server import LINE_BYTES
from ingest.store.database import open_pool
from ingest.store.embedded import EmbeddedPostgres
from tests.query.conftest import ADMIN, OWNER, copied, serve

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
SCHEMA = schemathesis.openapi.from_dict(document())
OPERATIONS = {each.ok().label: each.ok() for each in SCHEMA.get_all_operations()}
EXAMPLES = 8
"""Of each call and way of making them."""


@pytest.fixture(scope="module")
def server(postgres: EmbeddedPostgres, world_dsn: str) -> Iterator[str]:
    """Address of a query server over a copy of the world, in a thread of its own: the fuzzer waits for answers."""
    ready: Future[str] = Future()
    stop: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def run() -> None:
        stopped = asyncio.Event()
        stop.set_result((asyncio.get_running_loop(), stopped))
        async with copied(postgres.start(), world_dsn, "world_of_fuzz") as dsn:
            pool = await open_pool(dsn, connections=8)
            await pool.execute("SELECT setval(pg_get_serial_sequence('app', 'app_id'), 2)")
            async with serve(pool) as client:
                ready.set_result(str(client.make_url("/")).rstrip("/"))
                await stopped.wait()
            pool.terminate()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    yield ready.result(30)
    loop, stopped = stop.result()
    loop.call_soon_threadsafe(stopped.set)
    thread.join()


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize("label", list(OPERATIONS))
def test_nothing_that_is_sent_finds_a_fault(server: str, label: str, mode: GenerationMode) -> None:
    operation: Any = OPERATIONS[label]
    token = ADMIN if label == "POST /api/v1/apps" else OWNER

    @hypothesis.settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Any) -> None:
        sent = requests.Request(**case.as_transport_kwargs(base_url=server)).prepare()
        hypothesis.assume(len(str(sent.url)) < LINE_BYTES)
        case.call_and_validate(base_url=server, headers={"Authorization": f"Bearer {token}"}, checks=CHECKS)

    send()
