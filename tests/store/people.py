"""People whose spans are stored, and forgotten."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import asyncpg
import numpy as np

from ingest.journal.postgres import PostgresJournal
from ingest.model import Processed
from ingest.pipeline.process import process
from ingest.store.erasures import PostgresErasures
from privacy import pseudonym
from privacy.pseudonyms import period_of
from tests.aggregate.turns import aggregate, append
from tests.batches import DAY_US, NOW_US, built_in, policy, reception, spans_of

Pool = asyncpg.Pool


RING = policy().ring


UNTIL_US = NOW_US + 8 * DAY_US


def name(text: str, app_id: int = 1, at_us: int = NOW_US) -> str:
    """The pseudonym of an id at a moment."""
    return pseudonym(RING.key(app_id, period_of(at_us)), text)


def visit(
    session: str = "",
    batch: int = 1,
    *,
    user: str = "",
    installation: str = "",
    app_id: int = 1,
    at_us: int = NOW_US,
    spans: int = 3,
    **span: Any,
) -> Processed:
    """The record of one body: spans of one session, the last of which names the user."""
    given = [{"start_us": at_us - 1_000_000, **span} for _ in range(spans)]
    if user:
        given[-1] = given[-1] | {"attributes": {"user.id": user}}
    made = spans_of(given, session=session, installation=installation)
    made = replace(made, bodies=replace(made.bodies, batch_id=np.full((1, 16), batch, np.uint8)))
    return process(
        made,
        [reception(app_id=app_id, received_at_us=at_us)],
        policy(),
        policy_of=built_in,
        country_of=lambda _: "",
    )


async def store(dsn: str, pool: "Pool[Any]", *records: Processed) -> None:
    """Through the journal and the aggregator."""
    await append(pool, *records)
    await aggregate(dsn)


async def forget(pool: "Pool[Any]", *names: str, app_id: int = 1) -> Mapping[str, int]:
    """One erasure, carried out; what its receipt counts."""
    ours = PostgresErasures(pool, PostgresJournal(pool))
    begun = await ours.begin(app_id, "session", names, refused_until_us=UNTIL_US, software="1.2.3")
    assert await ours.carry_out(app_id, begun)
    receipt = await ours.receipt(app_id, begun)
    assert receipt.completed_at_us is not None
    return {table: count for table, count in receipt.counts.items() if count}


async def sessions(pool: "Pool[Any]") -> dict[str, int]:
    rows = await pool.fetch("SELECT coalesce(session, '') AS session, count(*) AS spans FROM span GROUP BY 1")
    return {row["session"]: row["spans"] for row in rows}


async def everything(pool: "Pool[Any]", *, without: str = "erased") -> str:
    """All tables but one as text."""
    tables = await pool.fetch("SELECT relname FROM pg_stat_user_tables WHERE relname <> $1", without)
    texts = [await pool.fetchval(f"SELECT string_agg(t::text, ' ') FROM {row['relname']} t") for row in tables]
    return "\n".join(text or "" for text in texts)
