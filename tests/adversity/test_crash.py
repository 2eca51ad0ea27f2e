"""Ten random processes are killed under load; afterwards what was acknowledged is what is stored, and nothing twice."""

import asyncio
import random
import signal
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg
import psutil

from tests.service import Service, running_service

SPANS = 20
BATCHES_IN_FLIGHT = 8
KILLS = 10


@dataclass
class Sender:
    """A client that retries every batch with the same id until it is acknowledged, as the specification demands."""

    service: Service
    acknowledged: set[bytes] = field(default_factory=set)
    attempts: int = 0
    stopping: bool = False

    async def run(self, session: aiohttp.ClientSession, seed: int) -> None:
        rng = random.Random(seed)
        while not self.stopping:
            batch_id = rng.randbytes(16)
            body = self.service.native_batch(batch_id, spans=SPANS, seed=rng.randrange(1 << 30))
            while not await self._send(session, body):
                await asyncio.sleep(0.05)
            self.acknowledged.add(batch_id)

    async def _send(self, session: aiohttp.ClientSession, body: bytes) -> bool:
        self.attempts += 1
        url, headers = f"{self.service.edge}/v1/batches", {"x-api-key": self.service.client_key}
        try:
            async with session.post(url, data=body, headers=headers) as answer:
                await answer.read()
                assert answer.status in {202, 503}, answer.status
                return answer.status == 202
        except (aiohttp.ClientError, TimeoutError):
            return False


async def test_kill_minus_nine_of_any_process_loses_nothing_acknowledged_and_counts_nothing_twice(tmp_path: Path):
    rng = random.Random(20)
    async with running_service(tmp_path, FIRSTHOP_WORKERS="2", FIRSTHOP_KEEP_UNKNOWN="0.5") as service:
        sender = Sender(service)
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            senders = [asyncio.create_task(sender.run(session, seed)) for seed in range(BATCHES_IN_FLIGHT)]
            victims = [rng.choice(["edge", "aggregate", "postgres"]) for _ in range(KILLS - 3)]
            for role in [*victims, "edge", "aggregate", "postgres"]:
                before = len(sender.acknowledged)
                await service.until(lambda before=before: len(sender.acknowledged) >= before + 20)
                pid = rng.choice(service.pids(role))
                psutil.Process(pid).send_signal(signal.SIGKILL)
                await service.until(lambda pid=pid, role=role: pid not in service.pids(role))
            sender.stopping = True
            await asyncio.gather(*senders)
        await service.drained()
        database = await asyncpg.connect(service.dsn)
        try:
            stored = {row["batch_id"] for row in await database.fetch("SELECT batch_id FROM batch")}
            ledger = dict(await database.fetch("SELECT outcome, sum(spans)::bigint FROM ledger GROUP BY outcome"))
            counted = await database.fetchval(
                "SELECT sum(spans)::bigint FROM rollup_10s JOIN series USING (app_id, series_id) WHERE view = 'all'"
            )
            kept = await database.fetchval("SELECT count(*) FROM span")
        finally:
            await database.close()
    assert stored == sender.acknowledged, "every batch was retried until acknowledged, so the two sets are one"
    accepted = ledger.get("kept", 0) + ledger.get("counted_only", 0)
    assert accepted == counted == len(stored) * SPANS
    assert kept == ledger["kept"]
    assert ledger["received"] == sum(
        n for end, n in ledger.items() if end != "received" and not end.startswith("noted:")
    )
    assert ledger["received"] <= sender.attempts * SPANS
