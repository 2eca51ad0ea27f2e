"""The alerts role: leads, evaluates and delivers until it is told to stop. One works; a standby waits for the lock."""

import asyncio
import logging
from collections.abc import Sequence

import aiohttp

from ingest.alerts.deliver import MOST_WAITING, TIMEOUT_S, Lookups, Receiver, Worker
from ingest.alerts.evaluate import ROUND_S, Evaluator
from ingest.errors import Unavailable
from ingest.ports import AlertStates
from ingest.stopping import unless

AGAIN_S = 1.0

log = logging.getLogger("ingest.alerts")


class Watch:
    """Everything the role does."""

    def __init__(
        self,
        states: AlertStates,
        evaluator: Evaluator,
        receivers: Sequence[Receiver],
        lookups: Lookups,
        *,
        round_s: float = ROUND_S,
    ) -> None:
        self._states, self._evaluator, self._receivers, self._lookups = states, evaluator, receivers, lookups
        self._round_s = round_s

    async def run(self, stop: asyncio.Event) -> None:
        """Works until the event is set. Outlives restarts of the database and of receivers."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            workers = [Worker(each, self._states, self._lookups, session) for each in self._receivers]
            while not stop.is_set():
                try:
                    if not await unless(stop, self._states.lead()):
                        return
                    async with asyncio.TaskGroup() as group:
                        group.create_task(self._evaluate(stop))
                        for worker in workers:
                            group.create_task(unless(stop, worker.run(stop)))
                except* Unavailable as gone:
                    log.warning("alerts wait: %s", gone.exceptions[0])
                    await unless(stop, asyncio.sleep(AGAIN_S))

    async def _evaluate(self, stop: asyncio.Event) -> None:
        names = [receiver.name for receiver in self._receivers]
        while not stop.is_set():
            if dropped := await self._states.trim(names, MOST_WAITING):
                log.warning("%d notifications were dropped: too many waited, or their receiver is gone", dropped)
            await self._evaluator.round()
            await unless(stop, asyncio.sleep(self._round_s))
