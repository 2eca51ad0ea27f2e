"""Reading exemplars: spans of the fair sample that stand beside a figure, found without a table of their own.

The sample is a sample already, and a table of a few spans per series and minute would hold more rows than it. So a
range is cut into `SLICES` stretches and of each the newest `LOOK` spans are looked at: what is common in the range is
found there. What is rare, such as the slowest, is looked for by its duration (`span_duration`).
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import asyncpg
import numpy as np

from ingest.model import METRICS
from ingest.ports import Candidates, Question
from ingest.store.plan import Retention
from ingest.store.read_samples import FAILED, dimension
from ingest.store.shown import shown_cells, within
from ingest.store.snapshot import micros, moment, snapshot

SLICES = 24
LOOK = 800
"""Spans looked at in each slice."""
LOOK_BY_DURATION = 300
"""Spans looked at in each range of durations that the slices held nothing of."""

_SLICE = (
    "start_at >= 'epoch'::timestamptz + low * interval '1 microsecond'"
    " AND start_at < 'epoch'::timestamptz + high * interval '1 microsecond'"
)
_BY_TIME = f"""
    SELECT spans.* FROM unnest($2::bigint[], $3::bigint[]) AS slice (low, high), LATERAL (
        SELECT * FROM span WHERE app_id = $1 AND {_SLICE} ORDER BY start_at DESC LIMIT {LOOK}
    ) AS spans
"""  # noqa: S608 - constants
_BY_DURATION = f"""
    SELECT spans.* FROM unnest($2::bigint[], $3::bigint[]) AS wanted (low, high), LATERAL (
        SELECT * FROM span WHERE app_id = $1 AND signal = $4 AND duration_us > low AND duration_us <= high
        AND start_at >= $5 AND start_at < $6 ORDER BY duration_us DESC LIMIT {LOOK_BY_DURATION}
    ) AS spans
"""  # noqa: S608 - constants


class PostgresExemplars:
    """Implements `ingest.ports.Exemplars`."""

    def __init__(self, pool: asyncpg.Pool, retention: Retention) -> None:
        self._pool = pool
        self._retention = retention

    async def candidates(
        self, question: Question, views: Sequence[str], ranges_us: Sequence[tuple[int, int]]
    ) -> Candidates:
        """Some spans of cells that may be shown, spread over the range, and of every range of values if there are."""
        start_us = max(question.from_us, question.now_us - self._retention.spans_us)
        if start_us >= question.to_us:
            return _to_candidates([])
        async with snapshot(self._pool) as connection:
            shown, _ = await shown_cells(connection, question, views, self._retention)
            if shown is not None and not shown:
                return _to_candidates([])
            bounds = np.linspace(start_us, question.to_us, SLICES + 1).astype(np.int64).tolist()
            slices = [[low for low, _ in pairwise(bounds)], [high for _, high in pairwise(bounds)]]
            found = await connection.fetch(*_select(_BY_TIME, question, shown, [question.app_id, *slices]))
            if question.metrics == ("duration",):
                empty = _empty(ranges_us, [row["value_us"] for row in found])
                if empty[0]:
                    arguments = [question.app_id, *empty, question.signal.word]
                    arguments += [moment(start_us), moment(question.to_us)]
                    found += await connection.fetch(*_select(_BY_DURATION, question, shown, arguments))
        return _to_candidates(found)


def _select(
    source: str, question: Question, shown: Sequence[tuple[str, ...]] | None, arguments: list[Any]
) -> list[Any]:
    """The statement and its arguments: what of the source the question is about and may be shown."""
    (metric,) = question.metrics
    value = "duration_us" if metric == "duration" else f"phases_us[{METRICS.index(metric)}]"
    conditions, values = within(question.filters, question.partition, shown, first=len(arguments) + 1)
    statement = (
        f"SELECT trace_id, span_id, {dimension('route')} AS route, start_at, {value} AS value_us, {FAILED} AS error"  # noqa: S608 - names from METRICS and DIMENSIONS
        f" FROM ({source}) AS span WHERE origin = 'client' AND signal = '{question.signal.word}' AND {value} >= 0"
        f"{conditions}"
    )
    return [statement, *arguments, *values]


def _empty(ranges_us: Sequence[tuple[int, int]], values_us: Sequence[int]) -> tuple[list[int], list[int]]:
    """The lower and upper bounds of the ranges that hold none of the values."""
    found = np.sort(np.array(values_us, np.int64))
    bounds = np.array(ranges_us, np.int64).reshape(-1, 2)
    empty = bounds[np.searchsorted(found, bounds[:, 0], "right") == np.searchsorted(found, bounds[:, 1], "right")]
    return empty[:, 0].tolist(), empty[:, 1].tolist()


def _to_candidates(rows: Sequence[asyncpg.Record]) -> Candidates:
    return Candidates(
        trace_id=[row["trace_id"] for row in rows],
        span_id=[row["span_id"] for row in rows],
        route=[row["route"] for row in rows],
        start_us=np.array([micros(row["start_at"]) for row in rows], np.int64),
        value_us=np.array([row["value_us"] for row in rows], np.int64),
        error=np.array([row["error"] for row in rows], np.bool_),
    )
