"""The reference client, for tests and load tests: records spans, seals, sends, samples, tells what it dropped.

Written from `SPEC.md` alone, without a disk: what was not accepted when it ends is lost (`held` says how much).

    async with Client("http://127.0.0.1:4318", key, resource={"service": "shop"}) as client:
        client.record({"trace_id": …, "span_id": …, "name": "GET /orders", "start_us": …, "duration_us": 120_000})
"""

import asyncio
import json
import random
import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Any, Self

import aiohttp

from client_sdk_spec.clock import DeviceClock
from client_sdk_spec.config import Held
from client_sdk_spec.eviction import MEMORY_BYTES, RANKS, Drops, Queue, Rank
from client_sdk_spec.retry import TIMEOUT_US, Schedule
from client_sdk_spec.sampling import decide
from client_sdk_spec.sender import Batch, Reply, Sender, seal

CLOCK_S = 15
"""Both clocks are read at least this often."""
FLUSH_US = 30_000_000
"""Longest that a span stays in an open batch."""
SPANS = 100
BYTES = 48 << 10
"""Of a batch before compression, about: the one span or byte more seals it."""

Span = Mapping[str, Any]


def mono_us() -> int:
    """A monotonic clock."""
    return time.monotonic_ns() // 1_000


def wall_us() -> int:
    """The wall clock, since 1970."""
    return time.time_ns() // 1_000


def random_ids(digits: int) -> Iterator[str]:
    """Ids that nobody can guess, as hex."""
    while True:
        yield secrets.token_hex(digits // 2)


class Client:
    """One session of an app on a device.

    Args:
        edge: address of the edge.
        key: a client key.
        resource: who sends, `fields.json`.
        keep_sessions_whole: all spans of the session are sampled alike.
        timeout_us: after this an attempt without an answer is given up.
        config_key: the public key that signs the configuration, base64; without it signatures are not checked.
    """

    def __init__(
        self,
        edge: str,
        key: str,
        resource: Mapping[str, Any],
        *,
        keep_sessions_whole: bool = False,
        capacity: int = MEMORY_BYTES,
        encoding: str = "msgpack",
        compression: str = "deflate",
        timeout_us: int = TIMEOUT_US,
        config_key: str = "",
        chance: Callable[[], float] = random.random,
        mono: Callable[[], int] = mono_us,
        wall: Callable[[], int] = wall_us,
        counts_sleep: bool = True,
    ) -> None:
        self._mono = mono
        self._edge, self._key, self._resource = edge, key, dict(resource)
        self._encoding, self._compression = encoding, compression
        self._rv = secrets.token_hex(7) if keep_sessions_whole else ""
        self._ids = random_ids(32)
        self.drops = Drops()
        self.clock = DeviceClock(mono, wall, counts_sleep=counts_sleep, names=random_ids(16))
        self.config = Held(mono, chance, config_key)
        self._queue: Queue[Batch] = Queue(capacity, self.drops)
        self._sender = Sender(
            self._queue,
            self.drops,
            Schedule(chance),
            self.clock,
            post=self._post,
            mono=mono,
            wait=self._wait,
            ids=self._ids,
        )
        self._timeout = aiohttp.ClientTimeout(total=timeout_us / 1e6)
        self._open: list[dict[str, Any]] = []
        self._open_bytes = 0
        self._opened_us = mono()
        self._rank: Rank = "ordinary"
        self._open_epoch = self.clock.epoch
        self._running: list[asyncio.Task[None]] = []
        self._sending: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=self._timeout)
        await self._ask_config()
        self._running = [asyncio.create_task(each) for each in (self._keep_ticking(), self._keep_asking())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (*self._running, *self._sending):
            task.cancel()
        await asyncio.gather(*self._running, *self._sending, return_exceptions=True)
        await self._session.close()

    def record(self, span: Span, route: str = "") -> None:
        """Takes a finished span; seals the batch that it fills.

        Args:
            span: with the keys of `encoder.encode`.
            route: as the server names it, for rates of its own.
        """
        if self._resource.get("consent") == "denied":
            self.drops.count("consent")
            return
        reported = bool(self._resource.get("reported"))
        decision = decide(self.config.answer, span, route, self._rv, reported=reported)
        if not decision.sent:
            self.drops.count("sampled")
            return
        self.clock.sample()
        if self.clock.epoch != self._open_epoch:
            self.seal()
        if not self._open:
            self._opened_us = self._mono()
        sampled = {"threshold": decision.threshold} if decision.threshold else {}
        told = dict(span) | sampled | ({"randomness": self._rv} if self._rv else {})
        size = len(json.dumps(told))
        if self._open_bytes + size > BYTES:
            self.seal()
        self._open.append(told)
        self._open_bytes += size
        self._rank = max(self._rank, decision.rank, key=RANKS.index)
        if len(self._open) == SPANS or (self._sender.saves_power and decision.rank == "error"):
            self.seal()

    def set_resource(self, **changes: Any) -> None:
        """From now on this is said of who sends, consent for instance; what was recorded before stays as it was."""
        self.seal()
        self._resource |= changes

    def save_power(self, saves: bool) -> None:
        """Whether errors alone are sent, on low power, data saver or roaming; the rest waits."""
        self._sender.saves_power = saves
        self.seal()
        self._send()

    def seal(self) -> None:
        """Makes a batch of what is open, if there is something to tell, and sends it."""
        spans, epoch = self._open, self._open_epoch
        self.clock.sample()
        self._open, self._open_bytes, self._open_epoch = [], 0, self.clock.epoch
        self._opened_us = self._mono()
        rank, self._rank = self._rank, "ordinary"
        if not spans and (not self.drops.untold or self._sender.paused):
            return
        logical = {
            "id": next(self._ids),
            "resource": dict(self._resource),
            "clock": self.clock.sealed(epoch),
            "dropped": self.drops.seal(),
            "spans": spans,
        }
        self._queue.put(seal(logical, rank, self._mono(), self._encoding, self._compression), self._mono())
        self._send()

    async def flush(self) -> None:
        """Seals what is open, and returns when nothing is left that may be sent."""
        self.seal()
        await self._sender.drain()

    @property
    def held(self) -> int:
        """Spans that were not accepted yet."""
        return len(self._open) + sum(batch.spans for batch in self._queue.held.values())

    @property
    def stopped(self) -> bool:
        """The edge refused key or address: nothing is sent any more."""
        return self._sender.stopped

    def _send(self) -> None:
        task = asyncio.create_task(self._sender.drain())
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _post(self, batch: Batch, stamp: Mapping[str, str]) -> Reply:
        headers = {"X-Api-Key": self._key, "Content-Encoding": batch.compression}
        if batch.compression == "identity":
            del headers["Content-Encoding"]
        address = f"{self._edge}/v1/batches"
        try:
            async with self._session.post(
                address, params=stamp, data=batch.body, headers=headers, allow_redirects=False
            ) as answer:
                answered_us = self._mono()
                return Reply(answer.status, answer.headers, await answer.read(), answered_us)
        except (aiohttp.ClientError, TimeoutError):
            return Reply(0, {}, b"", self._mono())

    def tick(self) -> None:
        """To be called every `CLOCK_S`: reads both clocks, and seals what would be too old by the next time."""
        self.clock.sample()
        if self._mono() - self._opened_us + CLOCK_S * 1_000_000 >= FLUSH_US:
            self.seal()

    async def _keep_ticking(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_S)
            self.tick()

    async def _keep_asking(self) -> None:
        while not self.stopped:
            await self._wait(self.config.ask_at_us)
            await self._ask_config()

    async def _ask_config(self) -> None:
        query = {"etag": self.config.etag} if self.config.etag else {}
        query |= {
            parameter: str(self._resource[name])
            for parameter, name in (("os", "os_name"), ("memory_mb", "memory_mb"), ("cores", "cores"))
            if name in self._resource
        }
        try:
            async with self._session.get(
                f"{self._edge}/v1/config", params=query, headers={"X-Api-Key": self._key}, allow_redirects=False
            ) as answer:
                self.config.answered(answer.status, await answer.read(), answer.headers)
        except (aiohttp.ClientError, TimeoutError):
            self.config.answered(0, b"", {})
        self._obey()

    def _obey(self) -> None:
        """Stops or goes on, as the configuration says."""
        was_paused, self._sender.paused = self._sender.paused, not self.config.answer["send"]
        if self._sender.paused:
            self._queue.drop_all("sampled")
            self.drops.count("sampled", len(self._open))
            self._open, self._open_bytes, self._rank = [], 0, "ordinary"
        elif was_paused:
            self.seal()
            self._send()

    async def _wait(self, until_us: int) -> None:
        await asyncio.sleep(max(until_us - self._mono(), 0) / 1e6)
