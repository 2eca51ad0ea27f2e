"""The reference of sketches (`WIRE.md`, "Sketches"): spans of one route in one while → what is sent instead of them.

Written from the specification alone, like `encoder.py`, which calls it.
"""

import math
import struct
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PHASES = ("redirect", "blocked", "dns", "tcp", "tls", "request", "ttfb", "download")
REUSED, UNKNOWN = -1, -2
ERROR = 2
"""Status of a failed span."""

Span = Mapping[str, Any]


def summarise(spans: Sequence[Span], start_us: int, width_us: int, accuracy: float = 0.01) -> dict[str, Any]:
    """One sketch set, with text for codes and hex for sketches.

    Args:
        spans: at least one, all of the same name, method, url and route, with the keys of `encoder.encode`.
        start_us: of the while they started in, by the batch's clock.
        accuracy: α of the sketches; the server's own is 0.01.
    """
    phases = {phase: [_phase(span, phase) for span in spans if _is_request(span)] for phase in PHASES}
    measured = {"duration": [span["duration_us"] for span in spans]}
    measured |= {phase: [us for us in values if us >= 0] for phase, values in phases.items()}
    return {
        **{name: spans[0].get(name, "") for name in ("name", "method", "url", "route")},
        "start_us": start_us,
        "width_us": width_us,
        "spans": len(spans),
        "errors": sum(_failed(span) for span in spans),
        "reused": _counts(phases, REUSED),
        "unknown": _counts(phases, UNKNOWN),
        "values": {name: ddsketch(values, accuracy).hex() for name, values in measured.items() if values},
    }


def ddsketch(values: Iterable[int], accuracy: float) -> bytes:
    """Whole microseconds as a `DDSketch` message: logarithmic mapping, index ⌈log_γ x⌉, no offset."""
    gamma = (1 + accuracy) / (1 - accuracy)
    counts = Counter(math.ceil(math.log(value) / math.log(gamma)) if value else None for value in values)
    zeros = counts.pop(None, 0)
    bins = sorted((index, count) for index, count in counts.items() if index is not None)
    message = _field(1, _double(1, gamma))
    if bins:
        message += _field(2, min(_sparse(bins), _contiguous(bins), key=len))
    return message + (_double(4, zeros) if zeros else b"")


def _phase(span: Span, phase: str) -> int:
    value: int = span.get(f"{phase}_us", UNKNOWN)
    return value


def _is_request(span: Span) -> bool:
    """A screen or a task has no phases: they are neither reused nor unknown."""
    described = span.get("url") or span.get("method") or span.get("http_status", UNKNOWN) != UNKNOWN
    return bool(described) or any(_phase(span, phase) != UNKNOWN for phase in PHASES)


def _failed(span: Span) -> bool:
    http_status = span.get("http_status", UNKNOWN)
    return span.get("status") == ERROR or http_status >= 400 or http_status == 0


def _counts(phases: Mapping[str, Sequence[int]], mark: int) -> dict[str, int]:
    return {phase: count for phase, values in phases.items() if (count := values.count(mark))}


def _sparse(bins: Sequence[tuple[int, int]]) -> bytes:
    return b"".join(_field(1, b"\x08" + _zigzag(index) + _double(2, count)) for index, count in bins)


def _contiguous(bins: Sequence[tuple[int, int]]) -> bytes:
    counts, first = dict(bins), bins[0][0]
    dense = [counts.get(index, 0) for index in range(first, bins[-1][0] + 1)]
    return _field(2, struct.pack(f"<{len(dense)}d", *dense)) + b"\x18" + _zigzag(first)


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field of protobuf."""
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _double(number: int, value: float) -> bytes:
    return bytes([number << 3 | 1]) + struct.pack("<d", value)


def _zigzag(value: int) -> bytes:
    return _varint(2 * value if value >= 0 else -2 * value - 1)


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])
