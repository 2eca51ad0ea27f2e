"""A small seeded world of spans, and the rollups and samples that the aggregator would make of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

import asyncpg
import numpy as np

from ingest import sessions, sketch
from ingest.model import DIMENSIONS, METRICS, VIEWS

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
NOW_US = int(NOW.timestamp()) * 1_000_000
WINDOW_US = 10_000_000

VALUES: Mapping[str, Sequence[str]] = {
    "route": [f"GET api.shop.example/{name}" for name in ("orders/{id}", "cart", "search", "login")],
    "version": ["5.2.0", "5.2.1", "5.3.0"],
    "country": ["DE", "US", "unknown"],
    "device_class": ["low", "high", "unknown"],
    "network": ["wifi", "cell"],
    "os": ["android 14", "ios 18"],
}


@dataclass(frozen=True)
class World:
    """Every span that ever was, as columns."""

    app_id: int
    start_us: np.ndarray
    dims: Mapping[str, np.ndarray]
    metrics: Mapping[str, np.ndarray]
    """µs, with the marks of reused and unknown."""
    error: np.ndarray
    session: np.ndarray
    """Number of the session; 0: none."""

    def where(self, **filters: str | Sequence[str]) -> np.ndarray:
        """Mask of the spans with these values."""
        mask = np.ones(len(self.start_us), dtype=bool)
        for name, values in filters.items():
            mask &= np.isin(self.dims[name], [values] if isinstance(values, str) else list(values))
        return mask

    def since(self, seconds: int) -> np.ndarray:
        """Mask of the spans of the last seconds before NOW, in whole 10 s windows."""
        return self.start_us // WINDOW_US * WINDOW_US >= NOW_US - seconds * 1_000_000


def make(app_id: int, spans: int, seconds: int, seed: int) -> World:
    """Spans of the last `seconds` before NOW."""
    rng = np.random.default_rng(seed)
    dims = {}
    for name, values in VALUES.items():
        shares = 1.0 / np.arange(1, len(values) + 1)
        dims[name] = rng.choice(np.array(values), size=spans, p=shares / shares.sum())
    metrics = {"duration": rng.lognormal(11.5, 1.0, spans).astype(np.int64)}
    for metric in METRICS[1:]:
        metrics[metric] = rng.lognormal(9.0, 1.2, spans).astype(np.int64)
        dice = rng.random(spans)
        metrics[metric][dice < 0.3] = sketch.REUSED
        metrics[metric][dice < 0.1] = sketch.UNKNOWN
    metrics["tls"][rng.random(spans) < 0.05] = 0
    return World(
        app_id=app_id,
        start_us=NOW_US - rng.integers(1, seconds * 1_000_000, spans),
        dims=dims,
        metrics=metrics,
        error=rng.random(spans) < 0.04,
        session=rng.integers(1, spans + 1, spans),
    )


def series_id(app_id: int, view: str, values: Sequence[str]) -> int:
    """Any number that is the same for the same series."""
    text = "\0".join((str(app_id), view, *values))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def at(us: int) -> datetime:
    """µs since 1970 as a datetime."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(us))


def rollups(world: World, chosen: np.ndarray, part: int) -> tuple[dict[int, tuple], list[tuple]]:
    """Series rows by id, and rollup rows of the chosen spans, one partial per series and window."""
    series: dict[int, tuple] = {}
    rows: list[tuple] = []
    places = np.flatnonzero(chosen)
    windows = world.start_us // WINDOW_US * WINDOW_US
    for view, dimensions in VIEWS.items():
        cells: dict[tuple, list[int]] = {}
        for place in places:
            values = tuple(str(world.dims[name][place]) for name in dimensions)
            cells.setdefault((values, int(windows[place])), []).append(place)
        for (values, window), members in cells.items():
            key = series_id(world.app_id, view, values)
            given = dict(zip(dimensions, values, strict=True))
            series[key] = (world.app_id, key, view, *(given.get(name) for name in DIMENSIONS))
            rows.append(rollup(world, np.array(members), key, window, part))
    return series, rows


def rollup(world: World, members: np.ndarray, key: int, window: int, part: int) -> tuple[Any, ...]:
    """One partial."""
    phases = [world.metrics[metric][members] for metric in METRICS[1:]]
    return (
        world.app_id,
        key,
        at(window),
        part,
        len(members),
        int(world.error[members].sum()),
        [int((phase == sketch.REUSED).sum()) for phase in phases],
        [int((phase == sketch.UNKNOWN).sum()) for phase in phases],
        *(to_sketch(world.metrics[metric][members]) for metric in METRICS),
        to_session_sketch(world.session[members]),
    )


def to_sketch(values_us: np.ndarray) -> bytes | None:
    """A sketch at rest, None when nothing was measured."""
    measured = values_us[values_us >= 0]
    if not len(measured):
        return None
    buckets, counts = np.unique(sketch.bucket(measured), return_counts=True)
    bins = np.empty(len(buckets), dtype=sketch.Bins)
    bins["bucket"], bins["count"] = buckets, counts
    return bins.tobytes()


def to_session_sketch(sessions_seen: np.ndarray) -> bytes | None:
    """A sketch of distinct sessions at rest, None when there is none."""
    known = sessions_seen[sessions_seen > 0]
    return sessions.sketches(np.zeros(len(known), np.int64), known, 1)[0] or None


async def store(connection: asyncpg.Connection, world: World, chosen: np.ndarray, part: int) -> None:
    """Adds the rollups of the chosen spans to the finest tier, as one turn of the aggregator."""
    series, rows = rollups(world, chosen, part)
    await connection.executemany(
        f"INSERT INTO series (app_id, series_id, view, {', '.join(DIMENSIONS)})"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        list(series.values()),
    )
    await connection.copy_records_to_table("rollup_10s", records=rows)


def span_rows(world: World, weights: np.ndarray) -> list[tuple[Any, ...]]:
    """Rows of `span` for the spans of weight above 0; three consecutive spans make a trace."""
    rows = []
    for place in np.flatnonzero(weights > 0).tolist():
        dims = {name: str(world.dims[name][place]) for name in DIMENSIONS}
        trace = place // 3
        rows.append(
            {
                "app_id": world.app_id,
                "start_at": at(world.start_us[place]),
                "trace_id": (world.app_id << 64 | (trace + 1)).to_bytes(16, "big"),
                "span_id": (place + 1).to_bytes(8, "big"),
                "parent_span_id": None if place % 3 == 0 else (trace * 3 + 1).to_bytes(8, "big"),
                "name": f"span {place}",
                "kind": 3,
                "status": 2 if world.error[place] else 0,
                "duration_us": int(world.metrics["duration"][place]),
                "phases_us": [int(world.metrics[metric][place]) for metric in METRICS[1:]],
                "method": "GET",
                "http_status": None if world.error[place] else 200,
                **{name: None if value == "unknown" and name == "country" else value for name, value in dims.items()},
                "resource": '{"service": "shop"}',
                "attributes": '{"screen.id": "7"}',
                "events": '[{"name": "retry", "offset_us": 12}]',
                "links": "[]",
                "clock_quality": b"A",
                "clock_err_ms": 12,
                "weight": float(weights[place]),
                "randomness": place // 3 + 1,
                "stratum": "random",
                "session": f"{world.session[place]:020x}" if world.session[place] else None,
                "policy_version": 1,
            }
        )
    return rows


async def store_spans(connection: asyncpg.Connection, world: World, weights: np.ndarray) -> None:
    """Adds sampled spans, with partitions for their days."""
    rows = span_rows(world, weights)
    for day in sorted({row["start_at"].date() for row in rows}):
        await connection.execute(
            f"CREATE TABLE IF NOT EXISTS span_{day:%Y%m%d} PARTITION OF span"
            f" FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')"
        )
    await connection.copy_records_to_table("span", columns=list(rows[0]), records=[tuple(row.values()) for row in rows])
