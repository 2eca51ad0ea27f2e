"""Exemplars are spans of the sample: they go with it."""

from typing import Any

import asyncpg

from ingest.model import Signal
from ingest.ports import Question
from ingest.settings import Settings
from ingest.store.plan import Retention
from ingest.store.read_exemplars import PostgresExemplars
from tests.batches import NOW_US
from tests.store.people import forget, name, store, visit

Pool = asyncpg.Pool
HOUR_US = 3_600_000_000


async def shown(pool: "Pool[Any]", *, now_us: int = NOW_US, least: int = 1) -> list[int]:
    """Durations of the spans that may stand as examples for the two hours before NOW_US."""
    question = Question(
        app_id=1,
        from_us=NOW_US - 2 * HOUR_US,
        to_us=NOW_US + HOUR_US,
        now_us=now_us,
        step_us=10_000_000,
        signal=Signal.REQUEST,
        over_time=False,
        metrics=("duration",),
        least_sessions=least,
    )
    reader = PostgresExemplars(pool, Retention.of(Settings.from_env({})))
    found = await reader.candidates(question, ["all"], [(0, 1 << 40)])
    return sorted(found.value_us.tolist())


def spans(session: str, batch: int) -> Any:
    """Three requests of a session, so many ms long as its batch says."""
    request = {"method": "GET", "url": "https://api.shop.example/cart", "http_status": 200}
    return visit(session, batch, duration_us=batch * 1000, **request)


async def test_who_is_erased_is_no_example_any_more(dsn: str, pool: "Pool[Any]") -> None:
    await store(dsn, pool, spans("s-jane", 1), spans("s-joe", 2))
    assert await shown(pool) == [1000] * 3 + [2000] * 3
    await forget(pool, name("s-jane"))
    assert await shown(pool) == [2000] * 3


async def test_what_is_older_than_samples_are_kept_is_not_looked_for(dsn: str, pool: "Pool[Any]") -> None:
    await store(dsn, pool, spans("s-jane", 1))
    assert await shown(pool)
    assert await shown(pool, now_us=NOW_US + 400 * 24 * HOUR_US) == []


async def test_an_app_of_too_few_sessions_has_none(dsn: str, pool: "Pool[Any]") -> None:
    await store(dsn, pool, *(spans(f"s-{number}", number) for number in range(1, 5)))
    assert await shown(pool, least=5) == []
    await store(dsn, pool, spans("s-5", 5))
    assert await shown(pool, least=5)
