"""The columns of whole numbers of many bodies of the native format as one matrix.

A body of MessagePack has u32 with two marks and an escape, a body of JSON plain integers; here they become the same.
"""

from collections.abc import Sequence
from itertools import chain, repeat

import numpy as np

from ingest.decode.native_wire import DEFAULTS, NUMBERS, SPANS, WHOLE, Reading
from ingest.model import I64, UNKNOWN, Mask

_ESCAPE = (1 << 32) - 3
"""In a column of u32: the number does not fit and stands in `big`."""
_DEFAULT_BLOBS = tuple(np.full(SPANS, default & 0xFFFFFFFF, "<u4").tobytes() for default in DEFAULTS)

Unresolved = list[tuple[int, str]]
"""Positions of readings and the column in which escapes and `big` contradict each other."""


def whole_numbers(readings: Sequence[Reading], spans: I64) -> tuple[I64, Unresolved]:
    """The matrix of all columns.

    Args:
        readings: the bodies.
        spans: (len(readings),) how many spans each has.

    Returns:
        (len(WHOLE), spans) with marks and escapes resolved. Codes and indexes are yet to be checked; those from 2^31 in
        MessagePack are negative.
    """
    packed = [position for position, reading in enumerate(readings) if not reading.json]
    written = [position for position, reading in enumerate(readings) if reading.json]
    whole, unresolved = _packed(readings, packed)
    if not written:
        return whole, unresolved
    if not packed:
        return _written(readings, written), unresolved
    first = starts(spans)
    place = np.concatenate([np.arange(spans[position]) + first[position] for position in (*packed, *written)])
    whole = np.concatenate([whole, _written(readings, written)], axis=1)
    return whole[:, np.argsort(place)], unresolved


def _packed(readings: Sequence[Reading], positions: Sequence[int]) -> tuple[I64, Unresolved]:
    columns = zip(
        *(
            [default[: 4 * r.n] if c is None else c for c, default in zip(r.whole, _DEFAULT_BLOBS, strict=True)]
            for r in map(readings.__getitem__, positions)
        ),
        strict=True,
    )
    # Read as signed, the marks are what they mean; all else that is negative is rare.
    whole = np.frombuffer(b"".join(chain.from_iterable(columns)), "<i4").astype(np.int64).reshape(len(WHOLE), -1)
    numbers, unresolved, end = whole[-len(NUMBERS) :], Unresolved(), 0
    odd: Mask = np.any(numbers < UNKNOWN, axis=0)
    for position in positions if odd.any() or any(readings[p].big for p in positions) else ():
        reading, start = readings[position], end
        end += reading.n
        if reading.big or odd[start:end].any():
            for name, column in zip(NUMBERS, numbers, strict=True):
                column[start:end], resolved = resolve(column[start:end], reading.big.get(name, ()))
                if not resolved:
                    unresolved.append((position, name))
    return whole, unresolved


def _written(readings: Sequence[Reading], positions: Sequence[int]) -> I64:
    chosen = [readings[position] for position in positions]
    columns = zip(
        *(
            [repeat(default, r.n) if c is None else c for c, default in zip(r.whole, DEFAULTS, strict=True)]
            for r in chosen
        ),
        strict=True,
    )
    size = len(WHOLE) * sum(reading.n for reading in chosen)
    return np.fromiter(chain.from_iterable(chain.from_iterable(columns)), np.int64, size).reshape(len(WHOLE), -1)


def resolve(numbers: I64, entries: Sequence[tuple[int, int]]) -> tuple[I64, bool]:
    """One column of a body as the numbers it means.

    Args:
        numbers: u32 read as signed.
        entries: (row, value) that `big` has for the column.

    Returns:
        The numbers, and whether each escape has its entry and each entry its escape.
    """
    numbers = np.where(numbers < UNKNOWN, numbers + (1 << 32), numbers)
    escaped = np.flatnonzero(numbers == _ESCAPE)
    if len(entries) != len(escaped):
        return numbers, False
    rows, values = np.array(entries, np.int64).reshape(-1, 2).T
    if not np.array_equal(np.sort(rows), escaped):
        return numbers, False
    numbers[rows] = values
    return numbers, True


def starts(sizes: I64) -> I64:
    """Where each of several runs of these sizes begins when they stand end to end."""
    return np.cumsum(sizes) - sizes
