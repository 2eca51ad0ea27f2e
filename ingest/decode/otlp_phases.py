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
- An answer out of a cache, without a request: `fetchStart`, `requestStart` and `responseStart` are one instant, or its
  size on the wire was told as 0. ttfb is REUSED.
- Browsers do not tell when the request was sent completely: the request phase is UNKNOWN, ttfb starts at
  `requestStart`.
- 103 Early Hints: `responseStart` may be that of the interim answer. `finalResponseHeadersStart` goes before it where
  it is sent; an interim answer at the same instant without it leaves ttfb and download UNKNOWN.
- Where a service worker answered (`workerStart`; `requestStart` not after `fetchStart`), the stamps are about it, not
  about the network. A handshake proves that it let the request pass; else all but the redirect is UNKNOWN.
- Stamps that stand out of order: neither side can be trusted. Every phase that touches one is UNKNOWN; where it is
  negative it stays so, for `judge_phases` to count.

Whole definitions, and those of other clients: `client_sdk_spec/PHASES.md`.
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
    "workerStart",
    "firstInterimResponseStart",
    "finalResponseHeadersStart",
)
"""Event names that are phase boundaries: the rows of `stamps`. The first eleven must happen in this order."""

_CHAIN: Final = slice(MOMENTS.index("fetchStart"), MOMENTS.index("responseEnd") + 1)
_WORKER, _INTERIM, _FINAL = range(MOMENTS.index("workerStart"), len(MOMENTS))
_REQUESTED: Final = MOMENTS.index("requestStart")
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
_HANDSHAKE: Final = [Phase.DNS, Phase.TCP, Phase.TLS]
_MS: Final = 1_000_000
_NOISE_NS: Final = 20_000
"""More than what a stamp loses on its way from float milliseconds, less than the finest ticks of browsers."""
_LATEST: Final = np.iinfo(np.int64).max


def measure_phases(stamps: I64, http: Mask, https: Mask, untransferred: Mask, let_pass: Mask | None = None) -> I64:
    """The phases between the stamps of each span.

    Args:
        stamps: (14, n) by `MOMENTS`, Unix nanoseconds; 0 or less where there is none.
        http: (n,) the request went over plain http.
        https: (n,) the request went over https.
        untransferred: (n,) the client says that nothing went over the wire.
        let_pass: (n,) the client says that no service worker answered; None: of none does it say so.

    Returns:
        (8, n) by `Phase`, µs (floor), or REUSED, or UNKNOWN; below UNKNOWN where a phase ends before it begins.
    """
    chain = stamps[_CHAIN]
    earliest = np.maximum(chain[_FETCH], 1)
    chain = np.where(chain >= earliest, chain, 0)
    if stamps[_INTERIM:].any():
        interim, final = np.where(stamps[_INTERIM:] >= earliest, stamps[_INTERIM:], 0)
        chain[_RESPONSE] = _final_response(chain[_RESPONSE], interim, final)
    dns, queued, connect, to_tls, tls, ttfb, download = _gaps(chain)

    phases = np.full((len(Phase), stamps.shape[1]), UNKNOWN, dtype=np.int64)
    phases[Phase.BLOCKED] = np.where(dns >= 0, queued, UNKNOWN)
    phases[Phase.DNS] = dns
    connected = connect >= 0
    secured = chain[_SECURE] > 0
    # What a connect without a TLS stamp holds: on https nobody knows, else it is TCP alone.
    bare_tcp = np.where(https & connected, UNKNOWN, connect)
    bare_tls = np.where(http & connected, REUSED, UNKNOWN)
    split = (connected & secured) | (to_tls < UNKNOWN) | (tls < UNKNOWN)
    phases[Phase.TCP] = np.where(split, to_tls, bare_tcp)
    phases[Phase.TLS] = np.where(split, tls, np.where(connect == REUSED, REUSED, bare_tls))
    cached = ((ttfb == 0) & (chain[_REQUEST] == chain[_FETCH])) | (untransferred & (ttfb >= 0))
    phases[Phase.TTFB] = np.where(cached, REUSED, ttfb)
    phases[Phase.DOWNLOAD] = download
    passed = np.any(phases[_HANDSHAKE] > 0, axis=0)
    if let_pass is not None:
        passed |= let_pass
    phases = np.where(_by_worker(stamps, chain) & ~passed, UNKNOWN, phases)
    phases[Phase.REDIRECT] = _redirect(stamps)
    return phases


def _gaps(chain: I64) -> I64:
    """(7, n) what is between the moments of `_GAPS`."""
    usable = _in_order(chain)
    between = chain[_GAP_ENDS] - chain[_GAP_STARTS]
    told = usable[_GAP_ENDS] & usable[_GAP_STARTS]
    gaps = np.where(told, np.where(between == 0, _WHEN_EQUAL, between // 1000), UNKNOWN)
    if not told.all():
        backwards = (between < 0) & (chain[_GAP_ENDS] > 0)
        gaps = np.where(backwards, np.minimum(between // 1000, UNKNOWN - 1), gaps)
    return gaps


def _final_response(response: I64, interim: I64, final: I64) -> I64:
    """When the final answer began; 0 where all that is known is when an interim one did.

    Chromium's `responseStart` was that of the final answer from version 115 to 132, and is that of the first since
    (https://chromestatus.com/feature/5158830722514944).
    """
    return np.where(final > 0, final, np.where((interim > 0) & (response <= interim), 0, response))


def _by_worker(stamps: I64, chain: I64) -> Mask:
    """Where a service worker stood before the network.

    The SDK leaves `workerStart` out. Chromium sets `requestStart` before `fetchStart` (to 131) or to the same instant
    (156) where a worker answers, while a request to the network takes longer to set out. That one instant says nothing
    where the clock ticks in whole milliseconds (Firefox, Safari).
    """
    asked, fetched, answered = stamps[_REQUESTED], chain[_FETCH], chain[_RESPONSE]
    within_ms = (chain[[_RESPONSE, _END]] - fetched) % _MS
    fine = np.any(np.abs(within_ms - _MS // 2) < _MS // 2 - _NOISE_NS, axis=0)
    before = (asked > 0) & ((asked < fetched) | ((asked == fetched) & fine))
    by_worker: Mask = (stamps[_WORKER] > 0) | (before & (answered > fetched))
    return by_worker


def _in_order(chain: I64) -> Mask:
    """Stamps that are there and stand neither before an earlier moment nor after a later one."""
    present = chain > 0
    latest_so_far = np.maximum.accumulate(chain, axis=0)
    earliest_to_come = np.minimum.accumulate(np.where(present, chain, _LATEST)[::-1], axis=0)[::-1]
    ordered: Mask = present & (chain >= latest_so_far) & (chain <= earliest_to_come)
    return ordered


def _redirect(stamps: I64) -> I64:
    start, end, fetch = stamps[0], stamps[1], stamps[_CHAIN.start]
    if not start.any():
        return np.full(len(start), UNKNOWN, dtype=np.int64)
    told = (start > 0) & (end >= start) & ((fetch <= 0) | (end <= fetch))
    return np.where(told, np.where(end == start, REUSED, (end - start) // 1000), UNKNOWN)
