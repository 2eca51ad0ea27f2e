"""Grafana Faro's bodies → one `SpanBatch` for many of them.

    from ingest.decode.faro import decode_faro
    decoded = decode_faro([body], Limits())

    meta           who sends, and where in the app                              faro_meta
    events         page loads and requests, timed by the browser                faro_timing, faro_phases
                   screens, user actions, violated policies, all else           faro_items
    measurements   web vitals; other numbers as events with attributes          faro_items
    exceptions     exceptions                                                    faro_items
    logs           events named by their level                                   faro_items
    traces         OTLP spans                                                    faro_traces

A request is counted once, though Faro sends it up to three times: `faro_traces` has the rule. What is left out is
counted by `Note`. What Faro is known to say wrongly is put right where that can be known, else it is unknown, and it is
flagged: `Repair`.

Stamps are those of the device's wall clock, and nothing says when the body was sent. Without a key for its retries, a
body is known again by its hash.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import Final, TypeVar

from ingest.decode.faro_items import ItemReader, Place
from ingest.decode.faro_meta import sender
from ingest.decode.faro_rows import Entry, FaroRows, build_faro, pair_up
from ingest.decode.faro_timing import NAVIGATION, RESOURCE, SPANS, TimingReader
from ingest.decode.faro_traces import TraceReader
from ingest.decode.faro_wire import Body, Event, Meta, read
from ingest.decode.otlp_rows import check_spans
from ingest.decode.signal_rows import text
from ingest.errors import Refusal, TooLarge
from ingest.model import Decoded
from ingest.outcome import Note
from ingest.settings import Limits

_T = TypeVar("_T")
_NO_META: Final = Meta()
_OPENERS_PER_ITEM: Final = 64
"""Objects and arrays on average: an error has its frames."""


def decode_faro(bodies: Sequence[bytes], limits: Limits) -> Decoded:
    """Decodes inflated bodies of Faro.

    Returns:
        One batch of all their spans in order, and for each bad body a `Malformed` or `TooLarge`; it touches no other
        body. An item that cannot be read is a span that will be rejected.
    """
    rows = FaroRows(limits)
    reader = _Reader(rows)
    faults: dict[int, Exception] = {}
    for number, body in enumerate(bodies):
        rows.begin(number)
        try:
            reader.read(body)
        except Refusal as refusal:
            rows.undo()
            faults[number] = refusal.detached()
    batch = build_faro(rows, [blake2b(body, digest_size=16).digest() for body in bodies])
    return Decoded(replace(batch, remarks=rows.remarks), faults, rows.trimmed)


class _Reader:
    """Reads bodies one after the other into the same rows."""

    def __init__(self, rows: FaroRows) -> None:
        self._rows = rows
        self._items = ItemReader(rows)
        self._timing = TimingReader(rows)
        self._traces = TraceReader(rows)

    def read(self, body: bytes) -> None:
        """Appends the body's spans.

        Raises:
            Malformed: not a body of Faro.
            TooLarge: too many items or values, or too deep.
        """
        rows = self._rows
        if body.count(b"{") + body.count(b"[") > rows.limits.spans * _OPENERS_PER_ITEM:
            raise TooLarge("too_many_values", "the body has too many objects and arrays; send smaller batches")
        found = read(body)
        meta = found.meta or _NO_META
        said = rows.sender_pairs(list(sender(meta)))
        items = [found.events or (), found.measurements or (), found.exceptions or (), found.logs or ()]
        count = sum(map(len, items))
        check_spans(count, rows.limits)
        entries: list[Entry] = []
        if count:
            rows.open_resource(said)
            entries = self._read_items(found, self._place(meta))
        sent = self._traces.read_traces(found.traces, said)
        check_spans(len(rows.names) - rows.first_row, rows.limits)
        pair_up(rows, entries, sent)

    def _place(self, meta: Meta) -> Place:
        rows = self._rows
        screen = [rows.pair("app.screen.name", meta.view.name)] if meta.view and text(meta.view.name) else []
        page = meta.page
        if page is None:
            return Place([], screen)
        return Place([rows.pair("url.full", page.url), rows.pair("url.template", page.id)], screen)

    def _read_items(self, found: Body, place: Place) -> list[Entry]:
        """Returns the timing entries that may have a span beside them."""
        rows, items = self._rows, self._items
        before = len(rows.together)
        pages: list[int] = []
        entries = [self._read_event(event, place, pages) for event in self._readable(found.events)]
        for measurement in self._readable(found.measurements):
            items.measurement(measurement, place)
        for thrown in self._readable(found.exceptions):
            items.thrown(thrown, place)
        for log in self._readable(found.logs):
            items.log(log, place)
        if pages:
            rows.parents.extend((row, pages[0]) for row in set(rows.together[before:]).difference(pages))
        return [entry for entry in entries if entry is not None]

    def _readable(self, items: Sequence[_T | None] | None) -> Iterator[_T]:
        for item in items or ():
            if item is None:
                self._rows.add_unreadable()
            else:
                yield item

    def _read_event(self, event: Event, place: Place, pages: list[int]) -> Entry | None:
        name = event.name
        if name == RESOURCE:
            return self._timing.resource(event, place)
        if name == NAVIGATION:
            page = self._timing.navigation(event, place)
            pages.extend(() if page is None else (page,))
        elif isinstance(name, str) and name.startswith(SPANS):
            self._rows.remark(Note.SENT_TWICE)
        else:
            self._items.event(event, place)
        return None
