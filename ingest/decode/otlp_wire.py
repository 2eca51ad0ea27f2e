"""OTLP traces and logs as the decoders read them from the wire: a private schema over the same bytes.

Protobuf does not say on the wire whether a length-delimited field is text, bytes or a message. Read as `bytes`, a
nested message costs one slice instead of a tree of objects, is parsed only when somebody looks, and equal ones are
equal bytes, so that an attribute which occurs in a thousand spans is read once. Declaring text as bytes also leaves the
judgement of bad UTF-8 to us: the official classes refuse the whole request for one bad letter.

Field numbers: `opentelemetry/proto/{collector/*,trace,logs,common,resource}/v1` of opentelemetry-proto 1.11; a test
compares them. A request for logs has the numbers of one for traces, but for what its records hold. Fields that nothing
here uses are left out and are skipped as unknown. One thing is given up: a message split over several occurrences of a
singular field is not merged, its last part counts. No known encoder does that.
"""

from collections.abc import Mapping
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

__all__ = [
    "AnyValue",
    "ArrayValue",
    "DecodeError",
    "Event",
    "KeyValue",
    "KeyValueList",
    "Link",
    "LogRecord",
    "Request",
    "Resource",
    "ResourceSpans",
    "ScopeSpans",
    "Span",
    "Status",
    "locate_fault",
]

_Type = descriptor_pb2.FieldDescriptorProto
_BYTES, _BOOL, _DOUBLE = _Type.TYPE_BYTES, _Type.TYPE_BOOL, _Type.TYPE_DOUBLE
_INT32, _INT64, _FIXED64 = _Type.TYPE_INT32, _Type.TYPE_INT64, _Type.TYPE_FIXED64
_ONE, _MANY = _Type.LABEL_OPTIONAL, _Type.LABEL_REPEATED

SCHEMA: dict[str, tuple[tuple[str, int, int | str, int], ...]] = {
    "Request": (("resource_spans", 1, _BYTES, _MANY),),
    "ResourceSpans": (
        ("resource", 1, _BYTES, _ONE),
        ("scope_spans", 2, _BYTES, _MANY),
        # `instrumentation_library_spans` of OTLP before 0.15: the same shape under another number.
        ("library_spans", 1000, _BYTES, _MANY),
    ),
    "Resource": (("attributes", 1, _BYTES, _MANY),),
    "ScopeSpans": (("spans", 2, _BYTES, _MANY),),
    "Span": (
        ("trace_id", 1, _BYTES, _ONE),
        ("span_id", 2, _BYTES, _ONE),
        ("trace_state", 3, _BYTES, _ONE),
        ("parent_span_id", 4, _BYTES, _ONE),
        ("name", 5, _BYTES, _ONE),
        ("kind", 6, _INT32, _ONE),
        ("start_time_unix_nano", 7, _FIXED64, _ONE),
        ("end_time_unix_nano", 8, _FIXED64, _ONE),
        ("attributes", 9, _BYTES, _MANY),
        ("events", 11, _BYTES, _MANY),
        ("links", 13, _BYTES, _MANY),
        ("status", 15, _BYTES, _ONE),
    ),
    "Event": (
        ("time_unix_nano", 1, _FIXED64, _ONE),
        ("name", 2, _BYTES, _ONE),
        ("attributes", 3, _BYTES, _MANY),
    ),
    "Link": (("trace_id", 1, _BYTES, _ONE), ("span_id", 2, _BYTES, _ONE)),
    "Status": (("message", 2, _BYTES, _ONE), ("code", 3, _INT32, _ONE)),
    "LogRecord": (
        ("time_unix_nano", 1, _FIXED64, _ONE),
        ("severity_number", 2, _INT32, _ONE),
        ("severity_text", 3, _BYTES, _ONE),
        ("body", 5, _BYTES, _ONE),
        ("attributes", 6, _BYTES, _MANY),
        ("trace_id", 9, _BYTES, _ONE),
        ("span_id", 10, _BYTES, _ONE),
        ("observed_time_unix_nano", 11, _FIXED64, _ONE),
        ("event_name", 12, _BYTES, _ONE),
    ),
    "KeyValue": (("key", 1, _BYTES, _ONE), ("value", 2, "AnyValue", _ONE)),
    "AnyValue": (
        ("string_value", 1, _BYTES, _ONE),
        ("bool_value", 2, _BOOL, _ONE),
        ("int_value", 3, _INT64, _ONE),
        ("double_value", 4, _DOUBLE, _ONE),
        ("array_value", 5, _BYTES, _ONE),
        ("kvlist_value", 6, _BYTES, _ONE),
        ("bytes_value", 7, _BYTES, _ONE),
    ),
    "ArrayValue": (("values", 1, _BYTES, _MANY),),
    "KeyValueList": (("values", 1, _BYTES, _MANY),),
}
"""Message → (field, number, type or message, label)."""


def _classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="otlp_wire.proto", package="otlp_wire", syntax="proto3")
    for name, wanted in SCHEMA.items():
        message = file.message_type.add(name=name)
        if name == "AnyValue":
            message.oneof_decl.add(name="value")
        for field, number, kind, label in wanted:
            added = message.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = _Type.TYPE_MESSAGE, f".otlp_wire.{kind}"
            else:
                added.type = kind
            if name == "AnyValue":
                added.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"otlp_wire.{name}")) for name in SCHEMA}


_CLASSES = _classes()
Request: Any = _CLASSES["Request"]
ResourceSpans: Any = _CLASSES["ResourceSpans"]
Resource: Any = _CLASSES["Resource"]
ScopeSpans: Any = _CLASSES["ScopeSpans"]
Span: Any = _CLASSES["Span"]
Event: Any = _CLASSES["Event"]
Link: Any = _CLASSES["Link"]
Status: Any = _CLASSES["Status"]
LogRecord: Any = _CLASSES["LogRecord"]
KeyValue: Any = _CLASSES["KeyValue"]
AnyValue: Any = _CLASSES["AnyValue"]
ArrayValue: Any = _CLASSES["ArrayValue"]
KeyValueList: Any = _CLASSES["KeyValueList"]

_NESTED: Final[Mapping[str, Mapping[int, str]]] = {
    "ExportTraceServiceRequest": {1: "ResourceSpans"},
    "ResourceSpans": {1: "Resource", 2: "ScopeSpans", 1000: "ScopeSpans"},
    "ScopeSpans": {2: "Span"},
    "ExportLogsServiceRequest": {1: "ResourceLogs"},
    "ResourceLogs": {1: "Resource", 2: "ScopeLogs", 1000: "ScopeLogs"},
    "ScopeLogs": {2: "LogRecord"},
    "LogRecord": {6: "KeyValue"},
    "Resource": {1: "KeyValue"},
    "Span": {9: "KeyValue", 11: "Event", 13: "Link", 15: "Status"},
    "Event": {3: "KeyValue"},
    "KeyValue": {2: "AnyValue"},
}
_MAX_STEPS: Final = 20_000
_FIXED_WIDTHS: Final = {1: 8, 5: 4}


def locate_fault(body: bytes, request: str) -> int | None:
    """Byte offset of the first field that does not fit into its message, in a request the parser refused.

    None when it lies deeper or later than is worth searching.
    """
    levels = [(request, len(body))]
    at = 0
    for _ in range(_MAX_STEPS):
        while at == levels[-1][1]:
            levels.pop()
            if not levels:
                return None
        message, end = levels[-1]
        start = at
        tag, at = _varint(body, at, end)
        field, wire_type = tag >> 3, tag & 7
        size = _FIXED_WIDTHS.get(wire_type, 0)
        if wire_type in {0, 2} and at > 0:
            size, at = _varint(body, at, end)
            size = size if wire_type == 2 else 0
        if at < 0 or field == 0 or wire_type not in {0, 1, 2, 5} or at + size > end:
            return start
        nested = _NESTED.get(message, {}).get(field) if wire_type == 2 else None
        if nested:
            levels.append((nested, at + size))
        else:
            at += size
    return None


def _varint(body: bytes, at: int, end: int) -> tuple[int, int]:
    """The number and where it ends; -1 when it does not."""
    value = 0
    for shift, octet in enumerate(body[at : min(at + 10, end)]):
        value |= (octet & 0x7F) << (7 * shift)
        if octet < 0x80:
            return value, at + shift + 1
    return 0, -1
