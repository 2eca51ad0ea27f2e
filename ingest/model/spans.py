"""The columns of a micro-batch as decoders give them and stages work on them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from ingest.model.terms import I16, I32, I64, U8, Mask, Phase, Status


@dataclass(frozen=True, slots=True)
class Columns:
    """A table as a struct of arrays; the last axis of every column is the row (ids are the exception: row first).

    `CODES` names the columns that hold string codes.
    """

    CODES: ClassVar[tuple[str, ...]] = ()

    def __len__(self) -> int:
        first = getattr(self, fields(self)[0].name)
        return int(first.shape[0])

    def take(self, rows: npt.NDArray[Any]) -> Self:
        """The rows chosen by a mask or by index, in that order."""
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        if not len(rows) and not len(self):
            return self
        return replace(self, **{f.name: _take(getattr(self, f.name), rows) for f in fields(self)})

    def recode(self, codes: I32) -> Self:
        """The same rows with every string code c replaced by codes[c]."""
        if not len(self):
            return self
        return replace(self, **{name: codes[getattr(self, name)] for name in self.CODES})

    @classmethod
    def concat(cls, tables: Sequence[Self]) -> Self:
        """The rows of all tables, one after the other."""
        return cls(
            **{
                f.name: np.concatenate([getattr(t, f.name) for t in tables], axis=_row_axis(getattr(tables[0], f.name)))
                for f in fields(cls)
            }
        )


def _row_axis(column: npt.NDArray[Any]) -> int:
    return 0 if column.ndim == 1 or column.dtype == np.uint8 else column.ndim - 1


def _take(column: npt.NDArray[Any], rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return column.take(rows, axis=_row_axis(column))


@dataclass(frozen=True, slots=True)
class Bodies(Columns):
    """One row per request body."""

    batch_id: U8
    """(m, 16). The client's own id, else BLAKE2b-128 of the inflated body."""
    clock: U8
    """`ClockKind` of the body's spans."""
    epoch: I32
    """Code: the client's name for its clock epoch."""
    sealed_mono_us: I64
    """The device's monotonic clock when the batch was sealed, or UNKNOWN."""
    sealed_wall_us: I64
    """The device's wall clock at the same moment, or UNKNOWN."""
    steps: I64
    """How often the device's wall clock was seen to step in this epoch, or UNKNOWN."""
    sketched: Mask
    """What this device samples away it sends as sketches: a declared threshold weighs nothing in the counts."""

    CODES: ClassVar[tuple[str, ...]] = ("epoch",)


@dataclass(frozen=True, slots=True)
class Resources(Columns):
    """One row per sender: what a body (native) or a resource (OTLP) says of app and device."""

    body: I32
    service: I32
    version: I32
    environment: I32
    os_name: I32
    os_version: I32
    device_manufacturer: I32
    device_model: I32
    network: I32
    """Connection type as the client names it: wifi, cell, wired, 4g …"""
    session: I32
    """The session id as sent; a keyed pseudonym once scrubbed."""
    installation: I32
    sdk: I32
    memory_mb: I64
    """Device memory in MiB, or UNKNOWN."""
    cores: I64
    """Logical processors, or UNKNOWN."""
    consent: U8
    """`ConsentState`."""
    reported: Mask
    """Sent because the user reported a problem."""

    CODES: ClassVar[tuple[str, ...]] = (
        "service",
        "version",
        "environment",
        "os_name",
        "os_version",
        "device_manufacturer",
        "device_model",
        "network",
        "session",
        "installation",
        "sdk",
    )


@dataclass(frozen=True, slots=True)
class Spans(Columns):
    """One row per span. Values a client got wrong are kept recognisable for `validate`, never repaired here."""

    resource: I32
    trace_id: U8
    """(n, 16); all zeros when missing or malformed."""
    span_id: U8
    """(n, 8); all zeros when missing or malformed."""
    parent_span_id: U8
    """(n, 8); all zeros for a root."""
    name: I32
    signal: U8
    """`Signal`. Decoders give REQUEST where a client does not say; `tell_signals` sees whether it was one."""
    kind: U8
    status: U8
    start_us: I64
    """In the body's clock (`ClockKind`); UNKNOWN when missing or not representable."""
    duration_us: I64
    """Never altered. Negative when it ends before it starts; UNKNOWN (-2) is negative too."""
    phases_us: I64
    """(8, n) by `Phase`; REUSED and UNKNOWN as defined above."""
    method: I32
    url: I32
    route: I32
    """The client's own template, e.g. `/orders/{id}`; code 0 when it gave none."""
    http_status: I32
    """UNKNOWN when not given; 0 when the request failed without an answer."""
    error_type: I32
    protocol: I32
    """h1, h2, h3 as the client names it."""
    screen: I32
    request_bytes: I64
    response_bytes: I64
    threshold: I64
    """The client's W3C sampling threshold T in [0, 2^56), or UNKNOWN when it declared none."""
    randomness: I64
    """W3C `rv` in [0, 2^56), or UNKNOWN: then the trace id's low 56 bits count."""
    repairs: U8
    """What the decoder put right: bit `Repair` is set."""

    CODES: ClassVar[tuple[str, ...]] = ("name", "method", "url", "route", "error_type", "protocol", "screen")

    @property
    def failed(self) -> Mask:
        """(n,) spans that count as errors: status error, HTTP 4xx or 5xx, or a request that got no answer at all."""
        failed: Mask = (self.status == Status.ERROR) | (self.http_status >= 400) | (self.http_status == 0)
        return failed


@dataclass(frozen=True, slots=True)
class Attributes(Columns):
    """One row per attribute that has no column of its own. Values are text; numbers and flags are written as JSON."""

    owner: I32
    """Row of the span or resource it belongs to."""
    key: I32
    value: I32

    CODES: ClassVar[tuple[str, ...]] = ("key", "value")


@dataclass(frozen=True, slots=True)
class Events(Columns):
    """One row per moment inside a span that is not a phase boundary."""

    owner: I32
    name: I32
    offset_us: I64
    """From the span's start."""

    CODES: ClassVar[tuple[str, ...]] = ("name",)


@dataclass(frozen=True, slots=True)
class Links(Columns):
    """One row per span link."""

    owner: I32
    trace_id: U8
    span_id: U8
    """(n, 8); all zeros where only the trace is known, which is not so for `LinkKind.SPAN`."""
    kind: U8
    """`LinkKind`."""


@dataclass(frozen=True, slots=True)
class Drops(Columns):
    """What clients say they dropped before sending, by their own reason."""

    body: I32
    reason: I32
    spans: I64

    CODES: ClassVar[tuple[str, ...]] = ("reason",)


@dataclass(frozen=True, slots=True)
class Remarks(Columns):
    """What a decoder left out of a body because of what it is: neither a span received nor dropped by its client."""

    body: I32
    note: U8
    """`ingest.outcome.Note`."""
    spans: I64


def no_remarks() -> Remarks:
    """Of bodies of which nothing was left out."""
    return Remarks(np.zeros(0, np.int32), np.zeros(0, np.uint8), np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class Sketches(Columns):
    """One row per sketch set that a client sent instead of spans: what it measured of one route in a short while."""

    resource: I32
    name: I32
    method: I32
    url: I32
    route: I32
    start_us: I64
    """Of the while, in the body's clock."""
    width_us: I64
    spans: I64
    """Spans summarised, none of which is sent."""
    errors: I64
    reused: I64
    """(8, s) by `Phase`: spans in which it did not happen."""
    unknown: I64
    """(8, s) by `Phase`: spans of which nobody knows."""
    remapped: Mask
    """Its sketches came with other buckets than ours."""

    CODES: ClassVar[tuple[str, ...]] = ("name", "method", "url", "route")


@dataclass(frozen=True, slots=True)
class SketchBins(Columns):
    """One row per bucket of a sketch, in the house's own buckets (`ingest.sketch`)."""

    owner: I32
    """Row of the sketch set."""
    metric: U8
    """Row of `METRICS`."""
    bucket: I16
    count: I64


@dataclass(frozen=True, slots=True)
class SpanBatch:
    """The spans of one micro-batch. All decoders give this; all stages work on it."""

    strings: Sequence[str]
    """The string table; strings[0] == ""."""
    bodies: Bodies
    resources: Resources
    spans: Spans
    attributes: Attributes
    resource_attributes: Attributes
    events: Events
    links: Links
    drops: Drops
    sketches: Sketches
    sketch_bins: SketchBins
    remarks: Remarks = field(default_factory=no_remarks)

    @property
    def body_of_span(self) -> I32:
        """(n,) the body each span came in."""
        return self.resources.body[self.spans.resource]

    def select(self, chosen: Mask) -> "SpanBatch":
        """Only the chosen spans with what belongs to them; bodies, resources and strings stay as they are."""
        if chosen.all():
            return self
        new_row = np.cumsum(chosen, dtype=np.int32) - np.int32(1)

        attributes = self.attributes.take(chosen[self.attributes.owner])
        events = self.events.take(chosen[self.events.owner])
        links = self.links.take(chosen[self.links.owner])
        return replace(
            self,
            spans=self.spans.take(chosen),
            attributes=replace(attributes, owner=new_row[attributes.owner]),
            events=replace(events, owner=new_row[events.owner]),
            links=replace(links, owner=new_row[links.owner]),
        )

    @staticmethod
    def concat(batches: "Sequence[SpanBatch]") -> "SpanBatch":
        """All spans of all batches in order; row numbers and string codes are shifted to fit."""
        if len(batches) == 1:
            return batches[0]
        strings: list[str] = [""]
        shifted: list[SpanBatch] = []
        bodies = resources = spans = sketches = 0
        for batch in batches:
            codes = np.arange(len(batch.strings), dtype=np.int32) + np.int32(len(strings) - 1)
            codes[0] = 0
            strings.extend(batch.strings[1:])
            shifted.append(batch._shift(codes, bodies, resources, spans, sketches))
            bodies += len(batch.bodies)
            resources += len(batch.resources)
            spans += len(batch.spans)
            sketches += len(batch.sketches)
        return SpanBatch(
            strings=strings,
            bodies=Bodies.concat([b.bodies for b in shifted]),
            resources=Resources.concat([b.resources for b in shifted]),
            spans=Spans.concat([b.spans for b in shifted]),
            attributes=Attributes.concat([b.attributes for b in shifted]),
            resource_attributes=Attributes.concat([b.resource_attributes for b in shifted]),
            events=Events.concat([b.events for b in shifted]),
            links=Links.concat([b.links for b in shifted]),
            drops=Drops.concat([b.drops for b in shifted]),
            sketches=Sketches.concat([b.sketches for b in shifted]),
            sketch_bins=SketchBins.concat([b.sketch_bins for b in shifted]),
            remarks=Remarks.concat([b.remarks for b in shifted]),
        )

    def _shift(self, codes: I32, bodies: int, resources: int, spans: int, sketches: int) -> "SpanBatch":
        here = self.recode(codes)
        resource_attributes, links, bins = here.resource_attributes, here.links, here.sketch_bins
        return replace(
            here,
            resources=replace(here.resources, body=here.resources.body + np.int32(bodies)),
            spans=replace(here.spans, resource=here.spans.resource + np.int32(resources)),
            attributes=replace(here.attributes, owner=here.attributes.owner + np.int32(spans)),
            resource_attributes=replace(resource_attributes, owner=resource_attributes.owner + np.int32(resources)),
            events=replace(here.events, owner=here.events.owner + np.int32(spans)),
            links=replace(links, owner=links.owner + np.int32(spans)),
            drops=replace(here.drops, body=here.drops.body + np.int32(bodies)),
            sketches=replace(here.sketches, resource=here.sketches.resource + np.int32(resources)),
            sketch_bins=replace(bins, owner=bins.owner + np.int32(sketches)),
            remarks=replace(here.remarks, body=here.remarks.body + np.int32(bodies)),
        )

    def recode(self, codes: I32) -> "SpanBatch":
        """The same batch with every string code c replaced by codes[c]; the caller replaces `strings` to match."""
        return replace(
            self,
            bodies=self.bodies.recode(codes),
            resources=self.resources.recode(codes),
            spans=self.spans.recode(codes),
            attributes=self.attributes.recode(codes),
            resource_attributes=self.resource_attributes.recode(codes),
            events=self.events.recode(codes),
            drops=self.drops.recode(codes),
            sketches=self.sketches.recode(codes),
        )


def no_sketches() -> tuple[Sketches, SketchBins]:
    """Of a batch whose clients sent none."""
    codes, numbers, by_phase = np.zeros(0, np.int32), np.zeros(0, np.int64), np.zeros((len(Phase), 0), np.int64)
    return (
        Sketches(
            *(codes, codes, codes, codes, codes),
            *(numbers, numbers, numbers, numbers, by_phase, by_phase),
            np.zeros(0, np.bool_),
        ),
        SketchBins(codes, np.zeros(0, np.uint8), np.zeros(0, np.int16), numbers),
    )


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a decoder makes of several bodies: one batch, and the bodies it could not read.

    `batch.bodies` has a row for every body given, in order; a body with a fault has no resources and no spans.
    """

    batch: SpanBatch
    faults: "Mapping[int, Exception]"
    """Row of the body → the `ingest.errors.Refusal` to answer it with."""
    trimmed: int = 0
    """Attributes, events and links left out because their span had too many."""
