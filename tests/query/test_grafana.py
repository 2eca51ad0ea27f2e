"""The dashboard file for Grafana: every panel's SQL runs, as the role made for it, and says what the API says."""

import json
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import numpy as np
import pytest

from tests.query import world as seeded
from tests.query.conftest import Get
from tests.query.test_metrics import crowd
from tests.query.world import NOW

FOLDER = Path(__file__).parents[2] / "ingest/query/grafana"
DASHBOARD = json.loads((FOLDER / "firsthop.json").read_text())
PANELS = {panel["title"]: panel for panel in DASHBOARD["panels"]}
HOURS = 2


def expanded(
    sql: str, *, step: str = "5m", start: datetime = NOW - timedelta(hours=HOURS), signal: str = "request"
) -> str:
    """SQL as Grafana sends it: its macros and variables written out."""
    given = {
        "$__timeFrom()": f"'{start:%Y-%m-%dT%H:%M:%SZ}'",
        "$__timeTo()": f"'{NOW:%Y-%m-%dT%H:%M:%SZ}'",
        "$__interval": step,
        "${app:sqlstring}": "'shop'",
        "${signal:sqlstring}": f"'{signal}'",
    }
    for name, value in given.items():
        sql = sql.replace(name, value)
    assert "$" not in sql
    return sql


@pytest.fixture
async def grafana(world_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection with the rights of the role and no others."""
    connection = await asyncpg.connect(world_dsn)
    await connection.execute((FOLDER / "role.sql").read_text())
    await connection.execute("SET ROLE firsthop_grafana")
    yield connection
    await connection.close()


async def run(grafana: asyncpg.Connection, title: str, **how: Any) -> list[asyncpg.Record]:
    """What a panel shows."""
    (target,) = PANELS[title]["targets"]
    return list(await grafana.fetch(expanded(target["rawSql"], **how)))


@pytest.mark.parametrize("title", list(PANELS))
@pytest.mark.parametrize("step", ["10s", "2h"])
async def test_every_panel_can_be_shown_with_and_without_data(
    grafana: asyncpg.Connection, title: str, step: str
) -> None:
    rows = await run(grafana, title, step=step)
    assert len(rows) > 0
    assert len(await run(grafana, title, step=step, signal="screen")) in (0, 1)
    long_ago = await run(grafana, title, step=step, start=NOW - timedelta(days=40))
    assert len(long_ago) > 0


async def test_percentiles_over_time_are_those_of_the_api(grafana: asyncpg.Connection, get: Get) -> None:
    rows = await run(grafana, "Percentiles")
    (group,) = (await get("/api/v1/latency", {"from": f"-{HOURS}h", "step": "5m", "q": "0.5,0.75,0.95,0.99"}))["groups"]
    told = {datetime.fromisoformat(point["at"]): point["quantiles"] for point in group["points"]}
    shown = {row["time"]: [row[name] for name in ("p50", "p75", "p95", "p99")] for row in rows}
    assert shown.keys() == told.keys()
    for at, quantiles in shown.items():
        assert quantiles == pytest.approx(told[at], rel=0.001)


async def test_counts_are_those_of_the_api(grafana: asyncpg.Connection, get: Get) -> None:
    total = (await get("/api/v1/latency", {"from": f"-{HOURS}h"}))["groups"][0]["total"]
    (whole,) = await run(grafana, "In this range")
    assert whole["spans"] == total["spans"]
    assert whole["errors"] == pytest.approx(total["errors"] / total["spans"])
    assert [whole[name] for name in ("p50", "p75", "p95", "p99")] == pytest.approx(total["quantiles"], rel=0.001)
    rates = await run(grafana, "Spans and errors per second")
    assert sum(row["spans"] for row in rates) * 300 == pytest.approx(total["spans"])
    assert sum(row["errors"] for row in rates) * 300 == pytest.approx(total["errors"])
    bars = await run(grafana, "Distribution")
    assert sum(row["spans"] for row in bars) == total["spans"]
    told = (await get("/api/v1/histogram", {"from": f"-{HOURS}h"}))["bars"]
    assert [row["spans"] for row in bars] == [bar["spans"] for bar in told]
    assert [float(row["up to"].removesuffix(" ms")) for row in bars] == pytest.approx(
        [bar["to_us"] / 1000 for bar in told], abs=0.06
    )


async def test_routes_and_versions_are_those_of_the_api(grafana: asyncpg.Connection, get: Get) -> None:
    told = {row["route"]: row for row in (await get("/api/v1/routes", {"from": f"-{HOURS}h"}))["routes"]}
    shown = {row["route"]: row for row in await run(grafana, "Routes by the time users waited")}
    assert shown.keys() == told.keys()
    for route, row in shown.items():
        assert row["spans"] == told[route]["spans"]
        assert row["p95"] == pytest.approx(told[route]["us"], rel=0.001)
        assert row["impact"] == pytest.approx(told[route]["impact"], rel=0.001, abs=0.1)
    answer = await get("/api/v1/latency", {"from": f"-{HOURS}h", "step": "2h", "group_by": "version", "q": "0.95"})
    by_version = {(row["time"], row["metric"]): row["p95"] for row in await run(grafana, "p95 by version", step="2h")}
    assert by_version == pytest.approx(
        {
            (datetime.fromisoformat(point["at"]), group["group"]["version"]): point["quantiles"][0]
            for group in answer["groups"]
            for point in group["points"]
        },
        rel=0.001,
    )


async def test_the_role_sees_nothing_but_the_functions(grafana: asyncpg.Connection) -> None:
    assert [row[0] for row in await grafana.fetch("SELECT * FROM firsthop_apps()")] == ["other", "shop"]
    for statement in (
        "SELECT * FROM span",
        "SELECT * FROM rollup_1m",
        "SELECT * FROM series",
        "SELECT * FROM app_key",
        "SELECT * FROM policy",
        "DELETE FROM app",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await grafana.execute(statement)


async def test_a_role_that_was_given_nothing_may_not_call_them(grafana: asyncpg.Connection) -> None:
    await grafana.execute("RESET ROLE")
    await grafana.execute("CREATE ROLE nobody_special")
    try:
        await grafana.execute("SET ROLE nobody_special")
        for call in ("firsthop_apps()", "firsthop_rollup('shop', 'request', 'all', now(), now(), '1m')"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await grafana.execute(f"SELECT * FROM {call}")
    finally:
        await grafana.execute("RESET ROLE")
        await grafana.execute("DROP ROLE nobody_special")


@pytest.mark.parametrize(
    ("policy", "routes"),
    [
        (None, {"five", "twelve"}),
        ("[figures]\nleast_sessions = 10\n", {"twelve"}),
        ("figures.least_sessions = 1_0 # not 3\n", {"twelve"}),
        ("# least_sessions = 50\n[figures]\nleast_sessions = 1\n", {"four", "five", "twelve"}),
    ],
)
async def test_series_of_too_few_sessions_are_left_out(
    pool: "asyncpg.Pool[Any]", policy: str | None, routes: set[str]
) -> None:
    made = crowd(4, route="four")
    made.come(5, route="five")
    made.come(12, route="twelve")
    async with pool.acquire() as connection:
        await connection.execute("INSERT INTO app (app_id, name) VALUES (1, 'shop')")
        await seeded.store(connection, made.world(), np.ones(len(made.rows), bool), 1)
        if policy is not None:
            await connection.execute("INSERT INTO policy (app_id, text) VALUES (0, 'figures.least_sessions = 40')")
            await connection.execute("INSERT INTO policy (app_id, text) VALUES (1, 'figures.least_sessions = 30')")
            await connection.execute("INSERT INTO policy (app_id, text) VALUES (1, $1)", policy)
        rows = await connection.fetch(
            "SELECT route FROM firsthop_rollup('shop', 'request', 'route', $1, $2, '1 hour')",
            NOW - timedelta(hours=1),
            NOW,
        )
    assert {row["route"] for row in rows} == routes


def test_the_file_can_be_imported_anywhere() -> None:
    text = (FOLDER / "firsthop.json").read_text()
    assert not re.search(r"https?://|\"id\": null", text)
    names = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    assert set(re.findall(r"\$\{(\w+)", text)) <= names
    assert len({panel["id"] for panel in PANELS.values()}) == len(PANELS)
    for panel in PANELS.values():
        assert panel["datasource"]["uid"] == "${datasource}"
