"""The store's one writer: everything of an aggregator's turn in one PostgreSQL transaction."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import numpy as np

from ingest.errors import Unavailable
from ingest.model import DIMENSIONS, WINDOW_US
from ingest.ports import LedgerRow, Position, ScrubRow, SeriesRow, Tombstones, Transaction, Update
from ingest.store import erasures, exports, partitions, rollup_rows, span_rows
from ingest.store.binary_copy import copy
from ingest.store.database import TURN_LOCK, WRITER_LOCK, lock, reachable

_EPOCH_DAY = date(1970, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PostgresStore:
    """Implements `ingest.ports.Store`. With `export`, client spans are queued for a tracing backend.

    One connection holds the writer's lock and runs every transaction, so that losing one is losing the other: no
    second writer can commit between two turns of the first. What follows from it: parts of `rollup_10s` are drawn and
    committed in one order.
    """

    def __init__(self, pool: "asyncpg.Pool[Any]", *, export: bool = False) -> None:
        self._pool = pool
        self._export = export
        self._connection: Any = None

    async def lead(self) -> None:
        """Returns when this process is the one writer.

        Raises:
            Unavailable: the database cannot be reached now.
        """
        async with reachable():
            if self._connection is not None:
                # Whatever state it is in: its end frees the lock and rolls back what it had begun.
                lost, self._connection = self._connection, None
                with suppress(asyncpg.InterfaceError):
                    lost.terminate()
                await self._pool.release(lost)
            connection = await self._pool.acquire()
            try:
                await lock(connection, WRITER_LOCK)
            except BaseException:
                connection.terminate()
                await self._pool.release(connection)
                raise
            self._connection = connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Commits on leaving, rolls back on an exception.

        Raises:
            Unavailable: this process does not lead (any more), or the database cannot be reached now.
        """
        if self._connection is None:
            raise Unavailable("not_leading", "This process is not the one writer; take the lead first.")
        async with reachable(), self._connection.transaction():
            # Safe, though a crash of the server may lose a commit it has reported: the deletion of the journal's rows
            # is in the same transaction. Lost, it is lost as a whole, the rows stand in the journal again, and the
            # next turn does the same once more. What clients were promised is the journal's own commit.
            # The lock is what erasing waits for: whoever is erased, is so either before this turn begins, and the turn
            # knows it, or after it has ended, and its rows are found.
            await self._connection.execute(
                f"SET LOCAL synchronous_commit = off; SELECT pg_advisory_xact_lock_shared({TURN_LOCK})"
            )
            yield _Transaction(self._pool, self._connection, export=self._export)

    async def known_series(self, day: int) -> Mapping[int, tuple[int, str]]:
        """series_id → (app_id, view) of every series used on this day."""
        async with reachable():
            rows = await self._pool.fetch("SELECT series_id, app_id, view FROM series WHERE used_on = $1", _date(day))
        return {row["series_id"]: (row["app_id"], row["view"]) for row in rows}


class _Transaction:
    """Implements `ingest.ports.Transaction`."""

    def __init__(self, pool: "asyncpg.Pool[Any]", connection: Any, *, export: bool) -> None:
        self._pool = pool
        self._connection = connection
        self._export = export

    async def claim(self, batches: Sequence[tuple[int, bytes, int]]) -> set[tuple[int, bytes]]:
        """Of (app_id, batch_id, received_at_us), the (app_id, batch_id) never claimed before."""
        if not batches:
            return set()
        app_ids, batch_ids, received = zip(*batches, strict=True)
        rows = await self._connection.fetch(
            "INSERT INTO batch (app_id, batch_id, received_at)"
            " SELECT app_id, batch_id, 'epoch'::timestamptz + at * interval '1 microsecond'"
            " FROM unnest($1::int[], $2::bytea[], $3::bigint[]) AS claimed (app_id, batch_id, at)"
            " ON CONFLICT DO NOTHING RETURNING app_id, batch_id",
            app_ids,
            batch_ids,
            received,
        )
        return {(row["app_id"], row["batch_id"]) for row in rows}

    async def erased(self, app_ids: Sequence[int]) -> Mapping[int, Tombstones]:
        """Of these apps, those of which somebody was erased."""
        rows = await self._connection.fetch(
            "SELECT app_id, coalesce(array_agg(pseudonym) FILTER (WHERE asked), '{}') AS names,"
            " coalesce(array_agg(pseudonym) FILTER (WHERE NOT asked), '{}') AS sessions"
            " FROM erased WHERE app_id = ANY($1::int[]) GROUP BY app_id",
            app_ids,
        )
        return {row["app_id"]: Tombstones(frozenset(row["names"]), frozenset(row["sessions"])) for row in rows}

    async def trace_sizes(self, traces: Sequence[tuple[int, bytes]]) -> Mapping[tuple[int, bytes], int]:
        """How many spans are stored of each (app_id, trace_id)."""
        app_ids, trace_ids = zip(*traces, strict=True)
        rows = await self._connection.fetch(
            "SELECT app_id, trace_id,"
            " (SELECT count(*) FROM span WHERE span.app_id = asked.app_id AND span.trace_id = asked.trace_id) AS spans"
            " FROM unnest($1::int[], $2::bytea[]) AS asked (app_id, trace_id)",
            app_ids,
            trace_ids,
        )
        return {(row["app_id"], row["trace_id"]): row["spans"] for row in rows}

    async def write(self, update: Update) -> None:
        """Adds everything in the update under one part."""
        part = await self._connection.fetchval("SELECT nextval('rollup_part')")
        await self._write_series(update.series, update.day)
        if len(update.rollups):
            rows = rollup_rows.rows(update.rollups, part, WINDOW_US)
            await copy(self._connection, "rollup_10s", rollup_rows.COLUMNS, rows)
        await self._write_ledger(update.ledger, part)
        await self._write_scrubs(update.scrubs, part)
        await self._connection.executemany(
            "INSERT INTO trace_overflow (app_id, trace_id, part, spans) VALUES ($1, $2, $3, $4)",
            [(row.app_id, row.trace_id, part, row.spans) for row in update.overflows],
        )
        await erasures.add_sessions(self._connection, update.erased)
        if update.sampled:
            starts = np.concatenate([sampled.kept.assigned.start_at_us for sampled in update.sampled])
            # On another connection, committed before the COPY: what changes the table's shape is over in a moment,
            # and a turn that is rolled back leaves an empty partition behind, which harms nobody.
            await partitions.create(self._pool, np.unique(starts // partitions.DAY_US).tolist())
            await copy(
                self._connection, "span", span_rows.COLUMNS, b"".join(span_rows.rows(each) for each in update.sampled)
            )
            if self._export:
                await exports.enqueue(self._connection, update.sampled)

    async def consume(self, positions: Sequence[Position]) -> None:
        """Takes the records at these positions out of the journal.

        Raises:
            Unavailable: one of them is not there any more; somebody else stored it, so this turn must not.
        """
        lanes, seqs = [position.lane for position in positions], [position.seq for position in positions]
        deleted = await self._connection.fetchval(
            "WITH gone AS (DELETE FROM journal USING unnest($1::bigint[], $2::bigint[]) AS done (lane, seq)"
            " WHERE journal.lane = done.lane AND journal.seq = done.seq RETURNING 1) SELECT count(*) FROM gone",
            lanes,
            seqs,
        )
        if deleted != len(positions):
            raise Unavailable("consumed_elsewhere", "Another aggregator stored some of these records; read again.")

    async def _write_series(self, series: Sequence[SeriesRow], day: int) -> None:
        if not series:
            return
        columns = ["app_id", "series_id", "view", "signal", *DIMENSIONS]
        types = ["int", "bigint", *["text"] * (2 + len(DIMENSIONS))]
        arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, start=2))
        rows = [(row.app_id, row.series_id, row.view, row.signal.word, *map(_storable, row.values)) for row in series]
        await self._connection.execute(
            f"INSERT INTO series (used_on, {', '.join(columns)}) SELECT $1, * FROM unnest({arrays})"  # noqa: S608 - names from DIMENSIONS
            " ON CONFLICT (app_id, series_id) DO UPDATE SET used_on = greatest(series.used_on, excluded.used_on)",
            _date(day),
            *zip(*rows, strict=True),
        )

    async def _write_ledger(self, ledger: Sequence[LedgerRow], part: int) -> None:
        await self._connection.executemany(
            "INSERT INTO ledger (app_id, hour_at, outcome, part, spans) VALUES ($1, $2, $3, $4, $5)",
            [
                (row.app_id, _EPOCH + timedelta(hours=row.hour), _storable(row.outcome), part, row.spans)
                for row in ledger
            ],
        )

    async def _write_scrubs(self, scrubs: Sequence[ScrubRow], part: int) -> None:
        await self._connection.executemany(
            "INSERT INTO scrub_count (app_id, hour_at, rule, part, finds) VALUES ($1, $2, $3, $4, $5)",
            [(row.app_id, _EPOCH + timedelta(hours=row.hour), _storable(row.rule), part, row.finds) for row in scrubs],
        )


def _date(day: int) -> date:
    return _EPOCH_DAY + timedelta(days=day)


def _storable(text: str | None) -> str | None:
    """The text without what PostgreSQL cannot hold: NUL, and halves of surrogate pairs."""
    return text if text is None else text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
