"""Answers as columns: for whatever draws, computes or writes tables, without any library for them."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from ingest.client.answers import Latency

Columns = dict[str, list[Any]]
"""Name → values, all of one length."""

_COUNTS = ("spans", "errors", "measured", "reused", "unknown")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def columns(rows: Sequence[Struct]) -> Columns:
    """Rows of an answer, e.g. `(await client.routes()).routes`; members of objects are named like `group.os`."""
    flat = [_flat(asdict(row)) for row in rows]
    names = dict.fromkeys(name for row in flat for name in row)
    return {name: [row.get(name) for row in flat] for name in names}


def latency_columns(latency: Latency) -> Columns:
    """One row for each point of each group: `at`, dimensions, counts, and quantiles as `p50`, `p99.9`, in µs."""
    points = [(group.group, point) for group in latency.groups for point in group.points]
    dimensions = dict.fromkeys(name for group in latency.groups for name in group.group)
    return {
        "at": [point.at for _, point in points],
        **{name: [group[name] for group, _ in points] for name in dimensions},
        **{name: [getattr(point, name) for _, point in points] for name in _COUNTS},
        **{
            f"p{quantile * 100:.7g}": [point.quantiles[place] for _, point in points]
            for place, quantile in enumerate(latency.quantiles)
        },
    }


def csv_text(table: Columns) -> str:
    """The columns as CSV, with a head.

    Text that a spreadsheet would take for a formula gets a `'` before it: clients choose what routes and versions are
    called.
    """
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(table)
    writer.writerows(map(_cell, row) for row in zip(*table.values(), strict=True))
    return written.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value.isoformat() if hasattr(value, "isoformat") else value


def _flat(row: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in row.items():
        members = asdict(value) if isinstance(value, Struct) else value
        if isinstance(members, Mapping):
            flat |= {f"{name}.{inner}": each for inner, each in _flat(members).items()}
        else:
            flat[name] = value
    return flat
