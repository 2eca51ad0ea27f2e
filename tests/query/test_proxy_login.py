"""Login through a reverse proxy: its word counts, nobody else's, and another site's page changes nothing."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from multidict import CIMultiDict

from ingest.query.proxy_login import ProxyLogin
from ingest.settings import SettingError, Settings
from ingest.store.database import open_pool
from tests.query.conftest import OWNER, TOKEN, add_apps, serve

USERS = {"jane": ("jane@shop.example", "product"), "ops": ("ops", "sre,all"), "guest": ("guest", "")}
"""Cookie of the proxy's own login → user and groups."""

ENVIRONMENT = {
    "FIRSTHOP_PROXY_USER_HEADER": "X-Forwarded-User",
    "FIRSTHOP_PROXY_GROUPS_HEADER": "X-Forwarded-Groups",
    "FIRSTHOP_PROXY_NETWORKS": "127.0.0.1/32",
    "FIRSTHOP_PROXY_ROLES": "jane@shop.example=owner:shop, group:product=token:2, group:sre=admin, nobody=owner:gone",
}


class Proxy:
    """Signs people in by a cookie and passes their requests on, with their name in a header."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.replaces = True
        """What the user sent under the header's name; else it is added to it, as a careless proxy does."""

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        headers = CIMultiDict(request.headers)
        user, groups = USERS[request.cookies["login"]]
        for name, value in (("X-Forwarded-User", user), ("X-Forwarded-Groups", groups)):
            if self.replaces:
                headers.popall(name, None)
            headers.add(name, value)
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                request.method, self.upstream + request.path_qs, headers=headers, data=await request.read() or None
            ) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)


@asynccontextmanager
async def behind_a_proxy(pool: Any) -> AsyncIterator[tuple[TestClient[Any, Any], TestClient[Any, Any], Proxy]]:
    async with serve(pool, proxy=ProxyLogin.of(Settings.from_env(ENVIRONMENT))) as server:
        proxy = Proxy(str(server.make_url("/")).rstrip("/"))
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", proxy.__call__)
        async with TestClient(TestServer(app)) as browser:
            yield server, browser, proxy


@pytest_asyncio.fixture
async def three(pool: Any) -> AsyncIterator[tuple[TestClient[Any, Any], TestClient[Any, Any], Proxy]]:
    async with pool.acquire() as connection:
        await add_apps(connection)
        await connection.execute("SELECT setval(pg_get_serial_sequence('app', 'app_id'), 2)")
    async with behind_a_proxy(pool) as found:
        yield found


@pytest.fixture
def server(three: Any) -> TestClient[Any, Any]:
    """Straight to the query server."""
    return three[0]


@pytest.fixture
def browser(three: Any) -> TestClient[Any, Any]:
    """Through the proxy."""
    return three[1]


def signed_in(who: str, **headers: str) -> dict[str, str]:
    return {"Cookie": f"login={who}", **headers}


async def test_a_user_has_every_role_that_name_and_groups_give(browser: TestClient[Any, Any]) -> None:
    jane = await (await browser.get("/api/v1/me", headers=signed_in("jane"))).json()
    assert jane["name"] == "user:jane@shop.example"
    assert {app["name"]: app["role"] for app in jane["apps"]} == {"shop": "owner", "other": "token"}
    ops = await (await browser.get("/api/v1/me", headers=signed_in("ops"))).json()
    assert ({app["role"] for app in ops["apps"]}, ops["may_create_apps"]) == ({"admin"}, True)


async def test_a_user_changes_the_app_they_own_by_name_and_no_other(browser: TestClient[Any, Any]) -> None:
    headers = signed_in("jane", **{"X-Firsthop": "1"})
    made = await browser.post("/api/v1/keys?app=shop", json={"role": "token"}, headers=headers)
    assert made.status == 200
    audit = await (await browser.get("/api/v1/audit?app=shop", headers=headers)).json()
    assert [(change["actor"], change["role"]) for change in audit["changes"]] == [("user:jane@shop.example", "owner")]
    refused = await browser.post("/api/v1/keys?app=other", json={"role": "token"}, headers=headers)
    assert refused.status == 403
    unnamed = await browser.get("/api/v1/latency", headers=headers)
    assert (unnamed.status, (await unnamed.json())["parameter"]) == (400, "app")


async def test_a_user_without_a_role_opens_nothing(browser: TestClient[Any, Any]) -> None:
    refused = await browser.get("/api/v1/me", headers=signed_in("guest"))
    assert (refused.status, (await refused.json())["error"]) == (401, "unknown_user")


async def test_another_sites_page_changes_nothing_in_a_users_name(browser: TestClient[Any, Any]) -> None:
    for sent in ({}, {"Sec-Fetch-Site": "same-origin"}, {"X-Firsthop": "1", "Sec-Fetch-Site": "cross-site"}):
        headers = signed_in("jane", **{"Content-Type": "text/plain", **sent})
        refused = await browser.post("/api/v1/keys?app=shop", data='{"role": "owner"}', headers=headers)
        assert (refused.status, (await refused.json())["error"]) == (403, "cross_site")
    asked = await browser.options("/api/v1/keys", headers=headers)
    assert "Access-Control-Allow-Origin" not in asked.headers
    assert (await (await browser.get("/api/v1/audit?app=shop", headers=headers)).json())["changes"] == []


async def test_the_header_of_an_untrusted_peer_is_ignored(server: TestClient[Any, Any]) -> None:
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    async with aiohttp.ClientSession(connector=connector) as stranger:
        async with stranger.get(server.make_url("/api/v1/me"), headers={"X-Forwarded-User": "ops"}) as refused:
            assert (refused.status, (await refused.json())["error"]) == (401, "no_token")
        both = {"X-Forwarded-User": "ops", "X-Forwarded-Groups": "sre", "Authorization": f"Bearer {TOKEN}"}
        async with stranger.get(server.make_url("/api/v1/me"), headers=both) as answer:
            assert [app["role"] for app in (await answer.json())["apps"]] == ["token"]


async def test_a_proxy_that_adds_to_what_users_claim_lets_nobody_in(three: Any) -> None:
    _, browser, proxy = three
    claimed = signed_in("jane", **{"X-Forwarded-User": "ops"})
    assert (await (await browser.get("/api/v1/me", headers=claimed)).json())["name"] == "user:jane@shop.example"
    proxy.replaces = False
    refused = await browser.get("/api/v1/me", headers=claimed)
    assert (refused.status, (await refused.json())["error"]) == (401, "proxy_header")


async def test_a_name_that_is_none_opens_nothing(server: TestClient[Any, Any]) -> None:
    for name in ("", " ", "x" * 201, "a\tb"):
        refused = await server.get("/api/v1/me", headers={"X-Forwarded-User": name, "X-Forwarded-Groups": "sre"})
        assert refused.status == 401, name


async def test_a_token_of_ours_wins_over_the_header_and_a_strange_one_does_not(browser: TestClient[Any, Any]) -> None:
    for authorization, name in ((f"Bearer {OWNER}", "key:"), ("Bearer eyJhbGciOi.x.y", "user:"), ("Basic x", "user:")):
        answer = await browser.get("/api/v1/me", headers=signed_in("jane", Authorization=authorization))
        assert (await answer.json())["name"].startswith(name)
    stale = await browser.get("/api/v1/me", headers=signed_in("jane", Authorization="Bearer fh_tok_stale"))
    assert stale.status == 401


async def test_without_the_setting_no_header_opens_anything(world_dsn: str) -> None:
    pool = await open_pool(world_dsn, connections=2)
    try:
        async with serve(pool) as client:
            refused = await client.get("/api/v1/me", headers={"X-Forwarded-User": "ops"})
            assert refused.status == 401
    finally:
        pool.terminate()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"FIRSTHOP_PROXY_NETWORKS": ""}, "FIRSTHOP_PROXY_NETWORKS is needed"),
        ({"FIRSTHOP_PROXY_NETWORKS": "everybody"}, "must be networks"),
        ({"FIRSTHOP_PROXY_USER_HEADER": "X User"}, "name of a header"),
        ({"FIRSTHOP_PROXY_ROLES": "jane=boss"}, "must be who=role"),
        ({"FIRSTHOP_PROXY_ROLES": "jane=owner"}, "must be who=role"),
        ({"FIRSTHOP_PROXY_ROLES": "jane=admin:shop"}, "must be who=role"),
        ({"FIRSTHOP_PROXY_ROLES": "=admin"}, "must be who=role"),
    ],
)
def test_a_setting_that_cannot_be_meant_stops_the_start(changed: dict[str, str], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        Settings.from_env({**ENVIRONMENT, **changed})


@pytest.fixture
def login() -> Callable[[str], bool]:
    """Whether a peer is believed."""
    proxy = ProxyLogin.of(Settings.from_env({**ENVIRONMENT, "FIRSTHOP_PROXY_NETWORKS": "10.0.0.0/8, fd00::/8"}))
    assert proxy is not None
    headers: Any = CIMultiDict({"X-Forwarded-User": "ops"})
    return lambda peer: proxy.user(headers, peer) is not None


@pytest.mark.parametrize("peer", ["10.1.2.3", "::ffff:10.1.2.3", "fd00::1"])
def test_peers_of_the_networks_are_believed(login: Callable[[str], bool], peer: str) -> None:
    assert login(peer)


@pytest.mark.parametrize("peer", ["11.0.0.1", "::ffff:11.0.0.1", "fe80::1%eth0", "", "localhost"])
def test_other_peers_are_not(login: Callable[[str], bool], peer: str) -> None:
    assert not login(peer)
