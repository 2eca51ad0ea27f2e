"""What a page's logs tell that is told already, or nobody waited for: left out here, since no body says so by itself.

**A request that a page tells twice.** OpenTelemetry's instrumentations of fetch, XMLHttpRequest and page loads make
spans of requests; where the page logs the browser's timing entries, too (`browser.resource_timing`,
`browser.navigation_timing`), the same requests arrive again. Nothing joins the two: the entry has no trace, and often
no body has both. The span knows more (method, status, the server's span), so it is the request. A worker remembers for
a day from which pages, by app and web origin, spans of calls and of page loads came in traces. Of the logs of such
pages it leaves out

- where calls are traced: fetch and XMLHttpRequest;
- where page loads are traced: every timing entry, for their spans include all that a page loaded. So what is loaded
  after the load event is told by neither, but for traced calls.

What a worker took of a page's logs before the first of its traces, it has counted twice. Behind something that takes
the Origin away (a Collector) nothing is recognised: there `initiatorTypes` of `ResourceTimingInstrumentation` should
leave out what is traced.

**What a page sends here.** The browser has entries of an exporter's posts, too. Those to a path of this edge, on the
host that the logs themselves were sent to, are left out.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from typing import Final
from urllib.parse import urlsplit

import numpy as np

from ingest.decode.build import remark
from ingest.decode.formats import Format
from ingest.decode.otlp_log_signals import CALLS
from ingest.edge.routes import find
from ingest.errors import UnknownPath
from ingest.model import Kind, Mask, Reception, Remarks, Signal, SpanBatch
from ingest.outcome import Note

REMEMBERED_S: Final = 86_400.0
MOST_PAGES: Final = 8192
"""Apps and web origins; of more, those are forgotten that sent no traces for longest."""

TRACES: Final = frozenset({Format.OTLP_PROTOBUF, Format.OTLP_JSON})
LOGS: Final = frozenset({Format.LOGS_PROTOBUF, Format.LOGS_JSON})
TRACED_CALLS: Final = frozenset(CALLS[:2])
"""Beacons are in nobody's traces."""

_Page = tuple[int, str]
"""App and web origin."""


class Once:
    """What this worker has seen in traces, and what it leaves out of logs for it."""

    def __init__(self) -> None:
        self._calls: OrderedDict[_Page, float] = OrderedDict()
        self._loads: OrderedDict[_Page, float] = OrderedDict()
        # Micro-batches are prepared in the event loop and in a thread beside it.
        self._lock = Lock()

    def settle(self, format_: Format, batch: SpanBatch, receptions: Sequence[Reception], now_s: float) -> SpanBatch:
        """The batch without what is told elsewhere, which is remarked on.

        Args:
            format_: of all its bodies.
            batch: as decoded.
            receptions: of each body.
            now_s: a clock that never goes back.
        """
        if format_ in TRACES:
            self._learn(batch, receptions, now_s)
            return batch
        if format_ not in LOGS:
            return batch
        body, timed = batch.body_of_span, np.isin(batch.spans.signal, (Signal.REQUEST, Signal.PAGE))
        calls, loads = self._traced(receptions, now_s)
        own = _own_posts(batch, receptions)
        twice = ~own & ((timed & loads[body]) | (_named(batch, TRACED_CALLS) & calls[body]))
        if not (own.any() or twice.any()):
            return batch
        remarks = [batch.remarks, remark(Note.OWN_POST, body[own]), remark(Note.SENT_TWICE, body[twice])]
        return replace(batch.select(~(own | twice)), remarks=Remarks.concat(remarks))

    def _learn(self, batch: SpanBatch, receptions: Sequence[Reception], now_s: float) -> None:
        spans, body = batch.spans, batch.body_of_span
        called = (spans.signal == Signal.REQUEST) & (spans.kind == Kind.CLIENT) & (spans.method != 0)
        with self._lock:
            for seen, told in ((self._calls, called), (self._loads, spans.signal == Signal.PAGE)):
                for row in np.unique(body[told]).tolist():
                    if receptions[row].origin:
                        page = receptions[row].app_id, receptions[row].origin
                        seen[page] = now_s
                        seen.move_to_end(page)
                        if len(seen) > MOST_PAGES:
                            seen.popitem(last=False)

    def _traced(self, receptions: Sequence[Reception], now_s: float) -> tuple[Mask, Mask]:
        """(m,) Of which bodies' pages calls are traced, and of which page loads."""
        pages = [(each.app_id, each.origin) for each in receptions]
        since = now_s - REMEMBERED_S
        with self._lock:
            calls = [self._calls.get(page, _NEVER) >= since for page in pages]
            loads = [self._loads.get(page, _NEVER) >= since for page in pages]
        return np.array(calls, dtype=np.bool_), np.array(loads, dtype=np.bool_)


_NEVER: Final = float("-inf")


def _named(batch: SpanBatch, names: frozenset[str]) -> Mask:
    """(n,) requests of one of these names."""
    requests = batch.spans.signal == Signal.REQUEST
    codes = [code for code in np.unique(batch.spans.name[requests]).tolist() if batch.strings[code] in names]
    named: Mask = requests & np.isin(batch.spans.name, codes)
    return named


def _own_posts(batch: SpanBatch, receptions: Sequence[Reception]) -> Mask:
    """(n,) calls that went to this edge, on the host that the body itself was sent to."""
    own = _named(batch, frozenset(CALLS))
    rows = np.flatnonzero(own)
    body, url = batch.body_of_span[rows], batch.spans.url[rows]
    host_of: dict[int, str] = {code: _host_of_ours(batch.strings[code]) for code in np.unique(url).tolist()}
    hosts = zip(body.tolist(), url.tolist(), strict=True)
    own[rows] = [bool(host_of[code]) and host_of[code] == receptions[row].host for row, code in hosts]
    return own


def _host_of_ours(url: str) -> str:
    """The host of an address whose path is one of the edge's; empty for any other."""
    try:
        parts = urlsplit(url)
        route, _ = find(parts.path)
    except (ValueError, UnknownPath):
        return ""
    return parts.netloc.lower() if route.serves_clients else ""
