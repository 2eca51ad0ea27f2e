// The reference derivation of phases in a browser (PHASES.md): an entry of Resource or Navigation Timing → eight numbers.
// Pure; shares nothing with the service, so that the two check each other in Chromium.

export const REUSED = -1; // it did not happen
export const UNKNOWN = -2; // nobody knows

const PHASES = ["redirect_us", "blocked_us", "dns_us", "tcp_us", "tls_us", "request_us", "ttfb_us", "download_us"];
const ORDER = ["fetchStart", "domainLookupStart", "domainLookupEnd", "connectStart", "connectEnd", "requestStart"];

/** The columns of one span, in whole microseconds, or REUSED, or UNKNOWN. */
export function phases(entry) {
  const found = Object.fromEntries(PHASES.map((name) => [name, UNKNOWN]));
  if (entry.activationStart > 0) return found; // prerendered: nobody waited for it
  found.redirect_us = redirect(entry);
  // Cross-origin without Timing-Allow-Origin, or no answer: the stamps are 0.
  if (entry.requestStart === 0 || entry.responseStart === 0) return found;
  const shook = entry.domainLookupEnd > entry.domainLookupStart || entry.connectEnd > entry.connectStart;
  // A service worker answered: the stamps are about it. What came over the wire it let pass.
  if (entry.workerStart > 0 && entry.transferSize === 0 && !shook) return found;
  const first = firstByte(entry);
  const stamps = [...ORDER.map((name) => entry[name]), first ?? entry.responseStart, entry.responseEnd];
  if (stamps.some((stamp, i) => i > 0 && stamp < stamps[i - 1])) return found;

  if (entry.domainLookupEnd > entry.domainLookupStart) {
    found.blocked_us = between(entry.fetchStart, entry.domainLookupStart);
    found.dns_us = between(entry.domainLookupStart, entry.domainLookupEnd);
  } else {
    found.dns_us = REUSED;
  }
  Object.assign(found, connection(entry));
  if (fromCache(entry)) {
    found.ttfb_us = REUSED;
    found.download_us = between(entry.responseStart, entry.responseEnd);
  } else if (first !== null) {
    found.ttfb_us = between(entry.requestStart, first);
    found.download_us = between(first, entry.responseEnd);
  }
  return found;
}

function redirect(entry) {
  const { redirectStart: start, redirectEnd: end, fetchStart } = entry;
  if (start > 0) return start <= end && end <= fetchStart ? between(start, end) : UNKNOWN;
  // A page load hides redirects of other origins; a resource whose stamps may be read had none.
  return entry.entryType === "resource" && entry.requestStart > 0 ? REUSED : UNKNOWN;
}

function connection(entry) {
  const { connectStart, connectEnd, secureConnectionStart: secure } = entry;
  if (connectStart === connectEnd) return { tcp_us: REUSED, tls_us: REUSED };
  if (secure === 0) {
    // Over https the stamp is missing by mistake, and nobody knows which part was TLS.
    return entry.name.startsWith("http:") ? { tcp_us: between(connectStart, connectEnd), tls_us: REUSED } : {};
  }
  if (secure < connectStart || secure > connectEnd) return {};
  // HTTP/3: both begin at once, there is no TCP. Where the protocol is told, a TCP below the clock's resolution is 0.
  const quic = secure === connectStart && !/^(http\/1|h2)/.test(entry.nextHopProtocol);
  return { tcp_us: quic ? REUSED : between(connectStart, secure), tls_us: between(secure, connectEnd) };
}

/** When the final answer began; null where only an interim one is known. */
function firstByte(entry) {
  if (entry.finalResponseHeadersStart > 0) return entry.finalResponseHeadersStart;
  const interim = entry.firstInterimResponseStart ?? 0;
  return interim > 0 && entry.responseStart <= interim ? null : entry.responseStart;
}

function fromCache(entry) {
  return entry.deliveryType === "cache" || (entry.transferSize === 0 && entry.decodedBodySize > 0);
}

function between(start, end) {
  return Math.round((end - start) * 1000);
}
