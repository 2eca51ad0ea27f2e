"""One evaluation and delivery in a process of its own that kills itself at a chosen statement."""

import asyncio
import os
import signal
from typing import Any

import asyncpg

from ingest.alerts.deliver import Receiver
from tests.alerts.stage import Stage

_ABOUT = ("alert_", "BEGIN", "COMMIT")


class Mortal(asyncpg.Connection):
    """A connection that counts the statements about alerts, and kills its process before one of them."""

    left = 0
    """Statements until then; 0: it lives."""

    async def execute(self, query: str, *args: Any, **options: Any) -> Any:
        self._count(query)
        return await super().execute(query, *args, **options)

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
        self._count(query)
        return await super().fetch(query, *args, **options)

    @classmethod
    def _count(cls, query: str) -> None:
        if any(word in query for word in _ABOUT) and "READ ONLY" not in query and cls.left:
            cls.left -= 1
            if not cls.left:
                os.kill(os.getpid(), signal.SIGKILL)


def evaluate_once(dsn: str, url: str, now_us: int, die_before: int) -> None:
    """Evaluates and delivers everything; dies before the statement of this number, if there are so many."""
    Mortal.left = die_before
    asyncio.run(_evaluate_once(dsn, url, now_us))


async def _evaluate_once(dsn: str, url: str, now_us: int) -> None:
    pool = await asyncpg.create_pool(dsn, min_size=1, max_size=6, connection_class=Mortal)
    play = Stage(pool, [Receiver("ops", url)], now_us=now_us)
    await play.states.lead()
    await play.evaluator.round()
    await play.deliver()
    pool.terminate()
