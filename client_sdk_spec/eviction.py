"""The reference of the queue (`SPEC.md`, B) and of the drop counters (D): what must go, and what is told of it.

Pure: bytes, times and answers come in as arguments.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from client_sdk_spec.retry import expired

RANKS = ("ordinary", "slow", "sketches", "error")
"""What goes first when there is no room; a batch has the highest rank of what is in it."""
MEMORY_BYTES = 1 << 20
DISK_BYTES = 10 << 20

Rank = Literal["ordinary", "slow", "sketches", "error"]


@dataclass(frozen=True)
class Sealed:
    """What the queue knows of a sealed batch."""

    id: str
    bytes: int
    spans: int
    rank: Rank
    sealed_us: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    """The counters that it carries."""


_Batch = TypeVar("_Batch", bound=Sealed)


class Drops:
    """How many spans were dropped, by reason, that no sealed batch tells of yet."""

    def __init__(self) -> None:
        self._untold: Counter[str] = Counter()

    @property
    def untold(self) -> dict[str, int]:
        """Reason → spans."""
        return {reason: spans for reason, spans in self._untold.items() if spans}

    def count(self, reason: str, spans: int = 1) -> None:
        """Spans were dropped before they came into a batch."""
        self._untold[reason] += spans

    def seal(self) -> dict[str, int]:
        """All counters, for the batch that is sealed now; from here on that batch tells of them."""
        told, self._untold = self.untold, Counter()
        return told

    def lose(self, batch: Sealed, reason: str) -> None:
        """A sealed batch will not arrive: its spans are dropped, and what it told is untold again."""
        self._untold[reason] += batch.spans
        self._untold.update(batch.dropped)


class Queue(Generic[_Batch]):
    """Sealed batches that were not accepted yet, at most `capacity` bytes of them, the oldest sent first.

    Args:
        drops: is told of what had to go.
    """

    def __init__(self, capacity: int, drops: Drops) -> None:
        self._capacity, self._drops = capacity, drops
        self.held: dict[str, _Batch] = {}
        """By id, in the order in which they are sent."""
        self._in_flight: set[str] = set()

    def put(self, batch: _Batch, now_us: int) -> None:
        """Takes a batch, and makes room for it: what is too old goes first, then the lowest rank, the oldest of it."""
        self.expire(now_us)
        if batch.bytes > self._capacity:
            self._drops.lose(batch, "queue_overflow")
            return
        self.held[batch.id] = batch
        while sum(each.bytes for each in self.held.values()) > self._capacity:
            idle = [each for each in self.held.values() if each.id not in self._in_flight]
            self._lose(min(idle, key=lambda each: RANKS.index(each.rank)), "queue_overflow")

    def expire(self, now_us: int) -> None:
        """Drops what is too old to be sent."""
        for batch in list(self.held.values()):
            if batch.id not in self._in_flight and expired(batch.sealed_us, now_us):
                self._lose(batch, "expired")

    def oldest(self, *ranks: Rank) -> _Batch | None:
        """The batch to send next; with ranks the next of those."""
        idle = (batch for batch in self.held.values() if batch.id not in self._in_flight)
        return next((batch for batch in idle if not ranks or batch.rank in ranks), None)

    def send(self, batch_id: str) -> None:
        """A batch is in flight: it may have arrived, so it is not dropped until that is known."""
        self._in_flight.add(batch_id)

    def keep(self, batch_id: str) -> None:
        """The attempt is to be repeated."""
        self._in_flight.discard(batch_id)

    def accept(self, batch_id: str) -> None:
        """The batch arrived, and with it the counters that it carried."""
        self._in_flight.discard(batch_id)
        del self.held[batch_id]

    def refuse(self, batch_id: str, reason: str) -> None:
        """The batch will not be sent again."""
        self._lose(self.held[batch_id], reason)

    def drop_all(self, reason: str) -> None:
        """Nothing of what is held is sent any more, but for what is on its way."""
        for batch in list(self.held.values()):
            if batch.id not in self._in_flight:
                self._lose(batch, reason)

    def halve(self, batch_id: str, halves: list[_Batch]) -> None:
        """Two batches in the place of one that was too large."""
        self._in_flight.discard(batch_id)
        split = {half.id: half for half in halves}
        items = list(self.held.items())
        at = list(self.held).index(batch_id)
        self.held = dict(items[:at]) | split | dict(items[at + 1 :])

    def _lose(self, batch: _Batch, reason: str) -> None:
        self._in_flight.discard(batch.id)
        del self.held[batch.id]
        self._drops.lose(batch, reason)
