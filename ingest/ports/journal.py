"""Where micro-batches are made durable, and where they are taken out again."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ingest.model import Processed


@dataclass(frozen=True, slots=True)
class Position:
    """Where a record stands in the journal. A lane belongs to one writer; seq grows by one within it."""

    lane: int
    seq: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A record read back from the journal."""

    position: Position
    record: Processed


class Journal(Protocol):
    """Where an edge worker makes micro-batches durable."""

    async def append(self, record: Processed) -> None:
        """Returns only after the record is durably committed; it will survive any crash.

        Raises:
            ingest.errors.Unavailable: nothing may be acknowledged. Appending the same spans again is safe: the
                aggregator drops batch ids that it has seen.
        """


class JournalReader(Protocol):
    """Where the aggregator finds what edges made durable. One reader at a time."""

    async def read(self, limit: int) -> Sequence[Entry]:
        """Up to `limit` records not consumed yet, oldest first. Reads again what was not consumed.

        A record that cannot be decoded is set aside, not read.

        Raises:
            ingest.errors.Unavailable: the journal cannot be read now.
        """

    async def set_aside(self, position: Position, reason: str) -> None:
        """Takes a record out of the way of those behind it, and keeps it for inspection with the reason.

        Raises:
            ingest.errors.Unavailable: not now; the record is still in the journal.
        """
