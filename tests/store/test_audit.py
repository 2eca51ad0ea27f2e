"""The audit log: what is told of a change is told with it, or not at all."""

from typing import Any

import asyncpg

from ingest.ports import COMMAND_LINE, Actor, Change
from ingest.store.audit import PostgresAudit, write
from ingest.store.retain import AUDIT_DAYS
from tests.store.test_retain import NOW_US, compactor

JANE = Actor("user:jane", "owner")


def renamed(app_id: int, subject: str) -> Change:
    return Change(app_id, JANE, "rule.update", subject, {"name": "slow"}, {"name": "slower", "routes": ["GET /"]})


async def test_a_change_that_is_rolled_back_leaves_no_row(pool: "asyncpg.Pool[Any]") -> None:
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await write(connection, renamed(1, "r1"))
        await transaction.rollback()
    assert await PostgresAudit(pool).changes(1, before_id=None, limit=10) == []


async def test_changes_come_newest_first_page_by_page_and_of_one_app(pool: "asyncpg.Pool[Any]") -> None:
    written = [renamed(1, f"r{number}") for number in range(5)]
    async with pool.acquire() as connection:
        for change in (*written, renamed(2, "theirs"), Change(0, COMMAND_LINE, "key.create", "k1")):
            await write(connection, change)
    audit = PostgresAudit(pool)
    first = await audit.changes(1, before_id=None, limit=3)
    async with pool.acquire() as connection:
        await write(connection, renamed(1, "meanwhile"))
    rest = await audit.changes(1, before_id=first[-1].audit_id, limit=3)
    assert [found.change for found in (*first, *rest)] == written[::-1]
    (ours,) = await audit.changes(0, before_id=None, limit=3)
    assert (ours.change.actor, ours.change.before) == (COMMAND_LINE, None)


async def test_changes_are_forgotten_after_their_time(pool: "asyncpg.Pool[Any]") -> None:
    async with pool.acquire() as connection:
        for subject in ("old", "new"):
            await write(connection, renamed(1, subject))
    await pool.execute(
        "UPDATE audit SET changed_at = to_timestamp($1)"
        " - CASE subject WHEN 'old' THEN make_interval(days => $2) ELSE interval '1 day' END",
        NOW_US / 1e6,
        AUDIT_DAYS + 1,
    )
    await compactor(pool).retire()
    kept = await PostgresAudit(pool).changes(1, before_id=None, limit=10)
    assert [found.change.subject for found in kept] == ["new"]
