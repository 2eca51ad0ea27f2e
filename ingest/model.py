"""The language of the house: spans as columns, from the wire to the database.

A `SpanBatch` holds the spans of one micro-batch (many request bodies) as a struct of arrays. Text lives once, in a
string table; columns of text hold int32 *codes* into it, code 0 being the empty string ("not given"). The rows of every
table point up by index: span → resource → body; attribute, event, link → span.

Nothing here does I/O. `Reception` holds the raw address and User-Agent of a request; it has no encoder, and
`Processed`, the only thing a journal accepts, has no field for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import IntEnum
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]
I16 = npt.NDArray[np.int16]
U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

MEASURED_FROM = 0
"""A phase value of 0 µs or more was measured."""
REUSED = -1
"""The phase did not happen: a pooled connection, a cached name, no redirect."""
UNKNOWN = -2
"""Nobody knows: opaque cross-origin timing, or a client that does not measure it. Also: no such number."""

WINDOW_US = 10_000_000
"""Width of the finest rollup window, in microseconds."""


class Phase(IntEnum):
    """The phases of a request in the order in which they happen: the rows of `Spans.phases_us`. Stored: append only."""

    REDIRECT = 0
    BLOCKED = 1
    DNS = 2
    TCP = 3
    TLS = 4
    REQUEST = 5
    TTFB = 6
    """From the end of sending the request to the first byte of the final response, on every platform."""
    DOWNLOAD = 7


METRICS = ("duration", *(phase.name.lower() for phase in Phase))
"""What a sketch can be about, in the order of `Counted.buckets`' rows."""

DIMENSIONS = ("route", "version", "country", "device_class", "network", "os")
"""What a series can be cut by, in the order of `Series.values`' rows."""

VIEWS: Mapping[str, tuple[str, ...]] = {
    "all": (),
    "route": ("route",),
    "route_version": ("route", "version"),
    "route_country": ("route", "country"),
    "route_device": ("route", "device_class", "network"),
    "who": ("version", "country", "device_class", "network"),
    "os_version": ("os", "version"),
}
"""The sets of dimensions that series are kept for. A query reads the smallest view that covers it."""

OTHER = "{other}"
"""Value of every dimension of the series that counts what exceeds a view's cardinality limit."""


class Kind(IntEnum):
    """Span kind, numbered as in OTLP."""

    UNSPECIFIED = 0
    INTERNAL = 1
    SERVER = 2
    CLIENT = 3
    PRODUCER = 4
    CONSUMER = 5


class Status(IntEnum):
    """Span status, numbered as in OTLP."""

    UNSET = 0
    OK = 1
    ERROR = 2


class ClockKind(IntEnum):
    """What a body's `start_us` values count from."""

    WALL = 0
    """Microseconds since 1970 by the device's own wall clock."""
    MONOTONIC = 1
    """Microseconds since the start of the device's clock epoch (a boot, a page)."""


class DeviceClass(IntEnum):
    """How capable the device is. Unknown is never taken for high."""

    UNKNOWN = 0
    LOW = 1
    MID = 2
    HIGH = 3


class ClockQuality(IntEnum):
    """How well a span's start is anchored to server time; `clients.md` grades."""

    A = 0
    """Two-way anchor in the same epoch."""
    B = 1
    """One-way bound from the send stamp, same epoch."""
    C = 2
    """An older epoch or boot with an anchor of its own."""
    D = 3
    """Bridged over a clock step."""
    E = 4
    """The device's wall clock only."""
    F = 5
    """Nothing but the time of receipt."""


class Stratum(IntEnum):
    """Why a span is in the sample."""

    RANDOM = 0
    ERROR = 1
    SLOW = 2


@dataclass(frozen=True, slots=True)
class SendStamp:
    """The volatile send header of the native format: stamped anew for every attempt, outside the immutable body."""

    mono_us: int
    """The device's monotonic clock when this attempt was sent."""
    wall_us: int = UNKNOWN
    epoch: str = ""
    rtt_us: int = UNKNOWN
    """Smallest round trip the client has seen."""
    background: bool = False
    """Handed to the system for later upload: the stamp bounds nothing."""


@dataclass(frozen=True, slots=True, repr=False)
class Reception:
    """What the transport knows of one request. Never encoded, never printed, gone when the batch is processed."""

    app_id: int
    received_at_us: int
    """Server time at the arrival of the request's head, µs since 1970."""
    address: str = ""
    user_agent: str = ""
    hints: Mapping[str, str] = field(default_factory=dict)
    """Client-hint headers by lower-case name."""
    send: SendStamp | None = None
    trusted: bool = False
    """Sent with a server key, by a backend service."""

    def __repr__(self) -> str:
        return f"<Reception app={self.app_id}>"


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
        return replace(self, **{f.name: _take(getattr(self, f.name), rows) for f in fields(self)})

    def recode(self, codes: I32) -> Self:
        """The same rows with every string code c replaced by codes[c]."""
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
    taken: npt.NDArray[Any] = column[rows] if _row_axis(column) == 0 else column[..., rows]
    return taken


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


@dataclass(frozen=True, slots=True)
class Drops(Columns):
    """What clients say they dropped before sending, by their own reason."""

    body: I32
    reason: I32
    spans: I64

    CODES: ClassVar[tuple[str, ...]] = ("reason",)


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
        bodies = resources = spans = 0
        for batch in batches:
            codes = np.arange(len(batch.strings), dtype=np.int32) + np.int32(len(strings) - 1)
            codes[0] = 0
            strings.extend(batch.strings[1:])
            shifted.append(batch._shift(codes, bodies, resources, spans))
            bodies += len(batch.bodies)
            resources += len(batch.resources)
            spans += len(batch.spans)
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
        )

    def _shift(self, codes: I32, bodies: int, resources: int, spans: int) -> "SpanBatch":
        here = self.recode(codes)
        resource_attributes, links = here.resource_attributes, here.links
        return replace(
            here,
            resources=replace(here.resources, body=here.resources.body + np.int32(bodies)),
            spans=replace(here.spans, resource=here.spans.resource + np.int32(resources)),
            attributes=replace(here.attributes, owner=here.attributes.owner + np.int32(spans)),
            resource_attributes=replace(resource_attributes, owner=resource_attributes.owner + np.int32(resources)),
            events=replace(here.events, owner=here.events.owner + np.int32(spans)),
            links=replace(links, owner=links.owner + np.int32(spans)),
            drops=replace(here.drops, body=here.drops.body + np.int32(bodies)),
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


@dataclass(frozen=True, slots=True)
class Series(Columns):
    """One row per distinct combination of app and dimension values in a micro-batch."""

    app_id: I32
    values: I32
    """(6, c) codes by `DIMENSIONS`."""


@dataclass(frozen=True, slots=True)
class Counted(Columns):
    """One row per accepted span, kept or not: what the sketches need, about ten bytes each."""

    body: I32
    series: I32
    """Row of `Processed.series`."""
    window: I64
    """start_at_us // WINDOW_US."""
    error: Mask
    buckets: I16
    """(9, n) by `METRICS`: sketch bucket, or one of `ingest.sketch`'s marks."""


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
    """How many spans this one stands for: 1 / inclusion probability."""
    stratum: U8

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


@dataclass(frozen=True, slots=True)
class Processed:
    """One micro-batch after the pipeline: the one thing a journal accepts. Holds no address and no User-Agent."""

    strings: Sequence[str]
    ledger: Ledger
    drops: Drops
    series: Series
    counted: Counted
    kept: Kept
    policy_version: int
