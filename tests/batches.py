"""Builds `SpanBatch`es by hand: what a decoder would give, with every column at a default that a test may replace."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import numpy as np

from ingest.model import (
    UNKNOWN,
    Attributes,
    Bodies,
    ClockKind,
    Drops,
    Events,
    Kind,
    Links,
    Phase,
    Reception,
    Resources,
    SpanBatch,
    Spans,
    no_sketches,
)
from ingest.pipeline.strings import StringTable
from ingest.settings import AppPolicy, Limits, Policy, Sampling
from privacy import Ring

NOW_US = 1_790_000_000_000_000
DAY_US = 86_400_000_000


def policy(**sampling: Any) -> Policy:
    """A policy with default limits, seven days of retention and the given sampling."""
    return Policy(Limits(), Sampling(**sampling), ring=Ring(0, b"k" * 32), retention_us=7 * DAY_US)


def built_in(app_id: int) -> AppPolicy:
    """Every app under the built-in privacy policy."""
    del app_id
    return AppPolicy()


def reception(**given: Any) -> Reception:
    """A reception of app 1 at NOW_US."""
    return Reception(**({"app_id": 1, "received_at_us": NOW_US} | given))


def spans_of(spans: Sequence[dict[str, Any]], bodies: int = 1, **resource: Any) -> SpanBatch:
    """A batch of wall-clock spans, one resource a body; each dict names columns, text as text, `attributes` as a dict.

    `body` puts a span into a body other than the first.
    """
    table = StringTable()
    columns: dict[str, list[Any]] = {f.name: [] for f in fields(Spans)}
    owners: list[tuple[int, int, int]] = []
    for row, given in enumerate(spans):
        values = _span_defaults(row) | given
        for key, value in values.pop("attributes", {}).items():
            owners.append((row, table.code(key), table.code(value)))
        values["resource"] = values.pop("body", 0)
        for name, column in columns.items():
            column.append(table.code(values[name]) if name in Spans.CODES else values[name])
    resources = {f.name: np.full(bodies, UNKNOWN, dtype=np.int64) for f in fields(Resources)}
    resources |= {name: np.full(bodies, table.code(resource.get(name, "")), dtype=np.int32) for name in Resources.CODES}
    resources["body"] = np.arange(bodies, dtype=np.int32)
    resources["consent"] = np.full(bodies, resource.get("consent", 0), dtype=np.uint8)
    resources["reported"] = np.full(bodies, resource.get("reported", False), dtype=np.bool_)
    for name in ("memory_mb", "cores"):
        if name in resource:
            resources[name] = np.full(bodies, resource[name], dtype=np.int64)
    attributes = np.array(owners, dtype=np.int32).reshape(-1, 3)
    none = np.zeros(0, dtype=np.int32)
    sketches, sketch_bins = no_sketches()
    return SpanBatch(
        strings=table.strings,
        bodies=Bodies(
            batch_id=np.arange(16 * bodies, dtype=np.uint8).reshape(bodies, 16),
            clock=np.full(bodies, ClockKind.WALL, dtype=np.uint8),
            epoch=np.zeros(bodies, dtype=np.int32),
            sealed_mono_us=np.full(bodies, UNKNOWN, dtype=np.int64),
            sealed_wall_us=np.full(bodies, UNKNOWN, dtype=np.int64),
            steps=np.full(bodies, UNKNOWN, dtype=np.int64),
            sketched=np.zeros(bodies, dtype=np.bool_),
        ),
        resources=Resources(**resources),
        spans=_span_columns(columns, len(spans)),
        attributes=Attributes(*attributes.T),
        resource_attributes=Attributes(none, none, none),
        events=Events(none, none, none.astype(np.int64)),
        links=Links(none, np.zeros((0, 16), np.uint8), np.zeros((0, 8), np.uint8), none.astype(np.uint8)),
        drops=Drops(none, none, none.astype(np.int64)),
        sketches=sketches,
        sketch_bins=sketch_bins,
    )


def _span_defaults(row: int) -> dict[str, Any]:
    text = dict.fromkeys(Spans.CODES, "")
    return text | {
        "name": "GET",
        "method": "GET",
        "trace_id": (row + 1).to_bytes(16, "big"),
        "span_id": (row + 1).to_bytes(8, "big"),
        "parent_span_id": bytes(8),
        "signal": 0,
        "kind": Kind.CLIENT,
        "status": 0,
        "start_us": NOW_US - 1_000_000,
        "duration_us": 100_000,
        "phases_us": [UNKNOWN] * len(Phase),
        "http_status": 200,
        "request_bytes": UNKNOWN,
        "response_bytes": UNKNOWN,
        "threshold": UNKNOWN,
        "randomness": UNKNOWN,
        "repairs": 0,
    }


def _span_columns(columns: dict[str, list[Any]], count: int) -> Spans:
    ids = {"trace_id": 16, "span_id": 8, "parent_span_id": 8}
    arrays: dict[str, Any] = {}
    for name, column in columns.items():
        if name in ids:
            arrays[name] = np.frombuffer(b"".join(column), dtype=np.uint8).reshape(count, ids[name])
        elif name in {"signal", "kind", "status", "repairs"}:
            arrays[name] = np.array(column, dtype=np.uint8)
        elif name in Spans.CODES or name in {"resource", "http_status"}:
            arrays[name] = np.array(column, dtype=np.int32)
        elif name == "phases_us":
            arrays[name] = np.array(column, dtype=np.int64).reshape(count, len(Phase)).T.copy()
        else:
            arrays[name] = np.array(column, dtype=np.int64)
    return Spans(**arrays)
