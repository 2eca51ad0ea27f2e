"""Request bodies made ahead of a run: some thousand different spans, each copy with an id of its own.

Encoding a batch costs more than receiving it, so templates are encoded once and every copy gets a fresh batch id
(native) or trace id (OTLP, whose batch id is the hash of the body). No copy is a duplicate to the server.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from client_sdk_spec.encoder import compress
from loadtest.native import encode_native, send_stamp
from loadtest.otlp import encode_json, encode_protobuf
from loadtest.visits import Batch, visits

TEMPLATE_SPANS = 4000
"""Spans in the different batches that a run repeats: more than a micro-batch holds, so that within one hardly any URL
is seen twice, as in life."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one wire format is made and where it is sent."""

    path: str
    content_type: str
    encode: Callable[[Batch], bytes]
    mark: Callable[[Batch], bytes]
    """The bytes of the body that make it another batch when replaced."""
    hexadecimal: bool


DIALECTS: Mapping[str, Dialect] = {
    "native": Dialect(
        "/v1/batches", "application/msgpack", lambda b: encode_native(b, "msgpack"), lambda b: b.batch_id, False
    ),
    "native-json": Dialect(
        "/v1/batches", "text/plain", lambda b: encode_native(b, "json"), lambda b: b.batch_id.hex().encode(), True
    ),
    "otlp": Dialect("/v1/traces", "application/x-protobuf", encode_protobuf, lambda b: b.trace_ids[0].tobytes(), False),
    "otlp-json": Dialect(
        "/v1/traces", "application/json", encode_json, lambda b: b.trace_ids[0].tobytes().hex().encode(), True
    ),
}


ENCODINGS = ("identity", "gzip", "zstd")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A body ready to be sent, and the batch that it was made from."""

    batch: Batch
    query: str
    """The send stamp as a query string with its `?`; empty in OTLP."""
    body: bytes
    """Compressed."""


def bodies(format_name: str, encoding: str, spans: int, *, sealed_at_us: int, seed: int) -> Iterator[Prepared]:
    """Bodies without end, each of another batch of exactly `spans` spans.

    Args:
        format_name: one of `DIALECTS`.
        encoding: one of `ENCODINGS`.
        spans: spans in every batch.
        sealed_at_us: when the batches were sealed, µs since 1970; their spans lie in the minutes before.
        seed: the same seed gives the same bodies.
    """
    dialect = DIALECTS[format_name]
    rng = np.random.default_rng(seed)
    batches = list(visits(rng, [sealed_at_us] * max(8, TEMPLATE_SPANS // spans), 0, spans=spans))
    templates = [(batch, _query(format_name, batch), dialect.encode(batch), dialect.mark(batch)) for batch in batches]
    while True:
        for batch, query, body, mark in templates:
            yield Prepared(
                batch, query, compress(renew(body, mark, rng.bytes(16), hexadecimal=dialect.hexadecimal), encoding)
            )


def requests(
    format_name: str, encoding: str, spans: int, *, host: str, key: str, sealed_at_us: int, seed: int, path: str = ""
) -> Iterator[bytes]:
    """The same as whole HTTP requests.

    Args:
        format_name, encoding, spans, sealed_at_us, seed: as for `bodies`.
        host: value of the Host header.
        key: client key, sent as `x-api-key`; empty: none.
        path: where to send; empty: the dialect's own path.
    """
    dialect = DIALECTS[format_name]
    lines = f"Host: {host}\r\nContent-Type: {dialect.content_type}\r\n"
    lines += f"x-api-key: {key}\r\n" if key else ""
    lines += f"Content-Encoding: {encoding}\r\n" if encoding != "identity" else ""
    for one in bodies(format_name, encoding, spans, sealed_at_us=sealed_at_us, seed=seed):
        head = f"POST {path or dialect.path}{one.query} HTTP/1.1\r\n{lines}Content-Length: {len(one.body)}\r\n\r\n"
        yield head.encode() + one.body


def renew(body: bytes, mark: bytes, identity: bytes, *, hexadecimal: bool) -> bytes:
    """The same body as another batch: its 16-byte mark replaced by `identity`."""
    return body.replace(mark, identity.hex().encode() if hexadecimal else identity)


def _query(format_name: str, batch: Batch) -> str:
    if not format_name.startswith("native"):
        return ""
    return "?" + send_stamp(batch, batch.sealed_at_us + 40_000, 25_000)
