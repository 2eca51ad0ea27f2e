"""Records of version 2, as the software before this one wrote them: what they lack, and what stands for it.

A journal may hold them when the software is replaced. This file goes when version 4 comes.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingest.model import NOT_MEASURED, UNKNOWN, Phase, Processed
from ingest.outcome import Outcome
from ingest.pipeline.thresholds import low_56_bits

VERSION: Final = 2

_NEW_TABLES: Final = (
    *("kept.batch.sketches", "kept.batch.sketch_bins", "kept.batch.remarks"),
    *("notes", "summaries", "summary_bins"),
)
_NEW_COLUMNS: Final[Mapping[str, int]] = {
    "series.signal": 0,
    "counted.stands_for": 1,
    "kept.batch.bodies.steps": UNKNOWN,
    "kept.batch.bodies.sketched": False,
    "kept.batch.resources.reported": False,
    "kept.batch.spans.signal": 0,
    "kept.batch.spans.repairs": 0,
    "kept.batch.links.kind": 0,
    "kept.assigned.origin": 0,
    "kept.assigned.randomness": 0,
    "kept.assigned.clock_skew_ms": NOT_MEASURED,
    "kept.assigned.clock_steps": UNKNOWN,
    "kept.assigned.clock_conflict": False,
    "kept.assigned.upload_delay_ms": NOT_MEASURED,
    "kept.assigned.clock_segment": 0,
    "kept.assigned.clock_offset_us": 0,
    "kept.assigned.server_us": UNKNOWN,
}
"""Column → what stands for it."""


def has(table: str, column: str) -> bool:
    """Whether version 2 had this column of this table."""
    return table not in _NEW_TABLES and f"{table}.{column}" not in _NEW_COLUMNS


def complete(
    columns: Iterator[npt.NDArray[Any]], schema: Sequence[tuple[str, str, "np.dtype[Any]"]]
) -> Iterator[npt.NDArray[Any]]:
    """All columns of the present version, those that version 2 had from `columns`.

    Args:
        schema: (table, column, dtype) of the present version, in its order.
    """
    rows, last = 0, ""
    for table, name, dtype in schema:
        if has(table, name):
            column = next(columns)
            if table != last:
                rows, last = column.shape[0], table
            yield column
        elif table in _NEW_TABLES:
            yield np.zeros((len(Phase), 0) if name in ("reused", "unknown") else 0, dtype)
        else:
            yield np.full(rows, _NEW_COLUMNS[f"{table}.{name}"], dtype)


def modernise(record: Processed) -> Processed:
    """The record with the outcomes there are now, and with the randomness that its sample was drawn by."""
    outcomes, kept = record.ledger.outcomes, record.kept
    more = np.zeros((len(Outcome) - len(outcomes), len(record.ledger)), outcomes.dtype)
    spans = kept.batch.spans
    randomness = np.where(spans.randomness == UNKNOWN, low_56_bits(spans.trace_id), spans.randomness)
    return replace(
        record,
        ledger=replace(record.ledger, outcomes=np.concatenate([outcomes, more])),
        kept=replace(kept, assigned=replace(kept.assigned, randomness=randomness)),
    )
