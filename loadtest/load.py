"""Open-loop load: requests leave on a fixed or Poisson schedule, whatever the server does.

    python -m loadtest.load --url http://127.0.0.1:4318 --format native --spans 30 --rate 9000 --seconds 10 --key KEY

Latency counts from the moment a request was *meant* to leave, so a server that stalls cannot hide behind a client that
waits for it (coordinated omission). `--rate 0` instead keeps every connection busy and so finds the ceiling.
Loopback only, bounded in time, count and memory.
"""

import argparse
import asyncio
import itertools
import json
import secrets
import sys
import time
from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
import numpy.typing as npt
import uvloop

from loadtest.bodies import DIALECTS, ENCODINGS, requests
from loadtest.http1 import NO_ANSWER, Connection, NotLoopbackError, loopback
from loadtest.processes import Meter, Usage

MAX_SECONDS = 120.0
MAX_REQUESTS = 200_000
MAX_BYTES = 1 << 30
DRAIN_S = 10.0
"""How long answers may take after the last request was due; what has not left by then stays unsent."""
RECONNECT_S = 0.05
"""Pause before a broken connection is opened again, so that a dead server is not hammered."""
CEILING_SPANS_PER_S = 90_000
CEILING_REQUESTS_PER_S = 6_000
"""With `--rate 0`: bodies are prepared for at most this much; a faster server ends the run early."""


def fresh_seed() -> int:
    """A seed that no other run has."""
    return secrets.randbits(32)


@dataclass(frozen=True, slots=True)
class Plan:
    """One run.

    Raises:
        NotLoopbackError: the URL leaves this machine.
        ValueError: over a bound; the message names it.
    """

    url: str
    """Address of the server; a path replaces the format's own."""
    format: str = "native"
    encoding: str = "gzip"
    spans: int = 30
    rate: float = 3000.0
    """Spans per second; 0: as fast as the connections allow."""
    seconds: float = 10.0
    key: str = ""
    connections: int = 64
    poisson: bool = False
    seed: int = field(default_factory=fresh_seed)
    """Of bodies and arrivals. The same seed sent twice to one server is all duplicates."""
    roles: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Role → process ids whose cost is measured."""

    def __post_init__(self) -> None:
        loopback(self.url)
        if not 0 < self.seconds <= MAX_SECONDS:
            raise ValueError(f"seconds must lie above 0 and be at most {MAX_SECONDS:.0f}")
        if self.count > MAX_REQUESTS:
            raise ValueError(
                f"rate x seconds / spans is {self.count} requests; at most {MAX_REQUESTS} are sent in a run"
            )

    @property
    def count(self) -> int:
        """Requests to prepare."""
        requests_per_s = self.rate / self.spans or min(CEILING_SPANS_PER_S / self.spans, CEILING_REQUESTS_PER_S)
        return max(1, int(requests_per_s * self.seconds))


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a run."""

    requests: int
    """Sent, answered or not."""
    unsent: int
    """Due, but no connection became free in time."""
    statuses: Mapping[int, int]
    """Status → answers; 0: the connection broke."""
    seconds: float
    """From the first due time to the last answer."""
    spans_per_s: float
    """Of the answers with 2xx."""
    latency_ms: Mapping[str, float]
    """p50, p95, p99, max from the due time, of the answers with 2xx."""
    cpu_us_per_span: Mapping[str, float]
    """By role."""
    rss_peak_mb: Mapping[str, float]
    """By role."""

    @property
    def accepted(self) -> int:
        """Requests answered with 2xx."""
        return sum(count for status, count in self.statuses.items() if 200 <= status < 300)


async def run(plan: Plan) -> Report:
    """Prepares the bodies, sends them on schedule, waits for the answers and reports."""
    host, port, path = loopback(plan.url)
    prepared = _prepare(plan, f"{host}:{port}", path.rstrip("/"))
    async with Meter(plan.roles) as meter:
        sender = _Sender(host, port, prepared, plan)
        await sender.connect()
        seconds = await sender.send_all()
    return _report(plan, sender, seconds, meter.usage)


def _prepare(plan: Plan, host: str, path: str) -> list[bytes]:
    endless = requests(
        plan.format,
        plan.encoding,
        plan.spans,
        host=host,
        key=plan.key,
        sealed_at_us=time.time_ns() // 1000,
        seed=plan.seed,
        path=path,
    )
    prepared, size = [], 0
    for request in itertools.islice(endless, plan.count):
        size += len(request)
        if size > MAX_BYTES:
            raise ValueError(f"the bodies of this run exceed {MAX_BYTES >> 20} MiB; lower rate or seconds")
        prepared.append(request)
    return prepared


class _Sender:
    """Sends prepared requests over a fixed number of connections and keeps what was seen."""

    def __init__(self, host: str, port: int, prepared: Sequence[bytes], plan: Plan) -> None:
        self._host, self._port, self._plan = host, port, plan
        self._prepared = iter(prepared)
        self._count = len(prepared)
        self._loop = asyncio.get_running_loop()
        self._connections: list[Connection] = []
        self._idle: deque[Connection] = deque()
        self._due: deque[float] = deque()
        self._reconnecting: set[asyncio.Task[None]] = set()
        self._in_flight = 0
        self._stop_at = float("inf")
        self.sent = 0
        self.last_answer_at = 0.0
        self.statuses: Counter[int] = Counter()
        self.latencies_s: list[float] = []

    @property
    def unsent(self) -> int:
        """Requests that were due and never left."""
        return len(self._due)

    async def connect(self) -> None:
        """Opens all connections; raises OSError when nobody listens."""
        for _ in range(self._plan.connections):
            self._idle.append(await self._open())

    async def _open(self) -> Connection:
        _, connection = await self._loop.create_connection(lambda: Connection(self._answered), self._host, self._port)
        self._connections.append(connection)
        return connection

    async def send_all(self) -> float:
        """Sends everything that is due; returns the seconds from the start to the last answer."""
        start = time.perf_counter()
        if self._plan.rate:
            for due in start + self._arrivals_s():
                if (wait := due - time.perf_counter()) > 0:
                    await asyncio.sleep(wait)
                self._due.append(due)
                self._fire()
        else:
            self._stop_at = start + self._plan.seconds
            self._due.extend([start] * self._count)
            self._fire()
            while self._due and time.perf_counter() < self._stop_at:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            self._due.clear()
        await self._drain()
        for connection in self._connections:
            connection.close()
        return max(self.last_answer_at - start, 1e-9)

    def _arrivals_s(self) -> npt.NDArray[np.float64]:
        every_s = self._plan.spans / self._plan.rate
        if not self._plan.poisson:
            return np.arange(self._count, dtype=np.float64) * every_s
        gaps_s = np.random.default_rng(self._plan.seed).exponential(every_s, self._count)
        return np.cumsum(gaps_s, dtype=np.float64)

    def _fire(self) -> None:
        now = time.perf_counter()
        while self._due and self._idle and now < self._stop_at:
            connection = self._idle.popleft()
            if not connection.open:
                self._replace(connection)
                continue
            due = self._due.popleft()
            connection.sent_for = due if self._plan.rate else now
            self._in_flight += 1
            self.sent += 1
            connection.send(next(self._prepared))

    def _answered(self, connection: Connection, status: int) -> None:
        now = self.last_answer_at = time.perf_counter()
        self._in_flight -= 1
        self.statuses[status] += 1
        if 200 <= status < 300:
            self.latencies_s.append(now - connection.sent_for)
        self._idle.append(connection)
        self._fire()

    def _replace(self, connection: Connection) -> None:
        self._connections.remove(connection)
        task = self._loop.create_task(self._reopen())
        self._reconnecting.add(task)
        task.add_done_callback(self._reconnecting.discard)

    async def _reopen(self) -> None:
        while time.perf_counter() < self._stop_at:
            await asyncio.sleep(RECONNECT_S)
            try:
                self._idle.append(await self._open())
            except OSError:
                continue
            self._fire()
            return

    async def _drain(self) -> None:
        until = time.perf_counter() + DRAIN_S
        self._stop_at = 0.0
        while self._in_flight and time.perf_counter() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        for task in tuple(self._reconnecting):
            task.cancel()
        self.statuses[NO_ANSWER] += self._in_flight


def _report(plan: Plan, sender: _Sender, seconds: float, usage: Mapping[str, Usage]) -> Report:
    latencies_ms = np.sort(np.asarray(sender.latencies_s or [float("nan")])) * 1000
    accepted = len(sender.latencies_s) * plan.spans
    return Report(
        requests=sender.sent,
        unsent=sender.unsent,
        statuses={status: count for status, count in sorted(sender.statuses.items()) if count},
        seconds=seconds,
        spans_per_s=accepted / seconds,
        latency_ms={
            **{f"p{q}": float(np.percentile(latencies_ms, q)) for q in (50, 95, 99)},
            "max": float(latencies_ms[-1]),
        },
        cpu_us_per_span={role: used.cpu_s / max(accepted, 1) * 1e6 for role, used in usage.items()},
        rss_peak_mb={role: used.rss_peak / 1e6 for role, used in usage.items()},
    )


def parser() -> argparse.ArgumentParser:
    """The command line."""
    arguments = argparse.ArgumentParser(prog="python -m loadtest.load", description=(__doc__ or "").partition("\n")[0])
    arguments.add_argument("--url", required=True, help="http:// address on loopback; a path replaces the format's own")
    arguments.add_argument("--format", choices=DIALECTS, default="native")
    arguments.add_argument("--spans", type=int, default=30, help="spans per request")
    arguments.add_argument("--encoding", choices=ENCODINGS, default="gzip")
    arguments.add_argument("--rate", type=float, default=3000.0, help="spans per second; 0: as fast as it goes")
    arguments.add_argument("--seconds", type=float, default=10.0)
    arguments.add_argument("--key", default="", help="client key, sent as x-api-key")
    arguments.add_argument("--connections", type=int, default=64)
    arguments.add_argument("--poisson", action="store_true", help="exponential gaps instead of even ones")
    arguments.add_argument("--seed", type=int, help="default: another one in every run")
    arguments.add_argument("--pid", type=int, action="append", default=[], help="server process to measure; repeatable")
    return arguments


def main() -> int:
    """Runs one load and prints its report as JSON; 2 when the plan is refused."""
    given = vars(parser().parse_args())
    pids = given.pop("pid")
    if given["seed"] is None:
        del given["seed"]
    try:
        report = uvloop.run(run(Plan(**given, roles={"server": pids} if pids else {})))
    except (NotLoopbackError, ValueError, OSError) as error:
        print(f"loadtest.load: {error}", file=sys.stderr)
        return 2
    print(json.dumps(asdict(report), indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
