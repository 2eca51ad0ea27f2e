"""An aggregator over a real database, with crashes at any step, and what it left there."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from ingest.aggregate.consume import Aggregator
from ingest.journal.postgres import PostgresJournal, open_lane
from ingest.model import Processed
from ingest.ports import Position, Tombstones, Transaction, Update
from ingest.store.database import open_pool
from ingest.store.write import PostgresStore
from tests.records import NOW_US

Pool = asyncpg.Pool


STEPS = ("before claim", "after claim", "after write", "after consume")


class Crash(BaseException):
    """The process ends here: nothing catches it."""


class CrashingStore(PostgresStore):
    """The real store in a process that ends at a step."""

    def __init__(self, pool: "Pool[Any]", step: str) -> None:
        super().__init__(pool)
        self.step = step

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        async with super().transaction() as transaction:
            yield CrashingTransaction(transaction, self.step)


class CrashingTransaction:
    def __init__(self, transaction: Transaction, step: str) -> None:
        self.transaction, self.step = transaction, step

    def reach(self, step: str) -> None:
        if self.step == step:
            raise Crash

    async def claim(self, batches: Sequence[tuple[int, bytes, int]]) -> set[tuple[int, bytes]]:
        self.reach("before claim")
        fresh = await self.transaction.claim(batches)
        self.reach("after claim")
        return fresh

    async def erased(self, app_ids: Sequence[int]) -> Mapping[int, Tombstones]:
        return await self.transaction.erased(app_ids)

    async def trace_sizes(self, traces: Sequence[tuple[int, bytes]]) -> Mapping[tuple[int, bytes], int]:
        return await self.transaction.trace_sizes(traces)

    async def write(self, update: Update) -> None:
        await self.transaction.write(update)
        self.reach("after write")

    async def consume(self, positions: Sequence[Position]) -> None:
        await self.transaction.consume(positions)
        self.reach("after consume")


async def append(pool: "Pool[Any]", *records: Processed) -> None:
    journal = PostgresJournal(pool, await open_lane(pool))
    for record in records:
        await journal.append(record)


async def aggregate(dsn: str, *, series_limit: int = 10_000, trace_spans: int = 10_000, step: str = "") -> Aggregator:
    """The life of an aggregator process: works off the journal and is gone, with its connections."""
    pool = await open_pool(dsn)
    store = CrashingStore(pool, step)
    aggregator = Aggregator(
        store,
        PostgresJournal(pool),
        lambda: NOW_US,
        series_limit=series_limit,
        trace_spans=trace_spans,
        turn_seconds=0.01,
    )
    try:
        await store.lead()
        while await aggregator.turn():
            pass
    finally:
        pool.terminate()
    return aggregator


async def ledger(pool: "Pool[Any]") -> dict[str, int]:
    rows = await pool.fetch("SELECT outcome, sum(spans)::bigint AS spans FROM ledger GROUP BY 1")
    return {row["outcome"]: row["spans"] for row in rows}


def closes(found: dict[str, int]) -> bool:
    ends = (spans for name, spans in found.items() if name != "received" and not name.startswith(("client:", "noted:")))
    return found["received"] == sum(ends)


async def counted(pool: "Pool[Any]") -> dict[str, int]:
    """Spans per view."""
    rows = await pool.fetch(
        "SELECT view, sum(spans)::bigint AS spans FROM rollup_10s JOIN series USING (app_id, series_id) GROUP BY 1"
    )
    return {row["view"]: row["spans"] for row in rows}


async def contents(pool: "Pool[Any]") -> list[Any]:
    """Everything stored, as far as two ways to the same end must agree."""
    return [
        await counted(pool),
        await ledger(pool),
        sorted(bytes(row["span_id"]) for row in await pool.fetch("SELECT span_id FROM span")),
        await pool.fetchval("SELECT count(*) FROM batch"),
        await pool.fetchval("SELECT count(*) FROM journal"),
    ]
