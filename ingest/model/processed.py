"""What a micro-batch becomes: counting columns, the sample, the ledger; the one thing that a journal accepts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ingest.model.spans import Columns, Drops, SketchBins, SpanBatch
from ingest.model.terms import F64, I16, I32, I64, U8, Mask


@dataclass(frozen=True, slots=True)
class Series(Columns):
    """One row per distinct combination of app, signal and dimension values in a micro-batch."""

    app_id: I32
    signal: U8
    """`ingest.model.Signal`: no series is about two of them."""
    values: I32
    """(6, c) codes by `DIMENSIONS`."""


@dataclass(frozen=True, slots=True)
class Counted(Columns):
    """One row per accepted span that counts, kept or not: what the sketches need, about ten bytes each."""

    body: I32
    series: I32
    """Row of `Processed.series`."""
    window: I64
    """start_at_us // WINDOW_US."""
    error: Mask
    buckets: I16
    """(9, n) by `METRICS`: sketch bucket, or one of `ingest.sketch`'s marks."""
    session: I64
    """64 bits of the session's pseudonym, for counting distinct ones; 0 when there is none or no consent to it."""
    stands_for: I32
    """How many spans this one counts for: more than 1 where its client left out others like it without a sketch."""


@dataclass(frozen=True, slots=True)
class Assigned(Columns):
    """What the pipeline found out about each kept span; row for row beside `Kept.batch.spans`."""

    start_at_us: I64
    """Start in server time, µs since 1970."""
    clock_quality: U8
    clock_err_ms: I64
    """Half-width of the interval that holds the true start; UNKNOWN when nothing bounds it."""
    route: I32
    country: I32
    device_class: U8
    os: I32
    weight: F64
    """How many spans this one stands for: 1 / inclusion probability. 0 where others stand for it already."""
    stratum: U8
    origin: U8
    """`Origin`."""
    randomness: I64
    """The 56 bits R that decided: spans of one R are kept or left together."""
    clock_skew_ms: I64
    """The device's wall clock minus server time when it was sent, in two digits; `NOT_MEASURED` when nobody knows."""
    clock_steps: I64
    """How often the device's wall clock was seen to step, or UNKNOWN."""
    clock_conflict: Mask
    """The bounds on its clock contradicted each other."""
    upload_delay_ms: I64
    """From sealing the batch, else from the end of its newest span, to its receipt; `NOT_MEASURED` when unknown."""
    clock_segment: I64
    """The stretch of one device's clock that it was measured in: starts of one segment can be compared exactly."""
    clock_offset_us: I64
    """start_at_us − start by that clock, plus a secret constant of the segment: only differences mean anything."""
    server_us: I64
    """How long the server says it took, or UNKNOWN."""

    CODES: ClassVar[tuple[str, ...]] = ("route", "country", "os")


@dataclass(frozen=True, slots=True)
class Kept:
    """The fair sample of a micro-batch, whole spans with what was found out about them."""

    batch: SpanBatch
    """Its strings are those of `Processed`."""
    assigned: Assigned


@dataclass(frozen=True, slots=True)
class Ledger(Columns):
    """One row per body: how its spans ended."""

    app_id: I32
    batch_id: U8
    """(m, 16)"""
    received_at_us: I64
    spans: I32
    """Spans received in the body; equals the sum of its outcomes."""
    outcomes: I32
    """(len(Outcome), m)"""
    policy_version: I32
    """Of the privacy policy that the body was treated by; 0 for the built-in one."""


@dataclass(frozen=True, slots=True)
class Scrubs(Columns):
    """How often each rule replaced something, by app: once for every find in a distinct text of the micro-batch."""

    app_id: I32
    rule: I32
    finds: I64

    CODES: ClassVar[tuple[str, ...]] = ("rule",)


@dataclass(frozen=True, slots=True)
class Notes(Columns):
    """What was noticed about spans of a body, beside how they ended: `ingest.outcome.Note`. At most one row a note."""

    body: I32
    note: U8
    spans: I64


@dataclass(frozen=True, slots=True)
class Summaries(Columns):
    """One row per sketch set of a client, put into its series and window like a counted span."""

    body: I32
    series: I32
    window: I64
    spans: I64
    errors: I64
    reused: I64
    """(8, s), as `unknown`."""
    unknown: I64
    session: I64
    """As in `Counted`."""


@dataclass(frozen=True, slots=True)
class Processed:
    """One micro-batch after the pipeline: the one thing a journal accepts. Holds no address and no User-Agent."""

    strings: Sequence[str]
    ledger: Ledger
    drops: Drops
    series: Series
    counted: Counted
    kept: Kept
    scrubs: Scrubs
    notes: Notes
    summaries: Summaries
    summary_bins: SketchBins
    """Their owners are rows of `summaries`."""
