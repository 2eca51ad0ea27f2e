"""Batches in the native wire format, through the reference encoder, with the send stamp that goes beside them."""

from typing import Any
from urllib.parse import urlencode

from client_sdk_spec.encoder import encode
from loadtest.visits import Batch

_CODES = ("name", "method", "url", "route", "error_type", "protocol", "screen")


def encode_native(batch: Batch, encoding: str) -> bytes:
    """The batch as the uncompressed body of `POST /v1/batches`; `encoding` is `msgpack` or `json`."""
    return encode(mapping(batch), encoding)


def send_stamp(batch: Batch, sent_at_us: int, rtt_us: int) -> str:
    """The query string of one attempt made at a true time."""
    sender = batch.sender
    return urlencode(
        {
            "s": sent_at_us - sender.epoch_at_us,
            "w": sent_at_us + sender.wall_error_us,
            "e": sender.epoch,
            "r": rtt_us,
        }
    )


def mapping(batch: Batch) -> dict[str, Any]:
    """The batch as the reference encoder takes it."""
    strings = ["", *batch.strings]
    columns: dict[str, list[Any]] = {name: column.tolist() for name, column in batch.columns.items()}
    traces = [row.tobytes().hex() for row in batch.trace_ids]
    columns["trace_id"] = [traces[row] for row in columns.pop("trace")]
    columns["span_id"] = [row.tobytes().hex() for row in batch.span_ids]
    columns["parent_span_id"] = [row.tobytes().hex() for row in batch.parent_span_ids]
    for name in _CODES:
        columns[name] = [strings[code] for code in columns[name]]
    spans: list[dict[str, Any]] = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    for span, key, value in batch.attributes:
        spans[span]["attributes"] = {strings[key]: strings[value]}
    return {
        "id": batch.batch_id.hex(),
        "resource": batch.sender.resource,
        "clock": {
            "kind": "mono",
            "epoch": batch.sender.epoch,
            "mono_us": batch.sealed_mono_us,
            "wall_us": batch.sealed_at_us + batch.sender.wall_error_us,
        },
        "spans": spans,
    }
