"""What waits in the store for the roles that serve no metrics themselves."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far behind the aggregator's process, and the exporter, are."""

    journal_records: int
    """Accepted, not counted yet."""
    journal_oldest_s: float
    """Age of the oldest of them; 0 when there is none."""
    dead_records: int
    """Set aside, because they cannot be stored."""
    open_erasures: int
    """Asked for, not completed."""
    export_spans: int
    """In the queue of a tracing backend."""


class Backlogs(Protocol):
    """Looks at what waits."""

    async def backlog(self) -> Backlog:
        """What waits now.

        Raises:
            Unavailable: the store cannot be reached, or the answer takes too long.
        """
