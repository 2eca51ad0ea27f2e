"""Erasing a user over the API: who may, how it is asked for, what the receipt says, and that nothing is left."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import jsonschema
import pytest
import pytest_asyncio
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient, TestServer

from client_sdk_spec import encoder
from ingest.compose.erase import Eraser, erase
from ingest.compose.home import Home, Secrets, StartError
from ingest.compose.query import sources
from ingest.query.body import MOST_MEMBER_BYTES
from ingest.query.erasures import LIST_SCHEMA, RECEIPT_SCHEMA
from ingest.query.installation import Installation
from ingest.query.server import build
from ingest.settings import Settings
from ingest.store.administration import PostgresAdministration
from ingest.store.database import ERASURE_LOCK
from ingest.store.keys import PostgresKeys
from ingest.store.plan import Retention
from ingest.store.policies import PostgresPolicies
from ingest.store.read import PostgresReader
from tests.batches import NOW_US
from tests.service import running_service
from tests.store.people import everything, name, sessions, store, visit

Pool = asyncpg.Pool
URL = "/api/v1/erasures"


class Api:
    """A query server over a database with two apps, and their keys."""

    def __init__(self, client: TestClient[Any, Any], keys: dict[str, str]) -> None:
        self.client = client
        self.keys = keys

    def _headers(self, key: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.keys[key]}"} if key else {}

    async def erase(self, body: Any, key: str | None = "privacy") -> ClientResponse:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await self.client.post(URL, data=data, headers=self._headers(key))

    async def get(self, path: str, key: str = "privacy") -> ClientResponse:
        return await self.client.get(path, headers=self._headers(key))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of an installation with the ring of `tests.batches.policy`."""
    Home(tmp_path).keep(Secrets(pseudonym_key=(b"k" * 32).hex(), pseudonym_period=0))
    return Settings.from_env({"FIRSTHOP_DATA": str(tmp_path)})


@pytest_asyncio.fixture
async def api(pool: "Pool[Any]", settings: Settings) -> AsyncIterator[Api]:
    keys = PostgresAdministration(pool)
    shop, other = await keys.create_app("shop"), await keys.create_app("other")
    assert (shop.app_id, other.app_id) == (1, 2)
    made = {
        "client": shop.client_key,
        "token": shop.token,
        "other token": other.token,
        "operator": await keys.create_operator_token(),
        **{role: await keys.create_key(1, role) for role in ("server", "privacy")},
    }
    eraser = Eraser(pool, settings, now_us=lambda: NOW_US, wait_s=30)
    made_of = replace(sources(pool, settings, PostgresPolicies(pool)), erasures=eraser)
    app = build(made_of, installation=Installation.of(settings))
    async with TestClient(TestServer(app)) as client:
        yield Api(client, made)


@pytest.mark.parametrize(
    ("identifier", "text"),
    [("session", "s-jane"), ("user", "jane-4711"), ("installation", "i-9"), ("pseudonym", name("s-jane"))],
)
async def test_a_user_is_erased_by_whatever_names_them_and_the_receipt_does_not(
    api: Api, dsn: str, pool: "Pool[Any]", identifier: str, text: str
) -> None:
    await store(dsn, pool, visit("s-jane", 1, user="jane-4711", installation="i-9"), visit("s-joe", 2))
    answer = await api.erase({identifier: text})
    receipt = await answer.json()
    assert answer.status == 200, receipt
    jsonschema.validate(receipt, RECEIPT_SCHEMA)
    assert receipt["erased"] == {"span": 3, "journal": 0, "journal_dead": 0}
    assert receipt["identifier"] == identifier
    assert receipt["completed_at"] is not None
    assert text not in json.dumps(receipt)
    assert await sessions(pool) == {name("s-joe"): 3}
    again = await (await api.erase({identifier: text, "app": "shop"})).json()
    assert set(again["erased"].values()) == {0}

    for key in ("privacy", "token"):
        listed = await (await api.get(URL, key)).json()
        jsonschema.validate(listed, LIST_SCHEMA)
        assert listed["erasures"] == [again, receipt]
        assert await (await api.get(f"{URL}/{receipt['id']}", key)).json() == receipt


@pytest.mark.parametrize("key", ["client", "server", "token", "operator"])
async def test_only_a_privacy_key_erases(api: Api, dsn: str, pool: "Pool[Any]", key: str) -> None:
    await store(dsn, pool, visit("s-jane", 1))
    answer = await api.erase({"session": "s-jane", "app": "shop"}, key)
    assert (answer.status, (await answer.json())["error"]) == (403, "wrong_role")
    assert await sessions(pool) == {name("s-jane"): 3}
    assert await pool.fetchval("SELECT count(*) FROM erasure") == 0


async def test_a_privacy_key_reads_no_figures_and_no_other_app(api: Api) -> None:
    for path in ("/api/v1/apps", "/api/v1/latency", "/api/v1/traces"):
        assert (await api.get(path)).status == 403
    answer = await api.erase({"session": "s-jane", "app": "other"})
    assert (answer.status, (await answer.json())["error"]) == (403, "other_app")
    assert (await api.erase({"session": "s-jane"}, None)).status == 401
    receipt = await (await api.erase({"session": "s-jane"})).json()
    assert (await api.get(f"{URL}/{receipt['id']}", "other token")).status == 404
    assert (await api.get(f"{URL}/{receipt['id']}?app=shop", "operator")).status == 200
    assert (await api.get(f"{URL}/1234")).status == 400


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"jane-4711", 400, "JSON object"),
        (b'["jane-4711"]', 400, "JSON object"),
        ({"user": 4711}, 400, "JSON object"),
        ({}, 400, "exactly one"),
        ({"user": ""}, 400, "exactly one"),
        ({"user": "jane-4711", "session": "jane-4711"}, 400, "exactly one"),
        ({"email": "jane-4711"}, 400, "does not know"),
        ({"pseudonym": "jane-4711"}, 400, "20 hex digits"),
        ({"user": "jane-4711" + "x" * 600}, 400, "512"),
        ({"user": "jane-4711" + "x" * MOST_MEMBER_BYTES}, 413, "4096"),
    ],
)
async def test_what_cannot_be_meant_is_refused_without_a_word_of_it(
    api: Api, pool: "Pool[Any]", body: Any, status: int, said: str
) -> None:
    answer = await api.erase(body)
    text = await answer.text()
    assert answer.status == status, text
    assert set(json.loads(text)) == {"error", "message", "parameter"}
    assert said in text
    assert "4711" not in text
    assert await pool.fetchval("SELECT count(*) FROM erasure") == 0


async def test_no_log_line_says_who_was_erased(
    api: Api, dsn: str, pool: "Pool[Any]", caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await store(dsn, pool, visit("s-jane", 1, user="jane-4711"))
        assert (await api.erase({"user": "jane-4711"})).status == 200
        await store(dsn, pool, visit("s-jane", 2))
        logging.getLogger("test").warning("logs are read")
    assert "logs are read" in caplog.text
    assert not [text for text in ("jane-4711", name("jane-4711"), name("s-jane")) if text in caplog.text]


async def test_a_machine_without_the_edges_keys_says_so_instead_of_finding_nothing(
    pool: "Pool[Any]", settings: Settings, api: Api, tmp_path: Path
) -> None:
    (tmp_path / "keys.json").unlink()
    answer = await api.erase({"session": "s-jane"})
    assert (answer.status, (await answer.json())["error"]) == (503, "no_keys")
    assert not (tmp_path / "keys.json").exists()
    assert (await api.erase({"pseudonym": name("s-jane")})).status == 200


async def test_an_erasure_that_takes_long_is_answered_and_goes_on(
    dsn: str, pool: "Pool[Any]", settings: Settings
) -> None:
    await store(dsn, pool, visit("s-jane", 1))
    eraser = Eraser(pool, settings, now_us=lambda: NOW_US, wait_s=0.01)
    reader = PostgresReader(pool, Retention.of(settings))
    from ingest.ports import Subject

    async with pool.acquire() as other:
        await other.execute("SELECT pg_advisory_lock($1)", ERASURE_LOCK)
        receipt = await eraser.erase(1, Subject("session", "s-jane"))
        assert receipt.completed_at_us is None
        await store(dsn, pool, visit("s-jane", 2))
        assert await sessions(pool) == {name("s-jane"): 3}, "late spans are refused from the first moment"
        await other.execute("SELECT pg_advisory_unlock($1)", ERASURE_LOCK)
    async with asyncio.timeout(30):
        while True:
            found = await reader.receipt(1, receipt.erasure_id)
            if found is not None and found.completed_at_us is not None:
                break
            await asyncio.sleep(0.01)
    assert await sessions(pool) == {}


async def test_the_command_prints_a_receipt_and_says_what_is_missing(
    dsn: str, pool: "Pool[Any]", tmp_path: Path
) -> None:
    settings = Settings.from_env({"FIRSTHOP_DATA": str(tmp_path), "DATABASE_URL": dsn})
    key = Home(tmp_path).secrets().ring
    app = await PostgresKeys(pool).create_app("shop")
    receipt = await erase(settings, "shop", {"session": "s-jane", "user": None})
    assert (receipt["app"], receipt["identifier"], receipt["erased"]["span"]) == (app.app_id, "session", 0)
    named = await pool.fetchval("SELECT count(*) FROM erased WHERE asked")
    assert named >= 1
    assert key.period <= NOW_US
    with pytest.raises(StartError, match="no app"):
        await erase(settings, "shoe", {"session": "s-jane"})
    with pytest.raises(StartError, match="name whom"):
        await erase(settings, "shop", {"session": None})
    with pytest.raises(StartError, match="--pseudonym must be 20 hex digits"):
        await erase(settings, "shop", {"pseudonym": "jane"})


def native(session: str, batch: int) -> bytes:
    now_us = time.time_ns() // 1000
    return encoder.encode(
        {
            "id": f"{batch:032x}",
            "resource": {"service": "shop", "version": "1", "session": session},
            "clock": {"kind": "wall"},
            "spans": [
                {
                    "trace_id": f"{batch:032x}",
                    "span_id": f"{row + 1:016x}",
                    "name": "GET",
                    "start_us": now_us - 1_000_000,
                    "duration_us": 1000,
                    "status": 2,
                }
                for row in range(3)
            ],
        },
        "json",
    )


def otlp(session: str, batch: int) -> bytes:
    now_ns = time.time_ns()
    span = {
        "traceId": f"{batch:032x}",
        "spanId": f"{1:016x}",
        "name": "GET",
        "kind": 3,
        "startTimeUnixNano": str(now_ns - 2_000_000_000),
        "endTimeUnixNano": str(now_ns - 1_000_000_000),
    }
    attributes = [{"key": "session.id", "value": {"stringValue": session}}]
    scopes = [{"spans": [span]}]
    return json.dumps({"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": scopes}]}).encode()


async def test_sent_by_both_formats_erased_over_the_api_and_sent_again_late(tmp_path: Path) -> None:
    async with running_service(tmp_path / "data") as service, aiohttp.ClientSession() as http:

        async def send(first: int) -> None:
            for path, body in (
                ("/v1/batches", native("session-of-jane", first)),
                ("/v1/traces", otlp("session-of-jane", first + 1)),
                ("/v1/batches", native("session-of-joe", first + 2)),
            ):
                headers = {"x-api-key": service.client_key, "Content-Type": "application/json"}
                async with http.post(service.edge + path, data=body, headers=headers) as answer:
                    assert answer.status in (200, 202), await answer.text()
            await service.drained()

        database = await asyncpg.create_pool(service.dsn, min_size=1, max_size=2)
        grants = await PostgresKeys(database).grants()
        (app_id,) = {grant.app_id for grant in grants.values()}
        key = await PostgresKeys(database).create_key(app_id, "privacy")
        await send(1)
        stored = await sessions(database)
        (jane,) = (pseudonym for pseudonym, spans in stored.items() if spans == 4)
        (joe,) = (pseudonym for pseudonym, spans in stored.items() if spans == 3)

        # A key that was made a moment ago is known within seconds.
        async with asyncio.timeout(30):
            while True:
                headers = {"Authorization": f"Bearer {key}"}
                async with http.post(
                    f"{service.query}{URL}", json={"session": "session-of-jane"}, headers=headers
                ) as answer:
                    receipt = await answer.json()
                    if answer.status != 401:
                        break
                await asyncio.sleep(0.1)
        assert answer.status == 200, receipt
        assert sum(receipt["erased"].values()) == 4
        assert receipt["completed_at"] is not None
        assert await sessions(database) == {joe: 3}
        await send(11)
        assert await sessions(database) == {joe: 6}
        assert jane not in await everything(database)
        found = await database.fetch("SELECT outcome, sum(spans)::int AS spans FROM ledger GROUP BY 1")
        ends = {row["outcome"]: row["spans"] for row in found if not row["outcome"].startswith("noted:")}
        assert ends == {"received": 14, "kept": 10, "counted_only": 4}
        await database.close()
