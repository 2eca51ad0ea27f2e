"""Phases from the timing entries that Grafana Faro makes of the browser's: differences in whole milliseconds, as text.

Faro's `createFaroResourceTiming` (web SDK 2.12, `performanceUtils`) takes the differences without a look at the stamps,
so some say other than their name, and what a stamp would tell is lost. What is put right, and what stays unknown:

- `tcpHandshakeTime` is connectEnd − connectStart: TLS is in it, and is taken out (`FARO_TCP_WITH_TLS`).
- `tlsNegotiationTime` is connectEnd − secureConnectionStart. Without TLS the latter is 0, and the difference is when
  the connection was there, counted from the navigation: longer than the connection it should be a part of. tls is
  REUSED for plain http and for a connection that was there before, else it and tcp are UNKNOWN (`FARO_TLS_ON_HTTP`;
  grafana/faro-web-sdk#2295).
- Another origin without `Timing-Allow-Origin`, and no answer at all: the stamps are 0, so `responseTime` is when the
  answer ended, counted from the navigation: longer than the whole `fetchTime`. Everything is UNKNOWN (`FARO_OPAQUE`).
- 0 is what a clamped phase gives as well as half a millisecond. It is REUSED where no network was asked (a cache), and
  where a connection over TLS took none, which no handshake does; so then was its name. A name looked up for a new
  connection, and a connection over plain http, may have taken less than half a millisecond: UNKNOWN. A redirect takes
  longer; of a page load those of other origins are hidden.
- `requestTime` is the wait for the first byte, of entries as of navigations. The `ttfb` of a navigation counts from its
  activation; where that is less than the wait, the page was loaded before anybody asked for it: everything UNKNOWN.
- A service worker that answered (`serviceWorkerTime`, nothing transferred): its stamps, not the network's. UNKNOWN.
- HTTP/3 has no TCP: REUSED, the handshake is all tls.
- Rounded numbers may add up to more than the rounded whole, by 3 ms at most; the longest gives it up (`FARO_ROUNDED`).

What Faro does not tell: when the lookup began (`blocked`), when the request was sent (`request`), and whether the first
byte was that of an interim answer (103).
"""

from enum import IntEnum
from typing import Final

import numpy as np

from ingest.model import I64, REUSED, U8, UNKNOWN, Mask, Phase, Repair


class Timing(IntEnum):
    """What is known of an entry: rows of `measure_timings`' argument. Times in µs, UNKNOWN where the text was none."""

    REDIRECT = 0
    DNS = 1
    CONNECT = 2
    TLS = 3
    WAIT = 4
    RESPONSE = 5
    FETCH = 6
    WORKER = 7
    TRANSFERRED = 8
    """Bytes, or UNKNOWN."""
    DECODED = 9
    """Bytes, or UNKNOWN."""
    NAVIGATION = 10
    """1 for the document of a page load."""
    EARLY = 11
    """1 for a page that was loaded before anybody asked for it."""
    PLAIN = 12
    """1 for an `http:` address."""
    HTTP = 13
    """Version: 1, 2 or 3; 0 when the browser does not tell."""
    WHOLE = 14
    """How long the span is."""


ROUNDING_US: Final = 3_000
"""Five phases and their whole, each wrong by at most half a millisecond."""


def measure_timings(timings: I64) -> tuple[I64, U8]:
    """The phases of each entry.

    Args:
        timings: (15, n) by `Timing`.

    Returns:
        (8, n) by `Phase`, µs, or REUSED, or UNKNOWN; and (n,) what was put right, by the bits of `Repair`.
    """
    phases = np.full((len(Phase), timings.shape[1]), UNKNOWN, dtype=np.int64)
    wait, response, fetch = timings[Timing.WAIT], timings[Timing.RESPONSE], timings[Timing.FETCH]
    hidden = (response > fetch) & (fetch >= 0)
    nothing = (wait <= 0) & (response <= 0) & (timings[Timing.TRANSFERRED] <= 0) & (timings[Timing.DECODED] <= 0)
    unsent = timings[Timing.TRANSFERRED] == 0
    cached = unsent & (timings[Timing.DECODED] > 0)
    by_worker = unsent & (timings[Timing.WORKER] > 0)
    readable = ~(hidden | nothing | (timings[Timing.EARLY] == 1))

    told = readable & ~by_worker
    absolute, with_tls = _measure_connection(phases, timings, cached, told)
    phases[Phase.TTFB] = np.where(told, np.where(cached, REUSED, wait), UNKNOWN)
    phases[Phase.DOWNLOAD] = np.where(told, response, UNKNOWN)
    redirect = timings[Timing.REDIRECT]
    unredirected = np.where(timings[Timing.NAVIGATION] == 1, UNKNOWN, REUSED)
    phases[Phase.REDIRECT] = np.where(readable, np.where(redirect == 0, unredirected, redirect), UNKNOWN)
    rounded = _fit(phases, timings[Timing.WHOLE])
    repairs = np.zeros(timings.shape[1], dtype=np.uint8)
    for repair, where in (
        (Repair.FARO_OPAQUE, hidden),
        (Repair.FARO_TLS_ON_HTTP, absolute),
        (Repair.FARO_TCP_WITH_TLS, with_tls),
        (Repair.FARO_ROUNDED, rounded),
    ):
        repairs[where] |= 1 << repair
    return phases, repairs


def _measure_connection(phases: I64, timings: I64, cached: Mask, told: Mask) -> tuple[Mask, Mask]:
    """Fills dns, tcp and tls in; where tls was a stamp, and where tcp held it."""
    dns, connect, tls = timings[Timing.DNS], timings[Timing.CONNECT], timings[Timing.TLS]
    plain, http = timings[Timing.PLAIN] == 1, timings[Timing.HTTP]
    # An http address may have been redirected to https: then TLS is a part of its connection.
    secure = ~plain | ((timings[Timing.REDIRECT] > 0) & (tls <= connect))
    absolute = told & (tls > 0) & ((tls > connect) | ~secure)
    known = told & (dns >= 0) & (connect >= 0) & (tls >= 0)
    reused = known & ((secure & (connect == 0)) | (cached & (connect == 0) & (dns == 0)))
    shaken = known & (connect > 0)
    with_tls = shaken & secure & ~absolute & (tls > 0)
    of_tcp = connect - tls

    phases[Phase.DNS] = np.where(reused & (dns == 0), REUSED, np.where(known & (dns > 0), dns, UNKNOWN))
    # With a known version that has TCP, one below the resolution took no time; else nobody knows which it was.
    bare = np.where(of_tcp == 0, np.where((http == 1) | (http == 2), 0, UNKNOWN), of_tcp)
    tcp = np.where(with_tls, np.where(http == 3, REUSED, bare), np.where(shaken & ~secure, connect, UNKNOWN))
    phases[Phase.TCP] = np.where(reused, REUSED, tcp)
    untold = np.where(known & ~secure, REUSED, UNKNOWN)
    phases[Phase.TLS] = np.where(reused, REUSED, np.where(with_tls, tls, untold))
    return absolute, with_tls


def _fit(phases: I64, whole: I64) -> Mask:
    """Takes off the longest phase what all together are longer than the whole, as far as rounding explains it."""
    together = np.maximum(phases, 0).sum(axis=0)
    excess = together - whole
    rounded: Mask = (whole >= 0) & (excess > 0) & (excess <= ROUNDING_US)
    if rounded.any():
        columns = np.flatnonzero(rounded)
        longest = phases[:, columns].argmax(axis=0)
        phases[longest, columns] -= np.minimum(excess[columns], phases[longest, columns])
    return rounded
