"""The reference encoder of the native wire format (`WIRE.md`), written from the specification alone.

It shares nothing with the service, so that the two check each other: `make_vectors.py` makes the golden vectors with
it, and an SDK in any language may be compared with it. Clear before fast.

A batch is a mapping, a span is a mapping; every key but `id` and `spans` may be missing:

    {"id": "00112233445566778899aabbccddeeff",
     "resource": {"service": "shop", "memory_mb": 4096},
     "clock": {"kind": "mono", "epoch": "b1", "mono_us": 81000000, "wall_us": 1760000000000000},
     "dropped": {"queue_overflow": 3},
     "spans": [{"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7",
                "name": "GET /orders", "start_us": 80000000, "duration_us": 120000, "dns_us": -1, "ttfb_us": 80000,
                "attributes": {"retry": 1}, "events": [{"name": "cached", "offset_us": 10}],
                "links": [{"trace_id": "…", "span_id": "…"}]}],
     "unsent": "sketched",
     "sketches": [{"start_us": 80000000, "width_us": 10000000,
                   "spans": [{"name": "GET /orders", "duration_us": 95000}]}]}

The keys of a span are the columns of `fields.json`, with `trace_id` for `trace`; text stands for a code. The spans of a
sketch set are not sent but summarised (`sketches.py`); `accuracy` may be given beside them.
"""

import gzip
import json
import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgpack  # type: ignore[import-untyped]
import zstandard

from client_sdk_spec.sketches import summarise

HERE = Path(__file__).parent
FIELDS = json.loads((HERE / "fields.json").read_text())
DICTIONARY = HERE.parent / "ingest" / "decode" / "dictionary" / "1.bin"

REUSED = -1
UNKNOWN = -2
ESCAPE = (1 << 32) - 3
"""Stands in a u32 column for a number that does not fit; the number is in `big`."""

Span = Mapping[str, Any]


def encode(batch: Mapping[str, Any], encoding: str = "msgpack") -> bytes:
    """One batch as the body of `POST /v1/batches`, not compressed.

    Args:
        batch: see the module's head.
        encoding: `msgpack` or `json`.
    """
    spans = batch["spans"]
    strings = _Strings()
    base_us = min((s["start_us"] for s in spans if s.get("start_us", UNKNOWN) not in (REUSED, UNKNOWN)), default=0)
    body: dict[str, Any] = {
        "v": FIELDS["version"],
        "id": batch["id"],
        "n": len(spans),
        "resource": dict(batch.get("resource", {})),
        "clock": {**batch.get("clock", {}), "base_us": base_us},
        "traces": "".join(_traces(spans)),
        "cols": _columns(spans, strings, base_us),
    }
    tables = {"attrs": _attributes(spans, strings), "events": _events(spans, strings), "links": _links(spans)}
    body |= {name: table for name, table in tables.items() if table["span"]}
    if batch.get("sketches"):
        body["sketches"] = [_sketch_set(each, strings) for each in batch["sketches"]]
    if batch.get("unsent"):
        body["unsent"] = batch["unsent"]
    body["strings"] = strings.table
    if batch.get("dropped"):
        body["dropped"] = dict(batch["dropped"])
    return ENCODINGS[encoding](body)


def compress(body: bytes, encoding: str) -> bytes:
    """The body as sent with `Content-Encoding` `gzip`, `zstd`, `deflate` (with the preset dictionary) or `identity`."""
    return COMPRESSIONS[encoding](body)


class _Strings:
    """The string table as it grows; code 0 is the empty string."""

    def __init__(self) -> None:
        self.table: list[str] = []
        self._codes = {"": 0}

    def code(self, text: str) -> int:
        if text not in self._codes:
            self.table.append(text)
            self._codes[text] = len(self.table)
        return self._codes[text]


def _traces(spans: Sequence[Span]) -> list[str]:
    return list(dict.fromkeys(span["trace_id"] for span in spans if "trace_id" in span))


def _columns(spans: Sequence[Span], strings: _Strings, base_us: int) -> dict[str, Any]:
    """Every column that is not all default: lists of whole numbers, or hex text for ids."""
    traces = {trace_id: row for row, trace_id in enumerate(_traces(spans))}
    columns: dict[str, Any] = {}
    for name, field in FIELDS["columns"].items():
        if field["type"] == "index":
            if traces:
                columns[name] = [traces.get(span.get("trace_id", ""), UNKNOWN) for span in spans]
            continue
        values = [span.get(name) for span in spans]
        if all(value is None for value in values):
            continue
        if field["type"] == "id8":
            columns[name] = "".join(value or "0" * 16 for value in values)
        elif field["type"] == "code":
            columns[name] = [strings.code(value or "") for value in values]
        else:
            default = UNKNOWN if field["default"] is None else field["default"]
            shift = base_us if name == "start_us" else 0
            numbers = [default if value is None else value for value in values]
            columns[name] = [number if number in (REUSED, UNKNOWN) else number - shift for number in numbers]
    return columns


def _owned(spans: Sequence[Span], key: str) -> list[tuple[int, Any]]:
    return [(row, thing) for row, span in enumerate(spans) for thing in span.get(key, ())]


def _attributes(spans: Sequence[Span], strings: _Strings) -> dict[str, Any]:
    rows = [(row, key, spans[row]["attributes"][key]) for row, key in _owned(spans, "attributes")]
    return {
        "span": [row for row, _, _ in rows],
        "key": [strings.code(key) for _, key, _ in rows],
        "value": [strings.code(value if isinstance(value, str) else _json_text(value)) for _, _, value in rows],
    }


def _events(spans: Sequence[Span], strings: _Strings) -> dict[str, Any]:
    rows = _owned(spans, "events")
    return {
        "span": [row for row, _ in rows],
        "name": [strings.code(event["name"]) for _, event in rows],
        "offset_us": [event["offset_us"] for _, event in rows],
    }


def _links(spans: Sequence[Span]) -> dict[str, Any]:
    rows = _owned(spans, "links")
    return {
        "span": [row for row, _ in rows],
        "trace_id": "".join(link["trace_id"] for _, link in rows),
        "span_id": "".join(link["span_id"] for _, link in rows),
    }


def _sketch_set(given: Mapping[str, Any], strings: _Strings) -> dict[str, Any]:
    summary = summarise(**given)
    return summary | {name: strings.code(summary[name]) for name in ("name", "method", "url", "route")}


def _json_text(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _to_json(body: Mapping[str, Any]) -> bytes:
    return _json_text(body).encode()


def _to_msgpack(body: Mapping[str, Any]) -> bytes:
    packed = dict(body)
    packed["id"] = bytes.fromhex(body["id"])
    packed["traces"] = bytes.fromhex(body["traces"])
    big: dict[str, list[list[int]]] = {}
    packed["cols"] = {name: _blob(name, column, big) for name, column in body["cols"].items()}
    for table in ("attrs", "events", "links"):
        if table in body:
            packed[table] = {name: _blob(f"{table}.{name}", column, big) for name, column in body[table].items()}
    if "sketches" in body:
        packed["sketches"] = [
            each | {"values": {name: bytes.fromhex(sketch) for name, sketch in each["values"].items()}}
            for each in body["sketches"]
        ]
    if big:
        packed["big"] = big
    encoded: bytes = msgpack.packb(packed)
    return encoded


def _blob(name: str, column: str | Iterable[int], big: dict[str, list[list[int]]]) -> bytes:
    if isinstance(column, str):
        return bytes.fromhex(column)
    words = []
    for row, value in enumerate(column):
        fits = 0 <= value < ESCAPE or value in (REUSED, UNKNOWN)
        if not fits:
            big.setdefault(name, []).append([row, value])
        words.append(value & 0xFFFFFFFF if fits else ESCAPE)
    return struct.pack(f"<{len(words)}I", *words)


def _deflate(body: bytes) -> bytes:
    compressor = zlib.compressobj(level=9, zdict=DICTIONARY.read_bytes())
    return compressor.compress(body) + compressor.flush()


ENCODINGS: Mapping[str, Callable[[Mapping[str, Any]], bytes]] = {"json": _to_json, "msgpack": _to_msgpack}
COMPRESSIONS: Mapping[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
    "zstd": lambda body: zstandard.ZstdCompressor(level=3).compress(body),
    "deflate": _deflate,
    "identity": bytes,
}
