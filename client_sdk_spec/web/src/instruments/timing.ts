/** What a timing entry says of a request, as parts of its span. */

import type { Attributes, Span } from "../span.ts";
import { phases } from "./phases.ts";
import type { TimingEntry } from "./phases.ts";

export const SERVER_TIMING = "http.response.header.server-timing";

/** The header as it may have been (`WIRE.md`): browsers hand out its parts alone. */
export function serverTiming(entry: { serverTiming?: readonly PerformanceServerTiming[] }): string {
  return (entry.serverTiming ?? [])
    .map(({ name, duration, description }) => {
      const quoted = description && `;desc="${description.replace(/["\\]/g, "\\$&")}"`;
      return `${name}${duration ? `;dur=${duration}` : ""}${quoted}`;
    })
    .join(", ");
}

export function timed(entry: TimingEntry): Partial<Span> & { startUs: number; durationUs: number } {
  const { startTime, responseEnd, nextHopProtocol, encodedBodySize, transferSize, responseStatus } = entry;
  const told = serverTiming(entry);
  const attributes: Attributes = {
    ...(told && { [SERVER_TIMING]: told }),
    // 0: nothing came over the wire.
    ...(entry.requestStart > 0 && transferSize !== undefined && { "http.response.size": transferSize }),
  };
  return {
    startUs: Math.round(startTime * 1000),
    durationUs: Math.max(0, Math.round((responseEnd - startTime) * 1000)),
    phases: phases(entry),
    ...(nextHopProtocol && { protocol: nextHopProtocol }),
    ...(encodedBodySize > 0 && { responseBytes: encodedBodySize }),
    ...(responseStatus > 0 && { httpStatus: responseStatus }),
    attributes,
  };
}
