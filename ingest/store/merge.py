"""Partials read back from a tier, and their sums per (series, window). Columnar; no I/O."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest import sessions, sketch
from ingest.model import I32, I64, METRICS, Phase
from ingest.ports import Rollups
from ingest.store import packed_rows
from ingest.store.binary_copy import POSTGRES_EPOCH_US
from ingest.store.plan import Tier
from ingest.store.rollup_rows import INT8_ARRAY
from ingest.store.snapshot import micros

SENT_COLUMNS = ", ".join(
    [
        "string_agg(int4send(app_id), '') AS app_id",
        *(f"string_agg(int8send({name}), '') AS {name}" for name in ("series_id", "spans", "errors")),
        "string_agg(timestamptz_send(window_at), '') AS window_at",
        *(f"string_agg(array_send({name}), '') AS {name}" for name in ("reused", "unknown")),
        *(f"string_agg({name}, '') AS {name}" for name in (*METRICS, "sessions")),
        *(
            f"string_agg(int4send(coalesce(octet_length({name}), 0)), '') AS {name}_bytes"
            for name in (*METRICS, "sessions")
        ),
    ]
)
"""Selects many partials as one row with one value per column: `Partials.received` reads it with numpy alone."""

_ARRAY = np.dtype(INT8_ARRAY[1:])
"""What array_send writes, without the length that COPY puts before it."""

PACKED_COLUMNS = f"app_id, series_id, {packed_rows.select(METRICS, marks=True, session_column='sessions')}"
"""Selects packed rows for `Partials.unpacked`."""


@dataclass(frozen=True, slots=True)
class Partials:
    """Partials as they stand in a tier."""

    app_id: I32
    series_id: I64
    start_us: I64
    """Start of the window, µs since 1970."""
    spans: I64
    errors: I64
    reused: I64
    """(8, n), as `unknown`."""
    unknown: I64
    sizes: I64
    """(9, n) bins of each sketch."""
    bins: tuple[npt.NDArray[np.void], ...]
    """By metric, the bins of all rows."""
    sessions: Sequence[bytes]
    """(n,) `ingest.sessions`; empty when none had one."""

    def __len__(self) -> int:
        return len(self.series_id)

    @classmethod
    def received(cls, row: Any) -> "Partials":
        """Of a row of `SENT_COLUMNS`."""

        def numbers(name: str, kind: str) -> npt.NDArray[Any]:
            return np.frombuffer(row[name] or b"", kind)

        def marks(name: str) -> I64:
            arrays = np.frombuffer(row[name] or b"", _ARRAY)
            return arrays["items"]["value"].reshape(-1, len(Phase)).T.astype(np.int64)

        sizes = np.stack([numbers(f"{name}_bytes", ">i4") for name in METRICS]) // sketch.Bins.itemsize
        return cls(
            app_id=numbers("app_id", ">i4").astype(np.int32),
            series_id=numbers("series_id", ">i8").astype(np.int64),
            start_us=numbers("window_at", ">i8").astype(np.int64) + POSTGRES_EPOCH_US,
            spans=numbers("spans", ">i8").astype(np.int64),
            errors=numbers("errors", ">i8").astype(np.int64),
            reused=marks("reused"),
            unknown=marks("unknown"),
            sizes=sizes.astype(np.int64),
            bins=tuple(np.frombuffer(row[name] or b"", sketch.Bins) for name in METRICS),
            sessions=sessions.split(row["sessions"] or b"", numbers("sessions_bytes", ">i4")),
        )

    @classmethod
    def unpacked(cls, rows: Sequence[Any], tier: Tier) -> "Partials":
        """Of rows of `PACKED_COLUMNS`, one partial for each window."""
        windows = packed_rows.Windows(rows)

        def column(name: str) -> I64:
            return np.array([row[name] for row in rows], np.int64)[windows.row]

        stretch_us = np.array([micros(row["stretch_at"]) for row in rows], np.int64)
        return cls(
            app_id=column("app_id").astype(np.int32),
            series_id=column("series_id"),
            start_us=stretch_us[windows.row] + windows.window * tier.width_us,
            spans=windows.numbers("spans")[0],
            errors=windows.numbers("errors")[0],
            reused=windows.numbers("reused", len(Phase)),
            unknown=windows.numbers("unknown", len(Phase)),
            sizes=windows.lengths(windows.numbers("bin_ends", len(METRICS))),
            bins=tuple(np.frombuffer(windows.strung(name), sketch.Bins) for name in METRICS),
            sessions=sessions.split(windows.strung("sessions"), windows.lengths(windows.numbers("session_ends"))[0]),
        )

    def join(self, other: "Partials") -> "Partials":
        """The rows of both."""
        return Partials(
            app_id=np.concatenate([self.app_id, other.app_id]),
            series_id=np.concatenate([self.series_id, other.series_id]),
            start_us=np.concatenate([self.start_us, other.start_us]),
            spans=np.concatenate([self.spans, other.spans]),
            errors=np.concatenate([self.errors, other.errors]),
            reused=np.concatenate([self.reused, other.reused], axis=1),
            unknown=np.concatenate([self.unknown, other.unknown], axis=1),
            sizes=np.concatenate([self.sizes, other.sizes], axis=1),
            bins=tuple(np.concatenate(pair) for pair in zip(self.bins, other.bins, strict=True)),
            sessions=[*self.sessions, *other.sessions],
        )


def merge(partials: Partials, width_us: int, *, at_least: int = 1) -> Rollups:
    """One row per (series, window of this width): the sum of at least so many partials; others are left out."""
    windows = partials.start_us // width_us
    series, series_of = np.unique(partials.series_id, return_inverse=True)
    starts, start_of = np.unique(windows, return_inverse=True)
    keys, first, group, members = np.unique(
        series_of * len(starts) + start_of, return_index=True, return_inverse=True, return_counts=True
    )
    chosen = members >= at_least
    count = int(chosen.sum())
    # Groups left out share one number beyond the last and are cut off in the end.
    group = np.where(chosen, np.cumsum(chosen) - 1, count)[group]
    bins, sizes = _merge_sketches(partials, group, count)
    return Rollups(
        app_id=partials.app_id[first[chosen]],
        series_id=series[keys[chosen] // len(starts)],
        window=starts[keys[chosen] % len(starts)],
        spans=_sum(partials.spans, group, count),
        errors=_sum(partials.errors, group, count),
        reused=np.stack([_sum(row, group, count) for row in partials.reused]),
        unknown=np.stack([_sum(row, group, count) for row in partials.unknown]),
        sizes=sizes,
        bins=bins,
        sessions=_merge_sessions(partials.sessions, group, count),
    )


def _sum(values: I64, group: npt.NDArray[np.intp], count: int) -> I64:
    total = np.zeros(count + 1, np.int64)
    np.add.at(total, group, values)
    return total[:count]


def _merge_sessions(parts: Sequence[bytes], group: npt.NDArray[np.intp], count: int) -> list[bytes]:
    of_group: list[list[bytes]] = [[] for _ in range(count + 1)]
    for number, part in zip(group.tolist(), parts, strict=True):
        of_group[number].append(part)
    return [sessions.merge(members) for members in of_group[:count]]


def _merge_sketches(partials: Partials, group: npt.NDArray[np.intp], count: int) -> tuple[npt.NDArray[np.void], I64]:
    metrics = len(METRICS)
    keys, counts = [], []
    for metric, (bins, sizes) in enumerate(zip(partials.bins, partials.sizes, strict=True)):
        # ZERO (-3) stays below all others.
        pair = np.repeat(group, sizes) * metrics + metric
        keys.append(pair * sketch.BUCKET_LIMIT + (bins["bucket"].astype(np.int64) - sketch.ZERO))
        counts.append(bins["count"].astype(np.int64))
    key, bin_count = np.concatenate(keys), np.concatenate(counts)
    within = key < count * metrics * sketch.BUCKET_LIMIT
    key, bin_count = key[within], bin_count[within]
    # Every sketch is in order already, and the stable sort merges such runs.
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.diff(key, prepend=-1))
    merged = np.empty(len(starts), sketch.Bins)
    merged["bucket"] = key[starts] % sketch.BUCKET_LIMIT + sketch.ZERO
    if len(starts):
        merged["count"] = np.minimum(np.add.reduceat(bin_count[order], starts), sketch.MOST)
    sizes = np.bincount(key[starts] // sketch.BUCKET_LIMIT, minlength=count * metrics)
    return merged, sizes.reshape(count, metrics)
