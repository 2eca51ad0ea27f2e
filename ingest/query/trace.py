"""GET /api/v1/traces/{trace_id}: the summary first, then its spans by page and depth, then one span."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from ingest.errors import UnknownPath
from ingest.query import trace_text as text
from ingest.query.call import Call
from ingest.query.parameters import APP, CURSOR, DEPTH, LIKE, PARENT, UNIT_LIMIT, BadParameter
from ingest.query.times import rfc3339_us
from ingest.query.trace_shape import MOST_ERRORS, WHOLE_SPANS, Shape, Unit, shape
from ingest.query.trace_tree import NONE

SUMMARY_PARAMETERS = (APP,)
PAGE_PARAMETERS = (APP, PARENT, LIKE, DEPTH, CURSOR, UNIT_LIMIT)
SPAN_PARAMETERS = (APP,)

MOST_OF_ONE_ID = 10


async def summary(call: Call) -> Mapping[str, Any]:
    """What to show of a trace at first sight.

    Raises:
        BadParameter: the id is not 32 hex digits.
        UnknownPath: the sample of this app holds no span of it.
    """
    trace_id = _trace_id(call)
    found = await _shape(call, trace_id)
    whole = len(found.tree) <= WHOLE_SPANS
    units, more = found.first_units()
    groups = range(len(found.groups)) if whole else [unit.group for unit in units if unit.group != NONE]
    rows = found.by_start(range(len(found.tree))) if whole else found.remarkable(units)
    read, failed = found.read, found.failed[:MOST_ERRORS]
    return {
        "trace_id": trace_id.hex(),
        "external_url": text.external_url(found.read.known_as, call.installation.trace_link),
        "start_at": rfc3339_us(found.begin_us),
        "duration_us": found.end_us - found.begin_us,
        "counts": text.counts_text(found),
        "senders": text.senders_text(found),
        "whole": whole,
        "spans": await _spans(call, trace_id, rows, found),
        "groups": text.groups_text(groups, found),
        "next": _cursor(units[-1].row, found) if more and not whole else None,
        "critical_path": text.path_text(found),
        "errors": [text.id_text(int(span_id)) for span_id in read.spans.span_id[failed]],
        "clocks": text.clocks_text(found),
        "links": text.links_text(read.links, read.more_links, call.installation.trace_link),
        "linked_from": text.links_text(read.linked_from, read.more_linked_from, call.installation.trace_link),
    }


async def spans(call: Call) -> Mapping[str, Any]:
    """A page of the trace's spans: what hangs below one, or the members of a group and what hangs below them.

    Raises:
        BadParameter: the trace's id, a span's id or the cursor is none of this trace.
        UnknownPath: the sample of this app holds no span of the trace.
    """
    trace_id = _trace_id(call)
    found = await _shape(call, trace_id)
    units = _units(call, found)
    limit = call.values["limit"]
    skipped = _after(call.values["cursor"], units, found)
    page = list(islice(units, skipped, skipped + limit))
    return {
        "trace_id": trace_id.hex(),
        "spans": await _spans(call, trace_id, [unit.row for unit in page if unit.group == NONE], found),
        "groups": text.groups_text([unit.group for unit in page if unit.group != NONE], found),
        "next": _cursor(page[-1].row, found) if skipped + limit < len(units) else None,
    }


async def span(call: Call) -> Mapping[str, Any]:
    """The span of an id, or the spans that claim it, and what points at it.

    Raises:
        BadParameter: an id is malformed.
        UnknownPath: the sample of this app holds no such span.
    """
    trace_id = _trace_id(call)
    given = call.path["span_id"]
    if not re.fullmatch(r"[0-9a-fA-F]{16}", given):
        raise BadParameter("span_id", "must be 16 hex digits.")
    found = await _shape(call, trace_id)
    rows = _claiming(int(given, 16), found)[:MOST_OF_ONE_ID]
    if not rows:
        raise UnknownPath("unknown_span", "The sample holds no such span of this trace, or no longer.")
    span_id = int(given, 16).to_bytes(8, "big")
    pointing = [link for link in found.read.linked_from if link.linked_span_id == span_id]
    return {
        "trace_id": trace_id.hex(),
        "spans": await _spans(call, trace_id, rows, found),
        "linked_from": text.links_text(pointing, found.read.more_linked_from, call.installation.trace_link),
    }


def _trace_id(call: Call) -> bytes:
    given = call.path["trace_id"]
    if not re.fullmatch(r"[0-9a-fA-F]{32}", given):
        raise BadParameter("trace_id", "must be 32 hex digits.")
    return bytes.fromhex(given)


async def _shape(call: Call, trace_id: bytes) -> Shape:
    read = await call.sources.reader.trace(call.app_id, trace_id)
    if read is None:
        raise UnknownPath("unknown_trace", "The sample holds no span of this trace, or no longer.")
    return await asyncio.to_thread(shape, read)


async def _spans(call: Call, trace_id: bytes, rows: Sequence[int], found: Shape) -> Sequence[Mapping[str, Any]]:
    """The spans of the rows, in that order; without those that went in the meantime."""
    ids = sorted({int(span_id) for span_id in found.read.spans.span_id[list(rows)]})
    names = [span_id.to_bytes(8, "big") for span_id in ids]
    stored = await call.sources.reader.trace_spans(call.app_id, (trace_id, found.read.known_as), names)
    waiting: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for each in reversed(stored):
        waiting.setdefault(text.stored_key(each), []).append(each)
    return [
        text.span_text(same.pop(), row, found) for row in rows if (same := waiting.get(text.key_of(row, found), []))
    ]


def _units(call: Call, found: Shape) -> Sequence[Unit]:
    """What is to be paged through."""
    like, parent, depth = (call.values[name] for name in ("like", "parent", "depth"))
    if like is None:
        below = len(found.tree) if parent is None else _row("parent", parent, found)
        return list(found.units(found.tree.children(below).tolist(), depth))
    if parent is not None:
        raise BadParameter("like", "and parent exclude each other.")
    row = _row("like", like, found)
    return list(found.units(found.alike(row), depth, opened=int(found.groups.of_row[row])))


def _row(name: str, span_id: int, found: Shape) -> int:
    rows = _claiming(span_id, found)
    if not rows:
        raise BadParameter(name, "must be the id of a span that the sample holds of this trace.")
    return rows[0]


def _claiming(span_id: int, found: Shape) -> list[int]:
    """Rows of the spans with this id, those with children first."""
    rows = np.flatnonzero(found.read.spans.span_id == span_id)
    ordered: list[int] = rows[np.lexsort((rows, -found.tree.children_count[rows]))].tolist()
    return ordered


def _cursor(row: int, found: Shape) -> str:
    """Where a page ended: by the span, so that spans that arrive between two pages move nothing."""
    span_id = int(found.read.spans.span_id[row])
    return f"{text.id_text(span_id)}{_claiming(span_id, found).index(row):04x}"


def _after(cursor: tuple[int, int] | None, units: Sequence[Unit], found: Shape) -> int:
    """How many units lie before the page."""
    if cursor is None:
        return 0
    claiming = _claiming(cursor[0], found)[cursor[1] :][:1]
    place = next((place for place, unit in enumerate(units) if unit.row in claiming), None)
    if place is None:
        raise BadParameter("cursor", "is of another page, or the trace has changed; begin with the first page.")
    return place + 1
