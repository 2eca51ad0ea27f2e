"""`Rows` → `SpanBatch`: everything that is done once per micro-batch instead of once per span."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingest.decode.otlp_attributes import RESOURCE, SPAN
from ingest.decode.otlp_grid import compose_urls, divide_resources, ints, spread
from ingest.decode.otlp_phases import MOMENTS, measure_phases
from ingest.decode.otlp_rows import FIRST_NAME, Codes, Rows
from ingest.decode.otlp_signals import tell_spans
from ingest.model import (
    I32,
    I64,
    U8,
    UNKNOWN,
    Attributes,
    Bodies,
    ClockKind,
    ConsentState,
    Drops,
    Events,
    Kind,
    LinkKind,
    Links,
    Mask,
    Phase,
    Resources,
    Signal,
    SpanBatch,
    Spans,
    Status,
    no_sketches,
)

_NONE: Final = np.zeros(0, dtype=np.int32)
_NO_CODE: Final = -1
_CONNECT_START: Final = MOMENTS.index("connectStart")
_FETCH: Final = MOMENTS.index("fetchStart")
_SECURE: Final = MOMENTS.index("secureConnectionStart")


@dataclass(frozen=True, slots=True)
class LaidOut:
    """What was read, in columns, before anything is made of it."""

    grid: I64
    """(columns, n) by the names of `Rows.span_pairs`."""
    attributes: Attributes
    resource: I64
    """(n,)"""
    resources: Resources
    resource_attributes: Attributes


def build_batch(rows: Rows, batch_ids: Sequence[bytes]) -> SpanBatch:
    """The micro-batch in columns.

    Args:
        rows: what the readers read; bad bodies undone.
        batch_ids: 16 bytes for every body, bad ones too.
    """
    laid = lay_out(rows)
    events, phases = _events(rows, laid.grid)
    signal = tell_spans(rows, laid.grid[SPAN.row["url"]], laid.attributes)
    if signal.any():
        phases[:, signal != Signal.REQUEST] = UNKNOWN
    return assemble(rows, batch_ids, laid, replace(span_columns(rows, laid, phases), signal=signal), events)


def lay_out(rows: Rows) -> LaidOut:
    """Spreads the attributes; nothing is read any more."""
    rows.finish()
    grid, attributes = spread(rows.span_pairs, *_attributes_of_spans(rows), len(rows.names))
    resource, resources, resource_attributes = _resources(rows, grid)
    compose_urls(grid, rows.codes)
    return LaidOut(grid, attributes, resource, resources, resource_attributes)


def assemble(rows: Rows, batch_ids: Sequence[bytes], laid: LaidOut, spans: Spans, events: Events) -> SpanBatch:
    """The batch of these spans."""
    sketches, sketch_bins = no_sketches()
    batch = SpanBatch(
        bodies=_bodies(batch_ids),
        resources=laid.resources,
        spans=spans,
        attributes=laid.attributes,
        resource_attributes=laid.resource_attributes,
        events=events,
        links=_links(rows),
        drops=Drops(body=_NONE, reason=_NONE, spans=np.zeros(0, dtype=np.int64)),
        sketches=sketches,
        sketch_bins=sketch_bins,
        strings=(strings := list(rows.codes)),
    )
    _blank_unused(strings, batch)
    return batch


def _resources(rows: Rows, spans: I64) -> tuple[I64, Resources, Attributes]:
    """Row of each span's resource, the resources, and their attributes."""
    count = len(rows.resource_body)
    owner = np.repeat(np.arange(count), ints(rows.resource_id_counts))
    grid, attributes = spread(rows.resource_pairs, ints(rows.resource_ids), owner, count)
    resource = np.repeat(np.arange(count), ints(rows.resource_spans))
    resource, grid, attributes, origin = divide_resources(spans, resource, grid, attributes, len(rows.codes))
    return resource, _resource_columns(rows, grid, ints(rows.resource_body)[origin]), attributes


def _blank_unused(strings: list[str], batch: SpanBatch) -> None:
    """Blanks text that no column refers to: stages scrub columns, and what no stage sees must not be in the table."""
    tables = (batch.resources, batch.spans, batch.attributes, batch.resource_attributes, batch.events)
    unused = np.ones(len(strings), dtype=np.bool_)
    unused[np.concatenate([getattr(table, name) for table in tables for name in table.CODES])] = False
    for code in unused.nonzero()[0].tolist():
        strings[code] = ""


def _attributes_of_spans(rows: Rows) -> tuple[I64, I64]:
    """(pair, span) of every attribute, those of exceptions and status messages included."""
    pairs = ints(rows.pair_ids)
    owner = np.repeat(np.arange(len(rows.names)), ints(rows.pair_counts))
    extra = list(rows.extra)
    if rows.exceptions:
        kinds = ints(rows.event_kinds)
        thrown = np.flatnonzero(kinds < 0)
        span_of_event = np.repeat(np.arange(len(rows.names)), ints(rows.event_counts))
        # The first of a span is the one that counts; a second would only say the same names again.
        for span, first in zip(*np.unique(span_of_event[thrown], return_index=True), strict=True):
            extra.extend((int(span), pair) for pair in rows.exceptions[-1 - int(kinds[thrown[first]])])
    if extra:
        more = np.array(extra, dtype=np.int64)
        pairs, owner = np.concatenate([pairs, more[:, 1]]), np.concatenate([owner, more[:, 0]])
    return pairs, owner


def _events(rows: Rows, spans: I64) -> tuple[Events, I64]:
    """The events that are no phase boundaries, and the phases (8, n) made of those that are."""
    count = len(rows.names)
    phases = np.full((len(Phase), count), UNKNOWN, dtype=np.int64)
    kinds = ints(rows.event_kinds)
    if not kinds.size:
        return no_events(), phases
    owner = np.repeat(np.arange(count), ints(rows.event_counts))
    at = np.frombuffer(rows.event_times, dtype=np.uint64).view(np.int64)
    moments = np.flatnonzero((kinds >= 0) & (kinds < FIRST_NAME))
    if moments.size:
        stamps = np.zeros((len(MOMENTS), count), dtype=np.int64)
        stamps[kinds[moments], owner[moments]] = at[moments]
        http, https = schemes(rows.codes, spans[SPAN.row["url"]], stamps)
        phases = measure_phases(stamps, http, https, spans[SPAN.row["wire_size"]] == rows.codes.get("0", _NO_CODE))

    named = np.flatnonzero(kinds >= FIRST_NAME)
    start = np.frombuffer(rows.starts, dtype=np.uint64).view(np.int64)[owner[named]]
    timed = (at[named] > 0) & (start > 0)
    return Events(
        owner=owner[named].astype(np.int32),
        name=(kinds[named] - FIRST_NAME).astype(np.int32),
        offset_us=np.where(timed, (at[named] - start) // 1000, UNKNOWN),
    ), phases


def no_events() -> Events:
    """Of spans without any."""
    return Events(owner=_NONE, name=_NONE, offset_us=np.zeros(0, dtype=np.int64))


def schemes(codes: Codes, url: I64, stamps: I64) -> tuple[Mask, Mask]:
    """Which spans went over plain http and which over https, where no TLS stamp tells it."""
    http, https = np.zeros((2, len(url)), dtype=np.bool_)
    untold = np.flatnonzero((stamps[_CONNECT_START] > 0) & (stamps[_SECURE] < np.maximum(stamps[_FETCH], 1)))
    if untold.size:
        strings = list(codes)
        for span in untold.tolist():
            scheme = strings[url[span]][:6].lower()
            http[span], https[span] = scheme.startswith("http:"), scheme == "https:"
    return http, https


def span_columns(rows: Rows, laid: LaidOut, phases: I64) -> Spans:
    """The spans as they were sent, with these phases."""
    count, grid, names = len(rows.names), laid.grid, rows.span_pairs.names
    start_us, duration_us = _times(rows)
    text = grid[: len(names.texts)].astype(np.int32)
    threshold = np.full(count, UNKNOWN, dtype=np.int64)
    randomness = np.full(count, UNKNOWN, dtype=np.int64)
    if rows.sampling:
        sampling = np.array(rows.sampling, dtype=np.int64)
        threshold[sampling[:, 0]] = sampling[:, 1]
        randomness[sampling[:, 0]] = sampling[:, 2]
    return Spans(
        resource=laid.resource.astype(np.int32),
        trace_id=ids_of(rows.trace_ids, 16),
        span_id=ids_of(rows.span_ids, 8),
        parent_span_id=ids_of(rows.parent_ids, 8),
        name=ints(rows.names).astype(np.int32),
        signal=np.zeros(count, dtype=np.uint8),
        kind=_within(ints(rows.kinds), len(Kind)),
        status=_within(ints(rows.statuses), len(Status)),
        start_us=start_us,
        duration_us=duration_us,
        phases_us=phases,
        method=text[names.row["method"]],
        url=text[names.row["url"]],
        route=text[names.row["route"]],
        http_status=grid[names.row["http_status"]].astype(np.int32),
        error_type=text[names.row["error_type"]],
        protocol=text[names.row["protocol"]],
        screen=text[names.row["screen"]],
        request_bytes=grid[names.row["request_bytes"]],
        response_bytes=grid[names.row["response_bytes"]],
        threshold=threshold,
        randomness=randomness,
        repairs=np.zeros(count, dtype=np.uint8),
    )


def _times(rows: Rows) -> tuple[I64, I64]:
    """(start, duration) in µs, the difference taken before the nanoseconds are cut off."""
    if not rows.starts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    start = np.frombuffer(rows.starts, dtype=np.uint64).view(np.int64)
    end = np.frombuffer(rows.ends, dtype=np.uint64).view(np.int64)
    duration = (end - start) // 1000
    # A span that ends 2 µs before it starts must not look like one without a duration.
    duration[duration == UNKNOWN] -= 1
    duration[(start <= 0) | (end <= 0)] = UNKNOWN
    return np.where(start > 0, start // 1000, UNKNOWN), duration


def ids_of(ids: list[bytes], width: int) -> U8:
    if not set(map(len, ids)) <= {width}:
        nothing = bytes(width)
        ids = [one if len(one) == width else nothing for one in ids]
    return np.frombuffer(b"".join(ids), dtype=np.uint8).reshape(-1, width)


def _within(values: I64, size: int) -> U8:
    """Enum values; 0 for those the enum does not have."""
    return np.where((values >= 0) & (values < size), values, 0).astype(np.uint8)


def _resource_columns(rows: Rows, grid: I64, body: I64) -> Resources:
    text: npt.NDArray[Any] = grid[: len(RESOURCE.texts)].astype(np.int32)
    names, versions = text[RESOURCE.row["sdk_name"]], text[RESOURCE.row["sdk_version"]]
    sdk = names.copy()
    if versions.any():
        strings = list(rows.codes)
        for row in np.flatnonzero(versions).tolist():
            sdk[row] = rows.codes[f"{strings[names[row]]}/{strings[versions[row]]}"]
    return Resources(
        body=body.astype(np.int32),
        service=text[RESOURCE.row["service"]],
        version=text[RESOURCE.row["version"]],
        environment=text[RESOURCE.row["environment"]],
        os_name=text[RESOURCE.row["os_name"]],
        os_version=text[RESOURCE.row["os_version"]],
        device_manufacturer=text[RESOURCE.row["device_manufacturer"]],
        device_model=text[RESOURCE.row["device_model"]],
        network=text[RESOURCE.row["network"]],
        session=text[RESOURCE.row["session"]],
        installation=text[RESOURCE.row["installation"]],
        sdk=sdk,
        memory_mb=grid[RESOURCE.row["memory_mb"]],
        cores=grid[RESOURCE.row["cores"]],
        consent=_consents(rows.codes, text[RESOURCE.row["consent"]]),
        reported=grid[RESOURCE.row["reported"]] == 1,
    )


def _consents(codes: Codes, words: I32) -> U8:
    states = np.full(len(words), ConsentState.MISSING, dtype=np.uint8)
    for state in ConsentState:
        if code := codes.get(state.word):
            states[words == code] = state
    return states


def _bodies(batch_ids: Sequence[bytes]) -> Bodies:
    count = len(batch_ids)
    return Bodies(
        batch_id=np.frombuffer(b"".join(batch_ids), dtype=np.uint8).reshape(-1, 16),
        clock=np.full(count, ClockKind.WALL, dtype=np.uint8),
        epoch=np.zeros(count, dtype=np.int32),
        sealed_mono_us=np.full(count, UNKNOWN, dtype=np.int64),
        sealed_wall_us=np.full(count, UNKNOWN, dtype=np.int64),
        steps=np.full(count, UNKNOWN, dtype=np.int64),
        sketched=np.zeros(count, dtype=np.bool_),
    )


def _links(rows: Rows) -> Links:
    owners: I32 = np.array([span for span, _, _ in rows.links], dtype=np.int32)
    return Links(
        owner=owners,
        trace_id=ids_of([trace_id for _, trace_id, _ in rows.links], 16),
        span_id=ids_of([span_id for _, _, span_id in rows.links], 8),
        kind=np.full(len(owners), LinkKind.SPAN, dtype=np.uint8),
    )
