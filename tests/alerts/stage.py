"""A small stage for alerts: spans minute by minute, an evaluator over a real database, receivers that can misbehave."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import msgspec
import numpy as np
from aiohttp import ClientSession, ClientTimeout, web
from aiohttp.test_utils import TestServer

from ingest.alerts.deliver import Lookups, Receiver, Worker
from ingest.alerts.evaluate import GRACE_US, Evaluator
from ingest.alerts.in_force import FileRules, by_app, in_force
from ingest.model import DIMENSIONS, METRICS
from ingest.ports import Rule
from ingest.query.series import FigureSeries
from ingest.settings import Settings
from ingest.sketch import REUSED
from ingest.store.alert_states import PostgresAlertStates
from ingest.store.plan import Retention
from ingest.store.policies import PostgresPolicies
from ingest.store.read import PostgresReader
from tests.query import world as seeded

MINUTE_US = 60_000_000
START_US = 1_772_366_400_000_000
"""2026-03-01 12:00 UTC: minute 0."""
DASHBOARD = "http://firsthop.example/"


def rule(**members: Any) -> Rule:
    """A rule about the duration of requests by the minute, but for what is given."""
    given = {"name": "slow", "when": {"kind": "latency", "above_ms": 1000}, "window": "1m", **members}
    return msgspec.convert(given, Rule)


def minutes(
    ms: Sequence[int],
    *,
    first: int = 0,
    spans: int = 30,
    sessions: int = 10,
    failed: float = 0.0,
    dims: Mapping[str, str] | None = None,
) -> seeded.World:
    """Spans of so many sessions in every minute, all of one duration; 0 ms: none in that minute."""
    place = np.repeat(np.flatnonzero(np.array(ms)), spans)
    durations = np.array(ms, dtype=np.int64)[place] * 1000
    number = np.arange(len(place))
    given = {name: values[0] for name, values in seeded.VALUES.items()} | dict(dims or {})
    metrics = {metric: np.full(len(place), REUSED, dtype=np.int64) for metric in METRICS}
    metrics |= {"duration": durations, "tls": durations // 4}
    return seeded.World(
        app_id=1,
        start_us=START_US + (first + place) * MINUTE_US + number % spans * 100_000,
        dims={name: np.full(len(place), value) for name, value in given.items()},
        metrics=metrics,
        error=number % spans < failed * spans,
        session=1 + number % spans % sessions,
    )


def moment(minute: float) -> int:
    """The time at which the windows up to this minute are judged."""
    return START_US + round(minute * MINUTE_US) + GRACE_US


_parts = iter(range(1, 1_000_000))


async def store(
    pool: "asyncpg.Pool[Any]", world: seeded.World, *, sampled: bool = False, signal: str = "request"
) -> None:
    """Adds the rollups of a world, and with `sampled` its spans."""
    part = next(_parts)
    async with pool.acquire() as connection:
        await connection.execute("INSERT INTO app (app_id, name) VALUES (1, 'shop') ON CONFLICT DO NOTHING")
        await seeded.store(connection, world, np.ones(len(world.start_us), dtype=bool), part)
        if sampled:
            await seeded.store_spans(connection, world, np.ones(len(world.start_us)))
        if signal != "request":
            # All that was just written becomes that of other series, about something else.
            columns = f"app_id, view, {', '.join(DIMENSIONS)}"
            await connection.execute(
                f"INSERT INTO series (series_id, signal, {columns}) SELECT DISTINCT series_id + 1, $2, {columns}"
                " FROM series JOIN rollup_10s USING (app_id, series_id) WHERE part = $1",
                part,
                signal,
            )
            await connection.execute("UPDATE rollup_10s SET series_id = series_id + 1 WHERE part = $1", part)


async def put(pool: "asyncpg.Pool[Any]", made: Rule) -> None:
    """Makes a rule as the API would."""
    await pool.execute(
        "INSERT INTO alert_rule (app_id, name, rule) VALUES (1, $1, $2)"
        " ON CONFLICT (app_id, name) DO UPDATE SET rule = excluded.rule",
        made.name,
        msgspec.json.encode(made).decode(),
    )


@dataclass
class Inbox:
    """A receiver. `hanging` holds its answers back; `statuses` are given first, then 200."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    hanging: bool = False
    came: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.json())
        self.keys.append(request.headers.get("Idempotency-Key", ""))
        self.came.set()
        if self.hanging:
            await asyncio.Event().wait()
        return web.Response(status=self.statuses.pop(0) if self.statuses else 200)

    def told(self) -> list[tuple[str, str]]:
        """Status and rule, each identity once."""
        return list({body["id"]: (body["status"], body["rule"]) for body in self.bodies}.values())


@asynccontextmanager
async def inbox() -> AsyncIterator[Inbox]:
    """A receiver on a port of its own."""
    box = Inbox()
    app = web.Application()
    app.router.add_post("/{path:.*}", box.take)
    async with TestServer(app) as server:
        box.url = str(server.make_url("/hook"))
        yield box


@dataclass
class Stage:
    """An evaluator and its workers at a time of the test's choosing."""

    pool: "asyncpg.Pool[Any]"
    receivers: Sequence[Receiver]
    least_sessions: int = 5
    now_us: int = START_US

    def __post_init__(self) -> None:
        self.reader = PostgresReader(self.pool, Retention.of(Settings.from_env({})))
        self.measurer = FigureSeries(self.reader)
        self.states = PostgresAlertStates(self.pool)
        self.files = FileRules(PostgresPolicies(self.pool))
        self.evaluator = Evaluator(
            self.states,
            self.measurer,
            self.rules,
            lambda _: self.least_sessions,
            [each.name for each in self.receivers],
            lambda: self.now_us,
        )
        self.lookups = Lookups(
            self.measurer, self.app_name, lambda _: self.least_sessions, DASHBOARD, lambda: self.now_us
        )

    async def app_name(self, app_id: int) -> str:
        return next(app.name for app in await self.reader.apps() if app.app_id == app_id)

    async def rules(self) -> Mapping[int, Sequence[Rule]]:
        await self.files.refresh()
        made = by_app(await self.states.rules())
        return {
            app.app_id: in_force(self.files.of(app.app_id), made.get(app.app_id, ()))
            for app in await self.reader.apps()
        }

    async def at(self, minute: float) -> None:
        """Evaluates when the windows up to this minute are complete, and delivers what follows."""
        self.now_us = moment(minute)
        await self.evaluator.round()
        await self.deliver()

    async def deliver(self) -> None:
        """Everything that is taken at the first attempt."""
        async with ClientSession(timeout=ClientTimeout(total=5)) as session:
            for receiver in self.receivers:
                worker = Worker(receiver, self.states, self.lookups, session)
                while await worker.step():
                    pass


@asynccontextmanager
async def stage(pool: "asyncpg.Pool[Any]", *boxes: Inbox, least_sessions: int = 5) -> AsyncIterator[Stage]:
    """A stage whose receivers are these, the first of them `ops`."""
    names = ("ops", "team", "third")
    made = Stage(pool, [Receiver(name, box.url) for name, box in zip(names, boxes, strict=False)], least_sessions)
    await made.states.lead()
    yield made
