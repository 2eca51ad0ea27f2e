"""Reads one OTLP JSON body into `Rows`.

The JSON mapping is OTLP's own: ids in hex, whole numbers as numbers or text, enums as numbers (names are accepted too),
lowerCamelCase keys, unknown ones ignored (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding").
"""

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from ingest.decode.otlp_rows import EXCEPTION_ATTRIBUTES, Pairs, Rows, check_spans
from ingest.decode.otlp_text import text_of
from ingest.errors import Malformed, TooLarge

_U64: Final = 1 << 64
_I63: Final = 1 << 63
_OPENERS_PER_SPAN: Final = 24
"""Objects and arrays on average. A span with nine events and eight attributes has 40, but then 1,300 bytes, too."""

_KINDS: Final = {
    "SPAN_KIND_UNSPECIFIED": 0,
    "SPAN_KIND_INTERNAL": 1,
    "SPAN_KIND_SERVER": 2,
    "SPAN_KIND_CLIENT": 3,
    "SPAN_KIND_PRODUCER": 4,
    "SPAN_KIND_CONSUMER": 5,
}
_STATUSES: Final = {"STATUS_CODE_UNSET": 0, "STATUS_CODE_OK": 1, "STATUS_CODE_ERROR": 2}


class Shape(NamedTuple):
    """What the levels of a request are called."""

    groups: str
    scopes: tuple[str, ...]
    items: str


class JsonBodies:
    """What all OTLP requests have in common: resources, scopes, items, and their attributes."""

    shape: Shape

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._span_pairs = rows.memo(lambda token: self._read_pair(rows.span_pairs, token))
        self._resource_pairs = rows.memo(lambda token: self._read_pair(rows.resource_pairs, token))

    def read(self, body: bytes) -> None:
        """Appends the body's items.

        Raises:
            Malformed: not JSON, or not the shape of an export request.
            TooLarge: too many items, or values too many or too deep.
        """
        rows = self._rows
        if body.count(b"{") + body.count(b"[") > rows.limits.spans * _OPENERS_PER_SPAN:
            raise TooLarge("too_many_values", "the body has too many objects and arrays; send smaller batches")
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            message = "the body is not JSON; check Content-Type, Content-Encoding and encoder"
            raise Malformed("bad_json", message, offset=_byte_offset(body, error.pos)) from None
        where = f"{self.shape.items}[]"
        for resource, items in self._collect(object_of(request, "the body")):
            attributes = rows.first(array_of(resource, "attributes"), rows.limits.attributes)
            rows.open_resource(self._pairs(rows.resource_pairs, self._resource_pairs, attributes))
            rows.resource_spans[-1] = len(items)
            for item in items:
                self._read_item(object_of(item, where))

    def _read_item(self, item: Mapping[str, Any]) -> None:
        raise NotImplementedError

    def _collect(self, request: Mapping[str, Any]) -> list[tuple[Mapping[str, Any], list[Any]]]:
        """(resource, its items) in order, nothing of an item read yet."""
        limits = self._rows.limits
        found = []
        total = groups = 0
        resources = array_of(request, self.shape.groups)
        check_spans(len(resources), limits)
        for resource in resources:
            group = object_of(resource, f"{self.shape.groups}[]")
            scopes = [scope for name in self.shape.scopes for scope in array_of(group, name)]
            groups += len(scopes)
            check_spans(groups, limits)
            items: list[Any] = []
            for scope in scopes:
                items.extend(array_of(object_of(scope, f"{self.shape.scopes[0]}[]"), self.shape.items))
                check_spans(total + len(items), limits)
            if items:
                found.append((object_of(group.get("resource"), "resource"), items))
                total += len(items)
        return found

    def _pairs(self, pairs: Pairs, memo: Mapping[Any, int], attributes: list[Any]) -> list[int]:
        found = []
        for attribute in attributes:
            try:
                ((tag, content),) = attribute["value"].items()
                found.append(memo[attribute["key"], tag, content])
            except (AttributeError, KeyError, TypeError, ValueError):
                found.append(self._unusual_pair(pairs, attribute))
        return found

    def _unusual_pair(self, pairs: Pairs, attribute: Any) -> int:
        """An attribute with a nested value, with none, or of a shape that is refused with a word on what is wrong."""
        item = object_of(attribute, "attributes[]")
        key = item.get("key", "")
        if not isinstance(key, str):
            raise Malformed("bad_otlp", "attributes[].key must be text")
        return pairs.add(key, text_of(self._plain(object_of(item.get("value"), "attributes[].value"), 0)))

    @staticmethod
    def _read_pair(pairs: Pairs, token: tuple[str, str, Any]) -> int:
        key, tag, content = token
        if tag not in _SCALARS or not isinstance(key, str):
            raise KeyError
        return pairs.add(key, text_of(_scalar(tag, content)))

    def _plain(self, value: Mapping[str, Any], depth: int) -> Any:
        """The value as JSON knows it, without OTLP's type tags."""
        for tag, content in value.items():
            if tag in _SCALARS:
                return _scalar(tag, content)
            if tag in _NESTED:
                parts = array_of(object_of(content, tag), "values")
                self._rows.budget.spend(len(parts), depth)
                if tag == "arrayValue":
                    return [self._plain(object_of(part, "values[]"), depth + 1) for part in parts]
                pairs = [object_of(part, "values[]") for part in parts]
                return {
                    str(pair.get("key", "")): self._plain(object_of(pair.get("value"), "value"), depth + 1)
                    for pair in pairs
                }
        return None


class JsonReader(JsonBodies):
    """Reads ExportTraceServiceRequests one after the other into the same rows."""

    shape = Shape("resourceSpans", ("scopeSpans", "instrumentationLibrarySpans"), "spans")

    def __init__(self, rows: Rows) -> None:
        super().__init__(rows)
        self._events = rows.memo(rows.name_event)

    def _read_item(self, item: Mapping[str, Any]) -> None:
        self._read_span(item)

    def _read_span(self, span: Mapping[str, Any]) -> None:
        rows = self._rows
        row = len(rows.names)
        rows.trace_ids.append(id_of(span.get("traceId")))
        rows.span_ids.append(id_of(span.get("spanId")))
        rows.parent_ids.append(id_of(span.get("parentSpanId")))
        name = span.get("name")
        rows.names.append(rows.codes[name] if isinstance(name, str) else 0)
        rows.kinds.append(enum_of(span.get("kind"), _KINDS))
        rows.starts.append(nanos_of(span.get("startTimeUnixNano")))
        rows.ends.append(nanos_of(span.get("endTimeUnixNano")))

        status = object_of(span.get("status"), "status")
        rows.statuses.append(enum_of(status.get("code"), _STATUSES))
        if isinstance(message := status.get("message"), str) and message:
            rows.add_status_message(row, message)

        attributes = rows.first(array_of(span, "attributes"), rows.limits.attributes)
        rows.pair_ids.extend(self._pairs(rows.span_pairs, self._span_pairs, attributes))
        rows.pair_counts.append(len(attributes))
        events = rows.first(array_of(span, "events"), rows.limits.events)
        rows.event_times.extend([nanos_of(object_of(event, "events[]").get("timeUnixNano")) for event in events])
        rows.event_kinds.extend([self._event_kind(event) for event in events])
        rows.event_counts.append(len(events))
        if isinstance(state := span.get("traceState"), str) and state:
            rows.add_sampling(row, state)
        for item in rows.first(array_of(span, "links"), rows.limits.links):
            self._rows.budget.spend(1)
            link = object_of(item, "links[]")
            rows.links.append((row, id_of(link.get("traceId")), id_of(link.get("spanId"))))

    def _event_kind(self, event: Mapping[str, Any]) -> int:
        name = event.get("name")
        if name == "exception":
            attributes = array_of(event, "attributes")[:EXCEPTION_ATTRIBUTES]
            return self._rows.add_exception(self._pairs(self._rows.span_pairs, self._span_pairs, attributes))
        return self._events[name if isinstance(name, str) else ""]


_SCALARS: Final = frozenset({"stringValue", "intValue", "doubleValue", "boolValue", "bytesValue"})
_NESTED: Final = frozenset({"arrayValue", "kvlistValue"})


def _scalar(tag: str, content: Any) -> Any:
    """The content of a tag as its type; as text, what does not look like one."""
    text = content if isinstance(content, str) else text_of(content)
    try:
        if tag == "intValue":
            whole = int(content)
            return whole if -_I63 <= whole < _I63 else text
        if tag == "doubleValue":
            return float(content)
        if tag == "bytesValue":
            return b64encode(b64decode(text.replace("-", "+").replace("_", "/"))).decode()
    except (TypeError, ValueError, OverflowError, Base64Error):
        return text
    return text if tag == "stringValue" else bool(content)


def object_of(value: Any, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed("bad_otlp", f"{where} must be an object")
    return value


def array_of(parent: Mapping[str, Any], name: str) -> list[Any]:
    value = parent.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise Malformed("bad_otlp", f"{name} must be an array")
    return value


def id_of(value: Any) -> bytes:
    """The bytes that hex digits stand for; none for anything else."""
    if not isinstance(value, str):
        return b""
    try:
        return bytes.fromhex(value)
    except ValueError:
        return b""


def nanos_of(value: Any) -> int:
    """A time as number or text; 0, which OTLP takes for none, for what is not one."""
    try:
        nanos = int(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    return nanos if 0 <= nanos < _U64 else 0


def enum_of(value: Any, names: Mapping[str, int]) -> int:
    if isinstance(value, str):
        return names.get(value, 0)
    return value if isinstance(value, int) and 0 <= value < len(names) else 0


def _byte_offset(body: bytes, characters: int) -> int | None:
    """orjson counts characters; the answer counts bytes."""
    try:
        return len(body.decode()[:characters].encode())
    except UnicodeDecodeError as error:
        return error.start
