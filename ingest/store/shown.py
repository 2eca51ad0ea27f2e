"""Which cells of a partition may be shown span by span, and the condition that lets only their spans pass."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import asyncpg

from ingest.model import DIMENSIONS
from ingest.ports import Question, Suppressed
from ingest.store.disclose import Cell
from ingest.store.plan import TIERS, Retention
from ingest.store.read_rollups import read_shown
from ingest.store.read_samples import dimension, passing, read_sampled_shown

_MOST_CELLS = 1_000_000


async def shown_cells(
    connection: asyncpg.Connection, question: Question, views: Sequence[str], retention: Retention
) -> tuple[Sequence[Cell] | None, Suppressed]:
    """The cells whose spans may be shown; None when all may.

    Args:
        views: those that cover the partition; none: the sample decides.
    """
    if question.least_sessions <= 1:
        return None, Suppressed()
    question = replace(question, step_us=TIERS[0].width_us, over_time=False, metrics=(), most_groups=_MOST_CELLS)
    if views:
        return await read_shown(connection, question, views, retention)
    return await read_sampled_shown(connection, question, retention)


def within(
    filters: Mapping[str, tuple[str, ...]], partition: Sequence[str], shown: Sequence[Cell] | None, first: int
) -> tuple[str, list[object]]:
    """Conditions for the filters and for the cells shown, bound from parameter `first` on, and their arguments."""
    conditions, values = passing(filters, first)
    names = [name for name in DIMENSIONS if name in partition]
    if shown is not None and names:
        numbers = range(first + len(values), first + len(values) + len(names))
        cells = ", ".join(f"${number}::text[]" for number in numbers)
        conditions += f" AND ({', '.join(map(dimension, names))}) IN (SELECT * FROM unnest({cells}))"  # noqa: S608
        values = [*values, *map(list, zip(*shown, strict=True))]
    return conditions, values
