"""sample: which accepted spans are stored whole, and how many spans each of them stands for.

W3C consistent probability sampling: with R the trace's 56 bits of randomness and T = 2^56 − round(p · 2^56), a span is
kept iff R ≥ T, and then stands for 2^56 / (2^56 − T) spans (OpenTelemetry, "TraceState: Probability Sampling"). So
every service that samples by the same rule at p′ ≥ p keeps every trace that is kept here. Errors and slow requests form
strata of their own that are always kept. A threshold that the client applied already is part of the inclusion
probability; one that its own randomness belies is ignored, and none weighs more than `Sampling.max_weight`.
"""

import numpy as np

from ingest.model import I64, U8, UNKNOWN, DeviceClass, Kind, SpanBatch, Stratum
from ingest.pipeline.findings import Devices, Sampled
from ingest.settings import Sampling

ALL = 1 << 56
"""2^56: thresholds and randomness are below it."""


def threshold(probability: float) -> int:
    """T of an inclusion probability in [0, 1]; 2^56 (keep nothing) for 0."""
    return ALL - round(probability * ALL)


def sample(batch: SpanBatch, devices: Devices, rates: Sampling) -> Sampled:
    """Decides by the trace's randomness alone, so that a trace is kept or left as a whole within a device class."""
    spans = batch.spans
    randomness = np.where(spans.randomness == UNKNOWN, _low_56_bits(spans.trace_id), spans.randomness)
    by_class = np.zeros(len(DeviceClass), dtype=np.int64)
    by_class[DeviceClass.UNKNOWN] = threshold(rates.unknown)
    by_class[DeviceClass.LOW] = threshold(rates.low)
    by_class[DeviceClass.MID] = threshold(rates.mid)
    by_class[DeviceClass.HIGH] = threshold(rates.high)

    heaviest = threshold(1.0 / rates.max_weight)
    declared = np.where(spans.threshold > randomness, 0, np.maximum(spans.threshold, 0))
    declared = np.minimum(declared, heaviest)

    stratum = np.full(len(spans), Stratum.RANDOM, dtype=np.uint8)
    stratum[(spans.kind == Kind.CLIENT) & (spans.duration_us >= rates.slow_us)] = Stratum.SLOW
    stratum[spans.failed] = Stratum.ERROR
    required = np.where(stratum == Stratum.RANDOM, by_class[devices.classes[spans.resource]], 0)
    applied = np.maximum(declared, required)
    kept = randomness >= applied
    weight = ALL / np.maximum(ALL - applied, 1).astype(np.float64)
    return Sampled(kept=kept, weight=weight, stratum=stratum)


def _low_56_bits(trace_id: U8) -> I64:
    padded = np.zeros((len(trace_id), 8), dtype=np.uint8)
    padded[:, 1:] = trace_id[:, 9:]
    return padded.view(">i8").ravel().astype(np.int64)
