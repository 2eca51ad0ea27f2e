"""PostgreSQL as the overview reads it: `PostgresOverviews` implements `ingest.ports.Overviews`."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import numpy as np

from ingest.model import F64, I64, METRICS, UNKNOWN, Kind
from ingest.ports import FailedSpans, Question, ServerTimes, Suppressed
from ingest.store.disclose import Cell, Visits, hidden_cells, passes
from ingest.store.plan import TIERS, Retention, Tier
from ingest.store.read_samples import FAILED, SIXTEENTH, about, about_how_many, dimension, span_of
from ingest.store.snapshot import micros, moment, snapshot

MOST_FAILED = 20_000
"""More would hardly narrow the intervals."""
MOST_REQUESTS = 10_000
"""Each is looked up in its trace."""
WORTH_ALL = 4
"""Up to so many times as many as are wanted all are read; of more a sixteenth, which has an index of its own."""


_TTFB = f"phases_us[{METRICS.index('ttfb')}]"

_HOW = """
    CASE WHEN signal = 'report' THEN coalesce(error_type, 'unknown')
         WHEN http_status = 0 THEN 'no_answer'
         WHEN http_status BETWEEN 400 AND 499 THEN '4xx'
         WHEN http_status >= 500 THEN '5xx'
         ELSE 'other' END
"""

# A server answers while its client waits, but by another clock: a day either way is looked at, so that not every
# partition is.
_SERVERS = f"""
    SELECT trace_id, parent_span_id, duration_us FROM span
    WHERE app_id = $1 AND trace_id = ANY($2) AND origin = 'backend' AND kind = {Kind.SERVER:d}
      AND start_at BETWEEN $3::timestamptz - interval '1 day' AND $4::timestamptz + interval '1 day'
      AND parent_span_id IS NOT NULL
    ORDER BY start_at
"""  # noqa: S608 - holds no value


class PostgresOverviews:
    """Reads through a pool; holds nothing but it and how long spans are kept."""

    def __init__(self, pool: asyncpg.Pool, retention: Retention) -> None:
        self._pool = pool
        self._retention = retention

    async def failed(self, question: Question) -> FailedSpans:
        select = _Select(
            FAILED,
            MOST_FAILED,
            ("signal", "http_status", "error_type", "duration_us"),
            {"kind": _HOW, "duration_us": "duration_us"},
        )
        async with snapshot(self._pool) as connection:
            rows = await select.read(connection, question, self._retention)
        places, suppressed = await asyncio.to_thread(_shown, rows, question)
        shown = [rows[place] for place in places]
        kinds, kind = np.unique(np.array([row["kind"] for row in shown], np.str_), return_inverse=True)
        return FailedSpans(
            kinds=kinds.tolist(),
            kind=kind.astype(np.int32),
            duration_us=_column(shown, "duration_us"),
            weight=_weights(shown),
            cluster=_column(shown, "randomness"),
            suppressed=suppressed,
        )

    async def server_times(self, question: Question) -> ServerTimes:
        columns = {"ttfb_us": _TTFB, "trace_id": "trace_id", "span_id": "span_id", "server_us": "server_us"}
        found_by = ("trace_id", "span_id", "server_us", "phases_us")
        select = _Select(f"{_TTFB} >= 0", MOST_REQUESTS, found_by, columns, many=True)
        async with snapshot(self._pool) as connection:
            rows = await select.read(connection, question, self._retention)
            traces = list({row["trace_id"] for row in rows})
            times = (moment(question.from_us), moment(question.to_us))
            found = await connection.fetch(_SERVERS, question.app_id, traces, *times)
        # The last to start counts, as in a trace (`ingest.query.first_byte`).
        servers = {(row["trace_id"], row["parent_span_id"]): row["duration_us"] for row in found}
        of_row = [servers.get((row["trace_id"], row["span_id"]), row["server_us"]) for row in rows]
        # Those of whom a server told are judged by themselves: a figure about few of them is not shown.
        told = [place for place, server_us in enumerate(of_row) if server_us is not None]
        shown, _ = await asyncio.to_thread(_shown, [rows[place] for place in told], question)
        kept = [told[place] for place in shown]
        for place, row in enumerate(rows):
            if of_row[place] is None and passes(_dimensions(row, question), question):
                kept.append(place)
        chosen = [rows[place] for place in kept]
        return ServerTimes(
            ttfb_us=_column(chosen, "ttfb_us"),
            server_us=np.array([UNKNOWN if of_row[place] is None else of_row[place] for place in kept], np.int64),
            weight=_weights(chosen),
            cluster=_column(chosen, "randomness"),
        )

    async def began(self, app_id: int) -> int | None:
        """A coarse window may begin before its first span; a finer tier that still holds that span knows better."""
        began: int | None = None
        width_us = 0
        async with snapshot(self._pool) as connection:
            for tier in reversed(TIERS):
                oldest = await connection.fetchval(_oldest_window(tier), app_id)
                if oldest is not None and (began is None or micros(oldest) < began + width_us):
                    began, width_us = micros(oldest), tier.width_us
        return began


@dataclass(frozen=True, slots=True)
class _Select:
    """Sampled client spans of a question's signal and range, whatever its filters, one row each."""

    where: str
    most: int
    """Beyond this many they are thinned and weigh more."""
    found: Sequence[str]
    """Columns that the expressions are about."""
    columns: Mapping[str, str]
    """Name → expression, of those that are left after thinning."""
    many: bool = False
    """They may be so many that reading them all takes long."""

    async def read(
        self, connection: asyncpg.Connection, question: Question, retention: Retention
    ) -> list[Mapping[str, Any]]:
        span = span_of(question, retention)
        names = ", ".join(dict.fromkeys((*self.found, *question.partition)))
        columns = {name: dimension(name) for name in question.partition} | dict(self.columns)
        chosen = "".join(f", {expression} AS {name}" for name, expression in columns.items())
        where = f"{about(question)} AND {self.where}"
        arguments = (question.app_id, moment(span.from_us), moment(span.to_us))
        bits = await self._bits(connection, where, arguments) if self.many else 0
        # One look at the spans: counting them first would read them twice.
        rows = await connection.fetch(
            f"WITH found AS MATERIALIZED (SELECT weight, randomness, session, {names} FROM span"  # noqa: S608 - names from DIMENSIONS
            f"   WHERE {where}{f' AND {SIXTEENTH}' if bits else ''}),"
            " size AS (SELECT 1 << greatest(ceil(log(2, greatest(count(*), 1) / $4::numeric)), 0)::int AS thinned_by"
            "   FROM found)"
            f" SELECT weight * (thinned_by << {bits}) AS weight, randomness,"
            f" hashtextextended(session, 0) AS session{chosen}"
            f" FROM found AS span, size WHERE ((hashint8(randomness) >> {bits}) & (thinned_by - 1)) = 0",
            *arguments,
            self.most,
        )
        return list(rows)

    async def _bits(self, connection: asyncpg.Connection, where: str, arguments: Sequence[object]) -> int:
        """How many bits of the hash are decided by the index that is read: 4, or none where all spans are."""
        return 4 if await about_how_many(connection, where, arguments) > self.most * WORTH_ALL else 0


Row = Mapping[str, Any]


def _dimensions(row: Row, question: Question) -> Cell:
    return tuple(row[name] for name in question.partition)


def _shown(rows: Sequence[Row], question: Question) -> tuple[list[int], Suppressed]:
    """Places of the rows that pass the filters, without cells of too few sessions; cells are cut by `kind`, too."""
    of_row = [(*_dimensions(row, question), row.get("kind", "")) for row in rows]
    cells = sorted(set(of_row))
    number = {cell: place for place, cell in enumerate(cells)}
    known = [place for place, row in enumerate(rows) if row["session"] is not None]
    visits = Visits(
        cell=np.array([number[cell] for cell in of_row], np.int64),
        step=np.zeros(len(rows), np.int64),
        spans=_weights(rows),
        row=np.array(known, np.int64),
        session=np.array([rows[place]["session"] for place in known], np.int64),
    )
    hidden, suppressed = hidden_cells(cells, visits, question.least_sessions)
    shown = [place for place, cell in enumerate(of_row) if not hidden[number[cell]] and passes(cell[:-1], question)]
    return shown, suppressed


def _column(rows: Sequence[Row], name: str) -> I64:
    return np.array([row[name] for row in rows], np.int64)


def _weights(rows: Sequence[Row]) -> F64:
    return np.array([row["weight"] for row in rows], np.float64)


def _oldest_window(tier: Tier) -> str:
    # As the newest: every span counts in view `all`.
    mine = "app_id = $1 AND series_id = ANY (ARRAY(SELECT series_id FROM series WHERE app_id = $1 AND view = 'all'))"
    oldest = f"SELECT min(window_at) AS at FROM {tier.table} WHERE {mine}"  # noqa: S608 - a name from TIERS
    if not tier.stretch_us:
        return oldest
    return (
        f"SELECT min(at) FROM ({oldest} UNION ALL SELECT min(stretch_at + windows[1] * "  # noqa: S608 - names from TIERS
        f"interval '{tier.width_us} microseconds') FROM {tier.packed} WHERE {mine}) AS oldest"
    )
