"""Owners and admins change what an app is set to; every change says who made it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient

from ingest.query.access import FRESH_S
from ingest.store.keys import PREFIXES, PostgresKeys
from tests.query.conftest import ADMIN, CLIENT_KEY, OPERATOR, OTHER_OWNER, OTHER_TOKEN, OWNER, TOKEN, add_apps, serve

Send = Callable[..., Awaitable[tuple[int, Any]]]


class Clock:
    """Seconds, as a test lets them pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def client(pool: "asyncpg.Pool[Any]", clock: Clock) -> AsyncIterator[TestClient[Any, Any]]:
    async with pool.acquire() as connection:
        await add_apps(connection)
        await connection.execute("SELECT setval(pg_get_serial_sequence('app', 'app_id'), 2)")
    async with serve(pool, clock=clock) as client:
        yield client


@pytest.fixture
def send(client: TestClient[Any, Any]) -> Send:
    """A call with a token: its status and what it answers."""

    async def send(method: str, path: str, token: str = OWNER, **options: Any) -> tuple[int, Any]:
        response = await client.request(
            method, f"/api/v1/{path}", headers={"Authorization": f"Bearer {token}"}, **options
        )
        return response.status, await response.json()

    return send


async def test_an_owner_makes_a_key_sees_it_once_and_revokes_it(send: Send) -> None:
    status, made = await send("POST", "keys", json={"role": "token", "label": "wall screen"})
    assert (status, made["role"], made["key"][:7]) == (200, "token", PREFIXES["token"])
    assert (await send("GET", "latency", made["key"]))[0] == 200
    _, settings = await send("GET", "settings")
    (listed,) = [key for key in settings["keys"] if key["id"] == made["id"]]
    assert (listed["label"], listed["key"], listed["revoked_at"]) == ("wall screen", None, None)
    assert made["key"] not in str(settings)
    assert (await send("DELETE", f"keys/{made['id']}"))[0] == 200
    status, refused = await send("GET", "latency", made["key"])
    assert (status, refused["error"]) == (401, "unknown_token")
    assert (await send("DELETE", f"keys/{made['id']}"))[0] == 404
    _, audit = await send("GET", "audit")
    assert [(change["action"], change["subject"], change["role"]) for change in audit["changes"]] == [
        ("key.revoke", made["id"], "owner"),
        ("key.create", made["id"], "owner"),
    ]
    assert audit["changes"][1]["after"] == {"role": "token", "label": "wall screen", "origins": []}
    assert made["key"] not in str(audit)


async def test_a_key_revoked_elsewhere_opens_nothing_after_a_few_seconds(
    send: Send, clock: Clock, pool: "asyncpg.Pool[Any]"
) -> None:
    assert (await send("GET", "latency", TOKEN))[0] == 200
    await pool.execute("UPDATE app_key SET revoked_at = now() WHERE role = 'token'")
    clock.now += FRESH_S
    assert (await send("GET", "latency", TOKEN))[0] == 401


async def test_who_only_reads_changes_nothing(send: Send) -> None:
    changes: list[tuple[str, str, Any]] = [
        ("POST", "keys", {"role": "token"}),
        ("DELETE", "keys/x", None),
        ("PUT", "keys/x/origins", {"origins": []}),
    ]
    for token in (TOKEN, OPERATOR):
        for method, path, body in changes:
            status, answer = await send(method, f"{path}?app=1", token, json=body)
            assert (status, answer["error"]) == (403, "wrong_role")
    assert (await send("GET", "audit"))[1]["changes"] == []


async def test_an_owner_changes_its_own_app_alone(send: Send) -> None:
    _, made = await send("POST", "keys", json={"role": "server"})
    assert (await send("POST", "keys?app=other", json={"role": "server"}))[0] == 403
    assert (await send("DELETE", f"keys/{made['id']}", OTHER_OWNER))[0] == 404
    assert (await send("GET", "audit", OTHER_OWNER))[1]["changes"] == []
    assert (await send("POST", "apps", json={"name": "mine"}))[0] == 403


async def test_an_admin_creates_an_app_whose_owner_can_start_at_once(send: Send) -> None:
    status, made = await send("POST", "apps", ADMIN, json={"name": "news", "origins": ["https://news.example"]})
    assert status == 200, made
    status, settings = await send("GET", "settings", made["token"])
    assert (settings["app"], settings["may_change"]) == ({"id": made["id"], "name": "news"}, True)
    (client_key,) = [key for key in settings["keys"] if key["role"] == "client"]
    assert (client_key["key"], client_key["origins"]) == (made["client_key"], ["https://news.example"])
    _, audit = await send("GET", "audit?app=news", ADMIN)
    assert [change["action"] for change in audit["changes"]] == ["key.create", "key.create", "app.create"]
    assert {change["role"] for change in audit["changes"]} == {"admin"}
    assert (await send("POST", "apps", ADMIN, json={"name": " news "}))[1]["parameter"] == "name"


async def test_origins_of_a_client_key_are_set_and_what_they_were_is_told(
    send: Send, pool: "asyncpg.Pool[Any]"
) -> None:
    _, settings = await send("GET", "settings")
    (key_id,) = [key["id"] for key in settings["keys"] if key["key"] == CLIENT_KEY]
    origins = ["https://shop.example", "http://localhost:3000"]
    assert (await send("PUT", f"keys/{key_id}/origins", json={"origins": origins}))[0] == 200
    assert (await send("PUT", f"keys/{key_id}/origins", json={"origins": origins}))[0] == 200
    assert [grant.origins for grant in (await PostgresKeys(pool).grants()).values() if grant.role == "client"] == [
        tuple(origins)
    ]
    (change,) = (await send("GET", "audit"))[1]["changes"]
    assert (change["before"], change["after"]) == ({"origins": []}, {"origins": origins})


BAD_BODIES = [
    ("POST", "keys", {"role": "privacy"}),
    ("POST", "keys", {"role": "admin"}),
    ("POST", "keys", {"role": "token", "origins": ["https://shop.example"]}),
    ("POST", "keys", {"role": "client", "origins": ["shop.example"]}),
    ("POST", "keys", {"role": "client", "origins": ["https://a.example"] * 101}),
    ("POST", "keys", {"role": "token", "label": "x" * 101}),
    ("POST", "keys", {"role": "token", "label": "a\0b"}),
    ("POST", "keys", {"role": "token", "secret": "mine"}),
    ("POST", "keys", {}),
    ("POST", "keys", []),
    ("POST", "apps", {"name": "  "}),
    ("POST", "apps", {"name": "x\0"}),
    ("POST", "apps", {"name": "x" * 101}),
    ("PUT", "keys/x/origins", {"origins": ["javascript:alert(1)"]}),
    ("PUT", "keys/x/origins", {"origins": ["https://user@shop.example"]}),
    ("PUT", "keys/x/origins", {"origins": "https://shop.example"}),
]


async def test_a_bad_change_is_refused_and_nothing_is_written(send: Send) -> None:
    for method, path, body in BAD_BODIES:
        status, answer = await send(method, f"{path}?app=1" if path != "apps" else path, ADMIN, json=body)
        assert status == 400, (path, body, answer)
        assert "alert(1)" not in answer["message"]
    assert (await send("GET", "audit", ADMIN, params={"app": "1"}))[1]["changes"] == []


async def test_a_key_does_not_revoke_itself(send: Send) -> None:
    _, settings = await send("GET", "settings")
    (own,) = [key["id"] for key in settings["keys"] if key["role"] == "owner"]
    status, answer = await send("DELETE", f"keys/{own}")
    assert (status, answer["parameter"]) == (400, "key_id")
    assert (await send("DELETE", f"keys/{own}?app=1", ADMIN))[0] == 200
    assert (await send("GET", "settings"))[0] == 401


async def test_a_key_that_is_not_there_cannot_be_revoked(send: Send) -> None:
    for key_id in ("nobody", "%00", "..", "x" * 3000):
        assert (await send("DELETE", f"keys/{key_id}"))[0] == 404, key_id


async def test_the_day_of_the_last_use_is_noted_for_keys_that_read(send: Send, clock: Clock) -> None:
    await send("GET", "latency", TOKEN)
    clock.now += FRESH_S
    _, settings = await send("GET", "settings", TOKEN)
    used = {key["role"]: key["last_used_on"] is not None for key in settings["keys"]}
    assert used == {"client": False, "token": True, "owner": False}


async def test_everybody_is_told_who_they_are_and_what_is_open(send: Send) -> None:
    for token, apps, creates in (
        (TOKEN, {"shop": ("token", False)}, False),
        (OTHER_TOKEN, {"other": ("token", False)}, False),
        (OWNER, {"shop": ("owner", True)}, False),
        (OPERATOR, {"shop": ("operator", False), "other": ("operator", False)}, False),
        (ADMIN, {"shop": ("admin", True), "other": ("admin", True)}, True),
    ):
        _, me = await send("GET", "me", token)
        assert {app["name"]: (app["role"], app["may_change"]) for app in me["apps"]} == apps
        assert (me["may_create_apps"], me["name"][:4]) == (creates, "key:")


async def test_the_audit_log_is_read_page_by_page_while_it_grows(send: Send) -> None:
    made = [(await send("POST", "keys", json={"role": "token"}))[1]["id"] for _ in range(5)]
    _, first = await send("GET", "audit?limit=2")
    await send("POST", "keys", json={"role": "token"})
    _, second = await send("GET", f"audit?limit=2&cursor={first['next']}")
    _, last = await send("GET", f"audit?limit=2&cursor={second['next']}")
    assert [change["subject"] for page in (first, second, last) for change in page["changes"]] == made[::-1]
    assert last["next"] is None
