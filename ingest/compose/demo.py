"""What `firsthop demo` adds to `firsthop serve`: countries, three apps, and traffic from the project's load generator.

The generator is not part of the installed package; a demo runs from a checkout.
"""

import importlib.util
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ingest.compose.home import Home, Ready, StartError
from ingest.compose.supervise import Command
from ingest.settings import Settings
from ingest.store.keys import PostgresKeys, digest

APPS = ("shop", "bank", "video")
TRAFFIC_STOP_S = 5.0


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
        self._operator = ""

    async def set_up(self, pool: Any, home: Home) -> None:
        """Makes the apps and an operator's token where there are none."""
        keys = PostgresKeys(pool)
        known = {app.name: app.client_key for app in await keys.apps() if app.client_key}
        for name in APPS:
            self._keys[name] = known[name] if name in known else (await keys.create_app(name)).client_key
        kept = home.secrets()
        if digest(kept.operator) not in await keys.grants():
            kept = replace(kept, operator=await keys.create_operator_token())
            home.keep(kept)
        self._operator = kept.operator

    def show(self, ready: Ready) -> Ready:
        """What is shown to the user: the app with the story to find, and a token that reads all apps."""
        return replace(ready, app=APPS[0], client_key=self._keys[APPS[0]], token=self._operator)

    def commands(self, ready_path: str) -> Sequence[Command]:
        """The process that sends."""
        keys = [part for name, key in self._keys.items() for part in ("--key", f"{name}={key}")]
        arguments = ("-m", "loadtest.traffic", "--ready", ready_path, *keys)
        return [Command("traffic", arguments, TRAFFIC_STOP_S, says_ready=False)]
