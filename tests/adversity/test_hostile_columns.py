"""Columns of any numbers through the whole pipeline: nothing raises, nothing wraps around, no number that cannot be.

The numbers are drawn over the full range of each column's type, wider than any decoder lets through, but for what
decoders promise: codes and rows that point to something, and the counts of sketches.
"""

from dataclasses import fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest import sketch
from ingest.journal import record as journal
from ingest.model import (
    NOT_MEASURED,
    REUSED,
    UNKNOWN,
    WINDOW_US,
    Anchor,
    ClockKind,
    ClockQuality,
    LinkKind,
    Links,
    Origin,
    Phase,
    Processed,
    Reception,
    SendStamp,
    Signal,
    SketchBins,
    Sketches,
    SpanBatch,
    Stratum,
)
from ingest.outcome import Note, Outcome
from ingest.pipeline.process import process
from ingest.pipeline.thresholds import ALL
from ingest.ports import Sampled
from ingest.settings import Policy
from ingest.store.span_rows import rows as stored_rows
from tests.batches import NOW_US, built_in, policy, spans_of

BODIES, SPANS, SETS = 3, 12, 4
POLICY: Policy = policy(low=0.3, mid=0.5, high=0.01, unknown=0.7)
MOST_WEIGHT = POLICY.sampling.max_weight
SENT_US = 50_000_000
"""By the monotonic clock of an honest device."""
EDGES = (
    SENT_US,
    0,
    1,
    -1,
    -2,
    -3,
    (1 << 32) - 3,
    1 << 53,
    1 << 56,
    (1 << 56) - 1,
    1 << 60,
    1 << 62,
    NOW_US,
    NOW_US - 10**7,
)
TEXTS = ("", "GET", "x", "http://a/b", "h3", "granted", "e1", "{other}", '{"dur":1}', "total;dur=86400000")
SERVER_TIMING = "http.response.header.server-timing"


def numbers(low: int, high: int) -> st.SearchStrategy[int]:
    """Anywhere between, and often where something begins or ends."""
    edges = [low, high, *(edge for edge in EDGES if low <= edge <= high)]
    return st.sampled_from(edges) | st.integers(low, high)


def column(draw: Any, count: int, dtype: Any, low: int | None = None, high: int | None = None) -> npt.NDArray[Any]:
    range_of = np.iinfo(dtype)
    drawn = numbers(range_of.min if low is None else low, range_of.max if high is None else high)
    return np.array(draw(st.lists(drawn, min_size=count, max_size=count)), dtype)


def table(draw: Any, rows: Any, count: int, **kept: Any) -> Any:
    """The table with every column but those kept drawn anew, in its own type and width."""
    drawn = {}
    for field in fields(rows):
        old = getattr(rows, field.name)
        if field.name in kept:
            drawn[field.name] = kept[field.name]
        elif field.name in rows.CODES:
            drawn[field.name] = column(draw, count, np.int32, 0, len(TEXTS) - 1)
        elif old.dtype == np.bool_:
            drawn[field.name] = column(draw, count, np.uint8, 0, 1).astype(np.bool_)
        elif old.ndim == 2:
            drawn[field.name] = column(draw, old.size, old.dtype).reshape(old.shape)
        else:
            drawn[field.name] = column(draw, count, old.dtype)
    return type(rows)(**drawn)


def tamed(batch: SpanBatch, hostile: set[str]) -> SpanBatch:
    """The batch with what an honest client would send in all of these columns that are not to be hostile."""
    row = np.arange(1, SPANS + 1)
    wall = batch.bodies.clock[batch.body_of_span] == ClockKind.WALL
    honest: dict[str, Any] = {
        "start_us": np.where(wall, NOW_US - 9_000_000, SENT_US - 1_000_000) + row,
        "duration_us": row * 50_000,
        "name": np.ones(SPANS, np.int32),
        "span_id": np.repeat(row.astype(np.uint8)[:, None], 8, axis=1),
        "trace_id": np.repeat(row.astype(np.uint8)[:, None], 16, axis=1),
        "randomness": np.full(SPANS, ALL - 1),
        "kind": np.full(SPANS, 3, np.uint8),
    }
    spans = replace(batch.spans, **{name: value for name, value in honest.items() if name not in hostile})
    bodies, resources = batch.bodies, batch.resources
    if "sealed" not in hostile:
        bodies = replace(bodies, sealed_mono_us=np.full(BODIES, SENT_US), sealed_wall_us=np.full(BODIES, NOW_US))
    if "epoch" not in hostile:
        bodies = replace(bodies, epoch=np.full(BODIES, TEXTS.index("e1"), np.int32))
    if "consent" not in hostile:
        resources = replace(resources, consent=np.ones(BODIES, np.uint8))
    return replace(batch, bodies=bodies, spans=spans, resources=resources)


COLUMNS = ("start_us", "duration_us", "name", "span_id", "trace_id", "randomness", "kind", "sealed", "epoch", "consent")


@st.composite
def batches(draw: Any) -> SpanBatch:
    """A batch of three bodies in which everything is drawn, but for what would have all of it rejected every time."""
    return tamed(draw(wild_batches()), draw(st.sets(st.sampled_from(COLUMNS), max_size=4)))


@st.composite
def wild_batches(draw: Any) -> SpanBatch:
    """A batch of three bodies in which everything is drawn."""
    batch = spans_of([{"body": row % BODIES} for row in range(SPANS)], bodies=BODIES)
    within_body = np.arange(SPANS, dtype=np.int32) % BODIES
    owner = np.arange(2 * SPANS, dtype=np.int32) % SPANS
    per_set = (len(Phase), SETS)
    sets = Sketches(
        resource=np.arange(SETS, dtype=np.int32) % BODIES,
        **{name: column(draw, SETS, np.int32, 0, len(TEXTS) - 1) for name in Sketches.CODES},
        start_us=column(draw, SETS, np.int64),
        width_us=column(draw, SETS, np.int64, 0, 300_000_000),
        spans=column(draw, SETS, np.int64, 1, 1_000_000),
        errors=column(draw, SETS, np.int64, 0, 1),
        reused=column(draw, SETS * len(Phase), np.int64, 0, 1).reshape(per_set),
        unknown=column(draw, SETS * len(Phase), np.int64, 0, 1).reshape(per_set),
        remapped=column(draw, SETS, np.uint8, 0, 1).astype(np.bool_),
    )
    bins = SketchBins(
        owner=np.arange(SETS, dtype=np.int32),
        metric=np.zeros(SETS, np.uint8),
        bucket=sketch.bucket(column(draw, SETS, np.int64, 0, 86_400_000_000)),
        count=sets.spans,
    )
    return replace(
        batch,
        strings=[*TEXTS, SERVER_TIMING],
        bodies=table(draw, batch.bodies, BODIES, clock=column(draw, BODIES, np.uint8, 0, 1)),
        resources=table(
            draw,
            batch.resources,
            BODIES,
            body=np.arange(BODIES, dtype=np.int32),
            consent=column(draw, BODIES, np.uint8, 0, 3),
        ),
        spans=table(
            draw,
            batch.spans,
            SPANS,
            resource=within_body,
            signal=column(draw, SPANS, np.uint8, 0, len(Signal) - 1),
        ),
        attributes=type(batch.attributes)(
            owner,
            np.full(2 * SPANS, len(TEXTS), np.int32),
            column(draw, 2 * SPANS, np.int32, 0, len(TEXTS) - 1),
        ),
        events=type(batch.events)(
            owner, column(draw, 2 * SPANS, np.int32, 0, len(TEXTS) - 1), column(draw, 2 * SPANS, np.int64)
        ),
        links=Links(
            owner,
            column(draw, 32 * SPANS, np.uint8).reshape(-1, 16),
            column(draw, 16 * SPANS, np.uint8).reshape(-1, 8),
            np.full(2 * SPANS, LinkKind.SPAN, np.uint8),
        ),
        sketches=sets,
        sketch_bins=bins,
    )


WIRE = numbers(0, (1 << 53) - 1)
SIGNED = numbers(1 - (1 << 53), (1 << 53) - 1)
EPOCHS = st.sampled_from(["e1", "e1", "x", ""])
STAMPS = st.builds(
    SendStamp,
    mono_us=WIRE | st.just(SENT_US),
    wall_us=WIRE | st.just(UNKNOWN),
    epoch=EPOCHS,
    rtt_us=WIRE | st.just(UNKNOWN),
    background=st.booleans(),
    anchor=st.none()
    | st.builds(
        Anchor,
        offset_us=SIGNED | st.just(NOW_US - SENT_US),
        err_us=WIRE | st.just(1000),
        at_us=WIRE | st.just(SENT_US - 1),
        epoch=EPOCHS,
    ),
    bridge_us=st.none() | SIGNED,
)
HONEST = SendStamp(SENT_US, NOW_US, "e1", 40_000, anchor=Anchor(NOW_US - SENT_US - 20_000, 20_000, SENT_US - 9, "e1"))
RECEPTIONS = st.lists(
    st.builds(
        Reception,
        app_id=st.sampled_from([1, 2, (1 << 31) - 1]),
        received_at_us=st.just(NOW_US),
        address=st.sampled_from(["", "203.0.113.9", "::1"]),
        send=st.none() | st.just(HONEST) | st.just(replace(HONEST, anchor=None)) | STAMPS,
        trusted=st.booleans(),
        origin=st.sampled_from(["", "https://shop.example"]),
    ),
    min_size=BODIES,
    max_size=BODIES,
)


def run(batch: SpanBatch, receptions: list[Reception]) -> Processed:
    with np.errstate(all="raise"):
        return process(batch, receptions, POLICY, policy_of=built_in, country_of=lambda _: "")


def assert_sane(record: Processed, batch: SpanBatch) -> None:
    """What must be true of any record, whoever sent what."""
    ledger, assigned, spans = record.ledger, record.kept.assigned, record.kept.batch.spans
    assert ledger.outcomes.sum(axis=0).tolist() == ledger.spans.tolist()
    assert int(ledger.spans.sum()) == len(batch.spans)
    kept = int(ledger.outcomes[Outcome.KEPT].sum())
    assert kept == len(spans) == len(assigned)

    late, early = NOW_US + POLICY.limits.future_us, NOW_US - POLICY.retention_us
    assert ((assigned.start_at_us >= early) & (assigned.start_at_us <= late)).all()
    assert (assigned.clock_quality <= ClockQuality.F).all()
    bounded = assigned.clock_quality <= ClockQuality.D
    assert (assigned.clock_err_ms[bounded] >= 0).all()
    assert ((assigned.clock_err_ms >= 0) | (assigned.clock_err_ms == UNKNOWN)).all()
    assert ((assigned.upload_delay_ms >= 0) | (assigned.upload_delay_ms == NOT_MEASURED)).all()

    assert (np.abs(assigned.clock_skew_ms[assigned.clock_skew_ms != NOT_MEASURED]) < 1 << 51).all()
    assert ((assigned.weight == 0) | ((assigned.weight >= 1) & (assigned.weight <= MOST_WEIGHT * 1.001))).all()
    assert (assigned.stratum <= Stratum.REPORTED).all()
    assert (assigned.origin <= Origin.BACKEND).all()
    assert (
        (assigned.server_us == UNKNOWN) | ((assigned.server_us > 0) & (assigned.server_us <= spans.duration_us))
    ).all()

    assert ((spans.duration_us >= 0) & (spans.duration_us <= POLICY.limits.duration_us)).all()
    measured = np.where(spans.phases_us >= 0, spans.phases_us, 0)
    assert np.isin(spans.phases_us[spans.phases_us < 0], [REUSED, UNKNOWN]).all()
    assert (measured.sum(axis=0) <= spans.duration_us + 1000).all()

    counted, summaries = record.counted, record.summaries
    for window in (counted.window, summaries.window):
        assert ((window >= early // WINDOW_US) & (window <= late // WINDOW_US)).all()
    assert ((counted.stands_for >= 1) & (counted.stands_for <= MOST_WEIGHT + 1)).all()
    assert (record.notes.spans > 0).all()
    assert (record.notes.note < len(Note)).all()
    assert (summaries.spans > 0).all()


@settings(max_examples=120, suppress_health_check=list(HealthCheck))
@given(batch=batches(), receptions=RECEPTIONS)
def test_any_numbers_in_any_column_end_in_sane_records(batch: SpanBatch, receptions: list[Reception]) -> None:
    assert_sane(run(batch, receptions), batch)


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(batch=batches(), receptions=RECEPTIONS)
def test_what_is_kept_of_them_can_be_journaled_and_stored(batch: SpanBatch, receptions: list[Reception]) -> None:
    steps = np.clip(batch.bodies.steps, UNKNOWN, (1 << 31) - 1)
    bodies = replace(batch.bodies, clock=np.zeros(BODIES, np.uint8), steps=steps)
    batch = tamed(replace(batch, bodies=bodies), set())
    failed = replace(batch.spans, status=np.full(SPANS, 2, np.uint8), http_status=batch.spans.http_status % 600)
    batch = replace(batch, spans=failed)
    plain = [replace(reception, send=None) for reception in receptions]
    record = run(batch, plain)
    assert_sane(record, batch)
    assert len(record.kept.assigned) == SPANS, "none is vacuous"
    again = journal.decode(journal.encode(record))
    assert_sane(again, batch)
    kept = len(again.kept.assigned)
    sampled = Sampled(
        app_id=np.ones(kept, np.int32),
        kept=again.kept,
        strings=again.strings,
        policy_version=np.ones(kept, np.int32),
        received_hour=np.ones(kept, np.int64),
    )
    assert len(stored_rows(sampled)) > 300 * kept


@pytest.mark.parametrize("start", [0, 1, NOW_US, 1 << 53, 1 << 60, (1 << 60) + 1, (1 << 63) - 1, -1, -(1 << 63)])
@pytest.mark.parametrize("clock", [0, 1])
@pytest.mark.parametrize("sealed", [(UNKNOWN, UNKNOWN), (0, 1 << 62), (1 << 62, 0), (-(1 << 62), 1 << 62)])
def test_no_start_wraps_around_into_what_is_kept(start: int, clock: int, sealed: tuple[int, int]) -> None:
    batch = spans_of([{"start_us": start}])
    bodies = replace(
        batch.bodies,
        clock=np.array([clock], np.uint8),
        sealed_mono_us=np.array([sealed[0]]),
        sealed_wall_us=np.array([sealed[1]]),
    )
    record = run(replace(batch, bodies=bodies), [Reception(app_id=1, received_at_us=NOW_US)])
    assert_sane(record, batch)
    known_to_be_now = start == NOW_US and clock == 0
    by_receipt = clock == 1 and UNKNOWN in sealed and 0 <= start <= 1 << 60
    accepted = Outcome.FUTURE, Outcome.TOO_OLD, Outcome.INVALID_TIME
    rejected = int(record.ledger.outcomes[list(accepted)].sum())
    assert rejected == (0 if known_to_be_now or by_receipt else 1)
