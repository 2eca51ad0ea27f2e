"""validate: which spans cannot be believed at all, and why. Durations and phases are judged, never repaired."""

import numpy as np

from ingest.model import U8, UNKNOWN, Mask, Spans
from ingest.outcome import Outcome
from ingest.pipeline.findings import START_LIMIT_US
from ingest.settings import Limits


def validate(spans: Spans, limits: Limits) -> U8:
    """The fate of each span so far: `Outcome.KEPT` for what may go on, else the reason of its rejection.

    Where several reasons apply, the first in the order of `Outcome` stands.
    """
    fates = np.full(len(spans), Outcome.KEPT, dtype=np.uint8)

    def reject(where: Mask, outcome: Outcome) -> None:
        fates[where & (fates == Outcome.KEPT)] = outcome

    reject(~(_given(spans.trace_id) & _given(spans.span_id)), Outcome.INVALID_ID)
    reject((spans.start_us < 0) | (spans.start_us > START_LIMIT_US), Outcome.INVALID_TIME)
    reject(spans.duration_us == UNKNOWN, Outcome.INVALID_TIME)
    reject(spans.duration_us < 0, Outcome.NEGATIVE_DURATION)
    reject(spans.duration_us > limits.duration_us, Outcome.TOO_LONG)
    reject(spans.name == 0, Outcome.INVALID_NAME)
    return fates


def _given(ids: U8) -> Mask:
    """(n,) which of (n, 16) or (n, 8) ids are not all zeros: by their first and last words, which are all they have."""
    words = np.ascontiguousarray(ids).view(np.uint64)
    given: Mask = (words[:, 0] | words[:, -1]) != 0
    return given
