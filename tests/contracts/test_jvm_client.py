"""The JVM and Android client (`client_sdk_spec/jvm/`): its own tests, and then a JVM against receivers good and bad."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from client_sdk_spec.conformance.client_half import by_sentence, check_command
from tests.contracts.conftest import Api
from tests.service import Service

HERE = Path(__file__).parents[2] / "client_sdk_spec" / "jvm"
CANNOT_FETCH = ("Could not resolve", "Could not transfer", "could not be resolved", "Could not find artifact")
PHASES = ("redirect", "blocked", "dns", "tcp", "tls", "request", "ttfb", "download")
MOST_WIRE_BYTES = 1_500
"""Of the unruly edge: less than a hundred spans take."""

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(600)]


def maven(*goals: str) -> str:
    """Runs Maven, and returns what it printed; skips where there is none, or where it cannot fetch what it needs."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            pytest.skip(f"the JVM client: {program} is not installed")
    done = subprocess.run(
        ["mvn", "-B", "-ntp", *goals],
        cwd=HERE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode and any(sign in done.stdout for sign in CANNOT_FETCH):
        pytest.skip("the JVM client: its packages cannot be fetched")
    assert done.returncode == 0, done.stdout[-8_000:]
    return done.stdout


@pytest.fixture(scope="module")
def classpath() -> str:
    """Of the client and its demo, compiled."""
    maven("-q", "test-compile", "dependency:build-classpath", "-Dmdep.outputFile=target/classpath")
    parts = [HERE / "target" / "classes", HERE / "target" / "test-classes", (HERE / "target" / "classpath").read_text()]
    return os.pathsep.join(map(str, parts))


async def demo(
    classpath: str, edge: str, key: str, version: str, *arguments: str, directory: Path | None = None
) -> Any:
    """Runs the demo to its end; returns what it says to have sent."""
    environment = os.environ | {"FIRSTHOP_EDGE": edge, "FIRSTHOP_KEY": key, "FIRSTHOP_VERSION": version}
    if directory is not None:
        environment["FIRSTHOP_DIRECTORY"] = str(directory)
    process = await asyncio.create_subprocess_exec(
        "java", "-cp", classpath, "firsthop.okhttp.Demo", *arguments,
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()[-4_000:]
    return json.loads(out)


class Unruly:
    """An edge that misbehaves, in front of a real one: by a script first, and too narrow always."""

    def __init__(self, edge: str, script: list[str]) -> None:
        self.edge, self.script = edge, script

    async def post(self, request: web.Request) -> web.StreamResponse:
        """Answers a batch: as the script says, else with what the real edge answers."""
        body = await request.read()
        deed = self.script.pop(0) if self.script else "forward"
        if deed.isdigit():
            return web.Response(status=int(deed), headers={"Retry-After": "1"})
        if len(body) > MOST_WIRE_BYTES:
            return web.Response(status=413)
        key = {"x-api-key": request.headers["x-api-key"]}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.edge}{request.path_qs}", data=body, headers=key) as answer,
        ):
            told = await answer.read()
        if deed == "lose" and request.transport is not None:
            request.transport.abort()
        return web.Response(status=answer.status, body=told, content_type="application/json")


@asynccontextmanager
async def unruly_edge(edge: str, script: list[str]) -> AsyncIterator[str]:
    """The address of an `Unruly`."""
    app = web.Application()
    app.router.add_post("/v1/batches", Unruly(edge, script).post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def nobody() -> str:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{taken.getsockname()[1]}"


async def test_it_passes_its_own_tests_with_every_version_of_okhttp() -> None:
    told = await asyncio.to_thread(maven, "verify")
    for version in ("3.14.9", "4.12.0", "5.5.1"):
        assert list((HERE / "target" / "surefire-reports").glob(f"*okhttp-{version}.txt")), told


async def test_it_does_what_the_specification_says_before_a_receiver_that_misbehaves(classpath: str) -> None:
    verdicts = await check_command(["java", "-cp", classpath, "firsthop.Conformance"], at_once=2, slack_s=3.0)
    broken = [verdict for verdict in verdicts if verdict.word == "broken"]
    assert not broken
    assert {verdict.word for verdict in by_sentence(verdicts)} == {"holds"}


async def test_calls_of_okhttp_are_stored_once_with_the_phases_that_were_measured(
    classpath: str, service: Service, api: Api
) -> None:
    sent = await demo(classpath, service.edge, service.client_key, "jvm-calls", "calls", "6")
    assert (await api.total(6, version="jvm-calls"))["spans"] == 6
    await service.drained()
    assert (await api.total(6, version="jvm-calls"))["spans"] == 6
    for number, span in enumerate(sent["spans"]):
        stored = (await api.spans(span["trace_id"], 1))[span["span_id"]]
        for phase in PHASES:
            state = {-1: "reused", -2: "unknown"}.get(span[f"{phase}_us"], "measured")
            assert stored["phases"][phase]["state"] == state, phase
            if state == "measured":
                assert stored["phases"][phase]["us"] == span[f"{phase}_us"]
        assert stored["duration_us"] == span["duration_us"]
        assert stored["signal"] == "request"
        assert stored["server_us"] == 12_500
        assert stored["phases"]["tls"]["state"] == ("measured" if number == 0 else "reused")
        assert stored["clock_quality"] in "AB"


async def test_behind_an_unruly_edge_every_span_is_stored_once(
    classpath: str, service: Service, api: Api, tmp_path: Path
) -> None:
    script = ["429", "lose", "503", "forward", "lose", "408"]
    async with unruly_edge(service.edge, script) as edge:
        sent = await demo(
            classpath, edge, service.client_key, "jvm-unruly", "spans", "250", directory=tmp_path / "queue"
        )
    assert {429, 503, 408, 413, 202, 0} == set(sent["statuses"])
    assert sent["dropped"] == {}
    assert len({span["span_id"] for span in sent["spans"]}) == 250
    await service.drained()
    total = await api.total(250, version="jvm-unruly", signal="operation")
    assert total["spans"] == 250
    assert not list((tmp_path / "queue").glob("*.batch"))


async def test_what_one_process_could_not_send_the_next_one_sends(
    classpath: str, service: Service, api: Api, tmp_path: Path
) -> None:
    queue = tmp_path / "queue"
    sent = await demo(
        classpath, nobody(), service.client_key, "jvm-offline", "spans", "130", "offline", directory=queue
    )
    assert sent["spans"] == []
    assert list(queue.glob("*.batch"))
    sent = await demo(classpath, service.edge, service.client_key, "jvm-offline", "spans", "131", directory=queue)
    # It waited for as many as it recorded itself: what was left from before went first.
    assert len(sent["spans"]) >= 131
    await service.drained()
    total = await api.total(261, version="jvm-offline", signal="operation")
    assert total["spans"] == 261
    assert not list(queue.glob("*.batch"))
