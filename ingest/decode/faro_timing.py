"""The browser's timing entries, as Faro's events carry them → rows: page loads and requests.

`faro.performance.navigation` is both the page (from the start of the navigation to the end of its load event) and the
request for its document, its child. `faro.performance.resource` is a request; of a fetch or XHR that got no answer it
is an operation, because its span may be here, too (`faro_traces` has the rule).
"""

from collections.abc import Mapping
from typing import Any, Final

from ingest.decode.faro_items import Place
from ingest.decode.faro_phases import Timing
from ingest.decode.faro_rows import Entry, FaroRows, ids_of, nanoseconds
from ingest.decode.faro_wire import Event
from ingest.decode.signal_rows import text
from ingest.model import UNKNOWN, Kind, Signal
from ingest.outcome import Note

NAVIGATION: Final = "faro.performance.navigation"
RESOURCE: Final = "faro.performance.resource"
SPANS: Final = "faro.tracing."
"""How the events begin that repeat spans."""

_TRACED: Final = frozenset({"fetch", "xmlhttprequest"})
"""Initiators of requests that Faro's tracing makes spans of."""
_FIELDS: Final = (
    *("redirectTime", "dnsLookupTime", "tcpHandshakeTime", "tlsNegotiationTime"),
    *("requestTime", "responseTime", "fetchTime", "serviceWorkerTime"),
)
"""As the times in `Timing` stand."""
_NAMES: Final = {
    "cacheHitStatus": "browser.cache",
    "renderBlockingStatus": "browser.render_blocking",
    "visibilityState": "browser.visibility",
}
"""Field of an entry → attribute."""
_PAGE_NAMES: Final = {
    "type": "browser.navigation.type",
    "documentParsingTime": "browser.document_parsing_ms",
    "domProcessingTime": "browser.dom_processing_ms",
    "domContentLoadHandlerTime": "browser.dom_content_loaded_ms",
    "onLoadTime": "browser.on_load_ms",
}
_VERSIONS: Final = {"http/1.0": 1, "http/1.1": 1, "h2": 2, "h3": 3}
_NO_PARENT: Final = bytes(8)
_EARLY_US: Final = 1_000
"""By which rounding alone may make a wait longer than the time to the first byte."""


class TimingReader:
    """Reads entries one after the other into the same rows."""

    def __init__(self, rows: FaroRows) -> None:
        self._rows = rows

    def navigation(self, event: Event, place: Place) -> int | None:
        """A page load and the request for its document; the row of the page."""
        rows, said = self._rows, event.attributes or {}
        timing = self._timing(said)
        timing[Timing.NAVIGATION] = 1
        first_byte = rows.duration_us(said.get("ttfb"))
        early = 0 <= first_byte < timing[Timing.WAIT] - _EARLY_US
        timing[Timing.EARLY] = int(early)
        start = nanoseconds(event.timestamp)
        active = ids_of(event.trace)
        context = (active[0], _NO_PARENT) if active is not None else None
        page = None
        if early:
            rows.remark(Note.NOT_WAITED_FOR)
        else:
            loaded = rows.duration_us(said.get("duration"))
            duration = loaded if loaded > 0 else rows.duration_us(said.get("pageLoadTime"))
            pairs = [rows.pair(name, said[field]) for field, name in _PAGE_NAMES.items() if field in said]
            pairs = [rows.pair("url.full", said.get("name")), *place.page[1:], *place.screen, *pairs]
            times = start, duration * 1000
            page = rows.add("page", Signal.PAGE, times, pairs, context=context, alone=False)
        timing[Timing.WHOLE] = _sum(timing[Timing.FETCH], timing[Timing.REDIRECT])
        row = self._add(event, "document", Signal.REQUEST, timing=timing, place=place)
        if page is not None:
            rows.parents.append((row, page))
        return page

    def resource(self, event: Event, place: Place) -> Entry | None:
        """A request; for one that may have a span beside it, how to find that."""
        rows, said = self._rows, event.attributes or {}
        initiator = text(said.get("initiatorType")) or "resource"
        traced = initiator in _TRACED
        unanswered = traced and text(said.get("responseStatus")) == "0"
        timing = self._timing(said)
        timing[Timing.WHOLE] = rows.duration_us(said.get("duration"))
        signal = Signal.OPERATION if unanswered else Signal.REQUEST
        row = self._add(event, initiator, signal, timing=timing, place=place)
        if unanswered:
            rows.twice.append(row)
        if not traced:
            return None
        context = ids_of(event.trace)
        trace_id = context[0].hex() if context else ""
        return Entry(row, text(said.get("name")), rows.starts[row], trace_id)

    def _timing(self, said: Mapping[str, Any]) -> list[int]:
        """By `Timing`; what the entry does not say itself is 0 for now."""
        rows = self._rows
        return [
            *[rows.duration_us(said.get(field)) for field in _FIELDS],
            rows.size(said.get("transferSize")),
            rows.size(said.get("decodedBodySize")),
            *(0, 0),
            int(text(said.get("name"))[:5].lower() == "http:"),
            _VERSIONS.get(text(said.get("protocol")), 0),
            0,
        ]

    def _add(self, event: Event, name: str, signal: Signal, *, timing: list[int], place: Place) -> int:
        """The row of a request."""
        rows, said = self._rows, event.attributes or {}
        pairs = [*place.screen, rows.pair("url.full", said.get("name"))]
        pairs += [rows.pair(attribute, said[field]) for field, attribute in _NAMES.items() if field in said]
        status = text(said.get("responseStatus"))
        if status.isdecimal() and status != "0":
            pairs.append(rows.pair("http.response.status_code", status))
        if said.get("protocol"):
            pairs.append(rows.pair("network.protocol.version", said["protocol"]))
        if timing[Timing.TRANSFERRED] > 0 or timing[Timing.DECODED] > 0:
            pairs.append(rows.pair("http.response.size", said.get("transferSize")))
        if (size := rows.size(said.get("encodedBodySize"))) > 0:
            pairs.append(rows.pair("http.response.body.size", size))
        if event.action is not None and event.action.name:
            pairs.append(rows.pair("faro.action.name", event.action.name))
        context = ids_of(event.trace)
        if context is not None:
            # What was active is the server's span: the answer named it (Server-Timing).
            pairs.append(rows.pair("link.traceId", context[0].hex()))
            pairs.append(rows.pair("link.spanId", context[1].hex()))
            context = context[0], _NO_PARENT
        times = nanoseconds(event.timestamp), timing[Timing.WHOLE] * 1000
        row = rows.add(name, signal, times, pairs, context=context, kind=Kind.CLIENT)
        rows.add_timing(row, timing)
        return row


def _sum(first: int, second: int) -> int:
    return UNKNOWN if first == UNKNOWN else first + max(second, 0)
