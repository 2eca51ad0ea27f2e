"""The language of the house: spans as columns, from the wire to the database.

A `SpanBatch` holds the spans of one micro-batch (many request bodies) as a struct of arrays. Text lives once, in a
string table; columns of text hold int32 *codes* into it, code 0 being the empty string ("not given"). The rows of every
table point up by index: span → resource → body; attribute, event, link → span.

Nothing here does I/O. `Reception` holds the raw address and User-Agent of a request; it has no encoder, and
`Processed`, the only thing a journal accepts, has no field for it.
"""

from ingest.model.processed import Assigned, Counted, Kept, Ledger, Processed, Scrubs, Series
from ingest.model.spans import Attributes, Bodies, Columns, Decoded, Drops, Events, Links, Resources, SpanBatch, Spans
from ingest.model.terms import (
    DIMENSIONS,
    F64,
    I16,
    I32,
    I64,
    METRICS,
    NAME_CHARS,
    OTHER,
    REUSED,
    U8,
    UNKNOWN,
    VERSION_CHARS,
    VIEWS,
    WINDOW_US,
    ClockKind,
    ClockQuality,
    ConsentState,
    DeviceClass,
    Kind,
    Mask,
    Phase,
    Reception,
    SendStamp,
    Status,
    Stratum,
    short_name,
)

__all__ = [
    "DIMENSIONS",
    "F64",
    "I16",
    "I32",
    "I64",
    "METRICS",
    "NAME_CHARS",
    "OTHER",
    "REUSED",
    "U8",
    "UNKNOWN",
    "VERSION_CHARS",
    "VIEWS",
    "WINDOW_US",
    "Assigned",
    "Attributes",
    "Bodies",
    "ClockKind",
    "ClockQuality",
    "Columns",
    "ConsentState",
    "Counted",
    "Decoded",
    "DeviceClass",
    "Drops",
    "Events",
    "Kept",
    "Kind",
    "Ledger",
    "Links",
    "Mask",
    "Phase",
    "Processed",
    "Reception",
    "Resources",
    "Scrubs",
    "SendStamp",
    "Series",
    "SpanBatch",
    "Spans",
    "Status",
    "Stratum",
    "short_name",
]
