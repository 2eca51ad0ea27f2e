"""Reads one OTLP protobuf body into `Rows`.

Message by message from the outside in, each level counted before the next is looked at: a hostile body is refused for
the price of finding out. Attributes, events and status are looked up by their bytes and parsed once per micro-batch.
"""

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from itertools import chain
from typing import Any, Final

import numpy as np

from ingest.decode.otlp_rows import EXCEPTION_ATTRIBUTES, Rows, check_spans
from ingest.decode.otlp_text import text_of
from ingest.decode.otlp_wire import (
    AnyValue,
    ArrayValue,
    DecodeError,
    Event,
    KeyValue,
    KeyValueList,
    Link,
    Request,
    Resource,
    ResourceSpans,
    ScopeSpans,
    Span,
    Status,
    locate_fault,
)
from ingest.errors import Malformed

_TIME_TAG: Final = 9
"""Field 1, fixed64: how every encoder known starts an event."""
_HEAD: Final = 9
"""That tag and the 8 bytes of the time."""
_EVENTS_FOR_ONE: Final = 8
"""Known events that cost as much as one new value."""
_CODE_ALONE: Final = 2
"""Bytes of a status without a message."""


class ProtobufBodies:
    """What all OTLP requests have in common: resources, scopes, items, and their attributes.

    Requests of every kind have the same field numbers down to the items.
    """

    request: str
    """The message, as people and `locate_fault` know it."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._names = rows.memo(self._read_name)
        self._span_pairs = rows.memo(partial(self._read_pair, rows.span_pairs.add))
        self._resource_pairs = rows.memo(partial(self._read_pair, rows.resource_pairs.add))

    def read(self, body: bytes) -> None:
        """Appends the body's items.

        Raises:
            Malformed: not such a request.
            TooLarge: too many items, or values too many or too deep.
        """
        try:
            for resource, items in self._collect(body):
                attributes = self._rows.first(Resource.FromString(resource).attributes, self._rows.limits.attributes)
                self._rows.open_resource([self._resource_pairs[blob] for blob in attributes])
                self._rows.resource_spans[-1] = len(items)
                self._read_items(items)
        except DecodeError:
            message = f"the body is not an OTLP {self.request} in protobuf; check Content-Type and encoder"
            raise Malformed("bad_protobuf", message, offset=locate_fault(body, self.request)) from None

    def _read_items(self, blobs: list[bytes]) -> None:
        raise NotImplementedError

    def _collect(self, body: bytes) -> list[tuple[bytes, list[bytes]]]:
        """(resource, its items) in order, nothing of an item read yet."""
        limits = self._rows.limits
        found = []
        total = groups = 0
        resources = Request.FromString(body).resource_spans
        check_spans(len(resources), limits)
        for blob in resources:
            resource = ResourceSpans.FromString(blob)
            groups += len(resource.scope_spans) + len(resource.library_spans)
            check_spans(groups, limits)
            items: list[bytes] = []
            for scope in (*resource.scope_spans, *resource.library_spans):
                items.extend(ScopeSpans.FromString(scope).spans)
                check_spans(total + len(items), limits)
            if items:
                found.append((resource.resource, items))
                total += len(items)
        return found

    def _read_name(self, name: bytes) -> int:
        try:
            return self._rows.codes[name.decode()]
        except UnicodeDecodeError:
            return 0

    def _read_pair(self, add: Callable[[str, str], int], blob: bytes) -> int:
        pair = KeyValue.FromString(blob)
        value = pair.value
        # The two usual kinds first, found by their content: asking which one it is costs more than reading it.
        if raw := value.string_value:
            text = raw.decode("utf-8", "replace")
        elif whole := value.int_value:
            text = str(whole)
        else:
            text = text_of(self._plain(value, 0))
        return add(pair.key.decode("utf-8", "replace"), text)

    def _plain(self, value: Any, depth: int) -> Any:
        """The value as JSON knows it."""
        which = value.WhichOneof("value")
        if which == "array_value":
            parts = ArrayValue.FromString(value.array_value).values
            self._rows.budget.spend(len(parts), depth)
            return [self._plain(AnyValue.FromString(part), depth + 1) for part in parts]
        if which == "kvlist_value":
            parts = KeyValueList.FromString(value.kvlist_value).values
            self._rows.budget.spend(len(parts), depth)
            pairs = [KeyValue.FromString(part) for part in parts]
            return {pair.key.decode("utf-8", "replace"): self._plain(pair.value, depth + 1) for pair in pairs}
        if which is None:
            return None
        plain = getattr(value, which)
        if which == "string_value":
            return plain.decode("utf-8", "replace")
        return b64encode(plain).decode() if which == "bytes_value" else plain


class ProtobufReader(ProtobufBodies):
    """Reads ExportTraceServiceRequests one after the other into the same rows."""

    request = "ExportTraceServiceRequest"

    def __init__(self, rows: Rows) -> None:
        super().__init__(rows)
        self._events = rows.memo(self._read_event)
        self._statuses = rows.memo(self._read_status)

    def _read_items(self, blobs: list[bytes]) -> None:
        """Column by column: a list comprehension over one field costs half of a loop over the spans."""
        rows = self._rows
        first = len(rows.names)
        spans = list(map(Span.FromString, blobs))
        rows.trace_ids += [span.trace_id for span in spans]
        rows.span_ids += [span.span_id for span in spans]
        rows.parent_ids += [span.parent_span_id for span in spans]
        rows.names.extend([self._names[span.name] for span in spans])
        rows.kinds.extend([span.kind for span in spans])
        rows.starts.extend([span.start_time_unix_nano for span in spans])
        rows.ends.extend([span.end_time_unix_nano for span in spans])

        limit = rows.limits.attributes
        attributes = [rows.first(span.attributes, limit) for span in spans]
        rows.pair_counts.extend(map(len, attributes))
        rows.pair_ids.extend(map(self._span_pairs.__getitem__, chain.from_iterable(attributes)))
        limit = rows.limits.events
        events = [rows.first(span.events, limit) for span in spans]
        rows.event_counts.extend(map(len, events))
        # So many fit into a body only when they say nothing: a phase boundary takes 23 bytes.
        self._rows.budget.spend(sum(map(len, events)) // _EVENTS_FOR_ONE)
        if stamped := list(chain.from_iterable(events)):
            self._read_events(stamped)

        statuses = [span.status for span in spans]
        rows.statuses.extend(map(self._statuses.__getitem__, statuses))
        for row, status in enumerate(statuses, first):
            if len(status) > _CODE_ALONE:
                self._read_message(row, status)
        for row, span in enumerate(spans, first):
            if state := span.trace_state:
                rows.add_sampling(row, state.decode("utf-8", "replace"))
            if links := span.links:
                self._read_links(row, links)

    def _read_events(self, blobs: list[bytes]) -> None:
        heads = b"".join([blob[:_HEAD] for blob in blobs])
        if len(heads) != _HEAD * len(blobs) or heads[::_HEAD].count(_TIME_TAG) != len(blobs):
            blobs = [self._time_first(blob) for blob in blobs]
            heads = b"".join([blob[:_HEAD] for blob in blobs])
        times = np.frombuffer(heads, dtype=np.uint8).reshape(-1, _HEAD)[:, 1:].tobytes()
        self._rows.event_times.frombytes(np.frombuffer(times, dtype="<u8").astype(np.uint64).tobytes())
        events = self._events
        self._rows.event_kinds.extend([events[blob[_HEAD:]] for blob in blobs])

    def _time_first(self, blob: bytes) -> bytes:
        """An event in the order of its field numbers, for encoders with another; with a time if it has none."""
        if len(blob) >= _HEAD and blob[0] == _TIME_TAG:
            return blob
        self._rows.budget.spend(2)
        event = Event.FromString(blob)
        time: int = event.time_unix_nano
        tail: bytes = Event(name=event.name, attributes=event.attributes).SerializeToString()
        return bytes([_TIME_TAG]) + time.to_bytes(8, "little") + tail

    def _read_links(self, row: int, blobs: Any) -> None:
        for blob in self._rows.first(blobs, self._rows.limits.links):
            self._rows.budget.spend(1)
            link = Link.FromString(blob)
            self._rows.links.append((row, link.trace_id, link.span_id))

    def _read_message(self, row: int, blob: bytes) -> None:
        if message := Status.FromString(blob).message:
            self._rows.add_status_message(row, message.decode("utf-8", "replace"))

    def _read_status(self, blob: bytes) -> int:
        code: int = Status.FromString(blob).code
        return code

    def _read_event(self, tail: bytes) -> int:
        event = Event.FromString(tail)
        name = event.name.decode("utf-8", "replace")
        if name == "exception":
            attributes = event.attributes[:EXCEPTION_ATTRIBUTES]
            return self._rows.add_exception([self._span_pairs[blob] for blob in attributes])
        return self._rows.name_event(name)
