"""The aggregator: takes records out of the journal and puts what they say into the store, exactly once.

    read → who is erased → claim batch ids → leave out duplicates and the erased → windows and ledger → leave out what
    is too much for a trace → write → consume → commit

All of a turn but the read is one transaction, in which the journal's rows are deleted too: a crash before its commit
leaves everything as it was, and the next turn does it again; after it, there is nothing left to do again.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.aggregate.catalog import Catalog
from ingest.aggregate.trace_limits import TraceSizes, limit_traces
from ingest.aggregate.turn import gather, settle
from ingest.errors import Unavailable
from ingest.outcome import Outcome
from ingest.ports import Entry, JournalReader, Store
from ingest.stopping import unless

DAY_US = 86_400_000_000
TURN_RECORDS = 512
"""Records of one turn at most; the journal bounds their bytes."""
BACKOFF_SECONDS = (0.1, 5.0)
"""First and longest wait after the store could not be reached."""
RECORD_FAULTS = (ValueError, TypeError, LookupError, ArithmeticError)
"""What a record that is wrong in itself raises, here or in the store. Nothing else is a reason to part with one."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Progress:
    """What the aggregator has done since it started."""

    turns: int = 0
    records: int = 0
    spans: int = 0
    duplicates: int = 0


class Aggregator:
    """Consumes the journal.

    Args:
        store: where everything goes.
        journal: where records come from.
        now_us: the server's clock, µs since 1970; it decides on which day series are used.
        series_limit: series per app, view and day.
        trace_spans: sampled spans of one trace.
        turn_seconds: from the start of one turn to the start of the next, when the first leaves time.
    """

    def __init__(
        self,
        store: Store,
        journal: JournalReader,
        now_us: Callable[[], int],
        *,
        series_limit: int,
        trace_spans: int = 10_000,
        turn_seconds: float = 1.0,
    ) -> None:
        self._store = store
        self._journal = journal
        self._now_us = now_us
        self._series_limit = series_limit
        self._trace_spans = trace_spans
        self._trace_sizes = TraceSizes()
        self._turn_seconds = turn_seconds
        self._catalog: Catalog | None = None
        self.progress = Progress()

    async def run(self, stop: asyncio.Event) -> None:
        """Turns until the event is set, and then until the journal is empty. Outlives restarts of the database."""
        wait = BACKOFF_SECONDS[0]
        while True:
            try:
                if not await unless(stop, self._store.lead()):
                    return
                self._catalog = None
                while not stop.is_set():
                    started = asyncio.get_running_loop().time()
                    await self.turn()
                    wait = BACKOFF_SECONDS[0]
                    rest = started + self._turn_seconds - asyncio.get_running_loop().time()
                    await unless(stop, asyncio.sleep(max(rest, 0)))
                while await self.turn():
                    pass
            except Unavailable as error:
                _log.warning("the aggregator waits: %s", error.message)
                if stop.is_set() or not await unless(stop, asyncio.sleep(wait)):
                    # What is left in the journal is durable; the next start takes it up.
                    return
                wait = min(wait * 2, BACKOFF_SECONDS[1])
            else:
                return

    async def turn(self) -> int:
        """One turn: returns how many records it took out of the journal; 0 when there were none.

        Raises:
            Unavailable: the turn is not committed, or nobody knows; the journal knows.
        """
        entries = await self._journal.read(TURN_RECORDS)
        if entries:
            try:
                await self._commit(entries)
            except RECORD_FAULTS:
                # One record's fault must not hold up the others: each alone, and what fails alone is set aside.
                _log.exception("a turn of %d records failed and is repeated record by record", len(entries))
                for entry in entries:
                    await self._commit_alone(entry)
        self.progress.turns += 1
        return len(entries)

    async def _commit_alone(self, entry: Entry) -> None:
        try:
            await self._commit([entry])
        except RECORD_FAULTS as error:
            _log.exception("a record cannot be stored")
            await self._journal.set_aside(entry.position, f"cannot be stored: {type(error).__name__}")

    async def _commit(self, entries: Sequence[Entry]) -> None:
        catalog = await self._catalog_of_today()
        records = [entry.record for entry in entries]
        bodies = gather(records)
        async with self._store.transaction() as transaction:
            erased = await transaction.erased(sorted({app_id for app_id, _, _ in bodies.claims}))
            fresh = await transaction.claim(bodies.claims)
            update = settle(records, bodies, fresh, catalog, erased)
            if large := self._trace_sizes.add(update.sampled):
                stored = await transaction.trace_sizes(sorted(large))
                update = limit_traces(update, stored, self._trace_spans)
            await transaction.write(update)
            await transaction.consume([entry.position for entry in entries])
        # Only now: had the transaction failed, its series would not be there.
        catalog.add(update.series)
        self.progress.records += len(entries)
        self.progress.spans += sum(int(np.sum(record.ledger.spans)) for record in records)
        self.progress.duplicates += sum(row.spans for row in update.ledger if row.outcome == Outcome.DUPLICATE.label)

    async def _catalog_of_today(self) -> Catalog:
        day = self._now_us() // DAY_US
        if self._catalog is None or self._catalog.day != day:
            self._catalog = Catalog(day, await self._store.known_series(day), self._series_limit)
        return self._catalog
