"""An app that is attacked and one that is not, in one real service, with the same honest client in both."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from client_sdk_spec import encoder
from ingest.store.database import open_pool
from ingest.store.keys import PostgresKeys
from ingest.store.policies import PostgresPolicies
from tests.adversity.hostile import Request
from tests.service import Service, running_service

HONEST = "GET shop.example/honest/{id}"
SERIES = 300


@dataclass
class World:
    """A service, and an app of it that nobody attacks."""

    service: Service
    session: aiohttp.ClientSession
    control_key: str
    control_token: str
    started_us: int = field(default_factory=lambda: time.time_ns() // 1000)
    received: int = 0
    """Spans that the attacked app's answers have accounted for."""

    @property
    def keys(self) -> tuple[str, str]:
        return self.service.client_key, self.control_key

    async def post(self, request: Request, key: str) -> int:
        """Sends it; every span that was taken is in the answer.

        Returns:
            The status.
        """
        headers = {"x-api-key": key, "Content-Type": "application/x-protobuf"}
        url = self.service.edge + request.path
        async with self.session.post(url, data=request.body, headers=headers) as answer:
            body = await answer.read()
            assert answer.status in {200, 202, 400, 413}, (answer.status, request.path, body[:300])
            if answer.status == 202:
                told = await answer.json()
                assert told["accepted"] + sum(told["rejected"].values()) == request.spans
            if answer.status < 300 and key == self.service.client_key:
                self.received += request.spans
            return answer.status

    async def ask(self, path: str, token: str = "", **parameters: str) -> Any:
        """An answer of the query API."""
        headers = {"Authorization": f"Bearer {token or self.service.token}"}
        async with self.session.get(self.service.query + path, headers=headers, params=parameters) as answer:
            assert answer.status == 200, (answer.status, await answer.text())
            return await answer.json()

    async def unhandled_errors(self) -> float:
        async with self.session.get(self.service.edge + "/metrics") as answer:
            lines = (await answer.text()).splitlines()
        (line,) = (line for line in lines if line.startswith("firsthop_unhandled_errors_total"))
        return float(line.rpartition(" ")[2])

    async def rows(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(self.service.dsn)
        try:
            found: list[asyncpg.Record] = await connection.fetch(query, *arguments)
        finally:
            await connection.close()
        return found

    def honest_batch(self, number: int) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """Requests of one of eight sessions; the first traces are those that attackers know of."""
        chance = random.Random(number)
        spans = [
            {
                "trace_id": f"{number + 1:032x}",
                "span_id": f"{number + 1:08x}{row + 1:08x}",
                "parent_span_id": f"{number + 1:08x}{1:08x}" if row else "0" * 16,
                "name": "GET",
                "method": "GET",
                "url": f"https://shop.example/honest/{chance.randrange(10**6)}",
                "http_status": chance.choice([200, 200, 200, 503]),
                "start_us": self.started_us - chance.randrange(60_000_000),
                "duration_us": 50_000 + int(chance.lognormvariate(12, 1)),
                "ttfb_us": chance.randrange(50_000),
            }
            for row in range(20)
        ]
        return spans, {"session": f"session-{number % 8}", "version": "5.2.1", "network": "wifi"}

    async def send_honest(self, number: int) -> None:
        """The same batch to both apps."""
        spans, resource = self.honest_batch(number)
        for at, key in enumerate(self.keys):
            batch = {"id": f"{2 * number + at + 1:032x}", "clock": {"kind": "wall"}, "spans": spans}
            body = encoder.encode(batch | {"resource": resource})
            assert await self.post(Request("/v1/batches", body, len(spans)), key) == 202

    async def honest_figures(self, token: str) -> Any:
        """What the dashboard shows of the honest client's route."""
        span_s = self.started_us // 1_000_000 - 90, self.started_us // 1_000_000 + 90
        since, until = (datetime.fromtimestamp(at, UTC).isoformat() for at in span_s)
        asked = {"route": HONEST, "from": since, "to": until, "step": "10s", "q": "0.01,0.5,0.75,0.95,0.99"}
        answers = [await self.ask("/api/v1/latency", token, **asked, metric=metric) for metric in ("duration", "ttfb")]
        return [answer["groups"] for answer in answers]

    async def ledger(self) -> Mapping[str, int]:
        """Rows of the attacked app; it closes, and knows of every span that was answered."""
        told = await self.ask("/api/v1/ledger")
        assert told["closed"] is True
        total = told["total"]
        assert total["received"] == self.received == sum(total["outcomes"].values())
        return total["outcomes"] | {f"noted:{note}": spans for note, spans in total["noted"].items()}

    async def honest_sample(self) -> list[Any]:
        """What is stored of the honest client's spans, by all apps."""
        rows = await self.rows(
            "SELECT span_id, start_at, duration_us, weight, stratum, randomness, clock_quality, clock_err_ms,"
            " clock_conflict, device_class, links::text FROM span WHERE route = $1",
            HONEST,
        )
        return [tuple(row) for row in rows]

    async def victim(self) -> list[asyncpg.Record]:
        """The honest client's first trace as it is stored."""
        trace_id = bytes.fromhex(self.honest_batch(0)[0][0]["trace_id"])
        return await self.rows(
            "SELECT * FROM span WHERE app_id = (SELECT app_id FROM app_key WHERE shown = $1)"
            " AND trace_id = $2 AND route = $3 ORDER BY span_id",
            self.service.client_key,
            trace_id,
            HONEST,
        )


@asynccontextmanager
async def world(data: Path) -> AsyncIterator[World]:
    """A service with few series an app, whose second app is not attacked."""
    async with (
        running_service(data, FIRSTHOP_SERIES_LIMIT=str(SERIES), FIRSTHOP_SPANS_PER_MINUTE="100000000") as service,
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30)) as session,
    ):
        pool = await open_pool(service.dsn, connections=1)
        control = await PostgresKeys(pool).create_app("control")
        await PostgresPolicies(pool).apply(control.app_id, "[figures]\nleast_sessions = 1\n")
        await pool.close()
        where = World(service, session, control.client_key, control.token)
        async with asyncio.timeout(30):
            while (await where.ask("/api/v1/latency", control.token))["suppressed"]["least_sessions"] != 1:
                await asyncio.sleep(0.1)
        yield where
