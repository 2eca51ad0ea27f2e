"""Rows of what is no OTLP span: events, vitals, exceptions, timing entries of a browser; and the columns of them.

`SignalRows` is `Rows` that knows of every span what it is about, and makes ids for those that come without. They are
mixed from the hash of the body and the span's place in it: the same body sent again has the same ids, and the low 56
bits, by which the sampler decides, are as good as drawn. A request without a trace is one by itself; all else that a
body tells without one is one trace: it happened at one page within moments, and an error stands beside what led to it.
"""

from array import array
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from ingest.decode.otlp_columns import build_batch
from ingest.decode.otlp_grid import ints
from ingest.decode.otlp_rows import Rows
from ingest.decode.otlp_text import text_of
from ingest.model import I64, U8, Kind, Remarks, Signal, SpanBatch
from ingest.outcome import Note
from ingest.settings import Limits

U64 = npt.NDArray[np.uint64]

LONGEST_NS: Final = 1 << 60
"""36 years; what is longer becomes that, and is rejected for it."""
_UNMADE: Final = bytes(8)
_UNTRACED: Final = bytes(16)


def text(value: Any) -> str:
    """A value of JSON as attributes hold it; empty for none, and for what JSON could not be written back as."""
    try:
        return value if isinstance(value, str) else text_of(value)
    except (TypeError, ValueError, OverflowError):
        return ""


class SignalRows(Rows):
    """Everything read of a micro-batch, with what `Rows` has no place for."""

    def __init__(self, limits: Limits) -> None:
        super().__init__(limits)
        self.signals = array("B")
        """`Signal`, for every row."""
        self.made = array("q")
        """Rows whose span id is made here."""
        self.untraced = array("q")
        """Those of them that are a trace by themselves."""
        self.together = array("q")
        """Those of them that share the trace of their body."""
        self.parents: list[tuple[int, int]] = []
        """(row, row of its parent in the same body, which is before it or not)."""
        self.remarked: list[tuple[int, Note]] = []
        """(body, what) of what was left out, one for each."""
        self.first_row = 0
        """Of the body begun last."""
        self._growing = (
            *self._growing,
            self.signals,
            self.made,
            self.untraced,
            self.together,
            self.parents,
            self.remarked,
        )

    def begin(self, body: int) -> None:
        super().begin(body)
        self.first_row = len(self.names)

    def add(
        self,
        name: str,
        signal: Signal,
        times: tuple[int, int],
        pairs: Sequence[int],
        *,
        context: tuple[bytes, bytes] | None = None,
        alone: bool = True,
        kind: Kind = Kind.INTERNAL,
        failed: bool = False,
    ) -> int:
        """The row of a new span of the resource opened last.

        Args:
            times: start in ns since 1970, 0 when unknown; duration in ns, below 0 when unknown.
            context: ids of its trace and parent; None: it has none.
            alone: without one, it is a trace by itself.
        """
        row = len(self.names)
        self.made.append(row)
        if context is None:
            (self.untraced if alone else self.together).append(row)
        trace_id, parent_id = context or (_UNTRACED, _UNMADE)
        self.trace_ids.append(trace_id)
        self.parent_ids.append(parent_id)
        self.span_ids.append(_UNMADE)
        self.names.append(self.codes[name])
        self.signals.append(signal)
        self.kinds.append(kind)
        self.statuses.append(2 if failed else 0)
        start, duration = times
        self.starts.append(start)
        self.ends.append(start + min(duration, LONGEST_NS) if duration >= 0 else 0)
        self.pair_ids.extend(pairs)
        self.pair_counts.append(len(pairs))
        self.event_counts.append(0)
        self.resource_spans[-1] += 1
        return row

    def add_unreadable(self) -> None:
        """A row for an item of another shape than it must have: it will be rejected, and so counted."""
        self.add("", Signal.EVENT, (0, -1), ())

    def remark(self, note: Note) -> None:
        """Counts something that is left out of the body."""
        self.remarked.append((self.body, note))

    @property
    def remarks(self) -> Remarks:
        """The same counted."""
        counted = [(body, note, times) for (body, note), times in Counter(self.remarked).items()]
        body, note, times = np.array(counted, dtype=np.int64).reshape(-1, 3).T
        return Remarks(body=body.astype(np.int32), note=note.astype(np.uint8), spans=times)


def build_signals(rows: SignalRows, digests: Sequence[bytes]) -> SpanBatch:
    """The micro-batch in columns.

    Args:
        rows: what was read; bad bodies undone.
        digests: 16 bytes of hash for every body, bad ones too.
    """
    batch = build_batch(rows, digests)
    spans = replace(batch.spans, signal=np.frombuffer(rows.signals.tobytes(), dtype=np.uint8))
    trace_id, span_id, parent_id = (np.array(ids) for ids in (spans.trace_id, spans.span_id, spans.parent_span_id))
    made, untraced, together = ints(rows.made), ints(rows.untraced), ints(rows.together)
    place = np.arange(len(spans)) - np.searchsorted(batch.body_of_span, batch.body_of_span)
    span_id[made] = _ids(batch, place)[1][made]
    trace_id[untraced] = _ids(batch, place)[0][untraced]
    trace_id[together] = _ids(batch, np.full_like(place, _NOWHERE))[0][together]
    if rows.parents:
        child, parent = np.array(rows.parents, dtype=np.int64).T
        trace_id[child], parent_id[child] = trace_id[parent], span_id[parent]
    spans = replace(spans, trace_id=trace_id, span_id=span_id, parent_span_id=parent_id)
    return replace(batch, spans=spans)


_NOWHERE: Final = -1
"""The place of what belongs to the body as a whole."""
_STEP: Final = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def _ids(batch: SpanBatch, place: I64) -> tuple[U8, U8]:
    """(n, 16) trace ids and (n, 8) span ids, from the body's hash and a place in the body."""
    words: npt.NDArray[Any] = np.ascontiguousarray(batch.bodies.batch_id).view(np.uint64)[batch.body_of_span]
    low = mix(words[:, 1] + place.astype(np.uint64) * _STEP)
    span = mix(low ^ words[:, 0])
    traces = np.stack([words[:, 0], low], axis=1)
    return traces.view(np.uint8).reshape(-1, 16), span.view(np.uint8).reshape(-1, 8)


def mix(words: U64) -> U64:
    """Every bit of each word spread over all of it (the end of SplitMix64)."""
    mixed = (words ^ words >> np.uint64(30)) * _FIRST
    mixed = (mixed ^ mixed >> np.uint64(27)) * _SECOND
    return mixed ^ mixed >> np.uint64(31)
