/** Which spans are sent (`CONFIG.md`, Sampling by it). Pure. */

import type { Config } from "./config.ts";
import type { Span } from "./span.ts";
import { Kind, Status } from "./span.ts";

/** How much a span matters: what is evicted first has the lowest. 2 is that of sketches, which a page does not make. */
export const Rank = { ordinary: 0, slow: 1, error: 3 } as const;
export type Rank = (typeof Rank)[keyof typeof Rank];

export interface Decision {
  send: boolean;
  rank: Rank;
  /** The threshold that decided; none of a span that stands for itself. */
  threshold?: string;
}

/**
 * @param config what the edge says
 * @param span a finished span
 * @param randomness the session's, where sessions are sent as a whole; then routes have no thresholds of their own
 */
export function decide(config: Config, span: Span, randomness?: string): Decision {
  const route = routeOf(config, span);
  const rank = rankOf(config, span, route);
  if (rank === Rank.error && config.always.includes("error")) return { send: true, rank };
  if (rank === Rank.slow && config.always.includes("slow")) return { send: true, rank };
  const threshold = (randomness === undefined && route !== undefined && config.routes.get(route)) || config.th;
  if (/^0*$/.test(threshold)) return { send: true, rank };
  const send = (randomness ?? span.traceId.slice(-14)) >= threshold.padEnd(14, "0");
  return { send, rank, threshold };
}

function rankOf(config: Config, span: Span, route: string | undefined): Rank {
  const { httpStatus, status } = span;
  if (status === Status.error || httpStatus === 0 || (httpStatus ?? 0) >= 400) return Rank.error;
  const slowMs = (route !== undefined ? config.slowRoutesMs.get(route) : undefined) ?? config.slowMs;
  const isRequest = !span.signal && (span.kind ?? Kind.client) === Kind.client;
  return isRequest && span.durationUs >= slowMs * 1000 ? Rank.slow : Rank.ordinary;
}

/** The span's route as the edge names it: method, host, template. */
function routeOf(config: Config, span: Span): string | undefined {
  if (!span.url || !(config.routes.size || config.slowRoutesMs.size)) return undefined;
  try {
    const { host, pathname } = new URL(span.url);
    return `${span.method ?? ""} ${host}${span.route ?? pathname}`.trim();
  } catch {
    return undefined;
  }
}
