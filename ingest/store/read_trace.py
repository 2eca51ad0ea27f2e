"""Reading one trace: the columns of all its spans, what points where, and single spans whole."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import numpy as np
import orjson

from ingest.model import I32, I64, UNKNOWN, ClockQuality, LinkKind, Origin, Phase
from ingest.ports.traces import MOST_LINKS, MOST_SPANS, U64, SpanLink, TraceRead, TraceSpans
from ingest.store.read_samples import FAILED
from ingest.store.snapshot import micros

# $3: the id that the client gave the trace, by which backends know it, where the edge gave it the id $2.
_OF_TRACE = "app_id = $1 AND (trace_id = $2 OR (trace_id = $3 AND origin = 'backend'))"

SHAPE_COLUMNS = f"""
           span_id, coalesce(parent_span_id, '\\x0000000000000000') AS parent_id, name, route,
           resource->>'service' AS service, session, kind, origin, {FAILED} AS failed,
           (extract(epoch FROM start_at) * 1000000)::bigint AS start_us, duration_us,
           phases_us[{Phase.TTFB + 1}] AS ttfb_us, coalesce(server_us, {UNKNOWN}) AS server_us,
           ascii(clock_quality::text) AS clock_quality, coalesce(clock_err_ms, {UNKNOWN}) AS clock_err_ms,
           clock_conflict, clock_segment, clock_offset_us"""
"""What `to_columns` needs."""

_COLUMNS = f"""
    SELECT {SHAPE_COLUMNS} FROM span WHERE {_OF_TRACE} ORDER BY start_at, span_id LIMIT {MOST_SPANS}
"""  # noqa: S608 - holds no value

_STORED = f"""
    SELECT count(*) FROM (SELECT FROM span WHERE {_OF_TRACE} LIMIT {10 * MOST_SPANS}) AS found
"""  # noqa: S608 - holds no value

_LINKS = f"""
    SELECT trace_id, span_id, name, start_at, links FROM span
    WHERE app_id = $1 AND trace_id = $2 AND links <> '[]' ORDER BY start_at, span_id LIMIT {MOST_LINKS + 1}
"""  # noqa: S608 - holds no value
# Of a trace that everybody points at, any thousand pointers will do.
_LINKED_FROM = f"""
    SELECT * FROM (
        SELECT trace_id, span_id, name, start_at, links FROM span
        WHERE app_id = $1 AND trace_id NOT IN ($2, $3) AND links <> '[]' AND (links @> $4::jsonb OR links @> $5::jsonb)
        LIMIT 1000
    ) AS found ORDER BY start_at, trace_id, span_id LIMIT {MOST_LINKS + 1}
"""  # noqa: S608 - holds no value

_DROPPED = "SELECT coalesce(sum(spans), 0)::bigint FROM trace_overflow WHERE app_id = $1 AND trace_id = $2"

_WHOLE = f"""
    SELECT * FROM span WHERE {_OF_TRACE} AND span_id = ANY($4)
    ORDER BY start_at, span_id LIMIT {MOST_SPANS}
"""  # noqa: S608 - holds no value
_ORIGINS = {origin.name.lower(): origin for origin in Origin}
_JSON = ("resource", "attributes", "events", "links")


async def read_trace(connection: asyncpg.Connection, app_id: int, trace_id: bytes) -> TraceRead | None:
    """See `ingest.ports.Reader.trace`."""
    links = [link for row in await connection.fetch(_LINKS, app_id, trace_id) for link in _out(row)]
    ids = (app_id, trace_id, _known_as(trace_id, links))
    rows = await connection.fetch(_COLUMNS, *ids)
    if not rows:
        return None
    stored = len(rows) if len(rows) < MOST_SPANS else await connection.fetchval(_STORED, *ids)
    here = [orjson.dumps([{"trace_id": known.hex()}]).decode() for known in ids[1:]]
    back = [link for row in await connection.fetch(_LINKED_FROM, *ids, *here) for link in _back(row, ids[1:])]
    strings = {"": 0}
    spans = to_columns(rows, strings)
    return TraceRead(
        known_as=ids[2],
        strings=list(strings),
        spans=spans,
        stored=stored,
        dropped=await connection.fetchval(_DROPPED, app_id, trace_id),
        links=links[:MOST_LINKS],
        more_links=len(links) > MOST_LINKS,
        linked_from=back[:MOST_LINKS],
        more_linked_from=len(back) > MOST_LINKS,
    )


async def read_trace_spans(
    connection: asyncpg.Connection, app_id: int, trace_ids: tuple[bytes, bytes], span_ids: Sequence[bytes]
) -> Sequence[Mapping[str, Any]]:
    """See `ingest.ports.Reader.trace_spans`."""
    return [_whole(row) for row in await connection.fetch(_WHOLE, app_id, *trace_ids, span_ids)]


def _known_as(trace_id: bytes, links: Sequence[SpanLink]) -> bytes:
    """See `TraceRead.known_as`: the edge links a span that it renamed to the span's own id in the client's trace."""
    given = {link.trace_id for link in links if link.kind == LinkKind.EXTERNAL and link.linked_span_id == link.span_id}
    return given.pop() if len(given) == 1 else trace_id


def to_columns(rows: Sequence[asyncpg.Record], strings: dict[str, int]) -> TraceSpans:
    """At least one row of `SHAPE_COLUMNS` as columns; adds the strings they need."""
    column: Mapping[str, Sequence[Any]] = dict(zip(rows[0].keys(), zip(*rows, strict=True), strict=True))

    def codes(name: str) -> I32:
        return np.array([strings.setdefault(text or "", len(strings)) for text in column[name]], np.int32)

    def ids(name: str) -> U64:
        return np.frombuffer(b"".join(column[name]), ">u8").astype(np.uint64)

    def numbers(name: str) -> I64:
        return np.array(column[name], np.int64)

    return TraceSpans(
        span_id=ids("span_id"),
        parent_id=ids("parent_id"),
        name=codes("name"),
        route=codes("route"),
        service=codes("service"),
        session=codes("session"),
        kind=np.array(column["kind"], np.uint8),
        origin=np.array([_ORIGINS[origin] for origin in column["origin"]], np.uint8),
        failed=np.array(column["failed"], np.bool_),
        start_us=numbers("start_us"),
        duration_us=np.maximum(numbers("duration_us"), 0),
        ttfb_us=numbers("ttfb_us"),
        server_us=numbers("server_us"),
        clock_quality=np.array(column["clock_quality"], np.uint8) - ord(ClockQuality.A.name),
        clock_err_ms=numbers("clock_err_ms"),
        clock_conflict=np.array(column["clock_conflict"], np.bool_),
        clock_segment=numbers("clock_segment"),
        clock_offset_us=numbers("clock_offset_us"),
    )


def _out(row: asyncpg.Record) -> Sequence[SpanLink]:
    return [_link(row, bytes.fromhex(link["trace_id"]), link) for link in orjson.loads(row["links"])]


def _back(row: asyncpg.Record, here: Sequence[bytes]) -> Sequence[SpanLink]:
    known = {trace_id.hex() for trace_id in here}
    return [_link(row, row["trace_id"], link) for link in orjson.loads(row["links"]) if link["trace_id"] in known]


def _link(row: asyncpg.Record, trace_id: bytes, link: Mapping[str, str]) -> SpanLink:
    linked = bytes.fromhex(link["span_id"])
    return SpanLink(
        span_id=row["span_id"],
        trace_id=trace_id,
        linked_span_id=linked if any(linked) else None,
        kind=LinkKind[link.get("kind", LinkKind.SPAN.name).upper()],
        name=row["name"],
        start_us=micros(row["start_at"]),
    )


def _whole(row: asyncpg.Record) -> Mapping[str, Any]:
    span = dict(row)
    span["start_us"] = micros(span.pop("start_at"))
    span["clock_quality"] = span["clock_quality"].decode()
    for name in _JSON:
        span[name] = orjson.loads(span[name])
    return span
