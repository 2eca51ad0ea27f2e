"""OTLP/HTTP traces, protobuf and JSON → one `SpanBatch` for many bodies.

    from ingest.decode.otlp import decode_otlp_protobuf
    decoded = decode_otlp_protobuf([body], Limits())

The contract is opentelemetry-proto's docs/specification.md; what the attributes mean stands in `otlp_attributes`, the
network phases in `otlp_phases`. OTLP carries no batch id and no send time: the id is a hash of the body, so that the
same bytes sent again are recognised, and the clock is the device's wall clock.

Beside raw addresses and User-Agents (`otlp_attributes.NEVER_KEPT`), this is not kept of a message: the rest of
tracestate and the flags, scope names and versions, schema URLs, dropped counts, attributes of events other than
exceptions, and a second HTTP status or size that contradicts the better-named one.
"""

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b

from ingest.decode.otlp_columns import build_batch
from ingest.decode.otlp_json import JsonReader
from ingest.decode.otlp_protobuf import ProtobufReader
from ingest.decode.otlp_rows import Rows
from ingest.errors import Refusal
from ingest.model import Decoded, SpanBatch
from ingest.settings import Limits


def decode_otlp_protobuf(bodies: Sequence[bytes], limits: Limits) -> Decoded:
    """Decodes inflated ExportTraceServiceRequests in protobuf.

    Returns:
        One batch of all spans in order, and for each bad body a `Malformed` or `TooLarge`; it touches no other body.
    """
    rows = Rows(limits)
    return decode_bodies(bodies, rows, ProtobufReader(rows).read, partial(build_batch, rows))


def decode_otlp_json(bodies: Sequence[bytes], limits: Limits) -> Decoded:
    """Decodes inflated ExportTraceServiceRequests in JSON; as `decode_otlp_protobuf`."""
    rows = Rows(limits)
    return decode_bodies(bodies, rows, JsonReader(rows).read, partial(build_batch, rows))


def decode_bodies(
    bodies: Sequence[bytes],
    rows: Rows,
    read: Callable[[bytes], None],
    build: Callable[[Sequence[bytes]], SpanBatch],
) -> Decoded:
    """Reads the bodies into the rows one after the other, bad ones undone, and builds the batch."""
    faults: dict[int, Exception] = {}
    for number, body in enumerate(bodies):
        rows.begin(number)
        try:
            read(body)
        except Refusal as refusal:
            rows.undo()
            faults[number] = refusal.detached()
    batch_ids = [blake2b(body, digest_size=16).digest() for body in bodies]
    return Decoded(build(batch_ids), faults, rows.trimmed)
