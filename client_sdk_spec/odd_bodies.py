"""Bodies that nobody should write: those that must be read all the same, and those that must be refused."""

import json
import zlib
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import msgpack  # type: ignore[import-untyped]

from client_sdk_spec.encoder import compress, encode
from client_sdk_spec.expected_columns import expected
from client_sdk_spec.samples import batch
from client_sdk_spec.sketch_vectors import refused_sets


def tolerated() -> dict[str, tuple[bytes, dict[str, Any]]]:
    """Bodies that differ from what this version writes and must be read all the same."""
    plain = {
        "id": "000102030405060708090a0b0c0d0e0f",
        "resource": {"service": "shop"},
        "spans": [{"trace_id": "11" * 16, "span_id": "22" * 8, "name": "caf\ufffd", "start_us": 7, "duration_us": 9}],
    }
    columns = expected(plain)
    newer = {"cols": {"humidity": [1, 2, 3]}, "resource": {"planet": {"moons": 1}}, "future": [[{"a": None}]]}
    packed = {"cols": {"humidity": b"\1"}, "resource": {"planet": [1]}, "future": {"deep": [1.5, True]}}
    nulls = {"attrs": None, "events": None, "links": None, "dropped": None}
    replacement = "\ufffd".encode()
    odd = {**plain, "resource": {"service": "shop", "consent": "maybe"}}
    blank = {**plain, "resource": {"service": "shop", "consent": ""}}
    silent = _set("resource", "consent", to=None)
    return {
        "unknown_consent.json": (encode(odd, "json"), expected(odd)),
        "unknown_consent.msgpack": (encode(odd, "msgpack"), expected(odd)),
        "blank_consent.json": (encode(blank, "json"), expected(blank)),
        "null_consent.json": (_changed_json(plain, silent), columns),
        "unknown_column.json": (_changed_json(plain, lambda body: _merge(body, newer)), columns),
        "unknown_column.msgpack": (_changed_msgpack(plain, lambda body: _merge(body, packed)), columns),
        "null_fields.json": (_changed_json(plain, lambda body: body.update(nulls)), columns),
        "null_fields.msgpack": (_changed_msgpack(plain, lambda body: body.update(nulls)), columns),
        "leading_space.json": (b" \r\n\t" + encode(plain, "json"), columns),
        "lone_surrogate.json": (encode(plain, "json").replace(replacement, rb"\ud83d"), columns),
        "not_utf8.json": (encode(plain, "json").replace(replacement, b"\xff"), columns),
        "not_utf8.msgpack": (_changed_msgpack(plain, _not_utf8("\udcff")), columns),
        "cut_emoji.json": (encode(plain, "json").replace(replacement, b"\xf0\x9f\x98"), columns),
        "cut_emoji.msgpack": (_changed_msgpack(plain, _not_utf8("\udcf0\udc9f\udc98")), columns),
        "nul.json": (encode(plain, "json").replace(replacement, rb"\u0000"), columns),
    }


def malformed() -> dict[str, tuple[bytes, str]]:
    """Bodies that must be refused, with the reason."""
    base = batch(Random(7), 3)
    as_json, as_msgpack = encode(base, "json"), encode(base, "msgpack")
    made: dict[str, tuple[bytes, str]] = {
        "empty.msgpack": (b"", "bad_msgpack"),
        "truncated.json": (as_json[: len(as_json) // 2], "bad_json"),
        "truncated.msgpack": (as_msgpack[: len(as_msgpack) // 2], "bad_msgpack"),
        "truncated.json.gz": (compress(as_json, "gzip")[:-9], "bad_gzip"),
        "truncated.msgpack.zst": (compress(as_msgpack, "zstd")[:-3], "bad_zstd"),
        "truncated.msgpack.zz": (compress(as_msgpack, "deflate")[:-5], "bad_deflate"),
        "not_gzip.json.gz": (as_json, "bad_gzip"),
        "trailing.json": (as_json + b"{}", "bad_json"),
        "trailing.msgpack": (as_msgpack + b"\x80", "bad_msgpack"),
        "trailing.json.gz": (compress(as_json, "gzip") + b"more", "bad_gzip"),
        "bomb.json.gz": (compress(bytes(4 << 20), "gzip"), "body_too_large"),
        "bomb.msgpack.zst": (compress(bytes(4 << 20), "zstd"), "body_too_large"),
        "unknown_dictionary.msgpack.zz": (
            _deflate_with(as_msgpack, b"a dictionary nobody knows"),
            "unknown_dictionary",
        ),
        "nesting.json": (b'{"v":1,"future":' + b"[" * 3_000 + b"]" * 3_000 + b"}", "too_deep"),
        "nesting.msgpack": (b"\x82\xa1v\x01\xa6future" + b"\x91" * 3_000 + b"\xc0", "too_deep"),
    }
    for name, (reason, change) in _CHANGES.items():
        made[f"{name}.json"] = (_changed_json(base, change), reason)
        made[f"{name}.msgpack"] = (_changed_msgpack(base, _as_blobs(change)), reason)
    for name, (reason, sets) in refused_sets().items():
        change = _set("sketches", to=sets)
        made[f"{name}.json"] = (_changed_json(base, change), reason)
        made[f"{name}.msgpack"] = (_changed_msgpack(base, _as_blobs(change)), reason)
    for name, escaped, entries in (
        ("escape_without_big", 3, []),
        ("big_without_escape", 0, [[0, 2**33]]),
        ("big_for_another_row", 1, [[1, 2**33]]),
        ("big_twice_for_a_row", 2, [[0, 2**33], [0, 2**34]]),
        ("big_beyond_the_last_row", 1, [[3, 2**33]]),
        ("big_before_the_first_row", 1, [[-3, 2**33]]),
    ):
        made[f"{name}.msgpack"] = (_changed_msgpack(base, _escape(escaped, entries)), "bad_escape")
    made["blob_length.msgpack"] = (_changed_msgpack(base, _short_blob), "wrong_length")
    return made


def _set(*path: str, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        for key in path[:-1]:
            body = body.setdefault(key, {})
        body[path[-1]] = to

    return change


_CHANGES: Mapping[str, tuple[str, Callable[[dict[str, Any]], None]]] = {
    "version": ("version", _set("v", to=2)),
    "no_id": ("id", lambda body: body.pop("id")),
    "zero_id": ("id", _set("id", to="0" * 32)),
    "short_id": ("id", _set("id", to="ab")),
    "no_n": ("n", lambda body: body.pop("n")),
    "negative_n": ("n", _set("n", to=-1)),
    "boolean_n": ("n", _set("n", to=True)),
    "too_many_spans": ("too_many_spans", _set("n", to=1001)),
    "too_many_strings": ("too_many_strings", _set("strings", to=["x"] * 20_001)),
    "too_many_reasons": ("too_many_reasons", _set("dropped", to={f"r{k}": k for k in range(33)})),
    "bad_code": ("bad_code", _set("cols", "name", to=[1, 2, 4_000])),
    "bad_attribute_code": ("bad_code", _set("attrs", to={"span": [0], "key": [1], "value": [4_000]})),
    "bad_trace": ("bad_index", _set("cols", "trace", to=[0, 0, 3])),
    "bad_attribute_row": ("bad_index", _set("attrs", to={"span": [3], "key": [1], "value": [1]})),
    "column_length": ("wrong_length", _set("cols", "name", to=[1, 1])),
    "table_length": ("wrong_length", _set("attrs", to={"span": [0, 1], "key": [1], "value": [1]})),
    "id_length": ("wrong_length", _set("cols", "span_id", to="22" * 23)),
    "fraction": ("wrong_type", _set("resource", "memory_mb", to=0.5)),
    "text_for_number": ("wrong_type", _set("resource", "cores", to="8")),
    "flag_for_consent": ("wrong_type", _set("resource", "consent", to=True)),
    "number_for_text": ("wrong_type", _set("resource", "service", to=8)),
    "beyond_int64": ("wrong_type", _set("clock", "mono_us", to=2**63)),
    "clock_kind": ("clock", _set("clock", "kind", to="sun")),
}


def _changed_json(logical: Mapping[str, Any], change: Callable[[dict[str, Any]], Any]) -> bytes:
    body = json.loads(encode(logical, "json"))
    change(body)
    return _compact(body).encode()


def _changed_msgpack(logical: Mapping[str, Any], change: Callable[[dict[str, Any]], Any]) -> bytes:
    body = msgpack.unpackb(encode(logical, "msgpack"))
    change(body)
    packed: bytes = msgpack.packb(body, unicode_errors="surrogateescape")
    return packed


def _as_blobs(change: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], None]:
    """The same change, with what it wrote as JSON has it turned into what MessagePack has."""

    def changed(body: dict[str, Any]) -> None:
        change(body)
        if isinstance(body.get("id"), str):
            body["id"] = bytes.fromhex(body["id"])
        for table in ("cols", "attrs", "events", "links"):
            for name, column in body.get(table, {}).items():
                if isinstance(column, list):
                    body[table][name] = b"".join(value.to_bytes(4, "little") for value in column)
                elif isinstance(column, str):
                    body[table][name] = bytes.fromhex(column)
        if "sketches" in body:
            body["sketches"] = [
                each | {"values": {metric: bytes.fromhex(sketch) for metric, sketch in each["values"].items()}}
                for each in body["sketches"]
            ]

    return changed


def _merge(body: dict[str, Any], more: Mapping[str, Any]) -> None:
    for key, value in more.items():
        if isinstance(body.get(key), dict):
            body[key].update(value)
        else:
            body[key] = value


def _not_utf8(escaped: str) -> Callable[[dict[str, Any]], None]:
    """Bytes that are no UTF-8, written as Python's `surrogateescape`, in place of U+FFFD."""

    def change(body: dict[str, Any]) -> None:
        body["strings"] = [text.replace("\ufffd", escaped) for text in body["strings"]]

    return change


def _escape(rows: int, entries: list[list[int]]) -> Callable[[dict[str, Any]], None]:
    """Escapes in the first rows of a column, and entries for it in `big`."""

    def change(body: dict[str, Any]) -> None:
        body["cols"]["duration_us"] = b"\xfd\xff\xff\xff" * rows + bytes(4) * (3 - rows)
        body["big"] = {"duration_us": entries}

    return change


def _short_blob(body: dict[str, Any]) -> None:
    body["cols"]["duration_us"] = body["cols"]["duration_us"][:-1]


def _deflate_with(body: bytes, dictionary: bytes) -> bytes:
    compressor = zlib.compressobj(zdict=dictionary)
    return compressor.compress(body) + compressor.flush()


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
