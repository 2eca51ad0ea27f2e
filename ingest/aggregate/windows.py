"""Counted spans and clients' sketches of many records → partials of (series, window) for every view.

Pure and columnar. Series ids are computed for all combinations at once from 64-bit hashes of their values; groups come
from sorting integers; sketches are cut out of one sorted array of (group, metric, bucket). Python sees a combination
only on the day's first use of its series.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from ingest import sessions, sketch
from ingest.aggregate.catalog import U64, Catalog, hash_of
from ingest.aggregate.items import BUCKET_BITS, Cells, Counts, Items, itemise
from ingest.model import DIMENSIONS, I64, METRICS, OTHER, VIEWS, Phase, Signal
from ingest.ports import Rollups, SeriesRow

_METRIC_BITS = 4
_CELL_BITS = _METRIC_BITS + BUCKET_BITS
_MARKS = 2 * len(Phase)


@dataclass(frozen=True, slots=True)
class _Combinations:
    """The series of all records, one after the other."""

    app_id: npt.NDArray[np.int32]
    signal: npt.NDArray[np.uint8]
    hashes: U64
    """(6, c) by `DIMENSIONS`."""
    starts: I64
    """First row of each record."""
    records: Sequence[Counts]

    def row(self, place: int, series_id: int, view: str) -> SeriesRow:
        number = int(np.searchsorted(self.starts, place, side="right")) - 1
        record, within = self.records[number], place - int(self.starts[number])
        codes = record.series.values[:, within].tolist()
        values = [
            record.strings[code] if name in VIEWS[view] else None for name, code in zip(DIMENSIONS, codes, strict=True)
        ]
        return SeriesRow(int(self.app_id[place]), series_id, view, Signal(self.signal[place]), tuple(values))


@dataclass(frozen=True, slots=True)
class _Visits:
    """Every distinct (series, window, session): spans of one visit to a route add nothing to who was there."""

    item: npt.NDArray[np.intp]
    """Row of one of its items."""
    session: npt.NDArray[np.intp]
    """Row of `sessions`."""
    sessions: I64


def fold(records: Sequence[Counts], catalog: Catalog) -> tuple[list[SeriesRow], Rollups]:
    """The partials that these records add, for every view, and the series among them that are new on this day.

    The catalog is not changed: call `Catalog.add` once the series are stored.
    """
    records = [record for record in records if len(record.counted) or len(record.summaries)]
    if not records:
        return [], empty()
    combinations = _combine(records, catalog)
    items, cells = itemise(records, combinations.starts.tolist())
    windows, window_of_item = np.unique(items.window, return_inverse=True)
    visits = _visits_of(items, window_of_item, len(windows))
    rows: list[SeriesRow] = []
    parts: list[Rollups] = []
    for view in VIEWS:
        ids, first, place = np.unique(_series_ids(view, combinations), return_index=True, return_inverse=True)
        admitted, fresh = _admit(ids, first, view, combinations, catalog)
        rows += fresh
        if admitted is not ids:
            ids, joined, back = np.unique(admitted, return_index=True, return_inverse=True)
            first, place = first[joined], back[place]
        keys = place[items.series] * len(windows) + window_of_item
        distinct, group = _dense(keys, len(ids) * len(windows))
        series, window = np.divmod(distinct, len(windows))
        part = _count(items, cells, group, len(distinct))
        part = replace(part, sessions=_sketch_sessions(visits, group, len(distinct)))
        parts.append(
            replace(part, app_id=combinations.app_id[first[series]], series_id=ids[series], window=windows[window])
        )
    return rows, concat(parts)


def _series_ids(view: str, combinations: _Combinations) -> I64:
    """The id of the view's series for every combination: a hash of view, signal, app and values."""
    ids = _mix(_seeds(view)[combinations.signal], combinations.app_id.astype(np.uint64))
    for name in VIEWS[view]:
        ids = _mix(ids, combinations.hashes[DIMENSIONS.index(name)])
    return ids.view(np.int64)


def _seeds(view: str) -> U64:
    """Of each signal, what the ids of its series begin with; those of requests as before there were others."""
    names = [view if signal == Signal.REQUEST else f"{view} {signal.word}" for signal in Signal]
    return np.array([hash_of(name) for name in names], np.uint64)


def _overflow_row(app_id: int, signal: Signal, view: str) -> SeriesRow:
    """The series that counts what exceeds the view's limit."""
    ids = _mix(_seeds(view)[[signal]], np.array([app_id], np.uint64))
    for _ in VIEWS[view]:
        ids = _mix(ids, np.array([hash_of(OTHER)], np.uint64))
    values = tuple(OTHER if name in VIEWS[view] else None for name in DIMENSIONS)
    return SeriesRow(app_id, int(ids.view(np.int64)[0]), view, signal, values)


def empty() -> Rollups:
    """No partials."""
    none, phases = np.zeros(0, np.int64), np.zeros((len(Phase), 0), np.int64)
    return Rollups(
        app_id=none.astype(np.int32),
        series_id=none,
        window=none,
        spans=none,
        errors=none,
        reused=phases,
        unknown=phases,
        sizes=np.zeros((0, len(METRICS)), np.int64),
        bins=np.zeros(0, sketch.Bins),
        sessions=(),
    )


def concat(parts: Sequence[Rollups]) -> Rollups:
    """The partials of all parts, one after the other."""
    return Rollups(
        app_id=np.concatenate([part.app_id for part in parts]),
        series_id=np.concatenate([part.series_id for part in parts]),
        window=np.concatenate([part.window for part in parts]),
        spans=np.concatenate([part.spans for part in parts]),
        errors=np.concatenate([part.errors for part in parts]),
        reused=np.concatenate([part.reused for part in parts], axis=1),
        unknown=np.concatenate([part.unknown for part in parts], axis=1),
        sizes=np.concatenate([part.sizes for part in parts]),
        bins=np.concatenate([part.bins for part in parts]),
        sessions=[found for part in parts for found in part.sessions],
    )


def _combine(records: Sequence[Counts], catalog: Catalog) -> _Combinations:
    hashes = []
    for record in records:
        seen = np.zeros(len(record.strings), np.bool_)
        seen[record.series.values] = True
        hashes.append(catalog.hashes(record.strings, np.flatnonzero(seen))[record.series.values])
    sizes = [len(record.series) for record in records]
    return _Combinations(
        app_id=np.concatenate([record.series.app_id for record in records]),
        signal=np.concatenate([record.series.signal for record in records]),
        hashes=np.concatenate(hashes, axis=1),
        starts=np.cumsum([0, *sizes[:-1]]),
        records=records,
    )


def _admit(
    ids: I64, first: npt.NDArray[np.intp], view: str, combinations: _Combinations, catalog: Catalog
) -> tuple[I64, list[SeriesRow]]:
    """The ids with those that the view has no room for replaced by their app's overflow series, and the new rows."""
    rows: list[SeriesRow] = []
    room: dict[int, int] = {}
    overflow: dict[tuple[int, Signal], SeriesRow] = {}
    admitted = ids
    for place in catalog.unknown(ids):
        app_id = int(combinations.app_id[first[place]])
        if app_id not in room:
            room[app_id] = catalog.room(app_id, view)
        room[app_id] -= 1
        if room[app_id] >= 0:
            rows.append(combinations.row(int(first[place]), int(ids[place]), view))
            continue
        key = app_id, Signal(combinations.signal[first[place]])
        if key not in overflow:
            overflow[key] = _overflow_row(*key, view)
        if admitted is ids:
            admitted = ids.copy()
        admitted[place] = overflow[key].series_id
    rows += [row for row in overflow.values() if row.series_id not in catalog]
    return admitted, rows


def _dense(keys: npt.NDArray[np.intp], size: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """The distinct keys (< size), and for each key its place among them."""
    if size > 16 * len(keys) + 65_536:
        return np.unique(keys, return_inverse=True)
    # A table over all possible keys beats sorting while it is small; late data can span thousands of windows.
    present = np.zeros(size, np.bool_)
    present[keys] = True
    rank = np.cumsum(present) - 1
    return np.flatnonzero(present), rank[keys]


def _visits_of(items: Items, window_of_item: npt.NDArray[np.intp], windows: int) -> _Visits:
    known = np.flatnonzero(items.session)
    distinct, session_of = np.unique(items.session[known], return_inverse=True)
    place = items.series[known].astype(np.int64) * windows + window_of_item[known]
    _, first = np.unique(place * len(distinct) + session_of, return_index=True)
    return _Visits(known[first], session_of[first], distinct)


def _sketch_sessions(visits: _Visits, group: npt.NDArray[np.intp], groups: int) -> list[bytes]:
    """Who was in each group. A window holds few spans of most series, so most sketches are a handful of bytes."""
    keys, _ = _dense(group[visits.item] * len(visits.sessions) + visits.session, groups * len(visits.sessions))
    of_group, session = np.divmod(keys, max(len(visits.sessions), 1))
    return sessions.sketches(of_group, visits.sessions[session], groups)


def _count(items: Items, cells: Cells, group: npt.NDArray[np.intp], groups: int) -> Rollups:
    """The partials of these groups; app, series and window are the caller's to fill in."""
    marks = _sum(group[cells.marked] * _MARKS + cells.mark, cells.marks, groups * _MARKS)
    by_phase = marks.reshape(groups, len(Phase), 2)
    # The cells are in order within each group already. A stable sort of 16 bits is a radix sort, several times faster
    # than any other; a turn of more groups than that is a rare backlog.
    group_of_cell = group[cells.measured]
    order = np.argsort(group_of_cell.astype(np.uint16) if groups <= 1 << 16 else group_of_cell, kind="stable")
    keys = group_of_cell[order] << _CELL_BITS | cells.low[order]
    starts = np.flatnonzero(np.diff(keys, prepend=-1))
    distinct = keys[starts]
    bins = np.empty(len(starts), sketch.Bins)
    buckets = (distinct & (sketch.BUCKET_LIMIT - 1)).astype(np.int16) - np.int16(1)
    bins["bucket"] = np.where(buckets < 0, np.int16(sketch.ZERO), buckets)
    if len(starts):
        bins["count"] = np.minimum(np.add.reduceat(cells.values[order], starts), sketch.MOST)
    sizes = np.bincount(distinct >> BUCKET_BITS, minlength=groups << _METRIC_BITS).reshape(groups, 1 << _METRIC_BITS)
    return replace(
        empty(),
        spans=_sum(group, items.spans, groups),
        errors=_sum(group, items.errors, groups),
        reused=by_phase[:, :, 0].T,
        unknown=by_phase[:, :, 1].T,
        sizes=sizes[:, : len(METRICS)],
        bins=bins,
    )


def _sum(group: npt.NDArray[np.intp], counts: I64, groups: int) -> I64:
    """The sum of each group; below 2^53 a sum of doubles is exact."""
    return np.bincount(group, weights=counts, minlength=groups).astype(np.int64)


def _mix(state: U64, value: U64) -> U64:
    """Takes a value into the hash: xor, then a bijection after splitmix64's finisher; the order of values matters."""
    state = (state ^ value) * np.uint64(0x9E3779B97F4A7C15)
    state ^= state >> np.uint64(32)
    state *= np.uint64(0xD6E8FEB86659FD93)
    state ^= state >> np.uint64(32)
    return state
