"""Read one ExportLogsServiceRequest into `LogRows`, from protobuf and from JSON."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from ingest.decode.otlp_json import JsonBodies, Shape, array_of, enum_of, id_of, nanos_of, object_of
from ingest.decode.otlp_log_rows import PER_SEVERITY, SEVERITIES, LogRows
from ingest.decode.otlp_protobuf import ProtobufBodies
from ingest.decode.otlp_text import text_of
from ingest.decode.otlp_wire import AnyValue, KeyValue, LogRecord

_EVENT_NAME: Final = "event.name"
"""The attribute that named events before there was a field for it."""
_KEY_VALUE_LIST: Final = b"\x32"
"""How an AnyValue begins that is a map."""
_SEVERITIES: Final = {"SEVERITY_NUMBER_UNSPECIFIED": 0} | {
    f"SEVERITY_NUMBER_{name}{place or ''}": row * PER_SEVERITY + max(place, 1)
    for row, name in enumerate(SEVERITIES)
    for place in (0, 2, 3, 4)
}


class ProtobufLogReader(ProtobufBodies):
    """Reads bodies one after the other into the same rows."""

    request = "ExportLogsServiceRequest"

    def __init__(self, rows: LogRows) -> None:
        super().__init__(rows)
        self._log_rows = rows
        self._bodies = rows.memo(self._read_body)

    def _read_items(self, blobs: list[bytes]) -> None:
        rows = self._log_rows
        for blob in blobs:
            record = LogRecord.FromString(blob)
            rows.add_ids(record.trace_id, record.span_id, blob)
            rows.add_time(record.time_unix_nano, record.observed_time_unix_nano)
            rows.add_severity(record.severity_number, record.severity_text.decode("utf-8", "replace"))
            rows.names.append(self._names[record.event_name])
            attributes = rows.first(record.attributes, rows.limits.attributes)
            pairs = list(map(self._span_pairs.__getitem__, attributes))
            body = record.body
            if body[:1] == _KEY_VALUE_LIST and (event := rows.browser_event(_event_of(record))):
                pairs += rows.members(event, self._plain(AnyValue.FromString(body), 0))
                body = b""
            rows.bodies.append(self._bodies[body])
            rows.add_pairs(pairs)

    def _read_body(self, blob: bytes) -> int:
        return self._rows.codes[text_of(self._plain(AnyValue.FromString(blob), 0))]


def _event_of(record: Any) -> str:
    name: bytes = record.event_name
    if not name:
        pairs = map(KeyValue.FromString, record.attributes)
        name = next((pair.value.string_value for pair in pairs if pair.key == _EVENT_NAME.encode()), b"")
    return name.decode("utf-8", "replace")


class JsonLogReader(JsonBodies):
    """Reads bodies one after the other into the same rows."""

    shape = Shape("resourceLogs", ("scopeLogs", "instrumentationLibraryLogs"), "logRecords")

    def __init__(self, rows: LogRows) -> None:
        super().__init__(rows)
        self._log_rows = rows

    def _read_item(self, item: Mapping[str, Any]) -> None:
        rows = self._log_rows
        rows.add_ids(id_of(item.get("traceId")), id_of(item.get("spanId")), orjson.dumps(item))
        rows.add_time(nanos_of(item.get("timeUnixNano")), nanos_of(item.get("observedTimeUnixNano")))
        severity, name = item.get("severityText"), item.get("eventName")
        number = enum_of(item.get("severityNumber"), _SEVERITIES)
        rows.add_severity(number, severity if isinstance(severity, str) else "")
        rows.names.append(rows.codes[name] if isinstance(name, str) else 0)
        attributes = rows.first(array_of(item, "attributes"), rows.limits.attributes)
        pairs = self._pairs(rows.span_pairs, self._span_pairs, attributes)
        body = object_of(item.get("body"), "body")
        if "kvlistValue" in body and (event := rows.browser_event(_name_of(name, attributes))):
            pairs += rows.members(event, self._plain(body, 0))
            body = {}
        rows.bodies.append(rows.codes[text_of(self._plain(body, 0))] if body else 0)
        rows.add_pairs(pairs)


def _name_of(name: Any, attributes: list[Any]) -> str:
    if isinstance(name, str) and name:
        return name
    values = (item["value"].get("stringValue") for item in attributes if item.get("key") == _EVENT_NAME)
    found = next(values, "")
    return found if isinstance(found, str) else ""
