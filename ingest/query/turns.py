"""Whose question is answered next: some at once, the others in turn, one of each asker after one of the next.

Whoever asks a thousand questions waits for themselves: of one asker only some run at once, so that there is room for
another's at any time, only so many wait, and those that wait take turns with everybody else's.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingest.errors import TooMany, Unavailable

MOST_AT_ONCE = 8
MOST_OF_ONE_AT_ONCE = 6
MOST_OF_ONE_WAITING = 64
MOST_WAITING = 512


class Turns:
    """The questions that are being answered, and those that wait."""

    def __init__(self) -> None:
        self._running: Counter[str] = Counter()
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return sum(map(len, self._waiting.values()))

    @asynccontextmanager
    async def turn(self, asker: str) -> AsyncIterator[None]:
        """Waits for a turn of this asker.

        Raises:
            TooMany: too many of their own questions wait already.
            Unavailable: too many wait already, of all.
        """
        queue = self._waiting.get(asker, ())
        if len(queue) >= MOST_OF_ONE_WAITING:
            raise TooMany(
                "too_many", f"{MOST_OF_ONE_WAITING} of your questions are waiting; ask again when some are answered."
            )
        if self.waiting >= MOST_WAITING:
            raise Unavailable("too_busy", "Too many questions are waiting; try again shortly.")
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(asker, deque()).append(mine)
        self._admit()
        try:
            await mine
            yield
        finally:
            if mine.done() and not mine.cancelled():
                self._running[asker] -= 1
                self._running += Counter()
            elif mine in self._waiting.get(asker, ()):
                self._waiting[asker].remove(mine)
            self._admit()

    def _admit(self) -> None:
        """Lets as many run as may, the asker first who has waited longest since their last turn."""
        while self._running.total() < MOST_AT_ONCE:
            asker = next((name for name in self._waiting if self._running[name] < MOST_OF_ONE_AT_ONCE), None)
            if asker is None:
                return
            queue = self._waiting[asker]
            mine = queue.popleft() if queue else None
            if queue:
                self._waiting.move_to_end(asker)
            else:
                del self._waiting[asker]
            if mine is not None and not mine.done():
                mine.set_result(None)
                self._running[asker] += 1
