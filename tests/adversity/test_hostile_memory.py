"""However many names, devices and traces strangers make up, a worker remembers a bounded number of them."""

import gc
import tracemalloc
from collections.abc import Sequence

import numpy as np

from ingest.edge.trace_limits import TraceLimits
from ingest.model import SpanBatch
from ingest.pipeline.process import process
from ingest.ports import SlowRoute
from ingest.rate_book import RateBook
from ingest.user_agent import UserAgents
from tests.batches import NOW_US, built_in, policy, reception, spans_of

SPANS = 400
MIB = 1 << 20


class NothingLearned:
    """No route is known to be slow."""

    async def newest(self, known: int) -> tuple[int, Sequence[SlowRoute]] | None:
        del known
        return None


class Worker:
    """What one edge worker remembers from micro-batch to micro-batch."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.policy = policy(unknown=0.1)
        self.agents = UserAgents()
        self.limits = TraceLimits(3_000_000, 60_000)
        self.rates = RateBook(
            self.policy.sampling,
            per_minute=60_000,
            workers=1,
            policy_of=built_in,
            routes=NothingLearned(),
            clock=lambda: self.now_s,
        )
        self.kept = 0

    def take(self, number: int) -> None:
        """A body in which everything is new."""
        self.now_s += 0.2
        batch = _all_new(number)
        sender = self.limits.sender("key", f"2001:db8:0:{number:x}::1", trusted=False)
        assert not self.limits.charge(batch, [sender], self.now_s)
        record = process(
            batch,
            [reception(address="203.0.113.9", user_agent=f"Evil/{number}")],
            self.policy,
            policy_of=built_in,
            country_of=lambda _: "",
            agent_of=self.agents.agent_of,
            rates=self.rates,
        )
        self.kept += len(record.kept.assigned)


def _all_new(number: int) -> SpanBatch:
    def word(row: int) -> str:
        return "".join(chr(97 + int(digit)) for digit in f"{number * SPANS + row:08d}")

    chance = np.random.default_rng(number)
    given = [
        {"url": f"https://evil.example/{word(row)}", "trace_id": chance.bytes(16), "start_us": NOW_US - 9_000_000}
        for row in range(SPANS)
    ]
    texts = {name: f"{name} {word(0)}" for name in ("session", "version", "network", "device_model", "os_name")}
    return spans_of(given, **texts)


def test_what_a_worker_remembers_stops_growing() -> None:
    worker = Worker()
    tracemalloc.start()
    try:
        for number in range(40):
            worker.take(number)
        gc.collect()
        early = tracemalloc.get_traced_memory()[0]
        for number in range(40, 160):
            worker.take(number)
        gc.collect()
        late = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert worker.kept > 0
    assert late - early < 2 * MIB, "48,000 routes and traces and 120 devices later"
