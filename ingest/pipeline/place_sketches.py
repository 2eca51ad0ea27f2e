"""place_sketches: which sketch sets of clients are counted, and when they were measured.

A set counts into the window that holds the middle of its while, by the offset of its body's clock. One that cannot be
counted is left out as a whole; its spans stand in the ledger under the reason.
"""

from collections.abc import Sequence

import numpy as np

from ingest.model import U8, Reception, SpanBatch
from ingest.outcome import Note
from ingest.pipeline.findings import NOTHING, START_LIMIT_US, Anchored, Placed
from ingest.settings import Policy


def place_sketches(
    batch: SpanBatch, receptions: Sequence[Reception], anchored: Anchored, extents: U8, policy: Policy
) -> Placed:
    """The fate of every set.

    Args:
        extents: (r,) as `honour_consent` found them.
    """
    sketches = batch.sketches
    spans = np.zeros((len(Note), len(batch.bodies)), dtype=np.int64)
    if not len(sketches):
        return Placed(accepted=np.zeros(0, dtype=np.bool_), at_us=np.zeros(0, dtype=np.int64), spans=spans)
    body = batch.resources.body[sketches.resource]
    received = np.array([reception.received_at_us for reception in receptions], dtype=np.int64)[body]
    trusted = np.array([reception.trusted for reception in receptions], dtype=np.bool_)[body]
    middle = np.clip(sketches.start_us, 0, START_LIMIT_US) + sketches.width_us // 2
    at_us = middle + anchored.body_offset_us[body]
    fates = np.full(len(sketches), Note.SKETCHED, dtype=np.uint8)
    fates[at_us > received + policy.limits.future_us] = Note.SKETCH_FUTURE
    fates[at_us < received - policy.retention_us] = Note.SKETCH_TOO_OLD
    fates[trusted] = Note.SKETCH_OF_BACKEND
    fates[extents[sketches.resource] == NOTHING] = Note.SKETCH_NO_CONSENT

    np.add.at(spans, (fates, body), sketches.spans)
    accepted = fates == Note.SKETCHED
    remapped = accepted & sketches.remapped
    np.add.at(spans, (Note.SKETCH_REMAPPED, body[remapped]), sketches.spans[remapped])
    return Placed(accepted=accepted, at_us=at_us, spans=spans)
