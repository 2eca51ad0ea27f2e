"""`firsthop serve`: starts everything, restarts what dies, stops in order.

    PostgreSQL → schema → app and keys → edges, aggregator, query → ready.json

Stopping goes against the stream: edges answer what they have accepted, the aggregator empties the journal, then the
query server and PostgreSQL end. Nothing acknowledged depends on that order; it only leaves less to do next time.
"""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ingest.compose.child import READY
from ingest.compose.home import StartError

log = logging.getLogger("firsthop")

FIRST_BACKOFF_S, LAST_BACKOFF_S = 0.2, 10.0
STEADY_S = 30.0
"""A process that ran this long starts again at the first backoff."""
START_S = 60.0
"""Longest that a role may take to become ready at the start."""


@dataclass(frozen=True, slots=True)
class Command:
    """A process to keep running.

    Attributes:
        role: what ready.json calls it.
        arguments: of the Python interpreter.
        stop_s: how long it may take to end in order.
        says_ready: it writes `ready` to its standard output when it takes traffic.
    """

    role: str
    arguments: tuple[str, ...]
    stop_s: float
    says_ready: bool = True


@dataclass(slots=True)
class Child:
    """One process that is kept running: started, awaited, started again."""

    command: Command
    environment: Mapping[str, str]
    changed: Callable[[], None]
    """Called when the process comes or goes."""
    process: asyncio.subprocess.Process | None = None
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _stopping: bool = False
    _keeper: "asyncio.Task[None] | None" = None

    @property
    def pid(self) -> int | None:
        """The process that runs now."""
        return self.process.pid if self.process is not None else None

    def start(self) -> None:
        """Keeps the process running from now on."""
        self._keeper = asyncio.create_task(self._keep())

    async def stop(self, hurry: asyncio.Event) -> None:
        """Ends the process: in order within its time, at once when `hurry` is set or the time is over."""
        self._stopping = True
        if self.process is None:
            if self._keeper is not None:
                self._keeper.cancel()
            return
        self._signal(signal.SIGTERM)
        hurried = asyncio.create_task(hurry.wait())
        ended = asyncio.create_task(self.process.wait())
        await asyncio.wait({hurried, ended}, timeout=self.command.stop_s, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        if not ended.done():
            log.warning("%s did not end in order and is killed", self.command.role)
            self._signal(signal.SIGKILL)
        await ended

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(number)

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        backoff_s = FIRST_BACKOFF_S
        while True:
            started_at = loop.time()
            await self._run_once()
            if self._stopping:
                return
            if loop.time() - started_at > STEADY_S:
                backoff_s = FIRST_BACKOFF_S
            await asyncio.sleep(backoff_s)
            backoff_s = min(backoff_s * 2, LAST_BACKOFF_S)

    async def _run_once(self) -> None:
        # A session of its own, so that Ctrl-C in a terminal reaches the supervisor alone, which then stops in order.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *self.command.arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if self.command.says_ready else None,
            env=self.environment,
            start_new_session=True,
        )
        self.process = process
        self.changed()
        if process.stdout is None or await process.stdout.readline() == READY:
            self.ready.set()
        code = await process.wait()
        self.process = None
        self.changed()
        if not self._stopping:
            log.warning("%s (process %d) ended with %d and is started again", self.command.role, process.pid, code)


class Fleet:
    """All processes of a service but PostgreSQL.

    Args:
        changed: called when a process comes or goes.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.children: list[Child] = []

    async def start(self, commands: Sequence[Command], environment: Mapping[str, str]) -> None:
        """Starts processes; returns when all are ready.

        Raises:
            StartError: one of them was not ready in time.
        """
        started = [Child(command, environment, self._changed) for command in commands]
        self.children.extend(started)
        for child in started:
            child.start()
        try:
            async with asyncio.timeout(START_S):
                for child in started:
                    await child.ready.wait()
        except TimeoutError:
            late = sorted({child.command.role for child in started if not child.ready.is_set()})
            raise StartError(f"{', '.join(late)} did not start within {START_S:g} s: see the messages above") from None

    async def stop(self, hurry: asyncio.Event, order: Sequence[str]) -> None:
        """Ends all processes, role by role; those of one role together."""
        for role in order:
            children = [child for child in self.children if child.command.role == role]
            await asyncio.gather(*(child.stop(hurry) for child in children))

    def pids(self) -> dict[str, list[int]]:
        """Role → its processes that run now."""
        pids: dict[str, list[int]] = {}
        for child in self.children:
            pids.setdefault(child.command.role, [])
            if child.pid is not None:
                pids[child.command.role].append(child.pid)
        return pids


def worker_count(setting: int) -> int:
    """Edge workers to run: the setting, or one per core this process may use."""
    return setting or len(os.sched_getaffinity(0))
