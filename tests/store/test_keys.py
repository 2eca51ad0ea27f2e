"""Apps and their keys."""

from dataclasses import replace
from typing import Any

import asyncpg
import pytest

from ingest.ports import Grant
from ingest.store.keys import PostgresKeys, digest


async def granted(keys: PostgresKeys) -> dict[bytes, Grant]:
    """What each key opens, whatever its id."""
    return {key: replace(grant, key_id="") for key, grant in (await keys.grants()).items()}


async def test_a_new_app_can_send_with_its_client_key_and_read_with_its_token(pool: "asyncpg.Pool[Any]") -> None:
    keys = PostgresKeys(pool)
    app = await keys.create_app("shop", origins=["https://shop.example"])
    grants = await granted(keys)
    assert grants[digest(app.client_key)] == Grant(app.app_id, "client", ("https://shop.example",))
    assert grants[digest(app.token)] == Grant(app.app_id, "token")
    assert app.client_key.startswith("fh_pub_")
    assert app.token.startswith("fh_tok_")
    assert [found.client_key for found in await keys.apps()] == [app.client_key]


async def test_server_keys_and_operator_tokens_are_made_on_request(pool: "asyncpg.Pool[Any]") -> None:
    keys = PostgresKeys(pool)
    app = await keys.create_app("shop")
    server, operator = await keys.create_key(app.app_id, "server"), await keys.create_operator_token()
    privacy = await keys.create_key(app.app_id, "privacy")
    grants = await granted(keys)
    assert grants[digest(privacy)] == Grant(app.app_id, "privacy")
    assert privacy.startswith("fh_prv_")
    assert grants[digest(server)] == Grant(app.app_id, "server")
    assert grants[digest(operator)] == Grant(0, "operator")
    assert (server[:7], operator[:7]) == ("fh_srv_", "fh_ops_")


async def test_only_client_keys_can_be_read_back(pool: "asyncpg.Pool[Any]") -> None:
    keys = PostgresKeys(pool)
    app = await keys.create_app("shop")
    for role in ("server", "privacy", "token"):
        await keys.create_key(app.app_id, role)
    await keys.create_operator_token()
    rows = await pool.fetch("SELECT role, shown FROM app_key WHERE shown IS NOT NULL")
    assert [tuple(row) for row in rows] == [("client", app.client_key)]


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "shop"])
async def test_a_name_that_is_empty_long_or_taken_is_refused(pool: "asyncpg.Pool[Any]", name: str) -> None:
    keys = PostgresKeys(pool)
    await keys.create_app("shop")
    with pytest.raises(ValueError, match="choose another"):
        await keys.create_app(name)


async def test_an_unknown_app_or_role_gets_no_key(pool: "asyncpg.Pool[Any]") -> None:
    keys = PostgresKeys(pool)
    with pytest.raises(LookupError):
        await keys.create_key(7, "server")
    with pytest.raises(ValueError, match="role"):
        await keys.create_key(7, "operator")
