"""Rollups packed by stretches of time: laid out for COPY, and read back. Columnar; no I/O.

A row of a packed table holds all windows of a series and stretch. The numbers of its windows are arrays, the sketches
of a metric one string with the place where each window's bins end. So a metric over a day is read in one piece, and
rows that lie by time do not cost a page for every window.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ingest import sessions, sketch
from ingest.model import I64, METRICS
from ingest.ports import Rollups
from ingest.store.binary_copy import POSTGRES_EPOCH_US
from ingest.store.plan import Tier

COLUMNS = (
    "app_id",
    "series_id",
    "stretch_at",
    "windows",
    "spans",
    "errors",
    "reused",
    "unknown",
    "bin_ends",
    *METRICS,
    "sessions",
    "session_ends",
    "session_heads",
)
"""In the order of the bytes."""
HEAD_SESSIONS = 5
"""Heads tell up to so many sessions from each other: what policies want if nobody says otherwise."""
HEAD_BYTES = sessions.head_bytes(HEAD_SESSIONS)
"""Of each sketch of sessions, what stands a second time in `session_heads`."""
ARRAYS = ("windows", "spans", "errors", "reused", "unknown", "bin_ends", "session_ends")

_ITEMS = {"windows": ">i2", "bin_ends": ">i4", "session_ends": ">i4"}
_OIDS = {">i2": 21, ">i4": 23, ">i8": 20}
_HEAD = np.dtype([(name, ">i4") for name in ("dimensions", "nulls", "type", "size", "lower")])
"""Of an array as array_send writes it; a length and the value of each item follow."""
_FIXED = np.dtype(
    [
        ("fields", ">i2"),
        *((f"{name}{part}", kind) for name, kind in (("app", ">i4"), ("series", ">i8"), ("stretch", ">i8"))
          for part, kind in (("_length", ">i4"), ("", kind))),
    ]
)  # fmt: skip
_REST, _BINS, _SESSIONS = range(3)


def session_column(least: int, *, whole: bool = False) -> str | None:
    """The column that tells whether so many sessions were there; None: nobody asks.

    Args:
        whole: the sketches are to be counted, too.
    """
    if whole or least > HEAD_SESSIONS:
        return "sessions"
    return "session_heads" if least > 1 else None


def select(metrics: Sequence[str], *, marks: bool, session_column: str | None) -> str:
    """What to select of a packed table for `Windows`."""
    names = ["windows", "spans", "errors"]
    names += ["reused", "unknown"] if marks else []
    names += ["bin_ends"] if metrics else []
    names += ["session_ends"] if session_column else []
    arrays = [f"array_send({name}) AS {name}" for name in names]
    return ", ".join(["stretch_at", *arrays, *metrics, *([session_column] if session_column else [])])


class Windows:
    """The windows of packed rows, row by row."""

    def __init__(self, rows: Sequence[Any]) -> None:
        """Args:
        rows: of what `select` selects.
        """
        self._rows = rows
        arrays = self._bytes("windows")
        counts = (np.array([len(array) for array in arrays], np.int64) - _HEAD.itemsize) // _item("windows").itemsize
        self.counts = counts
        """(r,) windows of each row."""
        self.row = np.repeat(np.arange(len(rows)), counts)
        """(w,) its row."""
        self.window = self.numbers("windows")[0]
        """(w,) counted from the start of the stretch."""

    def numbers(self, name: str, each: int = 1) -> I64:
        """(each, w) what an array column holds, so many items for every window."""
        item = _item(name)
        strung = np.frombuffer(b"".join(self._bytes(name)), np.uint16)
        head, units = _HEAD.itemsize // 2, item.itemsize // 2
        items = self.counts * each
        sizes = items * units + head
        first = np.cumsum(sizes) - sizes
        mask = np.ones(len(strung), np.bool_)
        mask[(first[:, np.newaxis] + np.arange(head)).ravel()] = False
        return strung[mask].view(item)["value"].astype(np.int64).reshape(-1, each).T

    def lengths(self, ends: I64) -> I64:
        """(each, w) the lengths that end there, each row's beginning at 0."""
        lengths = np.diff(ends, axis=1, prepend=0)
        first = np.cumsum(self.counts) - self.counts
        lengths[:, first] = ends[:, first]
        return lengths

    def strung(self, name: str) -> bytes:
        """A column of sketches, the windows' one after the other."""
        return b"".join(self._bytes(name))

    def _bytes(self, name: str) -> list[bytes]:
        return [row[name] or b"" for row in self._rows]


def _item(name: str) -> np.dtype[np.void]:
    return np.dtype([("length", ">i4"), ("value", _ITEMS.get(name, ">i8"))])


def runs(starts: I64, sizes: I64) -> I64:
    """The places start, start + 1, … of runs of these sizes, one after the other."""
    ends = np.cumsum(sizes)
    return np.asarray(np.repeat(starts - ends + sizes, sizes) + np.arange(int(ends[-1]) if len(ends) else 0), np.int64)


def rows(rollups: Rollups, tier: Tier) -> bytes:
    """The rows without the file's header and trailer.

    Args:
        rollups: one row per series and window of the tier, in this order.
    """
    per_stretch = tier.stretch_us // tier.width_us
    stretch, window = np.divmod(rollups.window, per_stretch)
    begins = np.ones(len(rollups), np.bool_)
    begins[1:] = (np.diff(rollups.series_id) != 0) | (np.diff(stretch) != 0)
    first = np.flatnonzero(begins)
    counts = np.diff(np.append(first, len(rollups)))
    row = np.cumsum(begins) - 1

    session_sizes = np.array([len(each) for each in rollups.sessions], np.int64)
    sizes = np.column_stack([rollups.sizes, session_sizes])
    ends = np.cumsum(sizes, axis=0)
    ends -= (ends - sizes)[first][row]
    totals = np.add.reduceat(sizes, first, axis=0) if len(first) else sizes

    fixed = np.zeros(len(first), _FIXED)
    fixed["fields"] = len(COLUMNS)
    fixed["app_length"], fixed["app"] = 4, rollups.app_id[first]
    fixed["series_length"], fixed["series"] = 8, rollups.series_id[first]
    fixed["stretch_length"], fixed["stretch"] = 8, stretch[first] * tier.stretch_us - POSTGRES_EPOCH_US
    before = [
        _Column.fixed(fixed),
        _Column.array("windows", window[:, np.newaxis], counts),
        _Column.array("spans", rollups.spans[:, np.newaxis], counts),
        _Column.array("errors", rollups.errors[:, np.newaxis], counts),
        _Column.array("reused", rollups.reused.T, counts),
        _Column.array("unknown", rollups.unknown.T, counts),
        _Column.array("bin_ends", ends[:, :-1], counts),
    ]
    bytes_of = totals * np.array([sketch.Bins.itemsize] * len(METRICS) + [1])
    lengths = np.where(bytes_of > 0, bytes_of, -1).astype(">i4")
    between = [_Column.fixed(np.ascontiguousarray(lengths[:, [number]])) for number in range(len(METRICS) + 1)]
    after = _Column.joined([_Column.array("session_ends", ends[:, -1:], counts), _heads(rollups.sessions, first)])
    return _lay_out(before, between, after, bytes_of // 2, (_by_row_and_metric(rollups, row), rollups.sessions))


def _heads(sketches: Sequence[bytes], first: I64) -> "_Column":
    """`session_heads` with its length.

    Args:
        first: (r,) window of each row.
    """
    heads = [sketch[:HEAD_BYTES] for sketch in sketches]
    sizes = np.array([len(head) for head in heads], np.int64)
    of_row = np.add.reduceat(sizes, first) if len(first) else sizes
    lengths = np.where(of_row > 0, of_row, -1).astype(">i4")
    strung = np.frombuffer(b"".join(heads), np.uint16)
    return _Column.joined([_Column.fixed(lengths[:, np.newaxis]), _Column(strung, of_row // 2)])


def _by_row_and_metric(rollups: Rollups, row: I64) -> npt.NDArray[np.void]:
    """All bins, of each packed row the first metric's of all windows, then the second's."""
    metrics = len(METRICS)
    order = np.argsort((row[:, np.newaxis] * metrics + np.arange(metrics)).ravel(), kind="stable")
    sizes = rollups.sizes.ravel()
    starts = np.cumsum(sizes) - sizes
    return rollups.bins[runs(starts[order], sizes[order])]


class _Column:
    """Bytes of each row, in 16-bit units strung together."""

    def __init__(self, units: npt.NDArray[np.uint16], sizes: I64) -> None:
        self.units, self.sizes = units, sizes

    @classmethod
    def fixed(cls, items: npt.NDArray[Any]) -> "_Column":
        """The same number of bytes in every row."""
        units = items.view(np.uint16).ravel()
        return cls(units, np.full(len(items), len(units) // max(len(items), 1)))

    @classmethod
    def array(cls, name: str, values: I64, counts: I64) -> "_Column":
        """An array column with its length: of each window one or several items, of each row so many windows."""
        each = values.shape[1]
        kind = _ITEMS.get(name, ">i8")
        items = np.empty(values.size, _item(name))
        items["length"], items["value"] = np.dtype(kind).itemsize, values.ravel()
        heads = np.zeros(len(counts), [("length", ">i4"), *_HEAD.descr])
        heads["length"] = _HEAD.itemsize + counts * each * items.itemsize
        heads["dimensions"], heads["type"], heads["size"], heads["lower"] = 1, _OIDS[kind], counts * each, 1
        return cls.joined([cls.fixed(heads), cls(items.view(np.uint16), counts * each * items.itemsize // 2)])

    @classmethod
    def joined(cls, columns: Sequence["_Column"]) -> "_Column":
        """One after the other within each row."""
        sizes = np.stack([column.sizes for column in columns], axis=1)
        flat = sizes.ravel()
        starts = (np.cumsum(flat) - flat).reshape(sizes.shape)
        units = np.empty(int(flat.sum()), np.uint16)
        for number, column in enumerate(columns):
            units[runs(starts[:, number], column.sizes)] = column.units
        return cls(units, sizes.sum(axis=1))


def _lay_out(
    before: Sequence[_Column],
    between: Sequence[_Column],
    after: _Column,
    units: I64,
    sketches: tuple[npt.NDArray[np.void], Sequence[bytes]],
) -> bytes:
    """Puts the sketches in between: they are most of it, and are not worth an index for every unit.

    Args:
        between: the length of each sketch column.
        units: (r, 10) of these columns.
    """
    rest = _Column.joined([*before, *between, after])
    sizes = np.empty((len(units), 2 * len(between) + 1), np.int64)
    sizes[:, 0:-1:2] = np.stack([column.sizes for column in between], axis=1)
    sizes[:, 0] += sum(column.sizes for column in before)
    sizes[:, 1::2] = units
    sizes[:, -1] = after.sizes
    kinds = np.array([_REST, _BINS] * len(METRICS) + [_REST, _SESSIONS, _REST], np.uint8)
    kind = np.repeat(np.tile(kinds, len(units)), sizes.ravel())
    laid_out = np.empty(len(kind), np.uint16)
    laid_out[kind == _REST] = rest.units
    laid_out[kind == _BINS] = sketches[0].view(np.uint16)
    laid_out[kind == _SESSIONS] = np.frombuffer(b"".join(sketches[1]), np.uint16)
    return laid_out.tobytes()
