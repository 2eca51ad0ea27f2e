"""Request bodies made plain, with the output capped while it grows.

A kilobyte can claim to be a gigabyte, so no decompressor here is ever allowed to produce more than the limit: memory is
bounded by `limit` whatever the input says of itself. Serves every format of the edge, not only the native one.
"""

import threading
import zlib
from collections.abc import Callable, Mapping
from importlib import resources

import zstandard

from ingest.errors import Malformed, TooLarge, UnsupportedType

DICTIONARY = resources.files("ingest.decode").joinpath("dictionary", "1.bin").read_bytes()
"""The preset dictionary of the native format, version 1 (RFC 1950 §2.2). Its bytes never change."""

_DICTIONARY_ID = zlib.adler32(DICTIONARY).to_bytes(4, "big")
_FDICT = 0x20
_MEMBERS = 64
"""Members of a gzip or frames of a zstd body: each costs a copy of what follows it."""
_WINDOW_BYTES = 8 << 20
"""Largest window of a zstd frame; what RFC 8878 §3.1.1.1.2 asks every decoder to support."""
_GZIP = 31
"""`wbits` of zlib for exactly one gzip member."""


class _PerThread(threading.local):
    """Making a zstd context costs 7 µs, using one 1 µs; a context must not be shared between threads."""

    def __init__(self) -> None:
        self.decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)


_ZSTD = _PerThread()


def inflate(data: bytes, encoding: str | None, limit: int) -> bytes:
    """The body without its compression.

    Args:
        data: the body as received.
        encoding: `gzip`, `x-gzip`, `zstd`, `deflate` (zlib, RFC 1950, with or without the preset dictionary) or
            `identity`; None or empty: found by the first bytes, where zlib counts only with a preset dictionary.
        limit: most bytes to return.

    Raises:
        TooLarge: `body_too_large`, it would exceed `limit`.
        Malformed: `bad_gzip`, `bad_zstd`, `bad_deflate`, `unknown_dictionary`; the offset counts inflated bytes.
        UnsupportedType: `unknown_encoding`.
    """
    name = encoding.strip().lower() if encoding else _sniff(data)
    decompress = _DECOMPRESS.get(name)
    if decompress is None:
        raise UnsupportedType(
            "unknown_encoding", "the content encoding is not spoken here; use gzip, zstd, deflate or identity"
        )
    return decompress(data, limit)


def _sniff(data: bytes) -> str:
    if data.startswith(b"\x1f\x8b"):
        return "gzip"
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return "zstd"
    if len(data) >= 2 and data[0] == 0x78 and data[1] & _FDICT and int.from_bytes(data[:2], "big") % 31 == 0:
        return "deflate"
    return "identity"


def _identity(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise _too_large(limit)
    return data


def _gzip(data: bytes, limit: int) -> bytes:
    plain, rest = _member(zlib.decompressobj(_GZIP), data, limit, "gzip")
    if not rest:
        return plain
    members, produced = [plain], len(plain)
    while rest:
        if len(members) == _MEMBERS:
            raise Malformed("bad_gzip", f"the gzip body has more than {_MEMBERS} members; send one", offset=produced)
        plain, rest = _member(zlib.decompressobj(_GZIP), rest, limit, "gzip", produced)
        members.append(plain)
        produced += len(plain)
    return b"".join(members)


def _deflate(data: bytes, limit: int) -> bytes:
    if len(data) >= 6 and data[1] & _FDICT and data[2:6] != _DICTIONARY_ID:
        raise Malformed(
            "unknown_dictionary",
            "the zlib header names a preset dictionary that is not known here; use version 1",
            offset=0,
        )
    plain, rest = _member(zlib.decompressobj(zdict=DICTIONARY), data, limit, "deflate")
    if rest:
        raise _malformed("deflate", "goes on after its end; remove what follows", len(plain))
    return plain


def _member(
    decompressor: "zlib._Decompress", data: bytes, limit: int, name: str, produced: int = 0
) -> tuple[bytes, bytes]:
    """One gzip member or zlib stream, and the input behind it."""
    try:
        plain = decompressor.decompress(data, limit - produced + 1)
    except zlib.error:
        raise _malformed(name, "is damaged", produced) from None
    if produced + len(plain) > limit:
        raise _too_large(limit)
    if not decompressor.eof:
        raise _malformed(name, "ends too early; it was cut off", produced + len(plain))
    return plain, decompressor.unused_data


def _zstd(data: bytes, limit: int) -> bytes:
    try:
        size = zstandard.frame_content_size(data)
        if size > limit:
            raise _too_large(limit)
        if size > 0:
            try:
                return _ZSTD.decompressor.decompress(data, allow_extra_data=False)
            except zstandard.ZstdError:
                return _zstd_frames(data, limit)
        return _zstd_frames(data, limit)
    except zstandard.ZstdError:
        raise _malformed("zstd", "is damaged, cut off, or asks for a window of more than 8 MiB", None) from None


def _zstd_frames(data: bytes, limit: int) -> bytes:
    """Frames of unknown size. Measured with a cap first: what tells the end of a frame has no cap of its own."""
    with _ZSTD.decompressor.stream_reader(data, read_across_frames=True) as reader:
        if len(reader.read(limit + 1)) > limit:
            raise _too_large(limit)
    frames: list[bytes] = []
    while data:
        if len(frames) == _MEMBERS:
            raise Malformed("bad_zstd", f"the zstd body has more than {_MEMBERS} frames; send one")
        frame = _ZSTD.decompressor.decompressobj()
        frames.append(frame.decompress(data))
        if not frame.eof:
            raise _malformed("zstd", "ends too early; it was cut off", sum(map(len, frames)))
        data = frame.unused_data
    return b"".join(frames)


def _too_large(limit: int) -> TooLarge:
    return TooLarge("body_too_large", f"the body is larger than {limit} bytes once inflated; send smaller batches")


def _malformed(name: str, what: str, offset: int | None) -> Malformed:
    return Malformed(f"bad_{name}", f"the {name} body {what}", offset=offset)


_DECOMPRESS: Mapping[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "zstd": _zstd,
    "deflate": _deflate,
    "identity": _identity,
}
