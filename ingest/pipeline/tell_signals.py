"""tell_signals: what each span is about, where its client does not say: a request, or an operation of the app's own."""

from dataclasses import replace

import numpy as np

from ingest.model import METRICS, U8, UNKNOWN, Mask, Signal, SpanBatch


def tell_signals(batch: SpanBatch) -> SpanBatch:
    """The batch with OPERATION for what was taken for a request and went over no network.

    Such a span has neither an address nor a method, a status or a phase.
    """
    spans = batch.spans
    unsaid: Mask = spans.signal == Signal.REQUEST
    if not unsaid.any():
        return batch
    networked: Mask = np.any(spans.phases_us != UNKNOWN, axis=0)
    networked |= (spans.url != 0) | (spans.method != 0) | (spans.http_status != UNKNOWN)
    signal = np.where(unsaid & ~networked, Signal.OPERATION, spans.signal).astype(np.uint8)
    return replace(batch, spans=replace(spans, signal=signal))


def tell_sketched(batch: SpanBatch) -> U8:
    """(s,) the same of each sketch set, by what it says of its spans."""
    sketches, bins = batch.sketches, batch.sketch_bins
    networked: Mask = (sketches.url != 0) | (sketches.method != 0)
    networked |= np.any(sketches.reused != 0, axis=0) | np.any(sketches.unknown != 0, axis=0)
    networked[bins.owner[bins.metric != METRICS.index("duration")]] = True
    return np.where(networked, Signal.REQUEST, Signal.OPERATION).astype(np.uint8)
