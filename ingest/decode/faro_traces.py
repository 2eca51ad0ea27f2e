"""The OTLP spans in a body of Faro: read as OTLP's own JSON, without what says who the user is.

Faro sends a request that a page makes twice and more: as the browser's timing entry, which has the phases, as a span,
which has the trace, and the span once more as an event (`faro.tracing.fetch`). Entry and span hardly ever share a body:
the entry goes at the next flush (250 ms), the span waits 300 ms for its network events and up to 1 s in its batch
(web SDK 2.12, measured). No body says whether the other one exists. So one of the two is the request whatever else is
in the body, by what they tell alike, the status of the answer:

- answered: the entry is the request, and the span an operation of the trace (`FARO_TWICE`); in one body, its parent.
- not answered, by the span: the span is the request, and the entry an operation. A browser's entry cannot tell a
  request that failed from an answer that it hides.

Spans of `instrumentation-document-load` are the same entries once more: operations. All others are what they are.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
import orjson

from ingest.decode.faro_rows import FaroRows, Sent, names_user
from ingest.decode.otlp_json import JsonReader
from ingest.decode.otlp_rows import Pairs, check_spans
from ingest.errors import Malformed
from ingest.model import Kind, Signal

_TWINS: Final = ("instrumentation-fetch", "instrumentation-xml-http-request")
_COPIES: Final = "instrumentation-document-load"
_TELLING: Final = {
    "http.response.status_code": "status",
    "http.status_code": "status",
    "url.full": "url",
    "http.url": "url",
}
_SAID_BY_META: Final = (
    *("service.name", "service.version", "service.namespace", "deployment.environment", "browser.", "process.runtime."),
    *("telemetry.", "user_agent."),
)
"""Attributes of the resource that Faro makes out of its meta, and that meta says better."""


class TraceReader(JsonReader):
    """Reads the traces of bodies one after the other into the same rows."""

    def __init__(self, rows: FaroRows) -> None:
        super().__init__(rows)
        self._faro_rows = rows

    def read_traces(self, raw: msgspec.Raw, sender: Sequence[int]) -> list[Sent]:
        """Appends the spans; those that may have an entry beside them are returned.

        Args:
            raw: an ExportTraceServiceRequest in JSON, or null.
            sender: pairs of the resource by Faro's meta.

        Raises:
            Malformed: `bad_otlp`, it is none.
            TooLarge: too many spans or values, or too deep.
        """
        try:
            request = orjson.loads(bytes(raw))
        except orjson.JSONDecodeError:
            raise Malformed("bad_json", "traces is not JSON; check the encoder") from None
        sent: list[Sent] = []
        for group in _objects(request, "resourceSpans"):
            scopes = [*_objects(group, "scopeSpans"), *_objects(group, "instrumentationLibrarySpans")]
            spans = [(_scope(scope), span) for scope in scopes for span in _objects(scope, "spans")]
            check_spans(len(self._rows.names) + len(spans) - self._faro_rows.first_row, self._rows.limits)
            if spans:
                self._open(group, sender)
                self._rows.resource_spans[-1] = len(spans)
                for scope, span in spans:
                    self._add(scope, span, sent)
        return sent

    def _open(self, group: Mapping[str, Any], sender: Sequence[int]) -> None:
        attributes = _objects(group.get("resource"), "attributes")
        own = [one for one in attributes if not str(one.get("key", "")).startswith(_SAID_BY_META)]
        own = self._rows.first(own, self._rows.limits.attributes)
        self._rows.open_resource([*sender, *self._pairs(self._rows.resource_pairs, self._resource_pairs, own)])

    def _add(self, scope: str, span: Mapping[str, Any], sent: list[Sent]) -> None:
        rows = self._faro_rows
        row = len(rows.names)
        self._read_span(span)
        signal = Signal.REQUEST
        if scope.endswith(_COPIES):
            signal = Signal.OPERATION
            rows.twice.append(row)
        elif scope.endswith(_TWINS) and rows.kinds[row] == Kind.CLIENT:
            told = _told(span)
            if _answered(told.get("status")):
                signal = Signal.OPERATION
                rows.twice.append(row)
            else:
                rows.unrouted.append(row)
            start, end = rows.starts[row], rows.ends[row]
            sent.append(Sent(row, str(told.get("url", "")), start, end, str(span.get("traceId", "")).lower()))
        rows.signals.append(signal)

    def _unusual_pair(self, pairs: Pairs, attribute: Any) -> int:
        if isinstance(attribute, dict) and names_user(str(attribute.get("key", ""))):
            return pairs.add("", "")
        return super()._unusual_pair(pairs, attribute)

    @staticmethod
    def _read_pair(pairs: Pairs, token: tuple[str, str, Any]) -> int:
        if isinstance(token[0], str) and names_user(token[0]):
            return pairs.add("", "")
        return JsonReader._read_pair(pairs, token)


def _objects(parent: Any, name: str) -> list[Mapping[str, Any]]:
    """The objects in an array of the parent; none where there is no array."""
    if not isinstance(parent, dict | None):
        raise Malformed("bad_otlp", f"what holds {name} must be an object")
    found = None if parent is None else parent.get(name)
    if found is None:
        return []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise Malformed("bad_otlp", f"{name} must be an array of objects")
    return found


def _scope(scope: Mapping[str, Any]) -> str:
    """The name of what made the spans."""
    found = scope.get("scope") or scope.get("instrumentationLibrary")
    return str(found.get("name", "")) if isinstance(found, dict) else ""


def _told(span: Mapping[str, Any]) -> dict[str, Any]:
    """The status and the address among the attributes."""
    told: dict[str, Any] = {}
    for attribute in _objects(span, "attributes"):
        key, value = attribute.get("key"), attribute.get("value")
        if isinstance(value, dict) and value and isinstance(key, str) and key in _TELLING:
            told[_TELLING[key]] = next(iter(value.values()))
    return told


def _answered(status: Any) -> bool:
    try:
        return int(status) > 0
    except (TypeError, ValueError, OverflowError):
        return False
