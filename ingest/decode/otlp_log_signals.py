"""What each log record is about, and what its span is called.

| event | span |
|---|---|
| `browser.resource_timing` | request, with phases |
| `browser.navigation_timing` | page, and the request for its document |
| `browser.web_vital` | lcp, inp, cls, fcp, ttfb; any other vital is an event |
| `exception`, `app.crash`, `device.crash`, `device.anr`, `metrickit.diagnostic.crash` | exception |
| any other with `exception.type`, `exception.message` or `exception.stacktrace` | exception |
| `metrickit.diagnostic.hang` | long task |
| any other, and a record that is no event | event |

A screen that came up, a slow frame (`app.screen.view`, `app.jank`) and the like are events: nobody says how long they
took. Where events have no name of their own, an attribute says it (`event.name`: SDKs before OTLP 1.5), or the body
(`session.start`, `session.end`: Swift).
"""

from typing import Final, NamedTuple

import numpy as np

from ingest.decode.otlp_columns import LaidOut
from ingest.decode.otlp_grid import ints
from ingest.decode.otlp_log_attributes import HANG, LOG, NAVIGATION_TIMING, RESOURCE_TIMING, WEB_VITAL
from ingest.decode.otlp_log_rows import LogRows
from ingest.decode.otlp_rows import Codes
from ingest.model import I32, I64, U8, Mask, Signal

VITALS: Final = (Signal.LCP, Signal.INP, Signal.CLS, Signal.FCP, Signal.TTFB)
CALLS: Final = ("fetch", "xmlhttprequest", "beacon")
"""What scripts asked for, by the browser's `initiatorType`: the names of such requests."""
RESOURCE, DOCUMENT, PAGE = "resourceFetch", "documentFetch", "documentLoad"
"""Names of the others, as OpenTelemetry's instrumentation of page loads has them in traces."""

_EXCEPTIONS: Final = ("exception", "app.crash", "device.crash", "device.anr", "metrickit.diagnostic.crash")
_EXCEPTION_ATTRIBUTES: Final = ("exception.type", "exception.message", "exception.stacktrace")
_SPOKEN: Final = ("session.start", "session.end")
_NO_EVENT: Final = "log"
_NEVER: Final = -1
"""No code."""


class Told(NamedTuple):
    """Of each record."""

    signal: U8
    load: Mask
    """It tells a page load: it is two spans."""
    name: I64
    """Code of what its span is called; of a page load, the page."""
    body: I64
    """Code of the body, where it does not say what the event is called."""

    @property
    def vital(self) -> Mask:
        """(n,) web vitals."""
        return np.isin(self.signal, VITALS)


def tell_records(rows: LogRows, laid: LaidOut) -> Told:
    """What the records are about."""
    codes, grid = rows.codes, laid.grid
    body = ints(rows.bodies)
    event = np.where(ints(rows.names) > 0, ints(rows.names), grid[LOG.row["event"]])
    spoken = (event == 0) & _among(codes, body, _SPOKEN)
    event, body = np.where(spoken, body, event), np.where(spoken, 0, body)

    signal = np.full(len(event), Signal.EVENT, dtype=np.uint8)
    signal[laid.attributes.owner[_among(codes, laid.attributes.key, _EXCEPTION_ATTRIBUTES)]] = Signal.EXCEPTION
    signal[_among(codes, event, _EXCEPTIONS)] = Signal.EXCEPTION
    signal[_among(codes, event, (HANG,))] = Signal.LONG_TASK
    load = _among(codes, event, (NAVIGATION_TIMING,))
    signal[load] = Signal.PAGE
    signal[_among(codes, event, (RESOURCE_TIMING,))] = Signal.REQUEST
    told_vital = _among(codes, event, (WEB_VITAL,))
    for vital in VITALS:
        signal[told_vital & _among(codes, grid[LOG.row["vital"]], (vital.word, vital.name))] = vital
    return Told(signal, load, _name(rows, grid, event, signal), body)


def _name(rows: LogRows, grid: I64, event: I64, signal: U8) -> I64:
    codes = rows.codes
    severity, error = ints(rows.severities), grid[LOG.row["error_type"]]
    name = np.where(event > 0, event, np.where(severity > 0, severity, codes[_NO_EVENT]))
    thrown = signal == Signal.EXCEPTION
    name = np.where(thrown & (error > 0), error, np.where(thrown & (event == 0), codes["exception"], name))
    initiator = grid[LOG.row["initiator"]]
    requested = np.where(_among(codes, initiator, CALLS), initiator, codes[RESOURCE])
    name = np.where(signal == Signal.REQUEST, requested, name)
    name[signal == Signal.PAGE] = codes[PAGE]
    for vital in VITALS:
        name[signal == vital] = codes[vital.name]
    return name


def _among(codes: Codes, column: I32 | I64, texts: tuple[str, ...]) -> Mask:
    """(n,) which codes are those of these texts."""
    return np.isin(column, [codes.get(text, _NEVER) for text in texts])
