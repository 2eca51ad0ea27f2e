"""Windows, against counting one by one."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest import sessions, sketch
from ingest.aggregate.catalog import Catalog
from ingest.aggregate.items import Counts
from ingest.aggregate.windows import fold
from ingest.model import DIMENSIONS, METRICS, OTHER, VIEWS, WINDOW_US, Processed
from ingest.ports import Rollups, SeriesRow
from tests.records import NOW_US, make_record

Key = tuple[int, str, tuple[str | None, ...], int]


def counts(records: Sequence[Processed]) -> list[Counts]:
    return [
        Counts(record.strings, record.series, record.counted, record.summaries, record.summary_bins)
        for record in records
    ]


def one_by_one(records: Sequence[Processed]) -> dict[Key, Counter[Any]]:
    """(app, view, values, window) → what is counted under which name."""
    found: dict[Key, Counter[Any]] = {}
    seen: dict[Key, set[int]] = {}
    for record in records:
        for row in range(len(record.counted)):
            series = int(record.counted.series[row])
            values = [record.strings[code] for code in record.series.values[:, series].tolist()]
            for view, dimensions in VIEWS.items():
                chosen = tuple(v if name in dimensions else None for name, v in zip(DIMENSIONS, values, strict=True))
                key = (int(record.series.app_id[series]), view, chosen, int(record.counted.window[row]))
                cell = found.setdefault(key, Counter())
                cell["spans"] += 1
                seen.setdefault(key, set()).add(int(record.counted.session[row]))
                cell["sessions"] = len(seen[key] - {0})
                cell["errors"] += int(record.counted.error[row])
                for metric, bucket in zip(METRICS, record.counted.buckets[:, row].tolist(), strict=True):
                    if metric != "duration" or bucket not in (sketch.REUSED, sketch.UNKNOWN):
                        cell[metric, bucket] += 1
    return found


def as_counted(rows: Sequence[SeriesRow], rollups: Rollups) -> dict[Key, Counter[Any]]:
    series = {row.series_id: row for row in rows}
    ends = np.cumsum(rollups.sizes.ravel()).reshape(rollups.sizes.shape)
    found: dict[Key, Counter[Any]] = {}
    for place in range(len(rollups)):
        row = series[int(rollups.series_id[place])]
        assert row.app_id == rollups.app_id[place]
        cell = Counter({"spans": int(rollups.spans[place]), "errors": int(rollups.errors[place])})
        for number, metric in enumerate(METRICS):
            if number:
                cell[metric, sketch.REUSED] = int(rollups.reused[number - 1, place])
                cell[metric, sketch.UNKNOWN] = int(rollups.unknown[number - 1, place])
            end, size = int(ends[place, number]), int(rollups.sizes[place, number])
            bins = rollups.bins[end - size : end]
            assert (np.diff(bins["bucket"]) > 0).all()
            cell.update({(metric, b): n for b, n in zip(bins["bucket"].tolist(), bins["count"].tolist(), strict=True)})
        cell["sessions"] = round(sessions.count(rollups.sessions[place]))
        key = (row.app_id, row.view, row.values, int(rollups.window[place]))
        assert key not in found
        found[key] = cell
    return found


@given(
    seeds=st.lists(st.integers(0, 1000), min_size=1, max_size=3, unique=True),
    spans=st.integers(0, 40),
    spread_us=st.sampled_from([1, 30_000_000, 7 * 86_400_000_000]),
    apps=st.integers(1, 2),
)
@settings(max_examples=40)
def test_every_view_counts_what_counting_one_by_one_counts(
    seeds: list[int], spans: int, spread_us: int, apps: int
) -> None:
    records = [make_record(seed, spans=spans, spread_us=spread_us, routes=3, app_id=1 + seed % apps) for seed in seeds]
    rows, rollups = fold(counts(records), Catalog(0, {}, 10_000))
    assert {key: +cell for key, cell in as_counted(rows, rollups).items()} == {
        key: +cell for key, cell in one_by_one(records).items()
    }


@given(seed=st.integers(0, 1000), limit=st.integers(1, 30))
@settings(max_examples=40)
def test_overflow_never_loses_a_span_and_never_exceeds_a_limit(seed: int, limit: int) -> None:
    records = [make_record(seed + number, spans=50, routes=30) for number in range(2)]
    catalog = Catalog(0, {}, limit)
    everything: list[SeriesRow] = []
    for record in records:
        rows, rollups = fold(counts([record]), catalog)
        catalog.add(rows)
        everything += rows
        view_of = {row.series_id: row.view for row in everything}
        spans = Counter[str]()
        for series_id, number in zip(rollups.series_id.tolist(), rollups.spans.tolist(), strict=True):
            spans[view_of[series_id]] += number
        assert set(spans.values()) == {50}
        assert len({*zip(rollups.series_id.tolist(), rollups.window.tolist(), strict=True)}) == len(rollups)
    ordinary = Counter(row.view for row in everything if OTHER not in row.values)
    assert max(ordinary.values()) <= limit
    assert len({row.series_id for row in everything}) == len(everything)


def test_series_ids_are_the_same_everywhere() -> None:
    record = make_record(1)
    rows, _ = fold(counts([record]), Catalog(0, {}, 1000))
    again, _ = fold(counts([make_record(2), record]), Catalog(0, {}, 1000))
    ids = {(row.app_id, row.view, row.values): row.series_id for row in again}
    assert all(ids[row.app_id, row.view, row.values] == row.series_id for row in rows)
    assert {row.view: row.series_id for row in rows}["all"] == 7561794463459860375


def test_series_known_on_the_day_are_not_new_again() -> None:
    catalog = Catalog(0, {}, 1000)
    rows, first = fold(counts([make_record(1)]), catalog)
    untouched, _ = fold(counts([make_record(1)]), catalog)
    assert len(untouched) == len(rows)
    catalog.add(rows)
    none, second = fold(counts([make_record(1)]), catalog)
    assert none == []
    assert first.series_id.tolist() == second.series_id.tolist()


def test_nothing_counted_gives_nothing() -> None:
    rows, rollups = fold(counts([make_record(1, spans=0)]), Catalog(0, {}, 10))
    assert (rows, len(rollups)) == ([], 0)


def test_late_spans_stay_in_the_window_they_belong_to() -> None:
    record = make_record(1, spread_us=3 * 86_400_000_000)
    _, rollups = fold(counts([record]), Catalog(0, {}, 10_000))
    assert set(rollups.window.tolist()) == set(record.counted.window.tolist())
    assert rollups.window.max() <= NOW_US // WINDOW_US
