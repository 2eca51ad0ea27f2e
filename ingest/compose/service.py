"""One machine's whole service: the database, the app it starts with, and the processes around them."""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from ingest.compose.connect import connected
from ingest.compose.demo import Demo
from ingest.compose.home import Home, HomeError, Ready, Secrets, StartError
from ingest.compose.listen import address_of, reserve
from ingest.compose.policies import PolicyFiles
from ingest.compose.supervise import FIRST_BACKOFF_S, LAST_BACKOFF_S, Command, Fleet, worker_count
from ingest.geo import Geo
from ingest.settings import Settings
from ingest.store.database import migrate
from ingest.store.embedded import EmbeddedError, EmbeddedPostgres
from ingest.store.keys import PostgresKeys, digest

log = logging.getLogger("firsthop")

FIRST_APP = "app"
"""Name of the app that a new service starts with."""
POSTGRES_WATCH_S = 0.1
FORGET_S = 86_400.0
EDGE_STOP_S, AGGREGATE_STOP_S, EXPORT_STOP_S, ALERTS_STOP_S, QUERY_STOP_S = 15.0, 20.0, 5.0, 5.0, 5.0
STOP_ORDER = ("traffic", "site", "edge", "aggregate", "export", "alerts", "query")


class Database:
    """The database of this installation: the one named by DATABASE_URL, else an embedded one that is kept running.

    Args:
        settings: DATABASE_URL.
        home: where an embedded one keeps its data.
        changed: called when the embedded server comes or goes.
    """

    def __init__(self, settings: Settings, home: Home, changed: Callable[[], None]) -> None:
        self.dsn: str = settings["DATABASE_URL"]
        self._changed = changed
        self._engine = None if self.dsn else EmbeddedPostgres(home.path / "postgres")
        # The kernel stops the server when the thread that started it ends, so one thread starts it every time.
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="postgres")
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """Process of the embedded server, None when it does not run or is not ours."""
        return self._engine.pid if self._engine is not None else None

    async def start(self) -> None:
        """Returns when the database answers; keeps the embedded one running from then on.

        Raises:
            StartError: it does not.
        """
        if self._engine is not None:
            try:
                self.dsn = await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.start)
            except EmbeddedError as error:
                raise StartError(f"the embedded database does not start: {error}") from None
            self._keeper = asyncio.create_task(self._keep(self._engine))

    async def stop(self) -> None:
        """Stops the embedded server in order."""
        if self._keeper is not None:
            self._keeper.cancel()
        if self._engine is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._engine.stop)
        self._thread.shutdown()

    async def _keep(self, engine: EmbeddedPostgres) -> None:
        backoff_s = FIRST_BACKOFF_S
        while True:
            await asyncio.sleep(POSTGRES_WATCH_S)
            if engine.pid is not None:
                backoff_s = FIRST_BACKOFF_S
                continue
            log.warning("the database ended and is started again")
            self._changed()
            try:
                await asyncio.get_running_loop().run_in_executor(self._thread, engine.start)
            except EmbeddedError as error:
                log.warning("the database does not start: %s", error)
                await asyncio.sleep(backoff_s)
                backoff_s = min(backoff_s * 2, LAST_BACKOFF_S)
            self._changed()


async def ensure_app(pool: Any, kept: Secrets) -> Secrets:
    """The secrets with a client key and an owner's token that open one app of this database; made when these do not."""
    keys = PostgresKeys(pool)
    grants = await keys.grants()
    client, token = grants.get(digest(kept.client_key)), grants.get(digest(kept.token))
    if client is not None and token is not None and client.app_id == token.app_id:
        return kept
    known = [app for app in await keys.apps() if app.name == FIRST_APP]
    if known:
        app_id = known[0].app_id
        client_key, owner = await keys.create_key(app_id, "client"), await keys.create_key(app_id, "owner")
    else:
        made = await keys.create_app(FIRST_APP, role="owner")
        client_key, owner = made.client_key, made.token
    return replace(kept, app=FIRST_APP, client_key=client_key, token=owner)


class Service:
    """Everything `firsthop serve` runs.

    Args:
        settings: parsed.
        environment: what the processes inherit.
        demo: apps and traffic to add, for `firsthop demo`.
    """

    def __init__(self, settings: Settings, environment: Mapping[str, str], demo: Demo | None = None) -> None:
        self._settings, self._environment, self._demo = settings, environment, demo
        self._home = Home(settings["FIRSTHOP_DATA"])
        self._database = Database(settings, self._home, self._publish)
        self._fleet = Fleet(self._publish)
        self._policies = PolicyFiles(self._home.policies_path, lambda: connected(self._database.dsn))
        self._chores: list[asyncio.Task[None]] = []
        self._ready: Ready | None = None

    async def run(self, stop: asyncio.Event, hurry: asyncio.Event, on_ready: Callable[[Ready], None]) -> None:
        """Starts, serves until `stop`, stops in order; `hurry` cuts the stopping short.

        Raises:
            StartError, HomeError, GeoError: it cannot start; everything started is stopped again.
        """
        self._home.lock()
        self._home.remove_ready()
        try:
            start = asyncio.create_task(self._start(on_ready))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({start, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if start.done():
                start.result()
                await stopped
            else:
                start.cancel()
                await asyncio.gather(start, return_exceptions=True)
        finally:
            self._ready = None
            self._home.remove_ready()
            for chore in self._chores:
                chore.cancel()
            await self._fleet.stop(hurry, STOP_ORDER)
            await self._database.stop()

    async def _start(self, on_ready: Callable[[Ready], None]) -> None:
        settings, home = self._settings, self._home
        Geo(settings["FIRSTHOP_GEOIP"], settings["FIRSTHOP_GEOIP_ASN"])
        edge = reserve(settings["FIRSTHOP_EDGE_HOST"], settings["FIRSTHOP_EDGE_PORT"], "FIRSTHOP_EDGE_PORT")
        query = reserve(settings["FIRSTHOP_QUERY_HOST"], settings["FIRSTHOP_QUERY_PORT"], "FIRSTHOP_QUERY_PORT")
        self._reserved = (edge, query)
        await self._database.start()
        async with connected(self._database.dsn) as pool:
            await migrate(pool)
            if not await PostgresKeys(pool).apps():
                self._policies.write_first(FIRST_APP)
            kept = await ensure_app(pool, home.secrets())
            home.keep(kept)
            if self._demo is not None:
                await self._demo.set_up(pool, home)
        await self._policies.apply_all()
        self._chores = [asyncio.create_task(self._policies.watch()), asyncio.create_task(self._forget_daily())]
        inherited = {
            **self._environment,
            "DATABASE_URL": self._database.dsn,
            "FIRSTHOP_DATA": str(home.path),
            "FIRSTHOP_EDGE_PORT": str(edge.getsockname()[1]),
            "FIRSTHOP_QUERY_PORT": str(query.getsockname()[1]),
        }
        await self._fleet.start(_roles(settings), inherited)
        self._ready = Ready(
            edge=address_of(edge),
            query=address_of(query),
            app=kept.app,
            client_key=kept.client_key,
            token=kept.token,
            database=self._database.dsn,
            pids={},
        )
        self._publish()
        on_ready(self._ready)
        if self._demo is not None:
            await self._fleet.start(self._demo.commands(str(home.ready_path)), inherited)

    async def _forget_daily(self) -> None:
        """Forgets the keys of pseudonyms that nothing stored can hold any more."""
        while True:
            try:
                self._home.forget_before(self._settings.first_period(time.time_ns() // 1000))
            except (HomeError, OSError) as error:
                log.warning("old keys of pseudonyms cannot be forgotten: %s", error)
            await asyncio.sleep(FORGET_S)

    def _publish(self) -> None:
        """Writes ready.json with the processes as they are now."""
        if self._ready is not None:
            postgres = [self._database.pid] if self._database.pid is not None else []
            pids = {"supervisor": [os.getpid()], "postgres": postgres, **self._fleet.pids()}
            self._home.write_ready(replace(self._ready, pids=pids))


def _roles(settings: Settings) -> list[Command]:
    role = ("-m", "ingest.cli")
    edges = [
        Command("edge", (*role, "edge", "--supervised", "--worker", str(worker)), EDGE_STOP_S)
        for worker in range(worker_count(settings["FIRSTHOP_WORKERS"]))
    ]
    exporter = Command("export", (*role, "export", "--supervised"), EXPORT_STOP_S)
    return [
        *edges,
        Command("aggregate", (*role, "aggregate", "--supervised"), AGGREGATE_STOP_S),
        *([exporter] if settings["FIRSTHOP_EXPORT_URL"] else []),
        Command("alerts", (*role, "alerts", "--supervised"), ALERTS_STOP_S),
        Command("query", (*role, "query", "--supervised"), QUERY_STOP_S),
    ]


@asynccontextmanager
async def administered(settings: Settings) -> Any:
    """A pool on this installation's database, migrated, for commands that run beside `serve` or without it.

    Raises:
        StartError, HomeError: it cannot be reached or started.
    """
    home = Home(settings["FIRSTHOP_DATA"])
    running = home.running()
    if settings["DATABASE_URL"] or running is None:
        database = Database(settings, home, lambda: None)
        await database.start()
        try:
            async with connected(database.dsn) as pool:
                await migrate(pool)
                yield pool
        finally:
            await database.stop()
    else:
        async with connected(running.database) as pool:
            yield pool
