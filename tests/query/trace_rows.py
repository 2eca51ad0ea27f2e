"""Traces for tests: written as a few named spans, as columns for the pure parts and as rows for the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import numpy as np
import orjson

from ingest.model import UNKNOWN, ClockQuality, Kind, Origin, Phase
from ingest.ports.traces import TraceRead, TraceSpans
from tests.query.world import NOW_US, at

TRACE_ID = bytes.fromhex("4bf92f3577b34da6a3ce929d0e0e4736")
START_US = NOW_US - 600_000_000
"""What spans count their starts from."""


@dataclass(frozen=True)
class Made:
    """One span; starts and durations in µs, starts from `START_US`."""

    id: int
    parent: int = 0
    start: int = 0
    us: int = 1000
    name: str = "span"
    route: str | None = None
    service: str = "app"
    session: str | None = "s1"
    kind: Kind = Kind.CLIENT
    backend: bool = False
    failed: bool = False
    ttfb: int = UNKNOWN
    server_us: int | None = None
    err_ms: int | None = None
    segment: int = 0
    offset: int = 0
    trace_id: bytes = TRACE_ID
    links: Sequence[Mapping[str, str]] = field(default_factory=tuple)
    weight: float = 1.0
    signal: str = "request"
    attributes: Mapping[str, str] = field(default_factory=dict)


def server(id: int, parent: int, start: int, us: int, **rest: Any) -> Made:  # noqa: A002 - as in Made
    """A backend span that answers a client span."""
    given = {"service": "shop-api", "session": None, "err_ms": 100, **rest}
    return Made(id, parent, start, us, kind=Kind.SERVER, backend=True, **given)


def columns(made: Sequence[Made]) -> TraceRead:
    """The spans as the store would answer them."""
    made = sorted(made, key=lambda span: (span.start, span.id))
    strings = {"": 0}

    def codes(texts: Sequence[str | None]) -> np.ndarray:
        return np.array([strings.setdefault(text or "", len(strings)) for text in texts], np.int32)

    def numbers(values: Sequence[int | None]) -> np.ndarray:
        return np.array([UNKNOWN if value is None else value for value in values], np.int64)

    spans = TraceSpans(
        span_id=np.array([span.id for span in made], np.uint64),
        parent_id=np.array([span.parent for span in made], np.uint64),
        name=codes([span.name for span in made]),
        route=codes([span.route for span in made]),
        service=codes([span.service for span in made]),
        session=codes([span.session for span in made]),
        kind=np.array([span.kind for span in made], np.uint8),
        origin=np.array([Origin.BACKEND if span.backend else Origin.CLIENT for span in made], np.uint8),
        failed=np.array([span.failed for span in made], np.bool_),
        start_us=START_US + numbers([span.start for span in made]),
        duration_us=numbers([span.us for span in made]),
        ttfb_us=numbers([span.ttfb for span in made]),
        server_us=numbers([span.server_us for span in made]),
        clock_quality=np.full(len(made), ClockQuality.B, np.uint8),
        clock_err_ms=numbers([span.err_ms for span in made]),
        clock_conflict=np.zeros(len(made), np.bool_),
        clock_segment=numbers([span.segment for span in made]),
        clock_offset_us=numbers([span.offset for span in made]),
    )
    return TraceRead(TRACE_ID, list(strings), spans, len(made), 0, (), False, (), False)


async def store(connection: asyncpg.Connection, made: Sequence[Made], app_id: int = 1) -> None:
    """Adds the spans to the table, with partitions for their days."""
    rows = [_row(span, app_id) for span in made]
    for day in sorted({row["start_at"].date() for row in rows}):
        await connection.execute(
            f"CREATE TABLE IF NOT EXISTS span_{day:%Y%m%d} PARTITION OF span"
            f" FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')"
        )
    await connection.copy_records_to_table("span", columns=list(rows[0]), records=[tuple(row.values()) for row in rows])


def _row(span: Made, app_id: int) -> dict[str, Any]:
    phases = [UNKNOWN] * len(Phase)
    phases[Phase.TTFB] = span.ttfb
    return {
        "app_id": app_id,
        "start_at": at(START_US + span.start),
        "trace_id": span.trace_id,
        "span_id": span.id.to_bytes(8, "big"),
        "parent_span_id": span.parent.to_bytes(8, "big") if span.parent else None,
        "name": span.name,
        "route": span.route,
        "kind": span.kind,
        "status": 2 if span.failed else 0,
        "duration_us": span.us,
        "phases_us": phases,
        "device_class": "unknown",
        "session": span.session,
        "resource": orjson.dumps({"service": span.service}).decode(),
        "attributes": orjson.dumps(dict(span.attributes)).decode(),
        "signal": span.signal,
        "events": "[]",
        "links": orjson.dumps(list(span.links)).decode(),
        "clock_quality": b"B",
        "clock_err_ms": span.err_ms,
        "clock_segment": span.segment,
        "clock_offset_us": span.offset,
        "origin": "backend" if span.backend else "client",
        "server_us": span.server_us,
        "weight": span.weight,
        "stratum": "random",
        "policy_version": 0,
    }
