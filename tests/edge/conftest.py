"""A real edge on a real port of the loopback interface; only the journal is a list in memory."""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from io import BytesIO
from socket import SO_REUSEADDR, SOL_SOCKET, socket
from typing import Any

import aiohttp
import pytest

from client_sdk_spec import encoder
from ingest.decode.formats import DECODERS
from ingest.edge.config import Configs
from ingest.edge.server import EdgeParts, serve
from ingest.errors import Unavailable
from ingest.model import Processed
from ingest.pipeline.process import process
from ingest.pipeline.sample import FixedRates
from ingest.ports import Grant
from ingest.settings import Limits, Policy, Sampling
from ingest.signing import Signer
from ingest.user_agent import UserAgents
from privacy import Ring
from tests.batches import built_in

CLIENT_KEY, SERVER_KEY, TOKEN, SHOP_KEY = "fh_pub_one", "fh_srv_one", "fh_tok_one", "fh_pub_shop"
POLICY = Policy(Limits(), Sampling(), ring=Ring(0, b"k" * 32), retention_us=7 * 86_400_000_000)


class MemoryJournal:
    """A journal in memory that can be broken and held up."""

    def __init__(self) -> None:
        self.records: list[Processed] = []
        self.broken = False
        self.open = asyncio.Event()
        self.open.set()
        self.waiting = 0
        self._changed = asyncio.Event()

    async def append(self, record: Processed) -> None:
        self._change(waiting=1)
        await self.open.wait()
        self._change(waiting=-1)
        if self.broken:
            raise Unavailable("journal", "the journal cannot be reached: send the same request again later")
        self.records.append(record)
        self._changed.set()

    def _change(self, waiting: int) -> None:
        self.waiting += waiting
        self._changed.set()

    async def until(self, condition: Callable[["MemoryJournal"], bool]) -> None:
        """Returns when the condition holds."""
        async with asyncio.timeout(10):
            while not condition(self):
                self._changed.clear()
                await self._changed.wait()

    @property
    def spans(self) -> int:
        return sum(int(record.ledger.spans.sum()) for record in self.records)


class MemoryKeys:
    """Keys in memory; they can be away, and new ones can come."""

    def __init__(self) -> None:
        self.away = False
        self.keys = {
            CLIENT_KEY: Grant(1, "client"),
            SERVER_KEY: Grant(1, "server"),
            TOKEN: Grant(1, "token"),
            SHOP_KEY: Grant(2, "client", ("https://shop.example",)),
        }

    async def grants(self) -> dict[bytes, Grant]:
        if self.away:
            raise Unavailable("database", "the database cannot be reached")
        return {hashlib.blake2b(key.encode(), digest_size=32).digest(): grant for key, grant in self.keys.items()}


@dataclass
class RunningEdge:
    """An edge that takes requests."""

    url: str
    port: int
    journal: MemoryJournal
    keys: MemoryKeys
    session: aiohttp.ClientSession
    stop: asyncio.Event
    server: "asyncio.Task[None]"

    async def send(self, body: bytes, path: str = "/v1/batches", method: str = "POST", **headers: str) -> "Answer":
        """One request with the client key, unless another or none (`x_api_key=""`) is given."""
        named = {"X-Api-Key": CLIENT_KEY} | {name.replace("_", "-"): value for name, value in headers.items()}
        named = {name.title(): value for name, value in named.items()}
        if not named["X-Api-Key"]:
            del named["X-Api-Key"]
        async with self.session.request(
            method, self.url + path, data=BytesIO(body), headers=named, skip_auto_headers=("Content-Type",)
        ) as answer:
            return Answer(answer.status, answer.headers.copy(), await answer.read())

    async def metrics(self) -> dict[str, float]:
        """Sample name with labels → value, without the worker's label."""
        text = (await self.send(b"", "/metrics", "GET")).body.decode()
        samples = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
        return {name.replace('worker="0",', "").replace('{worker="0"}', ""): float(value) for name, _, value in samples}


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes
    json: Callable[[], Any] = field(init=False)

    def __post_init__(self) -> None:
        import orjson

        self.json = lambda: orjson.loads(self.body)


StartEdge = Callable[..., Awaitable[RunningEdge]]


@asynccontextmanager
async def running_edge(**changes: Any) -> AsyncIterator[RunningEdge]:
    """An edge with these parts changed; stopped as SIGTERM would."""
    journal, keys = changes.pop("journal", None) or MemoryJournal(), MemoryKeys()
    parts = replace(
        EdgeParts(
            journal=journal,
            keys=keys,
            decoders=DECODERS,
            process=partial(process, policy=POLICY, policy_of=built_in, country_of=lambda _: ""),
            limits=Limits(),
            queue_bytes=32 << 20,
            commit_wait_s=0.005,
            configs=Configs(FixedRates(POLICY.sampling), Signer(b"s" * 32), UserAgents().agent_of),
        ),
        **changes,
    )
    listening = socket()
    listening.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    stop, ready = asyncio.Event(), asyncio.Event()
    server = asyncio.create_task(serve(parts, listening, stop, ready.set))
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        await ready.wait()
        yield RunningEdge(f"http://127.0.0.1:{port}", port, journal, keys, session, stop, server)
        if isinstance(journal, MemoryJournal):
            journal.open.set()
    stop.set()
    await server


@pytest.fixture
async def start_edge() -> AsyncIterator[StartEdge]:
    """Starts edges with changed parts; all are stopped at the end."""
    async with AsyncExitStack() as stack:
        yield lambda **changes: stack.enter_async_context(running_edge(**changes))


@pytest.fixture
async def edge(start_edge: StartEdge) -> RunningEdge:
    """An edge with default parts."""
    return await start_edge()


def native(spans: int = 1, batch_id: int = 1, encoding: str = "json", **changes: Any) -> bytes:
    """A native batch of wall-clock spans that started a moment ago; `changes` go into every span."""
    start_us = time.time_ns() // 1000 - 1_000_000
    return encoder.encode(
        {
            "id": f"{batch_id:032x}",
            "resource": {"service": "shop", "version": "1.2.0"},
            "clock": {"kind": "wall"},
            "spans": [
                {
                    "trace_id": f"{batch_id:016x}{row + 1:016x}",
                    "span_id": f"{row + 1:016x}",
                    "name": "GET /orders/{id}",
                    "start_us": start_us,
                    "duration_us": 120_000,
                    "method": "GET",
                    "url": "https://api.shop.example/orders/7",
                    "http_status": 200,
                }
                | changes
                for row in range(spans)
            ],
        },
        encoding,
    )
