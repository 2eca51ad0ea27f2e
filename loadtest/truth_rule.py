"""The rule of W3C consistent probability sampling, written again for clients and backends of the simulated world.

It shares nothing with `ingest.pipeline.thresholds`, so that the two check each other. Source: OpenTelemetry,
"TraceState: Probability Sampling": a trace is kept iff the last 14 hexadecimal digits of its id are not below the
threshold.
"""

import numpy as np
import numpy.typing as npt

ALL = 1 << 56


def randomness(trace_ids: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """(n,) the low 56 bits of (n, 16) trace ids."""
    return (np.ascontiguousarray(trace_ids[:, 8:]).view(">u8").ravel() & np.uint64(ALL - 1)).astype(np.int64)


def th(probability: float) -> str:
    """The W3C threshold of a probability, as tracestate writes it."""
    return f"{ALL - round(probability * ALL):014x}".rstrip("0") or "0"


def keeps(trace_id: str, probability: float) -> bool:
    """Whether who samples by this rule keeps the trace: a comparison of texts, as tracestate has them."""
    return trace_id[18:] >= th(probability).ljust(14, "0")
