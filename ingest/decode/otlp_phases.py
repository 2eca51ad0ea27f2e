"""Network phases from the timing events of browser spans.

OpenTelemetry's web instrumentations put the stamps of the Resource Timing API on a span as events, in Unix nanoseconds
(`opentelemetry-sdk-trace-web`, `addSpanNetworkEvents`). What the stamps mean, and where browsers deviate:

- Connection reused or name cached: Fetch sets the stamps of the phase to one instant. Equal stamps are REUSED.
- Cross-origin without `Timing-Allow-Origin`: the stamps are zero. Newer SDKs leave the events out, older ones send them
  at the time origin, before `fetchStart`. Both are UNKNOWN.
- HTTP/3: QUIC has no TCP handshake; `connectStart` equals `secureConnectionStart`. tcp is REUSED (did not happen), the
  whole handshake is tls.
- Plain http: no `secureConnectionStart`. tls is REUSED (did not happen). On https it would be missing by mistake only,
  and then nobody knows which part of the connect was TLS.
- An answer out of a cache, without a request: `fetchStart`, `requestStart` and `responseStart` are one instant. ttfb
  is REUSED.
- Browsers do not tell when the request was sent completely: the request phase is UNKNOWN, ttfb starts at
  `requestStart`.
- Stamps that stand out of order: neither side can be trusted. Every phase that touches one is UNKNOWN.
"""

from typing import Final

import numpy as np

from ingest.model import I64, REUSED, UNKNOWN, Mask, Phase

MOMENTS: Final = (
    "redirectStart",
    "redirectEnd",
    "fetchStart",
    "domainLookupStart",
    "domainLookupEnd",
    "connectStart",
    "secureConnectionStart",
    "connectEnd",
    "requestStart",
    "responseStart",
    "responseEnd",
)
"""Event names that are phase boundaries, in the order in which they must happen: the rows of `stamps`."""

_FIRST_OF_CHAIN: Final = MOMENTS.index("fetchStart")
_FETCH, _DNS_START, _DNS_END, _CONNECT_START, _SECURE, _CONNECT_END, _REQUEST, _RESPONSE, _END = range(9)
_GAPS: Final = (
    (_DNS_START, _DNS_END, REUSED),
    (_FETCH, _DNS_START, 0),
    (_CONNECT_START, _CONNECT_END, REUSED),
    (_CONNECT_START, _SECURE, REUSED),
    (_SECURE, _CONNECT_END, REUSED),
    (_REQUEST, _RESPONSE, 0),
    (_RESPONSE, _END, 0),
)
"""From one moment to another, and what it means when they are one instant."""
_GAP_STARTS: Final = [start for start, _, _ in _GAPS]
_GAP_ENDS: Final = [end for _, end, _ in _GAPS]
_WHEN_EQUAL: Final = np.array([[equal] for _, _, equal in _GAPS], dtype=np.int64)
_LATEST: Final = np.iinfo(np.int64).max


def measure_phases(stamps: I64, http: Mask, https: Mask) -> I64:
    """The phases between the stamps of each span.

    Args:
        stamps: (11, n) by `MOMENTS`, Unix nanoseconds; 0 or less where there is none.
        http: (n,) the request went over plain http.
        https: (n,) the request went over https.

    Returns:
        (8, n) by `Phase`, µs (floor), or REUSED, or UNKNOWN.
    """
    chain = stamps[_FIRST_OF_CHAIN:]
    chain = np.where(chain >= np.maximum(chain[_FETCH], 1), chain, 0)
    usable = _in_order(chain)
    span = chain[_GAP_ENDS] - chain[_GAP_STARTS]
    told = usable[_GAP_ENDS] & usable[_GAP_STARTS]
    dns, queued, connect, to_tls, tls, ttfb, download = np.where(
        told, np.where(span == 0, _WHEN_EQUAL, span // 1000), UNKNOWN
    )

    phases = np.full((len(Phase), stamps.shape[1]), UNKNOWN, dtype=np.int64)
    phases[Phase.REDIRECT] = _redirect(stamps)
    phases[Phase.BLOCKED] = np.where(dns >= 0, queued, UNKNOWN)
    phases[Phase.DNS] = dns
    connected = connect >= 0
    secured = chain[_SECURE] > 0
    # What a connect without a TLS stamp holds: on https nobody knows, else it is TCP alone.
    bare_tcp = np.where(https & connected, UNKNOWN, connect)
    bare_tls = np.where(http & connected, REUSED, UNKNOWN)
    split = connected & secured
    phases[Phase.TCP] = np.where(split, to_tls, bare_tcp)
    phases[Phase.TLS] = np.where(split, tls, np.where(connect == REUSED, REUSED, bare_tls))
    cached = (ttfb == 0) & (chain[_REQUEST] == chain[_FETCH])
    phases[Phase.TTFB] = np.where(cached, REUSED, ttfb)
    phases[Phase.DOWNLOAD] = download
    return phases


def _in_order(chain: I64) -> Mask:
    """Stamps that are there and stand neither before an earlier moment nor after a later one."""
    present = chain > 0
    latest_so_far = np.maximum.accumulate(chain, axis=0)
    earliest_to_come = np.minimum.accumulate(np.where(present, chain, _LATEST)[::-1], axis=0)[::-1]
    ordered: Mask = present & (chain >= latest_so_far) & (chain <= earliest_to_come)
    return ordered


def _redirect(stamps: I64) -> I64:
    start, end, fetch = stamps[0], stamps[1], stamps[_FIRST_OF_CHAIN]
    if not start.any():
        return np.full(len(start), UNKNOWN, dtype=np.int64)
    told = (start > 0) & (end >= start) & ((fetch <= 0) | (end <= fetch))
    return np.where(told, np.where(end == start, REUSED, (end - start) // 1000), UNKNOWN)
