"""Seeded, realistic traffic for a running service: a backfill of the last half hour at once, then a steady live rate.

    python -m loadtest.traffic --prepare DIR
    python -m loadtest.traffic --ready .firsthop/ready.json --key shop=KEY --key bank=KEY --key video=KEY

Phones send MessagePack, web pages column JSON, the video app's web page OTLP/JSON as OpenTelemetry's SDK would.
Countries come from X-Forwarded-For addresses of a synthetic database (`--prepare`); the service must trust this machine
as a proxy (`FIRSTHOP_TRUSTED_PROXIES=127.0.0.1`) and use the database (`FIRSTHOP_GEOIP=DIR/countries.mmdb`).
"""

import argparse
import asyncio
import json
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeGuard

import numpy as np
import uvloop

from client_sdk_spec.encoder import compress, encode
from loadtest.http1 import NO_ANSWER, Connection, NotLoopbackError, loopback
from loadtest.native import encode_native, send_stamp
from loadtest.otlp import encode_json
from loadtest.pages import PageBatch, page_of
from loadtest.visits import ROLLOUT_US, Batch, visits

BACKFILL_US = 1_800_000_000
VISIT_SPANS = 30
"""Spans of an average visit: what turns a rate of spans into a rate of batches."""
BACKFILL_CONNECTIONS = 16
IN_FLIGHT = 64
"""Live batches on their way; beyond it a batch is not sent and counted as `late`."""
RETRY_S = 1.0
ATTEMPTS = 30
_RETRYABLE = (NO_ANSWER, 408, 429, 500, 502, 503, 504)
_WIRE = {"android": ("msgpack", "deflate"), "ios": ("msgpack", "zstd"), "web": ("json", "gzip")}
"""Platform → native encoding and compression."""


class Post:
    """Sends batches to one edge, each until it is answered for good.

    Args:
        edge: the edge's address, on loopback.
        keys: app name → client key; `""` for every other app.

    Raises:
        NotLoopbackError: the edge is not on this machine.
    """

    def __init__(self, edge: str, keys: Mapping[str, str]) -> None:
        self._host, self._port, _ = loopback(edge)
        self._keys = keys
        self._idle: list[Connection] = []
        self._waiting: dict[Connection, asyncio.Future[int]] = {}
        self.statuses: Counter[str] = Counter()
        """Final status of every batch, or `late`."""
        self.spans = 0
        """Spans in batches that were accepted."""

    async def deliver(self, batch: Batch | PageBatch) -> None:
        """Sends the batch; the same body again, with a fresh send stamp, while the answer says that this may help.

        Raises:
            ConnectionError: nobody has listened for half a minute.
        """
        body = _encode(batch)
        status = NO_ANSWER
        for attempt in range(ATTEMPTS):
            if attempt:
                await asyncio.sleep(RETRY_S)
            status = await self._attempt(self._request(batch, body))
            if status not in _RETRYABLE:
                break
        else:
            if status == NO_ANSWER:
                raise ConnectionError(f"nothing answers at {self._host}:{self._port}; is the service still running?")
        self.statuses[str(status)] += 1
        self.spans += batch.spans if 200 <= status < 300 else 0

    def _request(self, batch: Batch | PageBatch, body: bytes) -> bytes:
        sender = batch.sender
        if _speaks_otlp(batch):
            path, headers = "/v1/traces", "Content-Type: application/json\r\n"
        else:
            path = f"/v1/batches?{send_stamp(batch, time.time_ns() // 1000, 30_000)}"
            headers = f"Content-Encoding: {_WIRE[sender.device.platform][1]}\r\n"
        key = self._keys.get(sender.app.name, self._keys.get("", ""))
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\nx-api-key: {key}\r\n{headers}"
            f"User-Agent: {sender.device.user_agent}\r\nX-Forwarded-For: {sender.address}\r\n{_signal(batch)}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def _attempt(self, request: bytes) -> int:
        loop = asyncio.get_running_loop()
        connection = self._idle.pop() if self._idle else None
        if connection is None or not connection.open:
            try:
                _, connection = await loop.create_connection(lambda: Connection(self._answered), self._host, self._port)
            except OSError:
                return NO_ANSWER
        answer: asyncio.Future[int] = loop.create_future()
        self._waiting[connection] = answer
        connection.send(request)
        return await answer

    def _answered(self, connection: Connection, status: int) -> None:
        answer = self._waiting.pop(connection)
        if connection.open:
            self._idle.append(connection)
        if not answer.done():
            answer.set_result(status)


def _signal(batch: Batch | PageBatch) -> str:
    """One web visitor in 32 has a browser that objects to being tracked."""
    return "Sec-GPC: 1\r\n" if batch.sender.device.platform == "web" and batch.batch_id[0] < 8 else ""


def _speaks_otlp(batch: Batch | PageBatch) -> TypeGuard[Batch]:
    return isinstance(batch, Batch) and batch.sender.device.platform in batch.sender.app.otlp_platforms


def _encode(batch: Batch | PageBatch) -> bytes:
    if _speaks_otlp(batch):
        return encode_json(batch)
    encoding, compression = _WIRE[batch.sender.device.platform]
    if isinstance(batch, PageBatch):
        return compress(encode(batch.logical, encoding), compression)
    return compress(encode_native(batch, encoding), compression)


def _chance(seed: int, part: int, now_us: int) -> np.random.Generator:
    # The start is part of the seed: a second run on the same data must not send the batch ids of the first again.
    return np.random.default_rng([seed, part, now_us])


def told(rng: np.random.Generator, batch: Batch) -> Iterator[Batch | PageBatch]:
    """All that a visit sends: of a web page its load, vitals and errors, too."""
    yield batch
    if batch.sender.device.platform == "web":
        yield page_of(rng, batch.sender, batch.sealed_at_us)


async def backfill(post: Post, seed: int, now_us: int, rate: float) -> None:
    """The last half hour at the live rate, newest first, so that a dashboard is alive at once and then grows back."""
    every_us = int(VISIT_SPANS / rate * 1e6)
    ages_us = range(0, BACKFILL_US, every_us)
    rng = _chance(seed, 0, now_us)
    visited = visits(rng, [now_us - age for age in ages_us], now_us - ROLLOUT_US)
    batches = (each for batch in visited for each in told(rng, batch))

    async def drain(shared: Iterator[Batch | PageBatch]) -> None:
        for batch in shared:
            await post.deliver(batch)

    async with asyncio.TaskGroup() as group:
        for _ in range(BACKFILL_CONNECTIONS):
            group.create_task(drain(batches))


async def live(post: Post, seed: int, now_us: int, rate: float, seconds: float) -> None:
    """Open-loop: visits end at random moments, at `rate` spans a second on average, for some seconds (0: for ever)."""
    rng = _chance(seed, 1, now_us)
    start = due = time.monotonic()
    under_way: set[asyncio.Task[None]] = set()
    while not seconds or due < start + seconds:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        due += rng.exponential(VISIT_SPANS / rate)
        batch = next(visits(rng, [time.time_ns() // 1000], now_us - ROLLOUT_US))
        for each in told(rng, batch):
            if len(under_way) >= IN_FLIGHT:
                post.statuses["late"] += 1
                continue
            task = asyncio.create_task(post.deliver(each))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)


async def send(ready: Mapping[str, str], keys: Mapping[str, str], *, rate: float, seconds: float, seed: int) -> Post:
    """Backfills and goes live at the same time; returns what became of the batches. SIGTERM or SIGINT end it early."""
    post = Post(ready["edge"], {"": ready["client_key"], **keys})
    now_us = time.time_ns() // 1000
    work = asyncio.create_task(_both(post, seed, now_us, rate, seconds))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, work.cancel)
    await asyncio.wait({work})
    if not work.cancelled():
        work.result()
    return post


async def _both(post: Post, seed: int, now_us: int, rate: float, seconds: float) -> None:
    await asyncio.gather(backfill(post, seed, now_us, rate), live(post, seed, now_us, rate, seconds))


def parser() -> argparse.ArgumentParser:
    """The command line."""
    arguments = argparse.ArgumentParser(
        prog="python -m loadtest.traffic", description=(__doc__ or "").partition("\n")[0]
    )
    what = arguments.add_mutually_exclusive_group(required=True)
    what.add_argument("--prepare", type=Path, metavar="DIR", help="write DIR/countries.mmdb and end")
    what.add_argument("--ready", type=Path, metavar="PATH", help="ready.json of the running service")
    arguments.add_argument(
        "--key", action="append", default=[], metavar="APP=KEY", help="client key of shop, bank, video"
    )
    arguments.add_argument("--rate", type=float, default=300.0, help="spans per second, live and in the backfill")
    arguments.add_argument("--seconds", type=float, default=0.0, help="length of the live part; 0: until stopped")
    arguments.add_argument("--seed", type=int, default=1)
    return arguments


def main() -> int:
    """Prepares, or sends until done or stopped; 2 when the arguments cannot be used."""
    given = parser().parse_args()
    if given.prepare:
        from loadtest.countries import write_countries  # noqa: PLC0415 - its packages are for tests and demo alone

        given.prepare.mkdir(parents=True, exist_ok=True)
        write_countries(given.prepare / "countries.mmdb")
        return 0
    keys = {app: key for app, _, key in (text.partition("=") for text in given.key)}
    try:
        ready = json.loads(given.ready.read_text())
        post = uvloop.run(send(ready, keys, rate=given.rate, seconds=given.seconds, seed=given.seed))
    except (NotLoopbackError, OSError, ValueError, KeyError) as error:
        print(f"loadtest.traffic: {error}", file=sys.stderr)
        return 2
    print(f"traffic: {post.spans} spans accepted; batches by answer: {dict(post.statuses)}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
