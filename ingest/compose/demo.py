"""What `firsthop demo` adds to `firsthop serve`: countries, three apps, traffic from the load generator, a web site.

Generator and site are not part of the installed package; a demo runs from a checkout.
"""

import importlib.util
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ingest.compose.home import Home, Ready, StartError
from ingest.compose.supervise import Command
from ingest.ports import COMMAND_LINE, Rule
from ingest.ports.alert_rules import MOST_RULES, Latency
from ingest.settings import Settings
from ingest.store.alert_book import PostgresAlertBook
from ingest.store.keys import PostgresKeys, digest

APPS = ("shop", "bank", "video")
TRAFFIC_STOP_S = SITE_STOP_S = 5.0
SITE_PORT = 4390
"""Of the web site, where it is free."""
STORY = Rule(
    name="slow checkout of 5.2.1",
    when=Latency(metric="request", quantile=0.95, above_ms=300),
    filters={"route": ("POST api.shop.example/checkout",), "version": ("5.2.1",)},
    group_by=("country",),
    window="2m",
    min_spans=15,
    severity="critical",
)
"""Fires in Brazil, some minutes after the start: cheap phones there take a second to send what others send at once."""


def prepare(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment of a demo: with a synthetic country database, and this machine trusted as a proxy.

    Raises:
        StartError: the load generator is not here.
    """
    if importlib.util.find_spec("loadtest") is None:
        raise StartError("the demo's traffic is not installed: run `make demo` in a checkout of the project")
    directory = Home(settings["FIRSTHOP_DATA"]).path / "demo"
    made = subprocess.run([sys.executable, "-m", "loadtest.traffic", "--prepare", directory], check=False)  # noqa: S603
    if made.returncode:
        raise StartError("the demo's country database could not be made: run `make setup`, and see the message above")
    return {
        **environment,
        "FIRSTHOP_GEOIP": environment.get("FIRSTHOP_GEOIP") or str(directory / "countries.mmdb"),
        "FIRSTHOP_TRUSTED_PROXIES": environment.get("FIRSTHOP_TRUSTED_PROXIES") or "127.0.0.0/8",
    }


class Demo:
    """The demo's apps and the process that sends for them."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}
        self._admin = ""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", SITE_PORT))
            except OSError:
                probe.bind(("127.0.0.1", 0))
            self._site_port: int = probe.getsockname()[1]

    @property
    def site(self) -> str:
        """Address of the web site."""
        return f"http://127.0.0.1:{self._site_port}/"

    async def set_up(self, pool: Any, home: Home) -> None:
        """Makes the apps and an admin's token where there are none."""
        keys = PostgresKeys(pool)
        known = {app.name: app.client_key for app in await keys.apps() if app.client_key}
        for name in APPS:
            self._keys[name] = known[name] if name in known else (await keys.create_app(name)).client_key
        kept, grants = home.secrets(), await keys.grants()
        if digest(kept.admin) not in grants:
            kept = replace(kept, admin=await keys.create_admin_token())
        if digest(kept.demo_server_key) not in grants:
            shop = next(app.app_id for app in await keys.apps() if app.name == APPS[0])
            kept = replace(kept, demo_server_key=await keys.create_key(shop, "server"))
        home.keep(kept)
        self._admin = kept.admin
        await self._watch(pool)

    async def _watch(self, pool: Any) -> None:
        """Makes a rule that the story to find meets, where there is none."""
        book = PostgresAlertBook(pool)
        shop = next(app.app_id for app in await PostgresKeys(pool).apps() if app.name == APPS[0])
        if not await book.rules(shop):
            await book.put(shop, STORY, COMMAND_LINE, MOST_RULES)

    def show(self, ready: Ready) -> Ready:
        """What is shown to the user: the app with the story to find, and an admin's token."""
        return replace(ready, app=APPS[0], client_key=self._keys[APPS[0]], token=self._admin)

    def commands(self, ready_path: str) -> Sequence[Command]:
        """The process that sends, and the web site."""
        keys = [part for name, key in self._keys.items() for part in ("--key", f"{name}={key}")]
        arguments = ("-m", "loadtest.traffic", "--ready", ready_path, *keys)
        site = (
            "-m",
            "loadtest.demo_site.server",
            "--ready",
            ready_path,
            "--port",
            str(self._site_port),
            "--app",
            APPS[0],
        )
        return [
            Command("traffic", arguments, TRAFFIC_STOP_S, says_ready=False),
            Command("site", (*site, "--client-key", self._keys[APPS[0]]), SITE_STOP_S, says_ready=False),
        ]
