"""judge_phases: phases that contradict themselves or their span become unknown, and are counted."""

from collections.abc import Sequence

from ingest.model import SpanBatch
from ingest.pipeline.findings import Noted


def judge_phases(batch: SpanBatch) -> tuple[SpanBatch, Sequence[Noted]]:
    """The batch with believable phases only, and what was found."""
    return batch, ()
