"""A trace holds only so many spans: what a client, or a stranger who knows its id, adds beyond is counted, not stored.

Sizes of all traces of a day would not fit into memory, and asking the store about each would cost more than storing it.
So the aggregator remembers roughly how much every recent trace has gained, and asks the store only about those that
have gained much. What it forgets it counts anew: a trace that trickles in over days may grow past the limit by
`LOOK_FROM` spans each time; readers have a bound of their own.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from ingest.model import I64, U8, Kept, Mask, Origin, Stratum
from ingest.outcome import Note, Outcome
from ingest.ports import LedgerRow, Sampled, TraceOverflow, Update

LOOK_FROM = 500
"""Spans that a trace must have gained for the store to be asked how many it holds."""
REMEMBERED = 200_000
"""Traces whose gain is remembered: at least half as many as this, at most as many."""
RESERVE = 10
"""One part in so many beyond the limit is for roots, errors and what users reported."""

TraceKey = tuple[int, bytes]
"""(app_id, trace_id)"""


class TraceSizes:
    """Roughly how many spans each recent trace has gained, in bounded memory."""

    def __init__(self, remembered: int = REMEMBERED, look_from: int = LOOK_FROM) -> None:
        self._half, self._look_from = remembered // 2, look_from
        self._recent: dict[int, int] = {}
        self._older: dict[int, int] = {}

    def add(self, sampled: Sequence[Sampled]) -> set[TraceKey]:
        """Takes note of these spans; returns the traces of theirs that have gained much."""
        suspects: set[TraceKey] = set()
        for each in sampled:
            hashes = _hashes(each)
            distinct, first, counts = np.unique(hashes, return_index=True, return_counts=True)
            for key, row, count in zip(distinct.tolist(), first.tolist(), counts.tolist(), strict=True):
                gained = self._recent.pop(key, 0) or self._older.get(key, 0)
                self._recent[key] = gained + count
                if gained + count >= self._look_from:
                    suspects.add((int(each.app_id[row]), each.kept.batch.spans.trace_id[row].tobytes()))
            if len(self._recent) > self._half:
                self._older, self._recent = self._recent, {}
        return suspects


def limit_traces(update: Update, sizes: Mapping[TraceKey, int], limit: int) -> Update:
    """The update without the spans that would make a trace larger than it may be; they count as counted only.

    The least telling ones go first: roots, errors and reported spans may use a reserve that others may not.

    Args:
        sizes: spans stored of each trace that may be too large.
    """
    left_out: dict[TraceKey, int] = {}
    ledger: dict[tuple[int, int, str], int] = {}
    sampled: list[Sampled] = []
    room = dict(sizes)
    for each in update.sampled:
        stay = np.ones(len(each.app_id), dtype=np.bool_)
        for key, rows in _rows_of(each, sizes):
            chosen = _choose(each, rows, room[key], limit)
            stay[rows[~chosen]] = False
            room[key] += int(chosen.sum())
            left_out[key] = left_out.get(key, 0) + int((~chosen).sum())
        if stay.all():
            sampled.append(each)
            continue
        _enter(ledger, each, ~stay)
        kept = Kept(each.kept.batch.select(stay), each.kept.assigned.take(stay))
        sampled.append(
            replace(
                each,
                app_id=each.app_id[stay],
                kept=kept,
                policy_version=each.policy_version[stay],
                received_hour=each.received_hour[stay],
            )
        )
    if not ledger:
        return update
    return replace(
        update,
        sampled=[each for each in sampled if len(each.app_id)],
        ledger=[*_merged(update.ledger, ledger)],
        overflows=[TraceOverflow(*key, spans) for key, spans in left_out.items() if spans],
    )


def _hashes(sampled: Sampled) -> I64:
    """64 bits of each span's app and trace."""
    halves = np.ascontiguousarray(sampled.kept.batch.spans.trace_id).view(np.int64).reshape(-1, 2)
    hashes: I64 = (
        (halves[:, 0] * np.int64(0x9E3779B97F4A7C1 | 1)) ^ halves[:, 1] ^ (sampled.app_id.astype(np.int64) << 40)
    )
    return hashes


def _rows_of(sampled: Sampled, sizes: Mapping[TraceKey, int]) -> Iterator[tuple[TraceKey, I64]]:
    trace_ids: U8 = sampled.kept.batch.spans.trace_id
    for app_id, trace_id in sizes:
        rows = np.flatnonzero(
            (sampled.app_id == app_id) & (trace_ids == np.frombuffer(trace_id, dtype=np.uint8)).all(axis=1)
        )
        if len(rows):
            yield (app_id, trace_id), rows


def _choose(sampled: Sampled, rows: I64, stored: int, limit: int) -> Mask:
    """Which of these spans of one trace may stay."""
    spans, assigned = sampled.kept.batch.spans.take(rows), sampled.kept.assigned.take(rows)
    telling: Mask = np.isin(assigned.stratum, (Stratum.ERROR, Stratum.REPORTED))
    telling |= ~np.any(spans.parent_span_id, axis=1)
    order = np.argsort(~telling, kind="stable")
    place = np.empty(len(rows), dtype=np.int64)
    place[order] = np.arange(len(rows))
    chosen: Mask = stored + place < np.where(telling, limit + limit // RESERVE, limit)
    return chosen


def _enter(ledger: dict[tuple[int, int, str], int], sampled: Sampled, gone: Mask) -> None:
    hours = sampled.received_hour[gone].tolist()
    backend = (sampled.kept.assigned.origin[gone] == Origin.BACKEND).tolist()
    for app_id, hour, of_backend in zip(sampled.app_id[gone].tolist(), hours, backend, strict=True):
        instead = Outcome.NOT_SAMPLED if of_backend else Outcome.COUNTED_ONLY
        for outcome, spans in ((Outcome.KEPT.label, -1), (instead.label, 1), (f"noted:{Note.TRACE_FULL.label}", 1)):
            ledger[app_id, hour, outcome] = ledger.get((app_id, hour, outcome), 0) + spans


def _merged(rows: Sequence[LedgerRow], changes: Mapping[tuple[int, int, str], int]) -> Iterator[LedgerRow]:
    sums = {(row.app_id, row.hour, row.outcome): row.spans for row in rows}
    for key, spans in changes.items():
        sums[key] = sums.get(key, 0) + spans
    return (LedgerRow(*key, spans) for key, spans in sums.items() if spans)
