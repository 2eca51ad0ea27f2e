"""`Rollups` as the rows of COPY's binary format, built by numpy without a Python object per row or sketch.

The format (https://www.postgresql.org/docs/18/sql-copy.html): every tuple is a 16-bit field count and then, per field,
a 32-bit length (-1 for NULL) and the value as its type's send function writes it; integers are big-endian. Every part
here has an even length, so rows are laid out in 16-bit units.
"""

import numpy as np

from ingest.model import METRICS, Phase
from ingest.ports import Rollups
from ingest.store.binary_copy import POSTGRES_EPOCH_US

COLUMNS = ("app_id", "series_id", "window_at", "part", "spans", "errors", "reused", "unknown", *METRICS, "sessions")
"""In the order of the bytes."""

_INT8 = [("length", ">i4"), ("value", ">i8")]
INT8_ARRAY = [
    ("length", ">i4"),
    ("dimensions", ">i4"),
    ("nulls", ">i4"),
    ("type", ">i4"),
    ("size", ">i4"),
    ("lower", ">i4"),
    ("items", _INT8, (len(Phase),)),
]
"""A bigint[] by phase as array_send writes it."""
_FIXED = np.dtype(
    [
        ("fields", ">i2"),
        ("app_length", ">i4"),
        ("app_id", ">i4"),
        *((name, _INT8) for name in ("series_id", "window_at", "part", "spans", "errors")),
        ("reused", INT8_ARRAY),
        ("unknown", INT8_ARRAY),
    ]
)
_FIXED_UNITS = _FIXED.itemsize // 2
_LENGTH_UNITS = 2
_BIN_UNITS = 3
_REST, _BINS, _SESSIONS = range(3)


def rows(rollups: Rollups, part: int, width_us: int) -> bytes:
    """The rows without the file's header and trailer.

    Args:
        part: of all of them.
        width_us: of the windows.
    """
    count, fields = len(rollups), len(METRICS) + 1
    units = np.empty((count, fields), np.int64)
    units[:, :-1] = rollups.sizes * _BIN_UNITS
    units[:, -1] = [len(sketch) // 2 for sketch in rollups.sessions]
    # All but the sketches: per row its fixed part and the lengths of its sketches. Their contents go in between.
    rest = np.empty((count, _FIXED_UNITS + _LENGTH_UNITS * fields), "<u2")
    rest[:, :_FIXED_UNITS] = _fixed(rollups, part, width_us).view("<u2").reshape(count, _FIXED_UNITS)
    rest[:, _FIXED_UNITS:] = np.where(units > 0, units * 2, -1).astype(">i4").view("<u2")
    runs = np.empty((count, fields, 2), np.int64)
    runs[:, :, 0] = _LENGTH_UNITS
    runs[:, 0, 0] += _FIXED_UNITS
    runs[:, :, 1] = units
    kinds = np.tile(np.array([_REST, _BINS] * (fields - 1) + [_REST, _SESSIONS], np.uint8), count)
    kind = np.repeat(kinds, runs.ravel())
    laid_out = np.empty(len(kind), "<u2")
    laid_out[kind == _BINS] = np.ascontiguousarray(rollups.bins).view("<u2")
    laid_out[kind == _SESSIONS] = np.frombuffer(b"".join(rollups.sessions), "<u2")
    laid_out[kind == _REST] = rest.ravel()
    return laid_out.tobytes()


def _fixed(rollups: Rollups, part: int, width_us: int) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    fixed = np.zeros(len(rollups), _FIXED)
    fixed["fields"] = len(COLUMNS)
    fixed["app_length"], fixed["app_id"] = 4, rollups.app_id
    values = {
        "series_id": rollups.series_id,
        "window_at": rollups.window * width_us - POSTGRES_EPOCH_US,
        "part": part,
        "spans": rollups.spans,
        "errors": rollups.errors,
    }
    for name, value in values.items():
        fixed[name]["length"], fixed[name]["value"] = 8, value
    for name, marks in (("reused", rollups.reused), ("unknown", rollups.unknown)):
        fill_array(fixed[name], marks.T)
    return fixed


def fill_array(
    field: "np.ndarray[tuple[int], np.dtype[np.void]]", items: "np.ndarray[tuple[int, int], np.dtype[np.int64]]"
) -> None:
    """Writes (n, 8) numbers into n fields of type `INT8_ARRAY`."""
    oid_of_int8 = 20
    field["length"] = field.dtype.itemsize - 4
    field["dimensions"], field["type"], field["size"], field["lower"] = 1, oid_of_int8, len(Phase), 1
    field["items"]["length"], field["items"]["value"] = 8, items
