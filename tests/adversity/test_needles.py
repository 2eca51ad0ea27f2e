"""Five hundred planted values of every class, in every field of every format; then everything there is gets searched.

They go in good and bad requests, while processes are killed; the journal is read while it is full. None may be found:
not in the files of the data directory (the database's, its write-ahead log, its own log), not in the rows of any table,
not in the journal's records, the service's log, the counters or any answer.

Files are searched as they lie: what PostgreSQL itself compresses (page images in the write-ahead log, long values) is
not unpacked there. The rows of every table are read by SQL, the journal's records are inflated.
"""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import psutil
import zstandard

from ingest.query.endpoints import ENDPOINTS
from tests.adversity import needles, plant
from tests.adversity.search import Haystack
from tests.service import Service, running_service

COUNT = 500
AT_ONCE = 8


async def test_nothing_planted_is_found_anywhere(tmp_path: Path) -> None:
    planted = needles.make(seed=7, count=COUNT)
    haystack = Haystack({form: f"{n.kind}: {n.value}" for n in planted for form in needles.betrayals(n)})
    (tmp_path / "control").write_bytes(b"xx" + planted[3].value.encode() + b"yy")
    assert haystack.find_in_files(tmp_path) == {"control": {f"{planted[3].kind}: {planted[3].value}"}}, "it finds"

    data = tmp_path / "data"
    settings = {"FIRSTHOP_WORKERS": "2", "FIRSTHOP_TRUSTED_PROXIES": "127.0.0.0/8"}
    async with running_service(data, **settings) as service:
        sender = _Sender(service)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=20)) as session:
            half = COUNT // 2
            await sender.send(session, planted[:half], first=0)
            kills = asyncio.create_task(_kill_each_role(service))
            await sender.send(session, planted[half:-50], first=half)
            await kills
            async with _aggregator_stopped(service):
                await sender.send(session, planted[-50:], first=COUNT - 50)
                records = await _rows(service.dsn, "SELECT record FROM journal")
            await service.drained()
            answers = [answer async for answer in _answers(service, session)]
        stored = await _rows(service.dsn, "SELECT count(*) FROM span")
        dump = [line async for line in _dump(service.dsn)]
    # A row whose last commit was lost with its aggregator is stored by the next one, never twice.
    assert stored[0][0] == sender.accepted, "every good request left its good spans"
    assert sender.requests == 7 * COUNT
    assert len(records) > 0

    assert haystack.find_in_all(sender.answers) == set(), "in an answer of the edge"
    assert haystack.find_in_all(_inflated(records)) == set(), "in the journal"
    assert haystack.find_in_all(answers) == set(), "in an answer of the query API or a metric"
    assert haystack.find_in_all(dump) == set(), "in a table"
    assert haystack.find_in_files(data) == {}, "in a file of the data directory"
    assert haystack.find(data.with_name("data.log").read_bytes()) == set(), "in the log"


class _Sender:
    """Sends every request until it is answered for good, and keeps all answers."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.answers: list[bytes] = []
        self.accepted = self.requests = 0

    async def send(self, session: aiohttp.ClientSession, planted: list[needles.Needle], first: int) -> None:
        """All requests of these needles, several at once."""
        queue = iter(
            [
                request
                for number, needle in enumerate(planted, start=first)
                for request in plant.requests(needle, number, self._service.client_key)
            ]
        )
        await asyncio.gather(*(self._work(session, queue) for _ in range(AT_ONCE)))

    async def _work(self, session: aiohttp.ClientSession, queue: Iterator[plant.Request]) -> None:
        for request in queue:
            while not await self._send(session, request):
                await asyncio.sleep(0.05)

    async def _send(self, session: aiohttp.ClientSession, request: plant.Request) -> bool:
        try:
            answer = await session.post(
                self._service.edge + request.path, data=request.body, headers=dict(request.headers)
            )
        except ValueError:
            return not request.good  # a header that the client library itself will not send
        except (aiohttp.ClientError, TimeoutError):
            return False
        async with answer:
            body = await answer.read()
            self.answers.append(repr(answer.headers).encode() + body)
            if request.good:
                assert answer.status in {200, 202, 503}, (answer.status, body)
                if answer.status != 503:
                    self.accepted += request.spans
                    self.requests += 1
            else:
                assert answer.status >= 400, (answer.status, request.path)
        return not request.good or answer.status != 503


async def _kill_each_role(service: Service) -> None:
    for role in ("edge", "aggregate", "postgres"):
        pid = service.pids(role)[0]
        psutil.Process(pid).send_signal(signal.SIGKILL)
        await service.until(lambda pid=pid, role=role: pid not in service.pids(role) and bool(service.pids(role)))


@asynccontextmanager
async def _aggregator_stopped(service: Service) -> AsyncIterator[None]:
    """The journal fills up meanwhile."""
    await service.until(lambda: bool(service.pids("aggregate")))
    process = psutil.Process(service.pids("aggregate")[0])
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


async def _rows(dsn: str, query: str) -> list[Any]:
    connection = await asyncpg.connect(dsn)
    try:
        rows: list[Any] = await connection.fetch(query)
    finally:
        await connection.close()
    return rows


def _inflated(records: list[Any]) -> Iterator[bytes]:
    for row in records:
        yield zstandard.ZstdDecompressor().decompress(row["record"][1:], max_output_size=1 << 28)


async def _dump(dsn: str) -> AsyncIterator[bytes]:
    """Every row of every table as text, as a dump would hold them."""
    connection = await asyncpg.connect(dsn)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        assert {"span", "series", "journal", "ledger", "policy"} <= {row["tablename"] for row in tables}
        for (table,) in tables:
            for row in await connection.fetch(f"SELECT t::text AS line FROM {table} AS t"):
                yield row["line"].encode()
    finally:
        await connection.close()


async def _answers(service: Service, session: aiohttp.ClientSession) -> AsyncIterator[bytes]:
    """What anybody may read: counters, and every call of the query API."""
    for path in ("/metrics", "/readyz", "/healthz"):
        async with session.get(service.edge + path) as answer:
            yield await answer.read()
    headers = {"Authorization": f"Bearer {service.token}"}
    parameters = {"dimension": "version", "group_by": "route", "from": "-1h", "limit": "100"}
    parameters |= {"a.device_class": "low", "b.device_class": "high"}
    traces: list[str] = []
    for endpoint in ENDPOINTS:
        known = {parameter.name for parameter in endpoint.parameters}
        if "{" in endpoint.path or endpoint.method != "GET":
            continue
        async with session.get(
            service.query + endpoint.path,
            headers=headers,
            params={name: value for name, value in parameters.items() if name in known},
        ) as answer:
            body = await answer.read()
            assert answer.status == 200, (endpoint.path, body)
            yield body
            if endpoint.path.endswith("/traces"):
                traces = [trace["trace_id"] for trace in (await answer.json())["traces"]]
    assert traces
    for trace in traces[:20]:
        for path in (trace, f"{trace}/spans?depth=20&limit=500"):
            async with session.get(f"{service.query}/api/v1/traces/{path}", headers=headers) as answer:
                assert answer.status == 200
                yield await answer.read()
