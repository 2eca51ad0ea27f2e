"""What every decoder needs to make columns out of what clients send: text, ids, thresholds, owned rows."""

import re
from binascii import unhexlify
from collections import defaultdict
from collections.abc import Iterable
from itertools import count, islice

import numpy as np

from ingest.model import I32, I64, U8, UNKNOWN, Mask, Remarks
from ingest.outcome import Note

_THRESHOLD = re.compile(r"[0-9a-f]{1,14}")
_RANDOMNESS = re.compile(r"[0-9a-f]{14}")
_LONGEST_CHARACTER = 4
"""Bytes of UTF-8."""
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Strings:
    """The string table of a micro-batch as it grows. None counts as the empty string, code 0."""

    def __init__(self) -> None:
        self._codes: defaultdict[str | None, int] = defaultdict(count(1).__next__, {"": 0, None: 0})

    def codes(self, texts: Iterable[str | None], rows: int) -> I32:
        """(rows,) the code of each text, in order."""
        return np.fromiter(map(self._codes.__getitem__, texts), np.int32, rows)

    def texts(self) -> list[str]:
        """The text of each code, as it came."""
        return ["", *(text for text in islice(self._codes, 2, None) if text is not None)]

    def table(self, string_bytes: int) -> list[str]:
        """The text of each code, fit for any store: no NUL, no lone surrogate, cut to `string_bytes` of UTF-8."""
        return storable(self.texts(), string_bytes)


def storable(texts: list[str], string_bytes: int) -> list[str]:
    """The texts, U+FFFD for NUL (PostgreSQL has none) and lone surrogates (UTF-8 has none), cut to `string_bytes`."""
    whole = "".join(texts)
    if "\0" in whole or not _encodable(whole):
        texts = [_UNSTORABLE.sub("\ufffd", text) for text in texts]
    if max(map(len, texts), default=0) * _LONGEST_CHARACTER > string_bytes:
        texts = [cut(text, string_bytes) for text in texts]
    return texts


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def cut(text: str, string_bytes: int) -> str:
    """The text itself, or as much of it as fits with a closing `…` into `string_bytes` of UTF-8."""
    if len(text) * _LONGEST_CHARACTER <= string_bytes:
        return text
    encoded = text[: string_bytes + 1].encode()
    if len(encoded) <= string_bytes:
        return text
    return encoded[: string_bytes - len("…".encode())].decode(errors="ignore") + "…"


def ids(blob: bytes, width: int) -> U8:
    """(n, width) ids of `width` bytes each, one after the other in `blob`."""
    return np.frombuffer(blob, np.uint8).reshape(-1, width)


def from_hex(text: str) -> bytes | None:
    """The bytes that hex digits of either case spell; None when they spell none."""
    try:
        return unhexlify(text)
    except ValueError:
        return None


def threshold(text: str) -> int:
    """T in [0, 2^56) of a W3C `th`: up to 14 lower-case hex digits, zeros to the right implied; else UNKNOWN."""
    return int(text.ljust(14, "0"), 16) if _THRESHOLD.fullmatch(text) else UNKNOWN


def randomness(text: str) -> int:
    """R in [0, 2^56) of a W3C `rv`: exactly 14 lower-case hex digits; else UNKNOWN."""
    return int(text, 16) if _RANDOMNESS.fullmatch(text) else UNKNOWN


def within(numbers: I64, low: int, high: int) -> I64:
    """The numbers, with UNKNOWN for what lies outside low…high."""
    return np.where((numbers >= low) & (numbers <= high), numbers, UNKNOWN)


def first_of_each(owner: I32, limit: int) -> Mask | None:
    """Which rows are among the first `limit` of their owner; None when all are."""
    if len(owner) <= limit or np.bincount(owner).max() <= limit:
        return None
    order = np.argsort(owner, kind="stable")
    grouped = owner[order]
    starts = np.flatnonzero(np.diff(grouped, prepend=-1))
    rank = np.arange(len(owner)) - np.repeat(starts, np.diff(starts, append=len(owner)))
    chosen = np.empty(len(owner), np.bool_)
    chosen[order] = rank < limit
    return chosen


def remark(note: Note, body: I32) -> Remarks:
    """One note about something in each of these bodies, which may be named several times."""
    bodies, count = np.unique(body, return_counts=True)
    return Remarks(bodies.astype(np.int32), np.full(len(bodies), note, dtype=np.uint8), count.astype(np.int64))
