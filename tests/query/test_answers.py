"""Answers as clients use them: asked for again for nothing, read by a spreadsheet, turned page by page."""

import csv
import io
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import orjson
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient
from yarl import URL

from ingest.query import cursor, tables
from ingest.store.database import open_pool
from ingest.store.embedded import EmbeddedPostgres
from tests.query.conftest import OPERATOR, OWNER, TOKEN, Get, copied, serve
from tests.query.world import NOW_US

HEADERS = {"Authorization": f"Bearer {TOKEN}"}
FIXED = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-01T01:00:00Z"}

TABLES = [
    ("latency", {"group_by": "version"}),
    ("latency", {"os": "ios 18", "country": "DE"}),
    ("phases", {"group_by": "network"}),
    ("phases", {"os": "ios 18", "country": "DE"}),
    ("routes", {}),
    ("routes", {"os": "ios 18"}),
    ("failures", {"group_by": "route"}),
    ("values", {"dimension": "country"}),
    ("traces", {}),
    ("ledger", {}),
]


async def rows_of(client: TestClient[Any, Any], path: str, query: dict[str, str]) -> list[dict[str, str]]:
    response = await client.get(f"/api/v1/{path}", params={**query, "format": "csv"}, headers=HEADERS)
    assert response.status == 200, await response.text()
    assert response.content_type == "text/csv"
    return list(csv.DictReader(io.StringIO(await response.text())))


async def test_an_answer_that_has_not_changed_is_not_sent_again(client: TestClient[Any, Any]) -> None:
    for path in ("latency", "routes", "apps", "me", "openapi.json", "latency?format=csv"):
        query = {} if path in ("apps", "me", "openapi.json") else FIXED
        first = await client.get(f"/api/v1/{path}", params=query, headers=HEADERS)
        assert first.headers["Cache-Control"] == "private, no-cache"
        held = {"If-None-Match": first.headers["ETag"], **HEADERS}
        again = await client.get(f"/api/v1/{path}", params=query, headers=held)
        assert (again.status, await again.read(), again.headers["ETag"]) == (304, b"", first.headers["ETag"])


@pytest.mark.parametrize("tag", ['W/"0123"', '"', "W/", '"a", "b"', "\\x00"])
async def test_another_tag_gets_the_answer(client: TestClient[Any, Any], tag: str) -> None:
    response = await client.get("/api/v1/latency", params=FIXED, headers={"If-None-Match": tag, **HEADERS})
    assert response.status == 200


async def test_a_tag_of_one_app_says_nothing_to_another(client: TestClient[Any, Any]) -> None:
    first = await client.get("/api/v1/latency", params=FIXED, headers=HEADERS)
    held = {"If-None-Match": first.headers["ETag"]}
    assert (await client.get("/api/v1/latency", params=FIXED, headers=held)).status == 401


async def test_refusals_are_not_kept(client: TestClient[Any, Any]) -> None:
    for path, headers in (("latency?step=7s", HEADERS), ("latency", {})):
        response = await client.get(f"/api/v1/{path}", headers=headers)
        assert response.headers["Cache-Control"] == "no-store"
        assert "ETag" not in response.headers


@pytest.mark.parametrize(("path", "query"), TABLES)
async def test_a_table_holds_every_row_of_the_answer(
    client: TestClient[Any, Any], get: Get, path: str, query: dict[str, str]
) -> None:
    query = {"from": "-2h", **query}
    answer, rows = await get(f"/api/v1/{path}", query), await rows_of(client, path, query)
    counts = {
        "latency": lambda: sum(len(group["points"]) for group in answer["groups"]),
        "phases": lambda: sum(len(group["phases"]) for group in answer["groups"]),
        "failures": lambda: len(answer["groups"]),
        "ledger": lambda: sum(
            1 + len(hour["outcomes"]) + len(hour["client"]) + len(hour["noted"]) for hour in answer["hours"]
        ),
    }
    assert len(rows) == counts.get(path, lambda: len(answer[path]))()
    assert rows
    assert "" not in rows[0]
    if "basis" in answer:
        assert {row["basis"] for row in rows} == {answer["basis"]}


async def test_a_table_of_percentiles_names_each(client: TestClient[Any, Any], get: Get) -> None:
    query = {"from": "-2h", "q": "0.5,0.99", "group_by": "version"}
    rows = await rows_of(client, "latency", query)
    group = (await get("/api/v1/latency", query))["groups"][0]
    assert rows[0]["version"] == group["group"]["version"]
    assert [float(rows[0][name]) for name in ("p50_us", "p99_us")] == group["points"][0]["quantiles"]


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/csv", "text/csv"),
        ("text/csv;q=0.9, */*;q=0.1", "text/csv"),
        ("application/json, text/csv", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
    ],
)
async def test_the_header_accept_chooses_too(client: TestClient[Any, Any], accept: str, kind: str) -> None:
    response = await client.get("/api/v1/routes", headers={"Accept": accept, **HEADERS})
    assert response.content_type == kind


async def test_what_is_no_table_is_refused_as_one(client: TestClient[Any, Any]) -> None:
    response = await client.get("/api/v1/settings?format=csv", headers=HEADERS)
    assert response.status == 400
    response = await client.get("/api/v1/routes?format=xlsx", headers=HEADERS)
    assert (response.status, (await response.json())["parameter"]) == (400, "format")


def test_no_cell_is_a_formula() -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("http://x")', "＝1", 'a,"b"\nc', "plain"]
    written = tables.write({"text": text, "number": -1.5, "none": None, "flag": True} for text in texts)
    rows = list(csv.reader(io.StringIO(written.decode())))
    assert [row[0] for row in rows[1:]] == [f"'{text}" for text in texts[:8]] + texts[8:]
    assert {tuple(row[1:]) for row in rows[1:]} == {("-1.5", "", "true")}


def test_what_is_inside_a_row_becomes_columns() -> None:
    row = {
        "group": {"os": "ios 18"},
        "us_interval": (1.5, None),
        "rate": [0.1, 0.2],
        "line_us": [1, None, 3],
        "pair": [1, 2],
    }
    assert tables.flat(row) == {
        "group.os": "ios 18",
        "us_interval.low": 1.5,
        "us_interval.high": None,
        "rate.low": 0.1,
        "rate.high": 0.2,
        "line_us": "[1,null,3]",
        "pair": "[1,2]",
    }


PAGED = [
    ("routes", "routes", "route", {}),
    ("routes", "routes", "route", {"os": "ios 18"}),
    ("values", "values", "value", {"dimension": "country"}),
    ("values", "values", "value", {"dimension": "country", "os": "ios 18", "version": "5.2.1"}),
    ("traces", "traces", "trace_id", {}),
    ("traces", "traces", "trace_id", {"country": "DE", "os": "ios 18"}),
    ("ledger", "hours", "hour", {}),
]


@pytest.mark.parametrize(("path", "rows", "key", "query"), PAGED)
async def test_pages_add_up_to_the_list(
    get: Get, client: TestClient[Any, Any], path: str, rows: str, key: str, query: dict[str, str]
) -> None:
    query = {"from": "-2h", **query}
    whole = (await get(f"/api/v1/{path}", {**query, "limit": "60"}))[rows]
    size = max(1, len(whole) // 3)
    found: list[Any] = []
    after: dict[str, str] = {}
    while len(found) < len(whole):
        page = await get(f"/api/v1/{path}", {**query, "limit": str(size), **after})
        assert page[rows]
        found += page[rows]
        after = {"cursor": page["next"] or ""}
        if not page["next"]:
            break
    assert len({row[key] for row in found}) == len(found)
    if path == "traces":
        # A page is in the order of its traces' starts, the list in that of their newest spans.
        assert {row[key] for row in whole[: len(found) - size]} <= {row[key] for row in found}
    else:
        assert found == whole


async def test_the_next_page_is_named_in_a_header_too(client: TestClient[Any, Any]) -> None:
    query = {"from": "-2h", "dimension": "country", "limit": "2", "format": "csv"}
    first = await client.get("/api/v1/values", params=query, headers=HEADERS)
    second = await client.get(str(URL(first.links["next"]["url"]).relative()), headers=HEADERS)
    assert second.status == 200
    assert set((await first.text()).splitlines()[1:]).isdisjoint((await second.text()).splitlines()[1:])


@pytest.mark.parametrize("call", ["routes", "values", "traces", "ledger", "erasures", "audit"])
async def test_a_cursor_that_is_none_is_refused(client: TestClient[Any, Any], call: str) -> None:
    wrong = ["x", "=" * 9, "W10", "é", "A" * 2001, "bnVsbA", cursor.write(10**18, 1, 1), cursor.write(-1, "x", None)]
    for text in wrong:
        query = {"cursor": text, **({"dimension": "os"} if call == "values" else {})}
        response = await client.get(f"/api/v1/{call}", params=query, headers=HEADERS)
        assert (response.status, (await response.json())["parameter"]) == (400, "cursor"), text


@pytest_asyncio.fixture
async def copy(postgres: EmbeddedPostgres, world_dsn: str) -> AsyncIterator["asyncpg.Pool[Any]"]:
    """Of the world, to be written to."""
    async with copied(postgres.start(), world_dsn, "world_of_answers") as dsn:
        pool = await open_pool(dsn, connections=4)
        yield pool
        pool.terminate()


async def test_traces_that_come_meanwhile_neither_repeat_nor_move_any(copy: "asyncpg.Pool[Any]") -> None:
    async with serve(copy) as client:

        async def page(**query: str) -> Any:
            response = await client.get("/api/v1/traces", params={"from": "-2h", **query}, headers=HEADERS)
            return await response.json()

        whole = await page(limit="40")
        first = await page(limit="20")
        # Of every trace that was listed another span, newer than all there were.
        async with copy.acquire() as connection:
            await connection.execute(
                "CREATE TEMPORARY TABLE more AS SELECT DISTINCT ON (trace_id) * FROM span WHERE app_id = 1"
            )
            await connection.execute(
                "UPDATE more SET span_id = '\\x0102030405060708', start_at = to_timestamp($1) - interval '1 second'",
                NOW_US / 1e6,
            )
            ids = [bytes.fromhex(trace["trace_id"]) for trace in first["traces"]]
            await connection.execute("INSERT INTO span SELECT * FROM more WHERE trace_id = ANY($1)", ids)
        second = await page(limit="20", cursor=first["next"])
        listed = [trace["trace_id"] for trace in (*first["traces"], *second["traces"])]
        assert len(set(listed)) == 40
        assert set(listed) == {trace["trace_id"] for trace in whole["traces"]}


async def test_receipts_are_read_page_by_page(copy: "asyncpg.Pool[Any]") -> None:
    await copy.execute(
        "INSERT INTO erasure (app_id, identifier, software, refused_until, requested_at)"
        " SELECT 1, 'session', '1', now(), to_timestamp(1750000000 + n / 2) FROM generate_series(1, 5) n"
    )
    async with serve(copy) as client:
        found: list[str] = []
        query = {"limit": "2", "app": "shop"}
        while True:
            response = await client.get(
                "/api/v1/erasures", params=query, headers={"Authorization": f"Bearer {OPERATOR}"}
            )
            page = orjson.loads(await response.read())
            found += [receipt["id"] for receipt in page["erasures"]]
            if page["next"] is None:
                break
            query["cursor"] = page["next"]
        assert len(set(found)) == len(found) == 6


async def test_the_audit_log_is_a_table_too(client: TestClient[Any, Any]) -> None:
    response = await client.get("/api/v1/audit?format=csv", headers={"Authorization": f"Bearer {OWNER}"})
    assert (response.status, response.content_type) == (200, "text/csv")
