"""Thresholds of W3C consistent probability sampling (OpenTelemetry, "TraceState: Probability Sampling").

With R 56 bits of randomness and T = 2^56 − round(p · 2^56), a span is kept iff R ≥ T, and then stands for
2^56 / (2^56 − T) spans. So whoever samples by the same rule at p′ ≥ p keeps all that is kept at p.

T is written as `th`: its 14 hex digits without the zeros at the end. Padded again, it compares with the digits of R as
text just as the numbers do.
"""

import re

import numpy as np

from ingest.model import F64, I64, U8

ALL = 1 << 56
"""2^56: randomness is below it; as a threshold it keeps nothing."""
DIGITS = 14
"""Hex digits of 56 bits."""

_TH = re.compile(r"[0-9a-f]{1,14}")


def threshold(probability: float) -> int:
    """T of an inclusion probability in [0, 1]."""
    return ALL - round(probability * ALL)


def thresholds(probabilities: F64) -> I64:
    """(n,) the same for many."""
    kept: I64 = np.rint(probabilities * float(ALL)).astype(np.int64)
    return ALL - kept


def weight(thresholds: I64) -> F64:
    """How many spans each one stands for that passed its threshold (below `ALL`)."""
    return ALL / np.maximum(ALL - thresholds, 1).astype(np.float64)


def encode(threshold: int) -> str:
    """T as `th`.

    All 14 digits are written before zeros go from the end: below 2^52, for p > 15/16, T begins with zeros that count.

    Raises:
        ValueError: it is not in [0, 2^56). What keeps nothing has no text.
    """
    if not 0 <= threshold < ALL:
        raise ValueError("a threshold that can be written is in [0, 2^56)")
    return format(threshold, "014x").rstrip("0") or "0"


def decode(th: str) -> int:
    """T of a `th`.

    Raises:
        ValueError: it is not 1 to 14 lower-case hex digits.
    """
    if not _TH.fullmatch(th):
        raise ValueError("th is 1 to 14 lower-case hex digits")
    return int(th.ljust(DIGITS, "0"), 16)


def low_56_bits(trace_ids: U8) -> I64:
    """(n,) R of (n, 16) trace ids that come without one of their own."""
    padded = np.zeros((len(trace_ids), 8), dtype=np.uint8)
    padded[:, 1:] = trace_ids[:, 9:]
    return padded.view(">i8").ravel().astype(np.int64)
