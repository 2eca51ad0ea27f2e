"""OTLP answers: ExportTraceServiceResponse, ExportLogsServiceResponse, google.rpc.Status, encoded as the request was.

Messages of one or two fields each, written by hand: `google.rpc` comes with no package the service needs otherwise.
Field numbers: opentelemetry-proto `collector/trace/v1/trace_service.proto` (ExportTraceServiceResponse partial_success
= 1; ExportTracePartialSuccess rejected_spans = 1, error_message = 2), `collector/logs/v1/logs_service.proto` (the same,
but rejected_log_records) and googleapis `google/rpc/status.proto` (code = 1, message = 2).
"""

from typing import Final

import orjson

_VARINT: Final = 0
_BYTES: Final = 2


REJECTED_SPANS: Final = "rejectedSpans"
REJECTED_RECORDS: Final = "rejectedLogRecords"


def success(rejected: int, message: str, as_json: bool, field: str = REJECTED_SPANS) -> bytes:
    """The body of a 200: nothing at all when everything was accepted, else how many spans were not, and why.

    Args:
        rejected: spans not accepted; the client must not send them again. 0 with a message is a warning.
        message: for the client's developer; empty for none.
        as_json: the request was JSON.
        field: what JSON calls the first.
    """
    if as_json:
        partial = {field: str(rejected), "errorMessage": message}
        return orjson.dumps({"partialSuccess": partial} if rejected or message else {})
    fields = _number(1, rejected) + _text(2, message)
    return _field(1, fields) if fields else b""


def status(code: int, message: str, as_json: bool) -> bytes:
    """The body of every 4xx and 5xx.

    Args:
        code: a google.rpc.Code, e.g. 3 INVALID_ARGUMENT, 8 RESOURCE_EXHAUSTED, 14 UNAVAILABLE, 16 UNAUTHENTICATED.
        message: for the client's developer; quotes nothing of the request.
        as_json: the request was JSON.
    """
    if as_json:
        return orjson.dumps({"code": code, "message": message})
    return _number(1, code) + _text(2, message)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3 | _VARINT) + _varint(value) if value else b""


def _text(field: int, text: str) -> bytes:
    return _field(field, text.encode()) if text else b""


def _field(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | _BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
