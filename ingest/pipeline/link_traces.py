"""link_traces: which other spans the kept ones point at. Client context is untrusted: links without valid ids go."""

from dataclasses import replace

import numpy as np

from ingest.model import Mask, SpanBatch


def link_traces(batch: SpanBatch) -> SpanBatch:
    """The batch with only those links that name a trace and a span."""
    links = batch.links
    named: Mask = np.any(links.trace_id, axis=1) & np.any(links.span_id, axis=1)
    return replace(batch, links=links.take(named))
