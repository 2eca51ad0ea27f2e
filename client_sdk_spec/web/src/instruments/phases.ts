/** The eight phases of a timing entry (`PHASES.md`); agrees with the reference, `phases.js`. Pure. */

import { REUSED, UNKNOWN } from "../span.ts";
import type { Phases } from "../span.ts";

/** An entry as browsers of today have it. */
export interface TimingEntry extends PerformanceResourceTiming {
  activationStart?: number;
  deliveryType?: string;
  finalResponseHeadersStart?: number;
  firstInterimResponseStart?: number;
  responseStatus: number;
}

const ORDER = ["fetchStart", "domainLookupStart", "domainLookupEnd", "connectStart", "connectEnd", "requestStart"] as const;

/** Those that are known. */
export function phases(entry: TimingEntry): Partial<Phases> {
  if (entry.activationStart! > 0) return {}; // prerendered: nobody waited for it
  const found: Partial<Phases> = { redirect_us: redirect(entry) };
  // Cross-origin without Timing-Allow-Origin, or no answer: the stamps are 0.
  if (!entry.requestStart || !entry.responseStart) return known(found);
  const { domainLookupStart, domainLookupEnd, connectStart, connectEnd, responseStart, responseEnd } = entry;
  const shook = domainLookupEnd > domainLookupStart || connectEnd > connectStart;
  // A service worker answered: the stamps are about it. What came over the wire it let pass.
  if (entry.workerStart > 0 && !entry.transferSize && !shook) return known(found);
  const first = firstByte(entry);
  const stamps = [...ORDER.map((name) => entry[name]), first ?? responseStart, responseEnd];
  if (stamps.some((stamp, i) => i > 0 && stamp < stamps[i - 1]!)) return known(found);

  const asked = domainLookupEnd > domainLookupStart;
  found.dns_us = asked ? between(domainLookupStart, domainLookupEnd) : REUSED;
  if (asked) found.blocked_us = between(entry.fetchStart, domainLookupStart);
  Object.assign(found, connection(entry));
  if (fromCache(entry)) {
    found.ttfb_us = REUSED;
    found.download_us = between(responseStart, responseEnd);
  } else if (first !== null) {
    found.ttfb_us = between(entry.requestStart, first);
    found.download_us = between(first, responseEnd);
  }
  return known(found);
}

function known(found: Partial<Phases>): Partial<Phases> {
  return Object.fromEntries(Object.entries(found).filter(([, us]) => us !== UNKNOWN));
}

function redirect({ redirectStart, redirectEnd, fetchStart, entryType, requestStart }: TimingEntry): number {
  if (redirectStart > 0) {
    return redirectStart <= redirectEnd && redirectEnd <= fetchStart ? between(redirectStart, redirectEnd) : UNKNOWN;
  }
  // A page load hides redirects of other origins; a resource whose stamps may be read had none.
  return entryType === "resource" && requestStart > 0 ? REUSED : UNKNOWN;
}

function connection({ connectStart, connectEnd, secureConnectionStart: secure, name, nextHopProtocol }: TimingEntry): Partial<Phases> {
  if (connectStart === connectEnd) return { tcp_us: REUSED, tls_us: REUSED };
  // Over https a missing stamp is missing by mistake, and nobody knows which part was TLS.
  if (!secure) return name.startsWith("http:") ? { tcp_us: between(connectStart, connectEnd), tls_us: REUSED } : {};
  if (secure < connectStart || secure > connectEnd) return {};
  // HTTP/3: both begin at once, there is no TCP.
  const quic = secure === connectStart && !/^(http\/1|h2)/.test(nextHopProtocol);
  return { tcp_us: quic ? REUSED : between(connectStart, secure), tls_us: between(secure, connectEnd) };
}

/** When the final answer began; null where only an interim one is known. */
function firstByte({ finalResponseHeadersStart, firstInterimResponseStart = 0, responseStart }: TimingEntry): number | null {
  if (finalResponseHeadersStart! > 0) return finalResponseHeadersStart!;
  return firstInterimResponseStart > 0 && responseStart <= firstInterimResponseStart ? null : responseStart;
}

function fromCache({ deliveryType, transferSize, decodedBodySize }: TimingEntry): boolean {
  return deliveryType === "cache" || (!transferSize && decodedBodySize > 0);
}

function between(start: number, end: number): number {
  return Math.round((end - start) * 1000);
}
