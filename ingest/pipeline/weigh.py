"""weigh: how many spans each one counts for, by what its client says it sampled away.

A client that keeps a trace iff R ≥ T declares T, and each span it sends then stands for 2^56 / (2^56 − T)
(`ingest.pipeline.thresholds`). What a declaration is worth depends on the rest:

- T > R: the span would not have been kept, so the declaration is forged and left out. Unless its user reported a
  problem: then the device sends what it had sampled away already, others stand for it, and it counts for none.
- A T that would make a span weigh more than `Sampling.max_weight` is taken for the one that makes it weigh as much.
- A device that sends what it samples away as sketches (`Bodies.sketched`) counts it there: the span counts for one.
"""

import numpy as np

from ingest.model import F64, I32, U8, UNKNOWN, SpanBatch
from ingest.pipeline.findings import Weighed
from ingest.pipeline.thresholds import low_56_bits, threshold, weight
from ingest.settings import Sampling

_MIXING = np.uint64(0x9E3779B97F4A7C15)
_FINISHING = np.uint64(0xD6E8FEB86659FD93)
_SHIFT = np.uint64(32)


def weigh(batch: SpanBatch, rates: Sampling) -> Weighed:
    """The threshold that was applied to each span before it came, as far as it can be believed."""
    spans = batch.spans
    stands_for = np.ones(len(spans), dtype=np.int32)
    randomness = np.where(spans.randomness == UNKNOWN, low_56_bits(spans.trace_id), spans.randomness)
    if not (spans.threshold > 0).any():
        nowhere = np.zeros(len(spans), dtype=np.bool_)
        return Weighed(randomness, np.zeros(len(spans), dtype=np.int64), stands_for, forged=nowhere, clamped=nowhere)
    heaviest = threshold(1.0 / rates.max_weight)
    passed_over = spans.threshold > randomness
    reported = batch.resources.reported[spans.resource]
    declared = np.minimum(np.where(passed_over, 0, np.maximum(spans.threshold, 0)), heaviest)
    alone = (declared > 0) & ~batch.bodies.sketched[batch.body_of_span]
    if alone.any():
        stands_for[alone] = _whole(weight(declared[alone]), spans.span_id[alone])
    stands_for[passed_over & reported] = 0
    return Weighed(
        randomness=randomness,
        declared=declared,
        stands_for=stands_for,
        forged=passed_over & ~reported,
        clamped=~passed_over & (spans.threshold > heaviest),
    )


def _whole(weights: F64, span_ids: U8) -> I32:
    """The weights as whole numbers that are right on average: x.3 is rounded up for three span ids of ten.

    By a hash of the id, so that the same span is always rounded the same way, whatever its randomness.
    """
    mixed = np.ascontiguousarray(span_ids).view(np.uint64).ravel() * _MIXING
    mixed ^= mixed >> _SHIFT
    mixed *= _FINISHING
    mixed ^= mixed >> _SHIFT
    chance = (mixed >> np.uint64(11)) / float(1 << 53)
    return np.floor(weights + chance).astype(np.int32)
