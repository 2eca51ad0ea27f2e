"""anchor_clock: when each span started in server time, how sure that is, and which spans lie outside what is kept.

One offset per body: `start_at = start + offset`. Spans of a body are never moved against each other and durations are
never touched. What bounds the offset decides the grade (`ClockQuality`):

- B: a monotonic clock with a send stamp of the same epoch. The request was received within `SEND_TIMEOUT_US` after the
  stamp, so offset ∈ [R − s − T, R − s]; half the round trip is the best guess inside it.
- E: only the device's wall clock; shifted by (R − w) when a send stamp tells its error now, else taken as it is.
- F: nothing: the newest span is taken to end at the time of receipt.
"""

from collections.abc import Sequence

import numpy as np

from ingest.model import I64, NOT_MEASURED, UNKNOWN, ClockKind, ClockQuality, Reception, SpanBatch
from ingest.outcome import Outcome
from ingest.pipeline.findings import START_LIMIT_US, Anchored
from ingest.settings import Policy

SEND_TIMEOUT_US = 10_000_000
"""T: a client gives up a request after this long, so a request received was stamped no earlier."""


def anchor_clock(batch: SpanBatch, receptions: Sequence[Reception], policy: Policy) -> Anchored:
    """One offset and grade per body, applied to its spans; rejects what starts in the future or before retention."""
    newest_end = _newest_end_by_body(batch)
    graded = [
        _grade(
            reception,
            clock=int(clock),
            epoch=batch.strings[epoch],
            sealed_mono=int(mono),
            sealed_wall=int(wall),
            newest_end=int(end),
        )
        for reception, clock, epoch, mono, wall, end in zip(
            receptions,
            batch.bodies.clock,
            batch.bodies.epoch.tolist(),
            batch.bodies.sealed_mono_us,
            batch.bodies.sealed_wall_us,
            newest_end,
            strict=True,
        )
    ]
    offsets = np.array([grade[0] for grade in graded], dtype=np.int64)
    qualities = np.array([grade[1] for grade in graded], dtype=np.uint8)
    errors_ms = np.array([grade[2] for grade in graded], dtype=np.int64)
    received = np.array([reception.received_at_us for reception in receptions], dtype=np.int64)

    body = batch.body_of_span
    start_at = np.clip(batch.spans.start_us, 0, START_LIMIT_US) + offsets[body]
    fates = np.full(len(batch.spans), Outcome.KEPT, dtype=np.uint8)
    fates[start_at > received[body] + policy.limits.future_us] = Outcome.FUTURE
    fates[start_at < received[body] - policy.retention_us] = Outcome.TOO_OLD
    unmeasured = np.full(len(batch.spans), NOT_MEASURED, dtype=np.int64)
    return Anchored(
        start_at_us=start_at,
        quality=qualities[body],
        err_ms=errors_ms[body],
        fates=fates,
        skew_ms=unmeasured,
        conflict=np.zeros(len(batch.spans), dtype=np.bool_),
        upload_delay_ms=unmeasured,
        segment=np.zeros(len(batch.spans), dtype=np.int64),
        offset_us=np.zeros(len(batch.spans), dtype=np.int64),
    )


def _grade(
    reception: Reception, *, clock: int, epoch: str, sealed_mono: int, sealed_wall: int, newest_end: int
) -> tuple[int, int, int]:
    """Offset in µs, grade and error bound in ms of one body."""
    received, send = reception.received_at_us, reception.send
    fresh = send is not None and not send.background and send.wall_us != UNKNOWN
    wall_error = received - send.wall_us if send is not None and fresh else 0
    if clock == ClockKind.WALL:
        return wall_error, ClockQuality.E, UNKNOWN
    if send is not None and send.epoch == epoch and not send.background:
        half_rtt = min(max(send.rtt_us, 0) // 2, SEND_TIMEOUT_US)
        return received - send.mono_us - half_rtt, ClockQuality.B, SEND_TIMEOUT_US // 1000
    if UNKNOWN not in {sealed_mono, sealed_wall}:
        return sealed_wall - sealed_mono + wall_error, ClockQuality.E, UNKNOWN
    return received - newest_end, ClockQuality.F, UNKNOWN


def _newest_end_by_body(batch: SpanBatch) -> I64:
    ends = np.zeros(len(batch.bodies), dtype=np.int64)
    span_ends = np.clip(batch.spans.start_us, 0, START_LIMIT_US) + np.clip(batch.spans.duration_us, 0, START_LIMIT_US)
    np.maximum.at(ends, batch.body_of_span, span_ends)
    return ends
