"""The JSON of traces: spans, groups, clocks, path and links as answers write them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ingest.model import REUSED, UNKNOWN, ClockQuality, Kind, Origin, Phase, Status
from ingest.ports.traces import SpanLink
from ingest.query.first_byte import Split
from ingest.query.path_shares import share
from ingest.query.timeline import BACKEND
from ingest.query.times import rfc3339_us
from ingest.query.trace_shape import Shape
from ingest.query.trace_tree import NONE, Top

_INTERNAL = ("app_id", "start_us", "phases_us", "randomness", "clock_segment", "clock_offset_us")
"""Columns that are for reckoning, not for reading."""
MOST_PIECES = 1000
MOST_SHARES = 20
MOST_CLOCKS = 50
MOST_TIGHTENING = 10
MOST_SENDERS = 50


def id_text(span_id: int) -> str:
    """A span's id as it is written."""
    return f"{span_id:016x}"


def inclusion_probability(weight: float) -> float | None:
    """1 / weight; None for spans that others stand for already."""
    return 1.0 / weight if weight > 0 else None


def key_of(row: int, shape: Shape) -> tuple[Any, ...]:
    """What tells the stored span of a row from others, even of those that claim its id: see `stored_key`."""
    spans, strings = shape.read.spans, shape.read.strings
    ids = int(spans.span_id[row]), int(spans.parent_id[row])
    texts = (strings[codes[row]] for codes in (spans.name, spans.route, spans.session))
    return *ids, int(spans.start_us[row]), int(spans.duration_us[row]), *texts


def stored_key(span: Mapping[str, Any]) -> tuple[Any, ...]:
    """The same of a stored span."""
    ids = (int.from_bytes(span[name] or b"", "big") for name in ("span_id", "parent_span_id"))
    texts = (span[name] or "" for name in ("name", "route", "session"))
    return *ids, span["start_us"], max(span["duration_us"], 0), *texts


def span_text(span: Mapping[str, Any], row: int, shape: Shape) -> Mapping[str, Any]:
    """A span, as stored and as found in the trace."""
    parent = span["parent_span_id"]
    line, tree, top = shape.line, shape.tree, Top(shape.tree.top[row])
    return {
        **{name: value for name, value in span.items() if name not in _INTERNAL},
        "trace_id": span["trace_id"].hex(),
        "span_id": span["span_id"].hex(),
        "parent_span_id": parent.hex() if parent else None,
        "kind": Kind(span["kind"]).name.lower(),
        "status": Status(span["status"]).name.lower(),
        "start_at": rfc3339_us(span["start_us"]),
        "phases": phases_text(span["phases_us"]),
        "inclusion_probability": inclusion_probability(span["weight"]),
        "line": {
            "start_us": int(line.start_us[row]) - shape.begin_us,
            "shift_us": int(line.shift_us[row]),
            "err_us": _known(line.err_us[row]),
            "clock": int(line.clock[row]),
        },
        "first_byte": _first_byte(row, shape),
        "depth": int(tree.depth[row]),
        "children": int(tree.children_count[row]),
        "top": top.name.lower() if top else None,
        "shared_id": bool(tree.shared_id[row]),
    }


def phases_text(phases_us: Sequence[int]) -> Mapping[str, Any]:
    """Phases by name."""
    return {phase.name.lower(): _phase(us) for phase, us in zip(Phase, phases_us, strict=True)}


def _phase(us: int) -> Mapping[str, Any]:
    if us >= 0:
        return {"state": "measured", "us": us}
    return {"state": "reused" if us == REUSED else "unknown"}


def _known(value: Any) -> int | None:
    return None if value == UNKNOWN else int(value)


def _first_byte(row: int, shape: Shape) -> Mapping[str, Any] | None:
    found = shape.first_bytes
    state, server = Split(found.state[row]), int(found.server[row])
    if state == Split.NOT_LINKED:
        return None
    return {
        "state": state.name.lower(),
        "network_us": _known(found.network_us[row]),
        "server_us": _known(found.server_us[row]),
        "server_span_id": None if server == NONE else id_text(int(shape.read.spans.span_id[server])),
    }


def groups_text(groups: Iterable[int], shape: Shape) -> Sequence[Mapping[str, Any]]:
    """Folded groups."""
    spans, strings, found = shape.read.spans, shape.read.strings, shape.groups
    texts = []
    for group in groups:
        leader = int(found.leader[group])
        parent = int(spans.parent_id[leader])
        texts.append(
            {
                "like": id_text(int(spans.span_id[leader])),
                "parent_span_id": id_text(parent) if parent else None,
                "name": strings[spans.name[leader]],
                "route": strings[spans.route[leader]] or None,
                "depth": int(shape.tree.depth[leader]),
                "spans": int(found.spans[group]),
                "errors": int(found.errors[group]),
                "total_us": int(found.total_us[group]),
                "min_us": int(found.min_us[group]),
                "max_us": int(found.max_us[group]),
                "p95_us": int(found.p95_us[group]),
                "start_us": int(found.start_us[group]) - shape.begin_us,
                "end_us": int(found.end_us[group]) - shape.begin_us,
            }
        )
    return texts


def counts_text(shape: Shape) -> Mapping[str, int]:
    """How many spans there are, of which sort."""
    top = shape.tree.top
    return {
        "spans": len(shape.tree),
        "stored": shape.read.stored,
        "dropped": shape.read.dropped,
        "backend": int((shape.read.spans.origin == Origin.BACKEND).sum()),
        "errors": int(shape.read.spans.failed.sum()),
        "roots": int((top == Top.ROOT).sum()),
        "orphans": int((top == Top.ORPHAN).sum()),
        "cycles": int((top == Top.CYCLE).sum()),
        "shared_ids": int(shape.tree.shared_id.sum()),
    }


def senders_text(shape: Shape) -> Sequence[Mapping[str, Any]]:
    """Services, those with the most spans first."""
    spans = shape.read.spans
    pairs, counts = np.unique(np.stack([spans.origin.astype(np.int64), spans.service]), axis=1, return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_SENDERS]
    return [
        {
            "service": shape.read.strings[pairs[1, place]] or None,
            "origin": Origin(pairs[0, place]).name.lower(),
            "spans": int(counts[place]),
        }
        for place in order
    ]


def path_text(shape: Shape) -> Mapping[str, Any]:
    """The critical path; of too many pieces the longest."""
    path, ids = shape.path, shape.read.spans.span_id
    length = path.to_us - path.from_us
    longest = np.sort(np.argsort(-length, kind="stable")[:MOST_PIECES])
    return {
        "root": id_text(int(ids[shape.root])),
        "duration_us": int(length.sum()),
        "pieces": [
            {
                "span_id": id_text(int(ids[path.row[piece]])),
                "start_us": int(path.from_us[piece]) - shape.begin_us,
                "duration_us": int(length[piece]),
            }
            for piece in longest
        ],
        "omitted_pieces": len(path) - len(longest),
        "omitted_us": int(length.sum() - length[longest].sum()),
        **_shares(shape),
    }


def _shares(shape: Shape) -> Mapping[str, Any]:
    spans, strings = shape.read.spans, shape.read.strings
    found = share(shape.path, spans)
    return {
        "shares": [
            {
                "name": strings[spans.name[row]],
                "route": strings[spans.route[row]] or None,
                "service": strings[spans.service[row]] or None,
                "origin": Origin(spans.origin[row]).name.lower(),
                "spans": int(found.spans[place]),
                "us": int(found.us[place]),
                "longest": id_text(int(spans.span_id[row])),
            }
            for place, row in enumerate(found.longest[:MOST_SHARES].tolist())
        ],
        "other_shares_us": int(found.us[MOST_SHARES:].sum()),
    }


def clocks_text(shape: Shape) -> Sequence[Mapping[str, Any]]:
    """The clocks of clients, those with the most spans first."""
    line, spans = shape.line, shape.read.spans
    sizes = np.bincount(line.clock)
    sizes[BACKEND] = 0
    texts = []
    for clock in np.argsort(-sizes, kind="stable")[:MOST_CLOCKS].tolist():
        if not sizes[clock]:
            break
        rows = np.flatnonzero(line.clock == clock)
        shifts = line.shift_us[rows]
        below = np.flatnonzero(line.tightens & (line.clock[shape.tree.parent] == clock))
        stored = spans.clock_err_ms[rows]
        texts.append(
            {
                "clock": clock,
                "spans": len(rows),
                "grade": ClockQuality(spans.clock_quality[rows].max()).name,
                "err_before_us": None if (stored == UNKNOWN).any() else int(stored.max()) * 1000,
                "err_after_us": None if (line.err_us[rows] == UNKNOWN).any() else int(line.err_us[rows].max()),
                "shift_us": int(shifts[np.abs(shifts).argmax()]),
                "conflict": bool(line.conflict[clock]),
                "tightened_by": [id_text(int(span_id)) for span_id in spans.span_id[below[:MOST_TIGHTENING]]],
            }
        )
    return texts


def links_text(links: Iterable[SpanLink], more: bool, trace_link: str) -> Mapping[str, Any]:
    """Links, and whether there are more."""
    texts = [
        {
            "span_id": link.span_id.hex(),
            "name": link.name,
            "start_at": rfc3339_us(link.start_us),
            "kind": link.kind.name.lower(),
            "trace_id": link.trace_id.hex(),
            "linked_span_id": link.linked_span_id.hex() if link.linked_span_id else None,
            "external_url": external_url(link.trace_id, trace_link),
        }
        for link in links
    ]
    return {"links": texts, "more": more}


def external_url(trace_id: bytes, trace_link: str) -> str | None:
    """Where another tracing system shows the trace; None when none is set."""
    return trace_link.replace("{trace_id}", trace_id.hex()) if trace_link else None
