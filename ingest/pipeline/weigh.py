"""weigh: how many spans each one counts for, by what its client says it sampled away."""

import numpy as np

from ingest.model import UNKNOWN, SpanBatch
from ingest.pipeline.findings import Weighed
from ingest.pipeline.thresholds import low_56_bits, threshold
from ingest.settings import Sampling


def weigh(batch: SpanBatch, rates: Sampling) -> Weighed:
    """The threshold that was applied to each span before it came, as far as it can be believed."""
    spans = batch.spans
    randomness = np.where(spans.randomness == UNKNOWN, low_56_bits(spans.trace_id), spans.randomness)
    heaviest = threshold(1.0 / rates.max_weight)
    forged = spans.threshold > randomness
    clamped = ~forged & (spans.threshold > heaviest)
    declared = np.minimum(np.where(forged, 0, np.maximum(spans.threshold, 0)), heaviest)
    return Weighed(
        randomness=randomness,
        declared=declared,
        stands_for=np.ones(len(spans), dtype=np.int32),
        forged=forged,
        clamped=clamped,
    )
