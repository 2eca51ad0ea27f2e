"""When what log records tell began, how long it took, and its phases.

The stamps of a browser are milliseconds since the page's time origin, and no record says when that was. But no record
is made before what it tells is over, so the origin is at most its time less its last stamp; of all records of one
resource in one body (a page's exporter sends no others) the earliest such bound is the origin. How far that is from
the truth: by what the quickest of them waited, typically for some milliseconds of idleness; a paint or first byte
(`browser.web_vital` of LCP, FCP, TTFB) is stamped by the browser itself, and then it is exact. A record whose own bound
is later by more than `LONGEST_WAIT_NS` goes by that alone: the computer slept, or somebody put pages together.
"""

from typing import Final, NamedTuple

import numpy as np

from ingest.decode.otlp_columns import LaidOut, schemes
from ingest.decode.otlp_grid import ints
from ingest.decode.otlp_log_attributes import LOAD_ROWS, LOG, STAMP_ROWS, millionths
from ingest.decode.otlp_log_rows import LogRows
from ingest.decode.otlp_log_signals import Told
from ingest.decode.otlp_phases import MOMENTS, measure_phases
from ingest.model import I64, REUSED, UNKNOWN, Mask, Phase, Signal

LONGEST_WAIT_NS: Final = 60_000_000_000
"""Longest that a record is believed to have waited for its turn: what happened during a load is told after it."""

_SINCE_NAVIGATION: Final = (Signal.LCP, Signal.FCP, Signal.TTFB)
_FETCH, _REDIRECT, _WORKER = (MOMENTS.index(name) for name in ("fetchStart", "redirectStart", "workerStart"))
_REQUEST, _RESPONSE, _END = (MOMENTS.index(name) for name in ("requestStart", "responseStart", "responseEnd"))
_BASE: Final = 1_000_000
"""Added to stamps, so that one of 0 is none."""
_WITH_TCP: Final = ("h1", "h2")
_NEVER: Final = -1
"""No code."""
_NO_TIME: Final = 1 << 62
"""Of which differences stay within 64 bits."""


class Timed(NamedTuple):
    """Of each record, in µs; UNKNOWN where nobody knows."""

    start_us: I64
    duration_us: I64
    document_us: I64
    """(2, n) start and duration of the request for the document of a page load."""
    phases_us: I64
    """(8, n) of the request."""
    hidden: Mask
    """A browser's timing of a request that may not be read: its zeros mean nothing."""


def place_in_time(rows: LogRows, laid: LaidOut, told: Told) -> Timed:
    """Start, duration and phases."""
    grid, signal = laid.grid, told.signal
    at = np.frombuffer(rows.starts, dtype=np.uint64).view(np.int64) if rows.starts else np.zeros(0, dtype=np.int64)
    stamps, loads = grid[STAMP_ROWS], grid[LOAD_ROWS]
    timed = told.load | (signal == Signal.REQUEST)
    value, since = vital_values(rows, laid, told), np.isin(signal, _SINCE_NAVIGATION)
    latest = np.where(timed, np.maximum(stamps.max(axis=0), loads.max(axis=0)), np.where(since, value, UNKNOWN))
    origin = _origins(at, latest, np.repeat(np.arange(len(rows.resource_spans)), ints(rows.resource_spans)))

    request = signal == Signal.REQUEST
    begin, loaded = _begin(grid, told.load), loads[-1]
    requested = np.where((begin >= 0) & (stamps[_END] > 0), stamps[_END] - begin, UNKNOWN)
    start = np.select([request, told.load, since & (value > 0)], [origin + begin, origin, at - value], at)
    length = np.select(
        # The unit of CLS is not a time: its millionths are kept as µs.
        [request, told.load, signal == Signal.LONG_TASK, signal == Signal.CLS, told.vital],
        [requested, np.where(loaded > 0, loaded, UNKNOWN), grid[LOG.row["hang"]], value * 1000, value],
        0,
    )
    phases, hidden = _phases(rows, laid, timed)
    return Timed(
        start_us=_us(start, at > 0),
        duration_us=_us(length, length >= 0),
        document_us=np.stack([_us(origin + begin, at > 0), _us(requested, requested >= 0)]),
        phases_us=phases,
        hidden=hidden,
    )


def vital_values(rows: LogRows, laid: LaidOut, told: Told) -> I64:
    """(n,) Millionths of the unit, UNKNOWN of what is no web vital or has no value."""
    values = np.full(len(told.signal), UNKNOWN, dtype=np.int64)
    vitals = np.flatnonzero(told.vital)
    if vitals.size:
        strings, code = list(rows.codes), laid.grid[LOG.row["vital_value"]]
        found = [millionths(strings[code[row]]) for row in vitals.tolist()]
        values[vitals] = [UNKNOWN if value is None else value for value in found]
    return values


def _us(ns: I64, known: Mask) -> I64:
    us: I64 = np.where(known, (ns + 500) // 1000, UNKNOWN)
    return us


def _origins(at: I64, latest: I64, group: I64) -> I64:
    """(n,) When the time origin of each record's page was, Unix ns; anything where its stamps are unknown.

    Args:
        at: the record's time.
        latest: ns from the origin to the last moment it tells, UNKNOWN where it tells none.
        group: records of one resource in one body.
    """
    bound = at - np.maximum(latest, 0)
    telling = np.flatnonzero((latest >= 0) & (at > 0))
    if not telling.size:
        return bound
    earliest = np.full(int(group.max()) + 1, _NO_TIME)
    np.minimum.at(earliest, group[telling], bound[telling])
    of_page = earliest[group]
    origin: I64 = np.where(bound - of_page <= LONGEST_WAIT_NS, np.minimum(of_page, bound), bound)
    return origin


def _begin(grid: I64, load: Mask) -> I64:
    """(n,) ns from the origin to the start of each request, UNKNOWN where it is not told."""
    stamps, duration = grid[STAMP_ROWS], grid[LOG.row["duration"]]
    begin = np.where(stamps[_REDIRECT] > 0, stamps[_REDIRECT], stamps[_FETCH])
    # The duration of a navigation ends with its load event.
    told = ~load & (duration > 0) & (stamps[_END] >= duration)
    of_request: I64 = np.where(told, stamps[_END] - duration, begin)
    return of_request


def _phases(rows: LogRows, laid: LaidOut, timed: Mask) -> tuple[I64, Mask]:
    """(8, n) phases, and (n,) which requests may not be read."""
    phases = np.full((len(Phase), len(timed)), UNKNOWN, dtype=np.int64)
    hidden = np.zeros(len(timed), dtype=np.bool_)
    asked = np.flatnonzero(timed)
    if not asked.size:
        return phases, hidden
    grid = laid.grid[:, asked]
    given, size, nothing = grid[STAMP_ROWS], grid[LOG.row["wire_size"]], rows.codes.get("0", _NEVER)
    stamps = np.where(given > 0, given + _BASE, 0)
    stamps[_FETCH] = np.where(given[_FETCH] >= 0, given[_FETCH] + _BASE, 0)
    http, https = schemes(rows.codes, grid[LOG.row["url"]], stamps)
    let_pass = ((size > 0) & (size != nothing)) | (given[_WORKER] == 0)
    found = measure_phases(stamps, http, https, size == nothing, let_pass)

    readable = (given[_REQUEST] > 0) & (given[_RESPONSE] > 0)
    # Only of a page load are redirects hidden where the rest may be read.
    unredirected = (given[_REDIRECT] == 0) & readable
    found[Phase.REDIRECT] = np.where(unredirected, REUSED, found[Phase.REDIRECT])
    # TLS that began with the connection: QUIC, or a TCP handshake below the clock's resolution.
    with_tcp = np.isin(grid[LOG.row["protocol"]], [rows.codes.get(name, _NEVER) for name in _WITH_TCP])
    unseen = with_tcp & (found[Phase.TCP] == REUSED) & (found[Phase.TLS] > 0)
    found[Phase.TCP] = np.where(unseen, 0, found[Phase.TCP])
    phases[:, asked], hidden[asked] = found, ~readable
    return phases, hidden
