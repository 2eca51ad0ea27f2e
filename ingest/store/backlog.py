"""What waits in PostgreSQL, in one look."""

from typing import Any

import asyncpg

from ingest.ports.backlog import Backlog
from ingest.store.snapshot import snapshot

_WAITING = """
    SELECT (SELECT count(*) FROM journal) AS journal_records,
           (SELECT coalesce(extract(epoch FROM now() - min(appended_at)), 0)::double precision FROM journal)
               AS journal_oldest_s,
           (SELECT count(*) FROM journal_dead) AS dead_records,
           (SELECT count(*) FROM erasure WHERE completed_at IS NULL) AS open_erasures,
           (SELECT count(*) FROM export_queue) AS export_spans
"""


class PostgresBacklogs:
    """Implements `ingest.ports.backlog.Backlogs`."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def backlog(self) -> Backlog:
        """What waits now."""
        async with snapshot(self._pool) as connection:
            return Backlog(**await connection.fetchrow(_WAITING))
