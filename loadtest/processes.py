"""What the server's processes cost while a load runs: CPU time and memory, by role, descendants included."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

SAMPLE_S = 0.2


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU seconds (user and system) used in the interval, and the largest resident memory seen, in bytes."""

    cpu_s: float
    rss_peak: int


class Meter:
    """Measures roles, each a list of process ids, between entering and leaving."""

    def __init__(self, roles: Mapping[str, Sequence[int]]) -> None:
        self._roles = roles
        self._before: dict[str, float] = {}
        self._peak: dict[str, int] = dict.fromkeys(roles, 0)
        self._sampler: asyncio.Task[None] | None = None
        self.usage: Mapping[str, Usage] = {}
        """By role; filled on leaving."""

    async def __aenter__(self) -> "Meter":
        self._before = {role: _cpu_s(pids) for role, pids in self._roles.items()}
        self._sampler = asyncio.create_task(self._sample())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._sampler is not None:
            self._sampler.cancel()
        self.usage = {
            role: Usage(_cpu_s(pids) - self._before[role], max(self._peak[role], _rss(pids)))
            for role, pids in self._roles.items()
        }

    async def _sample(self) -> None:
        while True:
            for role, pids in self._roles.items():
                self._peak[role] = max(self._peak[role], _rss(pids))
            await asyncio.sleep(SAMPLE_S)


def _family(pids: Sequence[int]) -> list[psutil.Process]:
    found: dict[int, psutil.Process] = {}
    for pid in pids:
        try:
            process = psutil.Process(pid)
            found |= {one.pid: one for one in (process, *process.children(recursive=True))}
        except psutil.NoSuchProcess:
            continue
    return list(found.values())


def _cpu_s(pids: Sequence[int]) -> float:
    total = 0.0
    for process in _family(pids):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # Children that ended were reaped into the parent's own account.
        total += times.user + times.system + times.children_user + times.children_system
    return total


def _rss(pids: Sequence[int]) -> int:
    total = 0
    for process in _family(pids):
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total
