"""The reference decoder: what came over the wire → the batch as `encoder.py` takes it. From the specification alone.

It reads what a client may write, to judge clients by it, however much that is; it is no example of how to read what
strangers send.
"""

import gzip
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import msgpack  # type: ignore[import-untyped]
import zstandard

from client_sdk_spec.encoder import DICTIONARY, ESCAPE, FIELDS, REUSED, UNKNOWN

MOST_BYTES = 2 << 20
"""Of a body, inflated."""
_MARKS = {value & 0xFFFFFFFF: value for value in (REUSED, UNKNOWN)}
_ID_DIGITS = 16
CLOCK = {"kind": "kind", "epoch": "text"} | dict.fromkeys(("mono_us", "wall_us", "steps", "base_us"), "number")
"""The fields of the `clock` map and what they are."""


class Unreadable(ValueError):  # noqa: N818 - what the body is
    """The body is not as `WIRE.md` has it; the message says where."""


def inflate(sent: bytes, encoding: str = "") -> bytes:
    """The body without its compression, which is named or found by its first bytes.

    Raises:
        Unreadable: it is not whole, or larger than a body may be.
    """
    name = encoding.strip().lower() or _sniff(sent)
    try:
        if name == "gzip":
            body = gzip.decompress(sent)
        elif name == "zstd":
            body = zstandard.ZstdDecompressor().decompressobj().decompress(sent)
        elif name == "deflate":
            inflater = zlib.decompressobj(zdict=DICTIONARY.read_bytes())
            body = inflater.decompress(sent)
            if not inflater.eof:
                raise Unreadable("deflate: cut off")
        elif name == "identity":
            body = sent
        else:
            raise Unreadable(f"encoding {name!r}")
    except (OSError, EOFError, zlib.error, zstandard.ZstdError) as error:
        raise Unreadable(f"{name}: {error}") from None
    if len(body) > MOST_BYTES:
        raise Unreadable(f"{len(body)} bytes")
    return body


def _sniff(sent: bytes) -> str:
    if sent.startswith(b"\x1f\x8b"):
        return "gzip"
    if sent.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd"
    return "deflate" if sent[:1] == b"\x78" and sent[1:2] and sent[1] & 0x20 else "identity"


def decode(body: bytes) -> dict[str, Any]:
    """The batch of a body that is not compressed, with hex for ids and text for codes; sketches stay as they are.

    Raises:
        Unreadable: it is not as the specification has it.
    """
    try:
        return _batch(json.loads(body) if body[:1] == b"{" else _with_numbers(msgpack.unpackb(body)))
    except (ValueError, KeyError, TypeError, IndexError, struct.error, AttributeError) as error:
        raise Unreadable(f"{type(error).__name__}: {error}") from None


def _with_numbers(raw: Any) -> dict[str, Any]:
    """MessagePack's blobs as JSON would have them: lists of numbers, hex for ids."""
    big = {name: dict(entries) for name, entries in (raw.pop("big", None) or {}).items()}
    for field in ("id", "traces"):
        raw[field] = (raw.get(field) or b"").hex()
    ids = {name for name, column in FIELDS["columns"].items() if column["type"] == "id8"}
    cols = raw.get("cols") or {}
    raw["cols"] = {name: blob.hex() if name in ids else _words(blob, big.get(name, {})) for name, blob in cols.items()}
    for table in ("attrs", "events", "links"):
        raw[table] = {
            name: blob.hex() if name in ("trace_id", "span_id") else _words(blob, big.get(f"{table}.{name}", {}))
            for name, blob in (raw.get(table) or {}).items()
        }
    if any(big.values()):
        raise Unreadable(f"big without an escape: {big}")
    made: dict[str, Any] = raw
    return made


def _words(blob: bytes, big: dict[int, int]) -> list[int]:
    """Numbers of a column; the entries of `big` that its escapes stand for are taken out."""
    words = struct.unpack(f"<{len(blob) // 4}I", blob)
    return [big.pop(row) if word == ESCAPE else _MARKS.get(word, word) for row, word in enumerate(words)]


def _batch(raw: Mapping[str, Any]) -> dict[str, Any]:
    if raw["v"] != FIELDS["version"] or len(bytes.fromhex(raw["id"])) != 16 or not int(raw["id"], 16):
        raise Unreadable("v or id")
    if raw["n"] < 0:
        raise Unreadable(f"n = {raw['n']}")
    _check_fields(raw.get("resource") or {}, FIELDS["resource"])
    _check_fields(raw.get("clock") or {}, CLOCK)
    clock = dict(raw.get("clock") or {})
    base_us = clock.pop("base_us", 0)
    spans = _spans(raw, base_us)
    texts = ["", *(raw.get("strings") or [])]
    _own(spans, raw, texts)
    batch = {"id": raw["id"].lower(), "resource": raw.get("resource") or {}, "clock": clock, "spans": spans}
    return batch | {name: raw[name] for name in ("dropped", "unsent", "sketches") if raw.get(name)}


def _check_fields(given: Mapping[str, Any], kinds: Mapping[str, str]) -> None:
    for name, kind in kinds.items():
        value = given.get(name)
        flag = isinstance(value, bool)
        fits = {
            "text": isinstance(value, str),
            "state": isinstance(value, str),
            "number": isinstance(value, int) and not flag and abs(value) < 1 << 63,
            "flag": flag or value in (0, 1),
            "kind": value in ("mono", "wall"),
        }
        if value is not None and not fits[kind]:
            raise Unreadable(f"{name} is no {kind}")


def _spans(raw: Mapping[str, Any], base_us: int) -> list[dict[str, Any]]:
    count, cols, texts = raw["n"], raw.get("cols") or {}, ["", *(raw.get("strings") or [])]
    traces = _ids(raw.get("traces") or "", 2 * _ID_DIGITS)
    spans: list[dict[str, Any]] = [{} for _ in range(count)]
    for name, field in FIELDS["columns"].items():
        if name not in cols:
            continue
        values: Any = cols[name]
        if field["type"] == "id8":
            values = _ids(values, _ID_DIGITS)
        if len(values) != count:
            raise Unreadable(f"{name}: {len(values)} rows of {count}")
        if field["type"] != "id8" and any(type(value) is not int for value in values):
            raise Unreadable(f"{name}: whole numbers belong there")
        for span, value in zip(spans, values, strict=True):
            if field["type"] == "index":
                if value != UNKNOWN:
                    span["trace_id"] = traces[_row(value)]
            elif field["type"] == "code":
                span[name] = texts[_row(value)]
            elif name == "start_us" and value not in (REUSED, UNKNOWN):
                span[name] = value + base_us
            else:
                span[name] = value
    return spans


def _own(spans: list[dict[str, Any]], raw: Mapping[str, Any], texts: list[str]) -> None:
    """Attributes, events and links, to the spans that they belong to."""
    attributes, events, links = (raw.get(table) or {"span": []} for table in ("attrs", "events", "links"))
    for at, row in enumerate(attributes["span"]):
        key, value = texts[_row(attributes["key"][at])], texts[_row(attributes["value"][at])]
        spans[_row(row)].setdefault("attributes", {})[key] = value
    for at, row in enumerate(events["span"]):
        event = {"name": texts[_row(events["name"][at])], "offset_us": events["offset_us"][at]}
        spans[_row(row)].setdefault("events", []).append(event)
    if links["span"]:
        trace_ids, span_ids = _ids(links["trace_id"], 2 * _ID_DIGITS), _ids(links["span_id"], _ID_DIGITS)
        for row, trace_id, span_id in zip(links["span"], trace_ids, span_ids, strict=True):
            spans[_row(row)].setdefault("links", []).append({"trace_id": trace_id, "span_id": span_id})


def _ids(digits: str, width: int) -> list[str]:
    bytes.fromhex(digits)
    if len(digits) % width:
        raise Unreadable("an id is cut off")
    return [digits[at : at + width].lower() for at in range(0, len(digits), width)]


def _row(value: int) -> int:
    """A code or row; a negative one would count from the end."""
    if value < 0:
        raise Unreadable(f"a code or row of {value}")
    return value
