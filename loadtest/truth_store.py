"""The world of `make truth` through the real thing without HTTP: bytes → process → journal → aggregator → store."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import numpy.typing as npt

from ingest.aggregate.consume import Aggregator
from ingest.decode.formats import DECODERS
from ingest.decode.inflate import inflate
from ingest.journal.postgres import PostgresJournal, open_lane
from ingest.model import ClockQuality, Reception, SpanBatch
from ingest.pipeline.process import process
from ingest.settings import AppPolicy, Limits, Settings
from ingest.store.database import migrate, open_pool
from ingest.store.embedded import EmbeddedPostgres
from ingest.store.write import PostgresStore
from ingest.user_agent import UserAgents
from loadtest.truth_sdk import Delivery
from loadtest.truth_world import World
from privacy import Ring

TOGETHER = 60
"""Bodies of a micro-batch."""
RING = Ring(0, b"truth of the simulated world.....")


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store says: one row per stored span."""

    span_id: npt.NDArray[np.uint64]
    start_at_us: npt.NDArray[np.int64]
    quality: npt.NDArray[np.int64]
    """`ClockQuality`"""
    err_us: npt.NDArray[np.int64]
    """Half-width of the interval; -1 where the store gives none."""
    conflict: npt.NDArray[np.bool_]
    weight: npt.NDArray[np.float64]
    device_class: npt.NDArray[np.str_]
    ledger: dict[str, int]
    """Outcome or note → spans."""


@asynccontextmanager
async def fresh_database() -> AsyncIterator[str]:
    """The DSN of a PostgreSQL of its own, with the schema in it, that goes away."""
    with tempfile.TemporaryDirectory(prefix="firsthop-truth-", ignore_cleanup_errors=True) as directory:
        server = EmbeddedPostgres(Path(directory) / "pg")
        try:
            dsn = await asyncio.to_thread(server.start)
            pool = await open_pool(dsn, connections=1)
            await migrate(pool)
            await pool.close()
            yield dsn
        finally:
            await asyncio.to_thread(server.stop)


async def store(world: World, dsn: str) -> Stored:
    """Sends the world through the service's own parts into this database, and reads it back.

    Raises:
        RuntimeError: a body was refused, or something stayed in the journal.
    """
    pool = await open_pool(dsn, connections=6)
    try:
        await _commit(world, pool)
        await _aggregate(world, pool)
        return await _select(pool)
    finally:
        pool.terminate()


async def _commit(world: World, pool: "asyncpg.Pool[Any]") -> None:
    settings = Settings.from_env({})
    journal, agent_of = PostgresJournal(pool, await open_lane(pool)), UserAgents().agent_of
    for begin in range(0, len(world.deliveries), TOGETHER):
        batch, receptions = decode(world.deliveries[begin : begin + TOGETHER])
        record = process(
            batch,
            receptions,
            settings.policy(RING),
            policy_of=lambda _: AppPolicy(),
            country_of=lambda _: "",
            agent_of=agent_of,
        )
        await journal.append(record)


def decode(deliveries: Sequence[Delivery]) -> tuple[SpanBatch, list[Reception]]:
    """A micro-batch of these requests, as the edge makes it.

    Raises:
        ValueError: one of them cannot be read.
    """
    batches, receptions = [], []
    for format_ in dict.fromkeys(delivery.format for delivery in deliveries):
        of_format = [delivery for delivery in deliveries if delivery.format == format_]
        decoded = DECODERS[format_]([inflate(each.body, None, 2 << 20) for each in of_format], Limits())
        if decoded.faults:
            raise ValueError(f"bodies cannot be read: {decoded.faults}")
        batches.append(decoded.batch)
        receptions += [delivery.reception for delivery in of_format]
    return SpanBatch.concat(batches), receptions


async def _aggregate(world: World, pool: "asyncpg.Pool[Any]") -> None:
    ends_us = world.deliveries[-1].reception.received_at_us
    store = PostgresStore(pool)
    aggregator = Aggregator(store, PostgresJournal(pool), lambda: ends_us, series_limit=100_000)
    await store.lead()
    while await aggregator.turn():
        pass
    left = await pool.fetchval("SELECT (SELECT count(*) FROM journal) + (SELECT count(*) FROM journal_dead)")
    if left:
        raise RuntimeError(f"{left} records could not be stored")


async def _select(pool: "asyncpg.Pool[Any]") -> Stored:
    rows = await pool.fetch(
        "SELECT span_id, (extract(epoch FROM start_at) * 1000000)::bigint, clock_quality::text,"
        " coalesce(clock_err_ms, -1), clock_conflict, weight, device_class FROM span ORDER BY span_id, start_at"
    )
    if not rows:
        raise RuntimeError("nothing was stored")
    span_id, start, quality, err_ms, conflict, weight, device_class = zip(*rows, strict=True)
    ledger = await pool.fetch("SELECT outcome, sum(spans)::bigint FROM ledger GROUP BY 1 ORDER BY 1")
    return Stored(
        span_id=np.frombuffer(b"".join(span_id), ">u8").astype(np.uint64),
        start_at_us=np.array(start, dtype=np.int64),
        quality=_grades(quality),
        err_us=np.where(np.array(err_ms) < 0, -1, np.array(err_ms, dtype=np.int64) * 1000),
        conflict=np.array(conflict, dtype=np.bool_),
        weight=np.array(weight, dtype=np.float64),
        device_class=np.array(device_class),
        ledger={row[0]: int(row[1]) for row in ledger},
    )


def _grades(letters: Sequence[str]) -> npt.NDArray[np.int64]:
    of = {quality.name: int(quality) for quality in ClockQuality}
    return np.array([of[letter] for letter in letters], dtype=np.int64)
