"""Askers that mean ill, or ask too much, before the query role as it runs: it stays small, and others are answered."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import aiohttp
import asyncpg
import numpy as np
import psutil
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from ingest.client import Client, ParameterError, RefusedError
from ingest.query.unread import Unread
from ingest.store.embedded import EmbeddedPostgres
from tests.conftest import create_database
from tests.query import world as seeded
from tests.query.conftest import OPERATOR, OTHER_TOKEN, TOKEN, add_apps

pytestmark = pytest.mark.asyncio(loop_scope="module")

RANGE = {"from": "2026-03-01T10:30:00Z", "to": "2026-03-01T12:00:00Z"}
PANELS, TAKERS = 1000, 100
ROUTES = 10_000
EVERYTHING = "[figures]\nleast_sessions = 1\n"
A = TypeVar("A")
SIZE = 16 << 20
MOST_MIB = 300
"""That the query server may ever take: three times what it takes when nobody asks."""


@pytest.fixture(scope="module")
def crowded_dsn(postgres: EmbeddedPostgres) -> Iterator[str]:
    """A database in which the routes of the app `shop` are beyond counting, as if no limit had ever held."""
    with asyncio.Runner() as runner:
        yield runner.run(_make(postgres.start(), "hostile_questions"))


async def _make(server: str, name: str) -> str:
    dsn = await create_database(server, name)
    connection = await asyncpg.connect(dsn)
    await add_apps(connection)
    for app_id in (1, 2):
        world = seeded.make(app_id, 400, 5400, seed=app_id)
        await seeded.store(connection, world, np.ones(400, dtype=bool), 1)
    # A route of each is nobody's yet; a number of its own makes it a series.
    evil = "app_id = 1 AND view LIKE 'route%'"
    series = {"series_id": f"n * 10 + {_VIEW}", "route": "'GET evil.example/' || n"}
    await _multiply(connection, "rollup_10s", f"JOIN series USING (app_id, series_id) WHERE {evil}", series)
    await _multiply(connection, "series", f"WHERE {evil}", series)
    await connection.execute(f"INSERT INTO policy (app_id, text, applied_at) VALUES (1, '{EVERYTHING}', now())")
    await connection.execute("ANALYZE")
    await connection.close()
    return dsn


_VIEW = "array_position('{route,route_version,route_country,route_device}', view)"


async def _multiply(connection: asyncpg.Connection, table: str, chosen: str, changed: Mapping[str, str]) -> None:
    """Adds `ROUTES` rows like the first one of each view, whatever columns the table has."""
    columns = await connection.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped", table
    )
    names = [row["attname"] for row in columns]
    await connection.execute(
        f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(changed.get(name, name) for name in names)}"
        f" FROM (SELECT DISTINCT ON (view) * FROM {table} {chosen} ORDER BY view) AS one,"
        f" generate_series(1, {ROUTES}) AS n"
    )


@dataclass
class Server:
    """`firsthop query` as a process of its own."""

    address: str
    process: psutil.Process

    def mib(self) -> float:
        return float(self.process.memory_info().rss) / (1 << 20)

    @asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Fails when it takes more memory meanwhile than it may."""
        most, done = 0.0, asyncio.Event()

        async def watch() -> None:
            nonlocal most
            while not done.is_set():
                most = max(most, self.mib())
                await asyncio.sleep(0.02)

        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            done.set()
            await watching
        assert most < MOST_MIB


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(crowded_dsn: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    data: Path = tmp_path_factory.mktemp("hostile")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FIRSTHOP_")}
    environment = kept | {"DATABASE_URL": crowded_dsn, "FIRSTHOP_DATA": str(data), "FIRSTHOP_QUERY_PORT": str(port)}
    with (data / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ingest.cli", "query", env=environment, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(60), aiohttp.ClientSession() as session:
            while not await _ready(session, address):
                assert process.returncode is None, (data / "log").read_text()
                await asyncio.sleep(0.05)
        yield Server(address, psutil.Process(process.pid))
        assert "Traceback" not in (data / "log").read_text()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _ready(session: aiohttp.ClientSession, address: str) -> bool:
    try:
        async with session.get(f"{address}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def asked(session: aiohttp.ClientSession, url: str, query: Mapping[str, str], token: str) -> tuple[int, Any, Any]:
    """Status, headers and JSON of one question."""
    async with session.get(url, params=query, headers={"Authorization": f"Bearer {token}"}) as answer:
        return answer.status, answer.headers, await answer.json()


async def answered_or_too_much(question: Coroutine[Any, Any, A]) -> A | None:
    """The answer; None where it was refused for what it would cost."""
    try:
        return await question
    except RefusedError as error:
        if error.reason not in ("too_costly", "too_slow"):
            raise
        return None


async def others_are_answered(server: Server) -> None:
    """Another user looks at a few panels, as their client asks: again, where the server is busy."""
    async with Client(server.address, OTHER_TOKEN) as client:
        for _ in range(3):
            answer = await client.latency(from_=RANGE["from"], to=RANGE["to"], group_by="version")
            assert answer.groups


async def test_a_thousand_panels_at_once_keep_no_other_user_from_an_answer(server: Server) -> None:
    connector = aiohttp.TCPConnector(limit=PANELS)
    async with server.watched(), aiohttp.ClientSession(connector=connector) as session:
        panels = [
            asked(session, f"{server.address}/api/v1/latency", {**RANGE, "q": f"0.{n + 1:04}"}, TOKEN)
            for n in range(PANELS)
        ]
        flood = asyncio.gather(*panels)
        await others_are_answered(server)
        answers = await flood
    statuses = {status for status, _, _ in answers}
    assert 200 in statuses
    assert statuses <= {200, 429, 503}
    for status, headers, answer in answers:
        if status != 200:
            assert int(headers["Retry-After"]) >= 1
            assert answer["message"]


@pytest.mark.parametrize(
    ("query", "parameter", "says"),
    [
        ({"from": "2016-03-01T00:00:00Z", "to": "2026-03-01T00:00:00Z"}, "from", "400 days"),
        ({"from": "-3650d"}, "from", "400 days"),
        ({"from": "-400d", "step": "10s"}, "step", "auto"),
        ({"from": "2026-03-01T12:00:00Z", "to": "2016-03-01T12:00:00Z"}, "from", "before to"),
    ],
)
async def test_a_range_of_ten_years_is_refused_with_the_remedy(
    server: Server, query: dict[str, str], parameter: str, says: str
) -> None:
    async with Client(server.address, TOKEN) as client:
        with pytest.raises(ParameterError, match=says) as caught:
            await client.latency(**query)
    assert caught.value.parameter == parameter


async def test_the_longest_range_there_is_is_answered_or_refused_for_its_size(server: Server) -> None:
    async with server.watched(), Client(server.address, TOKEN) as client:
        for call in (client.latency, client.phases, client.routes, client.traces, client.ledger, client.privacy):
            await answered_or_too_much(call(from_="2025-02-01T00:00:00Z", to="2026-03-01T12:00:00Z"))


@pytest.mark.parametrize("call", ["latency", "routes", "values"])
async def test_a_group_for_each_of_countless_routes_is_cut_or_refused(server: Server, call: str) -> None:
    """Where they are listed they are few, and said not to be all; the server stays small either way."""
    more = {"routes": {"limit": "1000"}, "values": {"dimension": "route", "limit": "1000"}}.get(
        call, {"group_by": "route"}
    )
    async with server.watched(), Client(server.address, TOKEN) as client:
        answer = await answered_or_too_much(getattr(client, call)(from_=RANGE["from"], to=RANGE["to"], **more))
        await others_are_answered(server)
    if answer is not None:
        assert len(getattr(answer, call if call in ("routes", "values") else "groups")) <= 1000
        assert answer.truncated


@pytest.mark.parametrize(
    "value",
    [
        "x' OR '1'='1",
        "'; DROP TABLE span; --",
        "x' UNION SELECT digest FROM app_key --",
        "\\'; SELECT pg_sleep(60); --",
        "$1",
        "%",
        "{other}' --",
    ],
)
async def test_sql_in_a_filter_finds_nothing_and_breaks_nothing(server: Server, value: str) -> None:
    async with Client(server.address, TOKEN) as client:
        filters = {"from_": RANGE["from"], "to": RANGE["to"], "version": value, "country": [value, "DE"]}
        assert (await client.latency(**filters)).groups == []
        assert (await client.traces(**filters)).traces == []
        with pytest.raises(ParameterError):
            await client.latency(group_by=value)
        with pytest.raises(ParameterError):
            await client.latency(from_=value)
    await others_are_answered(server)


async def test_another_apps_token_opens_nothing_by_any_parameter_or_path(server: Server) -> None:
    async with aiohttp.ClientSession() as session:
        for call in ("latency", "phases", "routes", "failures", "values", "traces", "ledger", "privacy", "health"):
            for app in ("shop", "1"):
                query = {"app": app, **({"dimension": "route"} if call == "values" else {})}
                status, _, answer = await asked(session, f"{server.address}/api/v1/{call}", query, OTHER_TOKEN)
                assert status == 403
                assert "shop" not in answer["message"]
        _, _, answer = await asked(session, f"{server.address}/api/v1/apps", {}, OTHER_TOKEN)
        assert [app["name"] for app in answer["apps"]] == ["other"]
        status, _, _ = await asked(session, f"{server.address}/api/v1/apps", {}, f"{OPERATOR}\t{TOKEN}")
        assert status == 401


async def connect(address: str, query: Mapping[str, str], token: str) -> socket.socket:
    """A connection that has asked, and takes next to nothing of the answer."""
    url = urlsplit(address)
    taker = socket.socket()
    taker.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    taker.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(taker, (url.hostname, url.port))
    head = f"GET /api/v1/latency?{urlencode(query)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"
    await loop.sock_sendall(taker, head.encode())
    return taker


LARGE = {**RANGE, "step": "10s", "group_by": "version,os", "q": "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9,0.99"}


async def test_clients_that_do_not_read_hold_up_themselves_alone(server: Server) -> None:
    async with server.watched():
        takers = [await connect(server.address, LARGE, TOKEN) for _ in range(TAKERS)]
        try:
            await others_are_answered(server)
        finally:
            for taker in takers:
                taker.close()
    await others_are_answered(server)


async def test_clients_that_hang_up_leave_no_work_behind(server: Server) -> None:
    async with server.watched():
        for _ in range(TAKERS):
            (await connect(server.address, LARGE, TOKEN)).close()
        await others_are_answered(server)


async def test_of_too_many_answers_that_nobody_reads_the_oldest_go_and_readers_get_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest.query.unread.MOST_BYTES", SIZE)
    unread = Unread()

    async def answer(request: web.Request) -> web.Response:
        response = web.Response(body=bytes(SIZE))
        await unread.send(request, response)
        return response

    app = web.Application()
    app.router.add_get("/api/v1/latency", answer)
    async with TestServer(app) as small, aiohttp.ClientSession() as session:
        address = str(small.make_url("")).rstrip("/")
        takers = [await connect(address, {}, TOKEN) for _ in range(5)]
        for _ in range(3):
            async with session.get(f"{address}/api/v1/latency") as taken:
                assert len(await taken.read()) == SIZE
        # What the system holds for those that were hung up on still comes, and then the end.
        assert [await rest(taker) < SIZE for taker in takers] == [True] * 5


async def rest(taker: socket.socket) -> int:
    """Bytes until the other side hangs up; closes it."""
    taken = 0
    with taker:
        while part := await asyncio.get_running_loop().sock_recv(taker, 1 << 20):
            taken += len(part)
    return taken


async def test_who_does_not_read_in_time_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.query.unread.TAKEN_S", 0.05)
    unread, over = Unread(), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        response = web.Response(body=bytes(SIZE))
        await unread.send(request, response)
        over.set()
        return response

    app = web.Application()
    app.router.add_get("/api/v1/latency", answer)
    async with TestServer(app) as small:
        taker = await connect(str(small.make_url("")).rstrip("/"), {}, TOKEN)
        await asyncio.wait_for(over.wait(), 10)
        taker.close()
