"""Sampled spans as the rows of COPY's binary format.

What has a fixed length is one numpy structure per row; what is text or may be NULL is a piece of bytes made once per
string, resource or value and joined into the row. See `rollup_rows` for the format.
"""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from ingest.model import (
    NOT_MEASURED,
    VERSION_CHARS,
    Attributes,
    ClockQuality,
    DeviceClass,
    LinkKind,
    Origin,
    Resources,
    Signal,
    SpanBatch,
    Stratum,
    short_name,
)
from ingest.ports import Sampled
from ingest.store.binary_copy import POSTGRES_EPOCH_US
from ingest.store.rollup_rows import INT8_ARRAY, fill_array

COLUMNS = (
    *("app_id", "start_at", "trace_id", "span_id", "kind", "status", "duration_us", "phases_us", "clock_quality"),
    *("weight", "policy_version", "randomness", "clock_segment", "clock_offset_us", "clock_conflict"),
    *("version", "network", "session", "resource"),
    *("name", "method", "url", "route", "error_type", "protocol", "screen", "country", "os"),
    *("device_class", "stratum", "origin", "signal"),
    *("parent_span_id", "http_status", "request_bytes", "response_bytes", "clock_err_ms"),
    *("clock_skew_ms", "clock_steps", "upload_delay_ms", "server_us"),
    *("attributes", "events", "links"),
)
"""In the order of the bytes."""

_NULL = b"\xff\xff\xff\xff"
_FIXED = np.dtype(
    [
        ("fields", ">i2"),
        ("app_id", [("length", ">i4"), ("value", ">i4")]),
        ("start_at", [("length", ">i4"), ("value", ">i8")]),
        ("trace_id", [("length", ">i4"), ("value", "u1", (16,))]),
        ("span_id", [("length", ">i4"), ("value", "u1", (8,))]),
        ("kind", [("length", ">i4"), ("value", ">i2")]),
        ("status", [("length", ">i4"), ("value", ">i2")]),
        ("duration_us", [("length", ">i4"), ("value", ">i8")]),
        ("phases_us", INT8_ARRAY),
        ("clock_quality", [("length", ">i4"), ("value", "u1")]),
        ("weight", [("length", ">i4"), ("value", ">f8")]),
        ("policy_version", [("length", ">i4"), ("value", ">i4")]),
        ("randomness", [("length", ">i4"), ("value", ">i8")]),
        ("clock_segment", [("length", ">i4"), ("value", ">i8")]),
        ("clock_offset_us", [("length", ">i4"), ("value", ">i8")]),
        ("clock_conflict", [("length", ">i4"), ("value", "u1")]),
    ]
)
_QUALITIES = np.frombuffer("".join(quality.name for quality in ClockQuality).encode(), np.uint8)
_OWN_COLUMN = ("body", "session", "consent", "reported")
_BY_RESOURCE = ("version", "network", "session")


def rows(sampled: Sampled) -> bytes:
    """The rows of one record, without the file's header and trailer."""
    kept, batch = sampled.kept, sampled.kept.batch
    spans, assigned = batch.spans, kept.assigned
    strings = _storable(sampled.strings)
    text = [len(encoded).to_bytes(4, "big") + encoded for encoded in map(str.encode, strings)]
    text[0] = _NULL

    def texts(codes: npt.NDArray[np.int32]) -> list[bytes]:
        return [text[code] for code in codes.tolist()]

    senders = _senders(batch, strings, text)
    pieces: list[Iterable[bytes]] = [
        _slices(_fixed(sampled)),
        [senders[row] for row in spans.resource.tolist()],
        [piece if code else _text("") for piece, code in zip(texts(spans.name), spans.name.tolist(), strict=True)],
        *(texts(getattr(spans, name)) for name in ("method", "url")),
        texts(assigned.route),
        *(texts(getattr(spans, name)) for name in ("error_type", "protocol", "screen")),
        texts(assigned.country),
        texts(assigned.os),
        [_DEVICE_CLASSES[code] for code in assigned.device_class.tolist()],
        [_STRATA[code] for code in assigned.stratum.tolist()],
        [_ORIGINS[code] for code in assigned.origin.tolist()],
        [_SIGNALS[code] for code in spans.signal.tolist()],
        _nullable(spans.parent_span_id, (spans.parent_span_id != 0).any(axis=1)),
        _nullable_numbers(spans.http_status, ">i2"),
        _nullable_numbers(spans.request_bytes, ">i8"),
        _nullable_numbers(spans.response_bytes, ">i8"),
        _nullable_numbers(assigned.clock_err_ms, ">i8"),
        _signed(assigned.clock_skew_ms),
        _nullable_numbers(assigned.clock_steps, ">i4"),
        _signed(assigned.upload_delay_ms),
        _nullable_numbers(assigned.server_us, ">i8"),
        _attributes(batch.attributes, len(spans), strings),
        _lists(batch.events.owner, len(spans), _events(batch, strings)),
        _lists(batch.links.owner, len(spans), _links(batch)),
    ]
    return b"".join(chain.from_iterable(zip(*pieces, strict=True)))


def _fixed(sampled: Sampled) -> npt.NDArray[np.void]:
    spans, assigned = sampled.kept.batch.spans, sampled.kept.assigned
    fixed = np.zeros(len(spans), _FIXED)
    fixed["fields"] = len(COLUMNS)
    values: dict[str, Any] = {
        "app_id": sampled.app_id,
        "start_at": assigned.start_at_us - POSTGRES_EPOCH_US,
        "trace_id": spans.trace_id,
        "span_id": spans.span_id,
        "kind": spans.kind,
        "status": spans.status,
        "duration_us": spans.duration_us,
        "clock_quality": _QUALITIES[assigned.clock_quality],
        "weight": assigned.weight,
        "policy_version": sampled.policy_version,
        "randomness": assigned.randomness,
        "clock_segment": assigned.clock_segment,
        "clock_offset_us": assigned.clock_offset_us,
        "clock_conflict": assigned.clock_conflict,
    }
    for name, value in values.items():
        field = fixed[name]
        field["length"] = field.dtype["value"].itemsize
        field["value"] = value
    fill_array(fixed["phases_us"], spans.phases_us.T)
    return fixed


def _senders(batch: SpanBatch, strings: Sequence[str], text: Sequence[bytes]) -> list[bytes]:
    """Per resource the columns version, network, session and resource."""
    resources = batch.resources
    columns = {f.name: getattr(resources, f.name).tolist() for f in fields(Resources) if f.name not in _OWN_COLUMN}
    described = _by_owner(batch.resource_attributes, len(resources), strings)
    codes = zip(*(getattr(resources, name).tolist() for name in _BY_RESOURCE), strict=True)
    networks = {code: _text(short_name(strings[code])) if code else _NULL for code in set(columns["network"])}
    versions = {code: _text(strings[code][:VERSION_CHARS]) if code else _NULL for code in set(columns["version"])}
    senders = []
    for row, (version, network, session) in enumerate(codes):
        described_here = dict(described.get(row, ()))
        for name, column in columns.items():
            value = column[row]
            if name in Resources.CODES:
                if value:
                    described_here[name] = strings[value]
            elif value >= 0:
                described_here[name] = value
        senders.append(versions[version] + networks[network] + text[session] + _json(described_here))
    return senders


def _attributes(attributes: Attributes, count: int, strings: Sequence[str]) -> list[bytes]:
    pieces = [_EMPTY_OBJECT] * count
    for row, found in _by_owner(attributes, count, strings).items():
        pieces[row] = _json(found)
    return pieces


def _by_owner(attributes: Attributes, count: int, strings: Sequence[str]) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    rows = zip(attributes.owner.tolist(), attributes.key.tolist(), attributes.value.tolist(), strict=True)
    for owner, key, value in rows:
        if owner in found:
            found[owner][strings[key]] = strings[value]
        else:
            found[owner] = {strings[key]: strings[value]}
    return found


def _events(batch: SpanBatch, strings: Sequence[str]) -> list[object]:
    events = batch.events
    return [
        {"name": strings[name], "offset_us": offset}
        for name, offset in zip(events.name.tolist(), events.offset_us.tolist(), strict=True)
    ]


def _links(batch: SpanBatch) -> list[object]:
    trace_ids, span_ids = batch.links.trace_id.tobytes().hex(), batch.links.span_id.tobytes().hex()
    return [
        {"trace_id": trace_ids[32 * row : 32 * row + 32], "span_id": span_ids[16 * row : 16 * row + 16], "kind": kind}
        for row, kind in enumerate(_LINK_KINDS[code] for code in batch.links.kind.tolist())
    ]


def _lists(owners: npt.NDArray[np.int32], count: int, items: Sequence[object]) -> list[bytes]:
    pieces = [_EMPTY_ARRAY] * count
    found: dict[int, list[object]] = {}
    for owner, item in zip(owners.tolist(), items, strict=True):
        found.setdefault(owner, []).append(item)
    for owner, members in found.items():
        pieces[owner] = _json(members)
    return pieces


def _nullable_numbers(values: npt.NDArray[Any], kind: str) -> list[bytes]:
    """NULL for what is negative (unknown) or does not fit."""
    given = (values >= 0) & (values <= np.iinfo(kind).max)
    return _nullable(np.where(given, values, 0).astype(kind).view(np.uint8).reshape(len(values), -1), given)


def _signed(values: npt.NDArray[Any]) -> list[bytes]:
    """NULL for what was not measured; anything else may be negative."""
    given = values != NOT_MEASURED
    return _nullable(np.where(given, values, 0).astype(">i8").view(np.uint8).reshape(len(values), -1), given)


def _nullable(values: npt.NDArray[np.uint8], given: Any) -> list[bytes]:
    """A piece for each row of bytes, NULL for those not given."""
    size = values.shape[1]
    framed = np.empty((len(values), 4 + size), np.uint8)
    framed[:, :4] = np.frombuffer(size.to_bytes(4, "big"), np.uint8)
    framed[:, 4:] = values
    return [piece if here else _NULL for piece, here in zip(_slices(framed), given.tolist(), strict=True)]


def _slices(table: npt.NDArray[Any]) -> list[bytes]:
    """The bytes of each row."""
    data = table.tobytes()
    size = len(data) // len(table) if len(table) else 1
    return [data[at : at + size] for at in range(0, len(data), size)]


def _storable(strings: Sequence[str]) -> Sequence[str]:
    """The strings without what PostgreSQL cannot hold: NUL, and halves of surrogate pairs."""
    together = "".join(strings)
    if together.isascii() and "\0" not in together:
        return strings
    return [string.replace("\0", "\ufffd").encode("utf-8", "replace").decode() for string in strings]


def _text(string: str) -> bytes:
    encoded = string.encode()
    return len(encoded).to_bytes(4, "big") + encoded


def _json(value: object) -> bytes:
    """A jsonb as jsonb_recv reads it: a version, then the text."""
    encoded = orjson.dumps(value)
    return (len(encoded) + 1).to_bytes(4, "big") + b"\x01" + encoded


_LINK_KINDS = [member.name.lower() for member in LinkKind]
_EMPTY_OBJECT, _EMPTY_ARRAY = _json({}), _json([])
_DEVICE_CLASSES = [_text(member.name.lower()) for member in DeviceClass]
_STRATA = [_text(member.name.lower()) for member in Stratum]
_ORIGINS = [_text(member.name.lower()) for member in Origin]
_SIGNALS = [_text(member.word) for member in Signal]
