"""Totals of every route since counting began, fed by the compactor from what it folds.

Exactly once, because it happens in the transaction that moves the cursor of the finest tier: every partial is folded
once, and then it is counted here. Retention never touches a total. What is new waits beside it until it is of enough
sessions (`Gain.sessions`); a route has a row of its own from then on, while there is room, and keeps it, so that no
span ever leaves one total for another.
"""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg
import numpy as np

from ingest import sessions
from ingest.errors import Unavailable
from ingest.model import OTHER, Signal
from ingest.ports.totals import BOUNDS_US, EXPORTED, MOST_ROUTES, RouteTotal, bound_of, sum_us
from ingest.store.merge import Partials
from ingest.store.snapshot import snapshot

WAITS = timedelta(days=1)
"""A route that never had enough sessions in this time is counted under `{other}`."""
_MOST_STALE = 1000
_BARS = len(BOUNDS_US) + 1
_COLUMNS = ("spans", "errors", "sum_us", "buckets")


class Key(NamedTuple):
    """Whose total it is."""

    app_id: int
    signal: str
    route: str

    @property
    def other(self) -> "Key":
        """Of all routes without a row of their own."""
        return Key(self.app_id, self.signal, OTHER)


@dataclass(slots=True)
class Gain:
    """A number of spans that add up."""

    spans: int = 0
    errors: int = 0
    sum_us: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * _BARS)
    sessions: bytes = b""

    def add(self, other: "Gain") -> None:
        """Counts the spans of the other as well."""
        self.spans += other.spans
        self.errors += other.errors
        self.sum_us += other.sum_us
        self.buckets = [ours + theirs for ours, theirs in zip(self.buckets, other.buckets, strict=True)]
        self.sessions = sessions.merge([self.sessions, other.sessions])


@dataclass(slots=True)
class Total:
    """What is told of a route, and what is not yet."""

    told: Gain
    new: Gain
    new_since: datetime


def gains(partials: Partials, key_of: Mapping[int, Key]) -> dict[Key, Gain]:
    """What the partials of these series add, by key."""
    series, series_of = np.unique(partials.series_id, return_inverse=True)
    keys = list(dict.fromkeys(key_of[each] for each in series.tolist() if each in key_of))
    number = {key: place for place, key in enumerate(keys)}
    group_of_series = np.array([number[key_of[each]] if each in key_of else -1 for each in series.tolist()], np.int64)
    group = group_of_series[series_of] if len(series) else np.zeros(0, np.int64)
    ours = np.flatnonzero(group >= 0)
    bins = partials.bins[0]
    of_bin = np.repeat(group, partials.sizes[0])
    bins, of_bin = bins[of_bin >= 0], of_bin[of_bin >= 0]
    bucket, count = bins["bucket"].astype(np.int64), bins["count"].astype(np.float64)
    buckets = np.bincount(of_bin * _BARS + bound_of(bucket), weights=count, minlength=len(keys) * _BARS)
    sums = np.bincount(of_bin, weights=sum_us(bucket, count), minlength=len(keys))
    spans, errors = (
        np.bincount(group[ours], weights=column[ours], minlength=len(keys))
        for column in (partials.spans, partials.errors)
    )
    seen: list[list[bytes]] = [[] for _ in keys]
    for row in ours.tolist():
        seen[group[row]].append(partials.sessions[row])
    return {
        key: Gain(
            int(spans[place]),
            int(errors[place]),
            float(sums[place]),
            buckets.reshape(-1, _BARS)[place].astype(np.int64).tolist(),
            sessions.merge(seen[place]),
        )
        for key, place in number.items()
    }


def settle(
    rows: MutableMapping[Key, Total],
    gained: Mapping[Key, Gain],
    own: MutableMapping[tuple[int, str], int],
    least_of: Callable[[int], int | None],
    now: datetime,
) -> None:
    """Adds what was gained, tells what may be told, and takes rows of routes away that are counted under `{other}`.

    Args:
        rows: those of `gained`, of `{other}`, and those that have waited too long; as stored.
        own: (app, signal) → how many routes have a row with something told.
        least_of: app → how many sessions a change must be of; None: nobody knows now.
    """
    for key, gain in gained.items():
        _row(rows, key, now).new.add(gain)
    for key in [key for key in rows if key.route != OTHER]:
        row, of = rows[key], (key.app_id, key.signal)
        first = not row.told.spans
        if first and now - row.new_since > WAITS:
            _row(rows, key.other, now).new.add(rows.pop(key).new)
        elif _may_be_told(row, least_of(key.app_id)):
            if first and own.get(of, 0) >= MOST_ROUTES:
                _row(rows, key.other, now).new.add(rows.pop(key).new)
                continue
            own[of] = own.get(of, 0) + first
            _tell(row, now)
    for key in [key for key in rows if key.route == OTHER]:
        if _may_be_told(rows[key], least_of(key.app_id)):
            _tell(rows[key], now)


def _row(rows: MutableMapping[Key, Total], key: Key, now: datetime) -> Total:
    row = rows.setdefault(key, Total(Gain(), Gain(), now))
    if not row.new.spans:
        row.new_since = now
    return row


def _may_be_told(row: Total, least: int | None) -> bool:
    return row.new.spans > 0 and least is not None and (least <= 1 or sessions.count(row.new.sessions) >= least)


def _tell(row: Total, now: datetime) -> None:
    row.told.add(row.new)
    row.told.sessions = b""
    row.new, row.new_since = Gain(), now


async def count(connection: Any, partials: Partials, least_of: Callable[[int], int], now: datetime) -> None:
    """Counts partials of the finest tier, in the transaction in which they are folded."""
    found = await connection.fetch(
        "SELECT series_id, app_id, signal, route FROM series"
        " WHERE app_id = ANY($1::int[]) AND series_id = ANY($2::bigint[]) AND view = 'route' AND signal = ANY($3)",
        np.unique(partials.app_id).tolist(),
        np.unique(partials.series_id).tolist(),
        [signal.word for signal in EXPORTED],
    )
    gained = gains(partials, {row["series_id"]: Key(row["app_id"], row["signal"], row["route"]) for row in found})
    if not gained:
        return
    apps = sorted({key.app_id for key in gained})
    stored = await _stored(connection, gained, apps, now)
    own = await connection.fetch(
        "SELECT app_id, signal, count(*) AS routes FROM route_total"
        " WHERE app_id = ANY($1::int[]) AND spans > 0 AND route <> $2 GROUP BY 1, 2",
        apps,
        OTHER,
    )
    rows = dict(stored)
    least = {app_id: _least(least_of, app_id) for app_id in apps}
    settle(rows, gained, {(row["app_id"], row["signal"]): row["routes"] for row in own}, least.get, now)
    await connection.executemany(
        "DELETE FROM route_total WHERE app_id = $1 AND signal = $2 AND route = $3",
        [key for key in stored if key not in rows],
    )
    await connection.executemany(_STORE, [_arguments(key, total, now) for key, total in rows.items()])


def _least(least_of: Callable[[int], int], app_id: int) -> int | None:
    try:
        return least_of(app_id)
    except Unavailable:
        return None


_STORED = f"""
    SELECT route_total.* FROM route_total JOIN unnest($1::int[], $2::text[], $3::text[])
    AS wanted (app_id, signal, route) USING (app_id, signal, route)
    UNION SELECT * FROM route_total WHERE app_id = ANY($4::int[]) AND route = $5
    UNION (SELECT * FROM route_total WHERE app_id = ANY($4::int[]) AND spans = 0 AND new_since < $6 LIMIT {_MOST_STALE})
"""  # noqa: S608 - holds no value
_STORE = """
    INSERT INTO route_total (app_id, signal, route, spans, errors, sum_us, buckets,
                             new_spans, new_errors, new_sum_us, new_buckets, new_sessions, new_since, gained_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    ON CONFLICT (app_id, signal, route) DO UPDATE SET
        spans = excluded.spans, errors = excluded.errors, sum_us = excluded.sum_us, buckets = excluded.buckets,
        new_spans = excluded.new_spans, new_errors = excluded.new_errors, new_sum_us = excluded.new_sum_us,
        new_buckets = excluded.new_buckets, new_sessions = excluded.new_sessions, new_since = excluded.new_since,
        gained_at = excluded.gained_at
"""


def _arguments(key: Key, total: Total, now: datetime) -> tuple[Any, ...]:
    told, new = ([getattr(gain, name) for name in _COLUMNS] for gain in (total.told, total.new))
    return (*key, *told, *new, total.new.sessions or None, total.new_since, now)


async def _stored(connection: Any, gained: Mapping[Key, Gain], apps: Sequence[int], now: datetime) -> dict[Key, Total]:
    rows = await connection.fetch(
        _STORED,
        *map(list, zip(*gained, strict=True)),
        apps,
        OTHER,
        now - WAITS,
    )
    return {
        Key(row["app_id"], row["signal"], row["route"]): Total(
            _gain(row, ""),
            _gain(row, "new_", row["new_sessions"] or b""),
            row["new_since"],
        )
        for row in rows
    }


def _gain(row: asyncpg.Record, prefix: str, seen: bytes = b"") -> Gain:
    spans, errors, duration_us, buckets = (row[f"{prefix}{name}"] for name in _COLUMNS)
    return Gain(spans, errors, duration_us, buckets, seen)


class PostgresTotals:
    """Implements `ingest.ports.totals.Totals`."""

    def __init__(self, pool: "asyncpg.Pool[Any]") -> None:
        self._pool = pool

    async def totals(self, app_id: int) -> Sequence[RouteTotal]:
        """The totals of an app that have something to tell."""
        async with snapshot(self._pool) as connection:
            rows = await connection.fetch(
                "SELECT signal, route, spans, errors, sum_us, buckets FROM route_total"
                " WHERE app_id = $1 AND spans > 0 ORDER BY signal, route",
                app_id,
            )
        return [RouteTotal(Signal[row["signal"].upper()], *tuple(row)[1:]) for row in rows]
