"""Reading the fair sample as figures: weights and values per (group, step), for questions that no view covers."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import asyncpg
import numpy as np

from ingest.model import METRICS
from ingest.ports import Question, Samples
from ingest.sketch import ABSENT
from ingest.store.plan import TIERS, Retention, ceil, floor
from ingest.store.snapshot import micros, moment

MOST_SAMPLES = 200_000
"""More would not narrow the interval that anyone looks at; beyond this they are thinned and weigh more."""

_REQUEST = "(url IS NOT NULL OR method IS NOT NULL OR http_status IS NOT NULL OR -2 <> ANY(phases_us))"
"""Whether a span went over a network, as `ingest.pipeline.count` judges it; else it has no phases."""

FAILED = "(status = 2 OR coalesce(http_status >= 400 OR http_status = 0, false))"
"""`ingest.model.Spans.failed` in SQL."""


def dimension(name: str) -> str:
    """A dimension of `span` in the words of the rollups."""
    return f"coalesce({name}, 'unknown')"


def passing(filters: Mapping[str, tuple[str, ...]], first: int) -> tuple[str, list[object]]:
    """Conditions for the filters, bound from parameter `first` on, and their arguments."""
    conditions = "".join(f" AND {dimension(name)} = ANY(${number})" for number, name in enumerate(filters, start=first))
    return conditions, [list(values) for values in filters.values()]


async def read_samples(connection: asyncpg.Connection, question: Question, retention: Retention) -> Samples:
    """See `ingest.ports.Reader.samples`."""
    step = ceil(question.step_us, TIERS[0].width_us)
    start = floor(max(question.from_us, question.now_us - retention.spans_us), step)
    end = max(ceil(question.to_us, step), start)
    conditions, values = passing(question.filters, first=4)
    arguments = [question.app_id, moment(start), moment(end), *values]
    where = f"app_id = $1 AND start_at >= $2 AND start_at < $3{conditions}"
    found = await connection.fetchval(f"SELECT count(*) FROM span WHERE {where}", *arguments)  # noqa: S608
    thinned_by = max(1, 1 << (-(-found // MOST_SAMPLES) - 1).bit_length())
    rows = await connection.fetch(
        _select(question, where, len(arguments) + 1), *arguments, thinned_by - 1, _width(question, step)
    )
    return _to_samples(rows, question, start=start, end=end, step=step, thinned_by=thinned_by)


def _width(question: Question, step_us: int) -> timedelta:
    """Cells over time are a step wide; one cell for the whole range is wider than any range."""
    return timedelta(microseconds=step_us) if question.over_time else timedelta(days=1_000_000)


def _select(question: Question, where: str, first: int) -> str:
    grouping = "".join(f", {dimension(name)} AS {name}" for name in question.group_by)
    values = "".join(f", array_agg({_column(metric)}) AS {metric}_us" for metric in question.metrics)
    positions = "".join(f", {number}" for number in range(2, len(question.group_by) + 2))
    return (
        f"SELECT date_bin(${first + 1}::interval, start_at, 'epoch') AS at{grouping}, array_agg(weight) AS weights,"  # noqa: S608
        f" array_agg({FAILED}) AS errors{values}"
        f" FROM span WHERE {where} AND (hashbytea(span_id) & ${first}::int) = 0 GROUP BY 1{positions}"
    )


def _column(metric: str) -> str:
    if metric == "duration":
        return "duration_us"
    return f"CASE WHEN {_REQUEST} THEN phases_us[{METRICS.index(metric)}] ELSE {ABSENT} END"


def _to_samples(
    rows: Sequence[asyncpg.Record], question: Question, *, start: int, end: int, step: int, thinned_by: int
) -> Samples:
    sizes: dict[tuple[str, ...], float] = {}
    keys = [tuple(row[name] for name in question.group_by) for row in rows]
    for key, row in zip(keys, rows, strict=True):
        sizes[key] = sizes.get(key, 0.0) + sum(row["weights"])
    groups = sorted(sizes, key=lambda key: (-sizes[key], key))[: question.most_groups]
    number = {key: place for place, key in enumerate(groups)}
    chosen = [(number[key], row) for key, row in zip(keys, rows, strict=True) if key in number]
    counts = [len(row["weights"]) for _, row in chosen]

    def column(name: str) -> list[float]:
        return [value for _, row in chosen for value in row[name]]

    at_us = [micros(row["at"]) if question.over_time else start for _, row in chosen]
    return Samples(
        from_us=start,
        to_us=end,
        step_us=step,
        groups=groups,
        truncated=len(sizes) > len(groups),
        group=np.repeat(np.array([place for place, _ in chosen], dtype=np.int32), counts),
        at_us=np.repeat(np.array(at_us, dtype=np.int64), counts),
        error=np.array(column("errors"), dtype=np.bool_),
        weight=np.array(column("weights"), dtype=np.float64) * thinned_by,
        values_us=np.array([column(f"{metric}_us") for metric in question.metrics], dtype=np.int64).reshape(
            len(question.metrics), sum(counts)
        ),
    )
