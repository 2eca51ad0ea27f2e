"""`firsthop app`: apps, and the keys that open them. What is made or revoked here stands in the audit log, too."""

import argparse
import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ingest.compose.home import StartError
from ingest.errors import Unavailable
from ingest.settings import Settings

if TYPE_CHECKING:
    from ingest.store.administration import PostgresAdministration

Rows = Sequence[Mapping[str, Any]]


def add_to(app: argparse.ArgumentParser) -> None:
    """Adds the actions to the command."""
    actions = app.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = actions.add_parser("create", help="a new app with a client key and a token that reads it")
    create.add_argument("name")
    create.add_argument("--origin", action="append", default=[], help="web origin that may use the client key")
    key = actions.add_parser("key", help="another key of an app")
    key.add_argument("name")
    key.add_argument("--role", choices=("client", "server", "privacy", "token", "owner"), default="client")
    key.add_argument("--label", default="", help="what it is for")
    token = actions.add_parser("token", help="a token that reads an app, or every app")
    token.add_argument("name", nargs="?")
    every = token.add_mutually_exclusive_group()
    every.add_argument("--operator", action="store_true", help="reads every app")
    every.add_argument("--admin", action="store_true", help="reads and changes every app, and makes new ones")
    keys = actions.add_parser("keys", help="the keys of an app by id; with --every-app those that open all")
    keys.add_argument("name", nargs="?")
    keys.add_argument("--every-app", action="store_true")
    revoke = actions.add_parser("revoke", help="ends a key for good, within seconds")
    revoke.add_argument("key_id", help="as `firsthop app keys` lists it")
    listed = actions.add_parser("list", help="all apps and their client keys")
    for action in (create, key, token, keys, revoke, listed):
        action.add_argument("--json", action="store_true", help="print JSON")


def run(settings: Settings, given: argparse.Namespace) -> None:
    """Runs one action.

    Raises:
        StartError: it cannot be done; the message says what would do.
    """
    if given.action == "token" and bool(given.name) == (given.operator or given.admin):
        raise StartError("name the app that the token reads, or give --operator or --admin")
    if given.action == "keys" and bool(given.name) == given.every_app:
        raise StartError("name the app whose keys to list, or give --every-app")

    async def work(pool: Any) -> None:
        from ingest.store.administration import PostgresAdministration  # noqa: PLC0415

        keys = PostgresAdministration(pool)
        try:
            rows = await _ACTIONS[given.action](keys, given, settings)
        except (ValueError, LookupError, Unavailable) as error:
            raise StartError(str(error)) from None
        _print(rows, as_json=given.json, many=given.action in ("list", "keys"))

    administer(settings, work)


def administer(settings: Settings, work: Callable[[Any], Awaitable[None]]) -> None:
    """Does some work with a pool on this installation's database."""
    from ingest.compose.service import administered  # noqa: PLC0415

    async def do() -> None:
        async with administered(settings) as pool:
            await work(pool)

    asyncio.run(do())


async def _create(keys: "PostgresAdministration", given: argparse.Namespace, _: Settings) -> Rows:
    new = await keys.create_app(given.name, origins=given.origin)
    return [{"app": given.name, "id": new.app_id, "client_key": new.client_key, "token": new.token}]


async def _key(keys: "PostgresAdministration", given: argparse.Namespace, _: Settings) -> Rows:
    made = await keys.issue_key(await _app_id(keys, given.name), given.role, label=given.label)
    return [{"app": given.name, f"{given.role}_key": made.key}]


async def _token(keys: "PostgresAdministration", given: argparse.Namespace, _: Settings) -> Rows:
    if given.admin:
        return [{"token": await keys.create_admin_token()}]
    if given.operator:
        return [{"token": await keys.create_operator_token()}]
    return [{"app": given.name, "token_key": await keys.create_key(await _app_id(keys, given.name), "token")}]


async def _keys(keys: "PostgresAdministration", given: argparse.Namespace, _: Settings) -> Rows:
    app_id = 0 if given.every_app else await _app_id(keys, given.name)
    return [
        {"id": key.key_id, "role": key.role, "label": key.label, "last_used": str(key.last_used_on or "")}
        for key in await keys.keys(app_id)
        if key.revoked_at_us is None
    ]


async def _revoke(keys: "PostgresAdministration", given: argparse.Namespace, _: Settings) -> Rows:
    from ingest.ports import COMMAND_LINE  # noqa: PLC0415

    for app_id in (0, *(app.app_id for app in await keys.apps())):
        if await keys.revoke_key(app_id, given.key_id, actor=COMMAND_LINE):
            return [{"revoked": given.key_id}]
    raise LookupError("no key of this id opens anything; `firsthop app keys NAME` lists those that do")


async def _list(keys: "PostgresAdministration", _: argparse.Namespace, settings: Settings) -> Rows:
    from ingest.compose.home import Home  # noqa: PLC0415

    public_key = Home(settings["FIRSTHOP_DATA"]).secrets().signer.public_key
    return [
        {"app": app.name, "id": app.app_id, "client_key": app.client_key, "config_key": public_key}
        for app in await keys.apps()
    ]


async def _app_id(keys: "PostgresAdministration", name: str) -> int:
    found = next((app.app_id for app in await keys.apps() if app.name == name), None)
    if found is None:
        raise LookupError("there is no app of this name; `firsthop app list` shows those there are")
    return found


_ACTIONS: Mapping[str, Callable[["PostgresAdministration", argparse.Namespace, Settings], Awaitable[Rows]]] = {
    "create": _create,
    "key": _key,
    "token": _token,
    "keys": _keys,
    "revoke": _revoke,
    "list": _list,
}


def _print(rows: Rows, *, as_json: bool, many: bool) -> None:
    if as_json:
        print(json.dumps(rows if many else rows[0]))
        return
    for row in rows:
        print("  ".join(f"{name}: {value}" for name, value in row.items()))
