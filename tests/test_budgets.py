"""An app's budget in a running service: from its file to what is stored, while everything is counted."""

import asyncio
from itertools import count
from pathlib import Path

import aiohttp
import asyncpg

from tests.service import Service, running_service

SPANS = 400


async def send(service: Service, number: int) -> None:
    async with aiohttp.ClientSession(headers={"x-api-key": service.client_key}) as session:
        data = service.native_batch(number.to_bytes(16, "big"), SPANS, number)
        async with session.post(service.edge + "/v1/batches", data=data) as answer:
            assert answer.status == 202, await answer.text()


async def ledger(service: Service) -> dict[str, int]:
    connection = await asyncpg.connect(service.dsn)
    try:
        rows = await connection.fetch("SELECT outcome, sum(spans)::int AS spans FROM ledger GROUP BY 1")
        return {row["outcome"]: row["spans"] for row in rows} | {
            "stored": await connection.fetchval("SELECT count(*) FROM span")
        }
    finally:
        await connection.close()


async def received(service: Service, spans: int) -> dict[str, int]:
    """The ledger when so many spans are in it."""
    async with asyncio.timeout(30):
        while (found := await ledger(service)).get("received", 0) < spans:
            await asyncio.sleep(0.05)
    return found


async def test_a_budget_saved_while_everything_runs_bounds_what_is_stored_and_all_is_counted(tmp_path: Path):
    numbers = count(1)
    async with running_service(tmp_path / "data") as service:
        await send(service, next(numbers))
        whole = await received(service, SPANS)
        assert whole["kept"] == whole["stored"] == SPANS

        file = service.data / "policies" / "app.toml"
        file.write_text("[sampling]\nbudget_per_minute = 60\n")
        sent, last = SPANS, whole
        async with asyncio.timeout(30):
            while last.get("counted_only", 0) == 0:
                await send(service, next(numbers))
                sent += SPANS
                last = await received(service, sent)
        before = last["stored"]
        for _ in range(20):
            await send(service, next(numbers))
            sent += SPANS
        last = await received(service, sent)
        assert last["stored"] - before < 150
        assert last["kept"] == last["stored"]
        assert last["kept"] + last["counted_only"] == last["received"] == sent
