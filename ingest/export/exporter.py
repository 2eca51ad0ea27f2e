"""The exporter: takes spans out of the durable queue and sends them on, as long as it takes.

    lead → next portion → encode → POST → taken? → out of the queue

A portion leaves the queue only after the backend has taken it, or has refused it for good. After a crash between the
two it is sent again, with the same ids. While the backend is away, slow or over its limits, the queue grows on disk up
to its bound; then the oldest spans go, counted. Ingest never waits for any of this: it runs in a process of its own.
"""

import asyncio
import gzip
import logging
import random
from collections.abc import Callable, Mapping
from enum import Enum

import aiohttp

from ingest.errors import Unavailable
from ingest.export.encode import encode_spans
from ingest.ports import Exports, Portion, Reader
from ingest.stopping import unless

PORTION = 512
"""Spans of one request."""
IDLE_S = 1.0
"""How long an empty queue is left alone."""
BACKOFF_S = (1.0, 60.0)
"""First and longest wait after a failure; the actual one is drawn from zero to it, so that many do not come at once."""
LONGEST_WAIT_S = 600.0
"""Of what a `Retry-After` may ask."""
TIMEOUT_S = 30.0
REFUSALS = frozenset({400, 413, 415, 422})
"""Statuses that are about the spans themselves: they will never be taken. Any other failure (a wrong token, a wrong
path, a redirect, a backend that is down) may be mended, and the spans wait."""
TRIM_EVERY = 100
"""Portions, or idle rounds, between two looks at the size of the queue."""

log = logging.getLogger("ingest.export")


class Taken(Enum):
    """What became of a portion."""

    YES = "taken"
    REFUSED = "refused for good"
    LATER = "to be sent again"


class Exporter:
    """Sends what is queued.

    Args:
        exports: the queue.
        reader: knows the names of apps.
        url: of the backend's OTLP/HTTP traces endpoint.
        headers: for its authorisation.
        most: spans that may wait; beyond, the oldest go.
        dice: a number from 0 to 1, for spreading retries.
    """

    def __init__(
        self,
        exports: Exports,
        reader: Reader,
        url: str,
        headers: Mapping[str, str],
        *,
        most: int,
        dice: Callable[[], float] = random.random,
    ) -> None:
        self._exports, self._reader, self._url, self._headers = exports, reader, url, dict(headers)
        self._most, self._dice = most, dice
        self._size = PORTION
        self._failures = 0
        self._retry_after_s = 0.0
        self.sent = 0
        """Spans taken by the backend since the start."""

    async def run(self, stop: asyncio.Event) -> None:
        """Sends until the event is set. What is left is durable. Outlives restarts of database and backend."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            while not stop.is_set():
                try:
                    if not await unless(stop, self._exports.lead()):
                        return
                    await self._send_all(session, stop)
                except Unavailable as error:
                    log.warning("the exporter waits: %s", error.message)
                    await unless(stop, asyncio.sleep(BACKOFF_S[0]))

    async def _send_all(self, session: aiohttp.ClientSession, stop: asyncio.Event) -> None:
        rounds = 0
        while not stop.is_set():
            if rounds % TRIM_EVERY == 0 and (dropped := await self._exports.trim(self._most)):
                log.warning("%d spans were dropped: more than %d wait for the tracing backend", dropped, self._most)
            rounds += 1
            portion = await self._exports.next(self._size)
            if portion is None:
                await unless(stop, asyncio.sleep(IDLE_S))
                continue
            taken = await self._send(session, portion)
            if taken is Taken.LATER:
                await unless(stop, asyncio.sleep(self._pause_s()))
                continue
            self._failures = 0
            if taken is Taken.REFUSED and self._size > 1:
                # One span may be the reason: the others should not go with it.
                self._size = max(self._size // 8, 1)
                continue
            await self._exports.finish(portion, refused=taken is Taken.REFUSED)
            if taken is Taken.REFUSED:
                log.warning("the tracing backend refused a span for good")
            else:
                self.sent += len(portion.spans)
                self._size = min(self._size * 2, PORTION)

    async def _send(self, session: aiohttp.ClientSession, portion: Portion) -> Taken:
        if not portion.spans:
            return Taken.YES
        names = {app.app_id: app.name for app in await self._reader.apps()}
        body = await asyncio.to_thread(lambda: gzip.compress(encode_spans(portion.spans, names), 5))
        headers = {**self._headers, "Content-Type": "application/x-protobuf", "Content-Encoding": "gzip"}
        try:
            async with session.post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
                status, asked = answer.status, answer.headers.get("Retry-After", "")
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._failed(type(error).__name__)
            return Taken.LATER
        if 200 <= status < 300:
            return Taken.YES
        self._retry_after_s = min(float(asked), LONGEST_WAIT_S) if asked.isdecimal() else 0.0
        if status in REFUSALS:
            return Taken.REFUSED
        self._failed(f"status {status}")
        return Taken.LATER

    def _failed(self, why: str) -> None:
        if not self._failures:
            log.warning("the tracing backend does not take spans now (%s); they wait", why)
        self._failures += 1

    def _pause_s(self) -> float:
        longest = min(BACKOFF_S[0] * 2.0 ** min(self._failures - 1, 20), BACKOFF_S[1])
        pause_s = self._retry_after_s + self._dice() * longest
        self._retry_after_s = 0.0
        return pause_s
