"""The reference client's sender, in virtual time: the traces of `vectors/retry.json`, same id and same bytes."""

import json
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from client_sdk_spec.clock import DeviceClock
from client_sdk_spec.decoder import decode, inflate
from client_sdk_spec.eviction import Drops, Queue
from client_sdk_spec.retry import Schedule
from client_sdk_spec.sender import Batch, Reply, Sender, seal
from tests.client_sdk_spec.vectors import load

CASES = load("retry.json")["cases"]
SERVER_US = 1_790_000_000_000_000


class TraceEnds(Exception):  # noqa: N818 - no error: there are no more answers
    """Raised out of the attempt that the trace has no answer for."""


class Played:
    """A client that sends the batches of a trace, and what was seen of it."""

    def __init__(self, case: Mapping[str, Any]) -> None:
        self.now_us = 0
        self.attempts: list[dict[str, Any]] = []
        self.sent: dict[str, set[bytes]] = {}
        self.names: dict[str, str] = {}
        self.splits: dict[str, list[dict[str, Any]]] = {}
        self.stamps: list[int] = []
        self._answers, self._chances = iter(case["answers"]), iter(case["chances"])
        self._ids = count(1)
        self.drops, self.schedule = Drops(), Schedule(lambda: next(self._chances))
        self.queue: Queue[Batch] = Queue(1 << 20, self.drops)
        clock = DeviceClock(lambda: self.now_us, lambda: 0, counts_sleep=True, names=iter(("e0",)))
        self.sender = Sender(
            self.queue,
            self.drops,
            self.schedule,
            clock,
            post=self.post,
            mono=lambda: self.now_us,
            wait=self.wait,
            ids=self.half_ids(),
        )
        for batch in case["batches"]:
            spans = [{"span_id": f"{row:016x}", "start_us": 5, "duration_us": row} for row in range(batch["spans"])]
            self.put(batch["id"], batch["sealed_us"], spans)

    def put(self, name: str, sealed_us: int, spans: list[dict[str, Any]]) -> None:
        logical = {"id": f"{next(self._ids):032x}", "clock": {"epoch": "e0"}, "spans": spans}
        self.names[logical["id"]] = name
        batch = seal(logical, "ordinary", sealed_us, "msgpack", "zstd")
        self.queue.held[batch.id] = batch

    def half_ids(self) -> Iterator[str]:
        for number in count():
            made = f"{next(self._ids):032x}"
            self.names[made] = f"{self.attempts[-1]['batch']}.{number % 2 + 1}"
            yield made

    async def wait(self, until_us: int) -> None:
        assert until_us > self.now_us
        self.now_us = until_us

    async def post(self, batch: Batch, stamp: Mapping[str, str]) -> Reply:
        answer = next(self._answers, None)
        if answer is None:
            raise TraceEnds
        name = self.names[batch.id]
        self.attempts.append({"at_us": self.now_us, "batch": name})
        self.sent.setdefault(name, set()).add(batch.body)
        self.stamps.append(int(stamp["s"]))
        self.now_us += answer["after_us"]
        headers = {"Retry-After": answer.get("retry_after"), "Date": answer.get("date")}
        return Reply(answer.get("status", 0), headers, b"whatever", self.now_us)  # type: ignore[arg-type]

    def rows(self, name: str) -> list[int]:
        """The spans of a batch as they went over the wire, by number."""
        (body,) = self.sent[name]
        return [span["duration_us"] for span in decode(inflate(body))["spans"]]


@pytest.mark.parametrize("name", CASES)
async def test_the_sender_does_what_the_trace_says(name: str):
    case = CASES[name]
    expected = case["expected"]
    played, next_us = Played(case), None
    try:
        await played.sender.drain()
    except TraceEnds:
        next_us = played.now_us
    assert played.attempts == expected["attempts"], case["meaning"]
    assert next_us == expected["next_us"]
    assert [played.names[held] for held in played.queue.held] == expected["left"]
    assert played.drops.untold == expected["dropped"]
    assert played.sender.stopped == expected["stopped"]
    assert played.stamps == [attempt["at_us"] for attempt in expected["attempts"]], "stamped anew for every attempt"
    assert all(len(bodies) == 1 for bodies in played.sent.values()), "the same id has the same bytes"
    for parent, parts in expected["splits"].items():
        for part in parts:
            if part["id"] in played.sent:
                first, end = part["rows"]
                assert played.rows(part["id"]) == played.rows(parent)[first:end]


async def test_what_an_answer_says_of_the_servers_clock_is_learnt_and_garbage_is_not():
    for body, anchors in (
        (json.dumps({"received_us": SERVER_US, "replied_us": SERVER_US}).encode(), 1),
        (b"<html>", 0),
        (b"[1]", 0),
        (b'{"received_us":"soon","replied_us":1}', 0),
    ):
        played = Played({"answers": [], "chances": [], "batches": [{"id": "a", "spans": 1, "sealed_us": 0}]})
        clock = played.sender._clock

        async def post(batch: Batch, stamp: Mapping[str, str], body: bytes = body, at: Played = played) -> Reply:
            at.now_us += 1_000
            return Reply(202, {}, body, at.now_us)

        played.sender._post = post
        await played.sender.drain()
        assert (len(clock.anchors), len(played.queue.held)) == (anchors, 0)
