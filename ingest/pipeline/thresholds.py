"""Thresholds of W3C consistent probability sampling (OpenTelemetry, "TraceState: Probability Sampling").

With R 56 bits of randomness and T = 2^56 − round(p · 2^56), a span is kept iff R ≥ T, and then stands for
2^56 / (2^56 − T) spans. So whoever samples by the same rule at p′ ≥ p keeps all that is kept at p.
"""

import numpy as np

from ingest.model import F64, I64, U8

ALL = 1 << 56
"""2^56: randomness is below it; as a threshold it keeps nothing."""


def threshold(probability: float) -> int:
    """T of an inclusion probability in [0, 1]."""
    return ALL - round(probability * ALL)


def weight(thresholds: I64) -> F64:
    """How many spans each one stands for that passed its threshold (below `ALL`)."""
    return ALL / np.maximum(ALL - thresholds, 1).astype(np.float64)


def low_56_bits(trace_ids: U8) -> I64:
    """(n,) R of (n, 16) trace ids that come without one of their own."""
    padded = np.zeros((len(trace_ids), 8), dtype=np.uint8)
    padded[:, 1:] = trace_ids[:, 9:]
    return padded.view(">i8").ravel().astype(np.int64)
