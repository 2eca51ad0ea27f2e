"""The journal's record: `Processed` as bytes and back, exactly.

    version: 1 byte │ zstd frame with checksum of:
                      header length: u32 │ header: msgpack [strings, shapes] │ padding to 8 bytes
                      every column of every table in the order of the dataclasses, little-endian, each padded to 8 bytes

`ingest.model`'s dataclasses are the schema: nothing here names a column. So a change to them is a change of the format:
raise `VERSION` (`tests/journal/test_record.py` fails until that is done) and keep reading the version before it, for a
journal may hold records when the software is replaced.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, get_args, get_origin, get_type_hints

import msgpack  # type: ignore[import-untyped]
import numpy as np
import numpy.typing as npt
import zstandard

from ingest.journal import record_2
from ingest.model import Columns, Kept, Processed, SpanBatch

VERSION = 3
LEVEL = 1
"""Of zstd: higher levels save less space than their CPU costs."""
MAX_RECORD_BYTES = 1 << 28
"""A record inflates to less; anything else is not ours."""

_ALIGNMENT = 8
_NESTED: tuple[type, ...] = (Processed, Kept, SpanBatch)


class RecordError(ValueError):
    """The bytes are no record that this version can read."""


def encode(record: Processed) -> bytes:
    """The record as bytes; `decode` gives it back exactly."""
    pieces: list[Any] = [b""]
    shapes: list[Sequence[int]] = []
    for kind, table in _tables_of(record):
        for name, dtype in _COLUMNS[kind]:
            column = np.ascontiguousarray(getattr(table, name), dtype)
            shapes.append(column.shape)
            pieces.append(column.tobytes())
            if column.nbytes % _ALIGNMENT:
                pieces.append(b"\0" * (-column.nbytes % _ALIGNMENT))
    header = msgpack.packb([list(record.strings), shapes], unicode_errors="surrogatepass")
    pieces[0] = len(header).to_bytes(4, "little") + header + b"\0" * (-(len(header) + 4) % _ALIGNMENT)
    return bytes([VERSION]) + zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).compress(b"".join(pieces))


def decode(data: bytes) -> Processed:
    """The record again. Its columns are read-only views of one buffer.

    Raises:
        RecordError: of another version, damaged, or no record at all.
    """
    version = data[0] if data else None
    if version not in (VERSION, record_2.VERSION):
        raise RecordError(
            f"the record's version is {version}, this software reads {record_2.VERSION} and {VERSION};"
            " run the version that wrote it"
        )
    try:
        body = zstandard.ZstdDecompressor().decompress(memoryview(data)[1:], max_output_size=MAX_RECORD_BYTES)
        size = 4 + int.from_bytes(body[:4], "little")
        strings, shapes = msgpack.unpackb(memoryview(body)[4:size], unicode_errors="surrogatepass")
        dtypes = _DTYPES if version == VERSION else _DTYPES_OF_2
        columns = _columns(body, size + -size % _ALIGNMENT, shapes, dtypes)
        if version == record_2.VERSION:
            columns = record_2.complete(columns, _SCHEMA)
        record: Processed = _build(Processed, {"strings": strings}, columns)
        if version == record_2.VERSION:
            record = record_2.modernise(record)
    except (zstandard.ZstdError, msgpack.UnpackException, ValueError, TypeError, StopIteration) as error:
        raise RecordError(f"the record is damaged ({type(error).__name__}); it is kept aside for inspection") from None
    return record


def _columns(
    body: bytes, offset: int, shapes: Sequence[Sequence[int]], dtypes: "Sequence[np.dtype[Any]]"
) -> Iterator[npt.NDArray[Any]]:
    for dtype, shape in zip(dtypes, shapes, strict=True):
        count = 1
        for length in shape:
            count *= length
        column = np.frombuffer(body, dtype, count, offset) if count else np.empty(0, dtype)
        yield column if len(shape) == 1 else column.reshape(shape)
        offset += column.nbytes + -column.nbytes % _ALIGNMENT
    if offset != len(body):
        raise ValueError("bytes are left over")


def _build(kind: type, plain: Mapping[str, Any], columns: Iterator[npt.NDArray[Any]]) -> Any:
    if issubclass(kind, Columns):
        return kind(*(next(columns) for _ in _COLUMNS[kind]))
    parts: dict[str, Any] = {}
    for name, part in _PARTS[kind].items():
        parts[name] = plain[name] if part is None else _build(part, plain, columns)
    return kind(**parts)


def _tables_of(record: Processed) -> Iterator[tuple[type[Columns], Columns]]:
    for kind, path in _PATHS:
        table: Any = record
        for name in path:
            table = getattr(table, name)
        yield kind, table


def _parts(kind: type) -> dict[str, type | None]:
    """Field → what it is made of; None for what the header holds."""
    hints = get_type_hints(kind)
    return {f.name: hints[f.name] if _is_part(hints[f.name]) else None for f in fields(kind)}


def _is_part(hint: Any) -> bool:
    # `Sequence[str]` and `NDArray[…]` are aliases, no classes.
    return get_origin(hint) is None and issubclass(hint, (Columns, *_NESTED))


def _walk(kind: type, path: tuple[str, ...] = ()) -> Iterator[tuple[type[Columns], tuple[str, ...]]]:
    if issubclass(kind, Columns):
        yield kind, path
        return
    for name, part in _PARTS[kind].items():
        if part is not None:
            yield from _walk(part, (*path, name))


def _dtypes(kind: type[Columns]) -> tuple[tuple[str, "np.dtype[Any]"], ...]:
    hints = get_type_hints(kind)
    # NDArray[np.int64] is ndarray[shape, dtype[np.int64]].
    scalars = {f.name: get_args(get_args(hints[f.name])[1])[0] for f in fields(kind)}
    return tuple((name, np.dtype(scalar).newbyteorder("<")) for name, scalar in scalars.items())


_PARTS = {kind: _parts(kind) for kind in _NESTED}
_PATHS = tuple(_walk(Processed))
_COLUMNS = {kind: _dtypes(kind) for kind, _ in _PATHS}
_SCHEMA = tuple((".".join(path), name, dtype) for kind, path in _PATHS for name, dtype in _COLUMNS[kind])
_DTYPES = tuple(dtype for _, _, dtype in _SCHEMA)
_DTYPES_OF_2 = tuple(dtype for table, name, dtype in _SCHEMA if record_2.has(table, name))

SCHEMA = " ".join(f"{table}.{name}:{dtype.str}" for table, name, dtype in _SCHEMA)
"""Every column and its type: what `VERSION` stands for."""
