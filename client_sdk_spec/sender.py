"""The sending half of the reference client: sealed batches, one at a time, the oldest first, until each has its fate.

Time, chance and network come from outside, so that a trace can be played through it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from client_sdk_spec.clock import DeviceClock
from client_sdk_spec.encoder import compress, encode
from client_sdk_spec.eviction import Drops, Queue, Rank, Sealed
from client_sdk_spec.retry import Fate, Schedule, halves


class Reply(NamedTuple):
    """An answer; status 0: there was none."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    answered_us: int
    """The monotonic clock at its first byte."""


@dataclass(frozen=True, kw_only=True)
class Batch(Sealed):
    """A sealed batch with its bytes: those of every attempt."""

    logical: Mapping[str, Any]
    """What `encoder.encode` was given."""
    body: bytes
    encoding: str
    compression: str

    @property
    def epoch(self) -> str:
        """Of the clock that its spans are in."""
        epoch: str = self.logical["clock"]["epoch"]
        return epoch

    @property
    def near_us(self) -> int | None:
        """Where on the monotonic clock its spans are."""
        starts = sorted(span["start_us"] for span in self.logical["spans"])
        return starts[len(starts) // 2] if starts else None


def seal(logical: Mapping[str, Any], rank: Rank, sealed_us: int, encoding: str, compression: str) -> Batch:
    """A batch that is not changed any more."""
    body = compress(encode(logical, encoding), compression)
    return Batch(
        id=logical["id"],
        bytes=len(body),
        spans=len(logical["spans"]),
        rank=rank,
        sealed_us=sealed_us,
        dropped=logical.get("dropped", {}),
        logical=logical,
        body=body,
        encoding=encoding,
        compression=compression,
    )


Post = Callable[[Batch, Mapping[str, str]], Awaitable[Reply]]
"""Sends a batch with a stamp; never raises for what a network does."""


class Sender:
    """Sends what the queue holds.

    Args:
        post: one attempt.
        mono: the monotonic clock, µs.
        wait: returns when that clock has reached a moment.
        ids: new batch ids.
    """

    def __init__(
        self,
        queue: Queue[Batch],
        drops: Drops,
        schedule: Schedule,
        clock: DeviceClock,
        *,
        post: Post,
        mono: Callable[[], int],
        wait: Callable[[int], Awaitable[None]],
        ids: Iterator[str],
    ) -> None:
        self._queue, self._drops, self._schedule, self._clock = queue, drops, schedule, clock
        self._post, self._mono, self._wait, self._ids = post, mono, wait, ids
        self.paused = False
        """Nothing is sent for now: the edge said `send: false`."""
        self.saves_power = False
        """Only errors are sent for now."""
        self._one_at_a_time = asyncio.Lock()

    @property
    def stopped(self) -> bool:
        """Nothing is sent any more."""
        return self._schedule.stopped

    async def drain(self) -> None:
        """Returns when nothing is left that may be sent."""
        async with self._one_at_a_time:
            while not self.stopped and not self.paused:
                self._queue.expire(self._mono())
                batch = self._queue.oldest("error") if self.saves_power else self._queue.oldest()
                if batch is None:
                    return
                not_before_us = self._schedule.not_before_us
                if not_before_us is not None and not_before_us > self._mono():
                    await self._wait(not_before_us)
                    continue
                await self._attempt(batch)

    async def _attempt(self, batch: Batch) -> None:
        self._queue.send(batch.id)
        sent_us, stamp = self._mono(), self._clock.stamp(batch.epoch, batch.near_us)
        reply = await self._post(batch, stamp)
        fate = self._schedule.answered(
            reply.status, self._mono(), reply.headers.get("Retry-After"), reply.headers.get("Date")
        )
        if fate == "accepted":
            self._learn(sent_us, reply)
        self._settle(batch, fate)

    def _settle(self, batch: Batch, fate: Fate) -> None:
        if fate == "later":
            self._queue.keep(batch.id)
        elif fate == "accepted":
            self._queue.accept(batch.id)
        elif fate == "halve" and (parts := halves(batch.spans)) is not None:
            self._queue.halve(batch.id, [self._half(batch, *part) for part in parts])
        else:
            self._queue.refuse(batch.id, "too_large" if fate == "halve" else "rejected")

    def _half(self, batch: Batch, first: int, end: int) -> Batch:
        """Some rows of a batch as one of its own; the counters go with the first rows."""
        carried = {"dropped": batch.dropped if first == 0 else {}}
        logical = {**batch.logical, **carried, "id": next(self._ids), "spans": batch.logical["spans"][first:end]}
        return seal(logical, batch.rank, batch.sealed_us, batch.encoding, batch.compression)

    def _learn(self, sent_us: int, reply: Reply) -> None:
        """The two server times of an answer, if it has them: the status alone says that the batch was accepted."""
        try:
            told = json.loads(reply.body)
            received_us, replied_us = told["received_us"], told["replied_us"]
        except (ValueError, TypeError, KeyError):
            return
        if isinstance(received_us, int) and isinstance(replied_us, int):
            self._clock.answered(sent_us, reply.answered_us, received_us, replied_us)
