"""OTLP/HTTP logs, protobuf and JSON → one `SpanBatch` for many bodies.

    from ingest.decode.otlp_logs import decode_logs_protobuf
    decoded = decode_logs_protobuf([body], Limits())

A log record becomes a span, a page load two. What they are about is told by the event's name (`otlp_log_signals`), when
they began by the page's time origin as far as it can be found out (`otlp_log_times`), ids and attributes as follows:

- A record with a trace is a child of the span it names. Those without, of one resource in one body, are one trace:
  typically what a page told within some seconds. Their own ids are hashes of their content, so that the same record
  sent again has the same.
- The body is the attribute `log.body`, nested ones as JSON; the fields of a browser event's body are attributes.
- Events have `log.severity`, and are errors from ERROR on.

What a body's records tell twice, or about nothing, is left out and remarked on. What a page's traces tell, too, and its
exporter's own posts, only the edge can find out (`ingest.edge.once`).

Not kept are flags, scopes, schema URLs and dropped counts, and where both times are given, when a record was seen.
"""

from collections.abc import Sequence
from functools import partial

from ingest.decode.otlp import decode_bodies
from ingest.decode.otlp_log_columns import build_logs
from ingest.decode.otlp_log_readers import JsonLogReader, ProtobufLogReader
from ingest.decode.otlp_log_rows import LogRows
from ingest.model import Decoded
from ingest.settings import Limits


def decode_logs_protobuf(bodies: Sequence[bytes], limits: Limits) -> Decoded:
    """Decodes inflated ExportLogsServiceRequests in protobuf.

    Returns:
        One batch of all spans in order, and for each bad body a `Malformed` or `TooLarge`; it touches no other body.
    """
    rows = LogRows(limits)
    return decode_bodies(bodies, rows, ProtobufLogReader(rows).read, partial(build_logs, rows))


def decode_logs_json(bodies: Sequence[bytes], limits: Limits) -> Decoded:
    """Decodes inflated ExportLogsServiceRequests in JSON; as `decode_logs_protobuf`."""
    rows = LogRows(limits)
    return decode_bodies(bodies, rows, JsonLogReader(rows).read, partial(build_logs, rows))
