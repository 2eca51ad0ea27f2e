"""Whatever is counted, as columns: a span as often as it stands for, a client's sketch set for its spans.

Both are *items*, and from their cells on nothing tells one from the other. So spans that were sketched with our own
mapping give the very partials that they would have given by themselves.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest import sketch
from ingest.model import I16, I32, I64, U8, Counted, Series, SketchBins, Summaries

BUCKET_BITS = 11
"""Of a packed cell; the metric stands above them."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What one record counts, without its duplicates."""

    strings: Sequence[str]
    series: Series
    counted: Counted
    summaries: Summaries
    bins: SketchBins
    """Their owners are rows of `summaries`."""


@dataclass(frozen=True, slots=True)
class Items:
    """The spans of all records, then their sketch sets."""

    series: I32
    window: I64
    session: I64
    spans: I64
    errors: I64


@dataclass(frozen=True, slots=True)
class Cells:
    """Every (item, metric, bucket) that was measured, and every (item, phase) that is marked instead."""

    measured: npt.NDArray[np.intp]
    """Row of the item, in the order of `low`."""
    low: npt.NDArray[np.uint16]
    """metric and bucket, packed; ascending."""
    values: I64
    """How many."""
    marked: npt.NDArray[np.intp]
    mark: I64
    """phase and kind of mark, packed."""
    marks: I64
    """How many."""


def itemise(records: Sequence[Counts], starts: Sequence[int]) -> tuple[Items, Cells]:
    """The items of all records, with series as rows of the combinations, and their cells."""
    counted = Counted.concat([record.counted for record in records])
    summaries = Summaries.concat([record.summaries for record in records])
    series = [record.counted.series + np.int32(start) for record, start in zip(records, starts, strict=True)]
    series += [record.summaries.series + np.int32(start) for record, start in zip(records, starts, strict=True)]
    items = Items(
        series=np.concatenate(series),
        window=np.concatenate([counted.window, summaries.window]),
        session=np.concatenate([counted.session, summaries.session]),
        spans=np.concatenate([counted.stands_for, summaries.spans]),
        errors=np.concatenate([counted.stands_for * counted.error, summaries.errors]),
    )
    first = np.cumsum([len(counted), *(len(record.summaries) for record in records[:-1])])
    sketched = [replace(record.bins, owner=record.bins.owner + at) for record, at in zip(records, first, strict=True)]
    return items, _cells_of(counted, summaries, SketchBins.concat(sketched))


def _cells_of(counted: Counted, summaries: Summaries, bins: SketchBins) -> Cells:
    measured: list[Any] = [bins.owner]
    low = [_pack(bins.metric, bins.bucket)]
    marked: list[Any] = []
    mark = []
    for metric, buckets in enumerate(counted.buckets):
        rows = np.flatnonzero((buckets >= 0) | (buckets == sketch.ZERO))
        measured.append(rows)
        low.append(_pack(metric, buckets[rows]))
        for kind, value in enumerate((sketch.REUSED, sketch.UNKNOWN)):
            if metric > 0:
                rows = np.flatnonzero(buckets == value)
                marked.append(rows)
                mark.append(np.full(len(rows), (metric - 1) * 2 + kind))
    values = [bins.count, *(counted.stands_for[rows] for rows in measured[1:])]
    marks = [counted.stands_for[rows] for rows in marked]
    for kind, counts in enumerate((summaries.reused, summaries.unknown)):
        phase, rows = np.nonzero(counts)
        marked.append(rows + len(counted))
        mark.append(phase * 2 + kind)
        marks.append(counts[phase, rows])
    packed = np.concatenate(low)
    order = np.argsort(packed, kind="stable")
    return Cells(
        measured=np.concatenate(measured)[order],
        low=packed[order],
        values=np.concatenate(values)[order],
        marked=np.concatenate(marked),
        mark=np.concatenate(mark),
        marks=np.concatenate(marks),
    )


def _pack(metric: int | U8, buckets: I16) -> npt.NDArray[np.uint16]:
    # ZERO stands for itself below all others: 0, and every other bucket one higher.
    cells = np.maximum(buckets.astype(np.int64) + 1, 0).clip(max=sketch.BUCKET_LIMIT - 1)
    packed: npt.NDArray[np.uint16] = (cells | np.int64(metric) << BUCKET_BITS).astype(np.uint16)
    return packed
