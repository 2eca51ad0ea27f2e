"""The API over packed rollups, over a database of an earlier version, and what SQL says of the same."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest

from ingest import sketch
from ingest.settings import Settings
from ingest.store import database, retain
from ingest.store.database import migrate, open_pool
from ingest.store.embedded import EmbeddedPostgres
from ingest.store.plan import TIERS, Retention
from ingest.store.retain import Compactor
from tests.conftest import database_dsn
from tests.query import world as seeded
from tests.query.conftest import TOKEN, add_apps, serve

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
DAY_US = 86_400_000_000
QUESTIONS: list[tuple[str, dict[str, str]]] = [
    ("latency", {"step": "60s", "group_by": "version"}),
    ("latency", {"step": "60s", "group_by": "route", "metric": "tls"}),
    ("latency", {"step": "1h", "from": "-3d", "group_by": "version"}),
    ("phases", {"from": "-3d", "group_by": "network"}),
    ("routes", {"from": "-3d"}),
    ("values", {"from": "-3d", "dimension": "version"}),
    ("latency", {"step": "1d", "from": "-3d", "group_by": "route"}),
    ("overview", {"from": "-1h"}),
]


@pytest.fixture
async def old_pool(
    postgres: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator["asyncpg.Pool[Any]"]:
    """A database as the version before packed rollups left it: filled, and folded, without a view by version."""
    server, name = postgres.start(), "before_packing"
    connection = await asyncpg.connect(server)
    await connection.execute(f"CREATE DATABASE {name}")
    pool = await open_pool(database_dsn(server, name), connections=4)
    for file in database.SCHEMA.iterdir():
        if file.name < "0008":
            shutil.copy(str(file), tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(database, "SCHEMA", tmp_path)
        assert await migrate(pool) == 7
    spans = seeded.make(1, 300, 40 * 3600, seed=21)
    async with pool.acquire() as using:
        await seeded.store(using, spans, np.ones(300, dtype=bool), 1)
        await using.execute("DELETE FROM series WHERE view = 'version'")
        for finer, coarser, unit in (("10s", "1m", "minute"), ("1m", "1h", "hour")):
            # Not merged as a compactor would, but partials add up.
            await using.execute(
                f"INSERT INTO rollup_{coarser} SELECT app_id, series_id, date_trunc('{unit}', window_at),"
                " row_number() OVER (), spans, errors, reused, unknown, duration, redirect, blocked, dns, tcp, tls,"
                f" request, ttfb, download, sessions FROM rollup_{finer}"
            )
        await using.execute("SELECT setval('rollup_part', 100000)")
        await using.execute("UPDATE compaction SET part = 50000")
        await using.execute("DELETE FROM rollup_10s WHERE window_at < $1", seeded.at(seeded.NOW_US - 21_600_000_000))
    yield pool
    await pool.close()
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


async def ask(client: Any, path: str, query: dict[str, str]) -> Any:
    response = await client.get(f"/api/v1/{path}", params={"from": "-2h", **query}, headers=HEADERS)
    answer = await response.json()
    assert response.status == 200, answer
    return answer


async def bring_up_to_date(pool: "asyncpg.Pool[Any]") -> None:
    assert await migrate(pool) >= 8
    async with pool.acquire() as connection:
        await add_apps(connection)


async def pack(pool: "asyncpg.Pool[Any]", now_us: int = seeded.NOW_US) -> list[int]:
    compactor = Compactor(pool, Retention.of(Settings.from_env({})), 0, lambda: now_us)
    for finer in TIERS[:-1]:
        await compactor.fold(finer)
    return [await compactor.pack(tier) for tier in TIERS[1:]]


async def test_a_database_of_an_earlier_version_loses_nothing_when_it_is_migrated_folded_and_packed(
    old_pool: "asyncpg.Pool[Any]",
) -> None:
    await bring_up_to_date(old_pool)
    async with serve(old_pool) as client:
        before = [await ask(client, path, query) for path, query in QUESTIONS]
        assert sum(group["total"]["spans"] for group in before[2]["groups"]) == 300
        assert await pack(old_pool) != [0, 0, 0]
        for table in ("rollup_1h_packed", "rollup_1d"):
            assert await old_pool.fetchval(f"SELECT count(*) FROM {table}") > 0
        assert [await ask(client, path, query) for path, query in QUESTIONS] == before
        await pack(old_pool, seeded.NOW_US + 64 * DAY_US)
        assert await old_pool.fetchval("SELECT count(*) FROM rollup_1d") == 0
        assert [await ask(client, path, query) for path, query in QUESTIONS] == before


async def test_answers_are_the_same_while_hours_are_folded_into_days_for_the_first_time(
    old_pool: "asyncpg.Pool[Any]", monkeypatch: pytest.MonkeyPatch
) -> None:
    class Interrupted(BaseException):
        pass

    insert, calls = retain._insert, iter(range(9))

    async def insert_some(*arguments: Any) -> None:
        if next(calls, None) is None:
            raise Interrupted
        await insert(*arguments)

    await bring_up_to_date(old_pool)
    async with serve(old_pool) as client:
        before = [await ask(client, path, query) for path, query in QUESTIONS]
        with monkeypatch.context() as patch:
            patch.setattr(retain, "FOLD_ROWS", 100)
            patch.setattr(retain, "_insert", insert_some)
            with pytest.raises(Interrupted):
                await Compactor(old_pool, Retention.of(Settings.from_env({})), 0, lambda: seeded.NOW_US).fold(TIERS[2])
        folded = await old_pool.fetchval("SELECT part FROM compaction WHERE tier = 'rollup_1h'")
        assert await old_pool.fetchval("SELECT count(*) FROM rollup_1h WHERE part <= $1", folded) > 0
        assert await old_pool.fetchval("SELECT count(*) FROM rollup_1h WHERE part > $1", folded) > 0
        assert [await ask(client, path, query) for path, query in QUESTIONS] == before


async def test_a_view_answers_only_for_ranges_since_it_is_kept(old_pool: "asyncpg.Pool[Any]") -> None:
    await bring_up_to_date(old_pool)
    await old_pool.execute("UPDATE view_since SET since = $1", seeded.at(seeded.NOW_US - 7_200_000_000))
    later = seeded.make(1, 50, 1800, seed=22)
    async with old_pool.acquire() as connection:
        await seeded.store(connection, later, np.ones(50, dtype=bool), 100_001)
    async with serve(old_pool) as client:
        recent = await ask(client, "latency", {"step": "60s", "from": "-1h", "group_by": "version"})
        whole = await ask(client, "latency", {"step": "1h", "from": "-3d", "group_by": "version"})
    assert recent["source"] == "view:version"
    assert (whole["source"], sum(group["total"]["spans"] for group in whole["groups"])) == ("view:os_version", 350)


async def test_sql_adds_up_to_what_the_api_says(old_pool: "asyncpg.Pool[Any]") -> None:
    await bring_up_to_date(old_pool)
    await pack(old_pool)
    rows = await old_pool.fetch(
        "SELECT os, version, sum(spans)::bigint AS spans, sum(errors)::bigint AS errors,"
        " sum(reused[5])::bigint AS reused, string_agg(tls, '') AS tls"
        " FROM rollup_1h_windows(1, $1, $2) JOIN series USING (app_id, series_id) WHERE view = 'os_version'"
        " GROUP BY os, version ORDER BY 1, 2",
        seeded.at(seeded.NOW_US - 3 * DAY_US),
        seeded.at(seeded.NOW_US),
    )
    async with serve(old_pool) as client:
        answer = await ask(
            client, "latency", {"step": "1h", "from": "-3d", "group_by": "os,version", "metric": "tls", "q": "0.5"}
        )
    said = {(group["group"]["os"], group["group"]["version"]): group["total"] for group in answer["groups"]}
    assert len(said) == len(rows)
    for row in rows:
        total = said[row["os"], row["version"]]
        assert (row["spans"], row["errors"], row["reused"]) == (total["spans"], total["errors"], total["reused"])
        assert sketch.quantiles(sketch.merge([row["tls"]]), [0.5]) == pytest.approx(total["quantiles"], abs=0.1)
