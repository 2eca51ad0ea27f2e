/** A trace's spans laid out as a waterfall: parents above their children, everything on one axis of time. */

import type { Span } from "./api.ts";
import { microseconds } from "./units.ts";
import type { Phase } from "./view.ts";
import { PHASES } from "./view.ts";

export interface Bar {
  span: Span;
  depth: number;
  /** From the start of the trace, microseconds. */
  offset: number;
  /** The span names a parent that is not among the trace's spans: not sampled, not sent, or not from here. */
  orphan: boolean;
  phases: { phase: Phase; offset: number; us: number }[];
}

export interface Waterfall {
  bars: Bar[];
  startUs: number;
  lengthUs: number;
}

/**
 * Measured phases end to end from the span's start, in the order in which they happen. The wire carries lengths alone, so
 * gaps between phases are not seen; what would reach beyond the span's end is cut there.
 */
export function layPhases(span: Span): Bar["phases"] {
  let offset = 0;
  const laid: Bar["phases"] = [];
  for (const phase of PHASES) {
    const { state, us } = span.phases[phase] ?? { state: "unknown" as const, us: null };
    if (state !== "measured" || !us) continue;
    const room = Math.min(us, Math.max(0, span.duration_us - offset));
    if (room > 0) laid.push({ phase, offset, us: room });
    offset += us;
  }
  return laid;
}

/** Lays out the spans of a trace; each appears once, whatever its parents say. */
export function layOut(spans: readonly Span[]): Waterfall {
  const starts = new Map(spans.map((span) => [span, microseconds(span.start_at)]));
  const startOf = (span: Span): number => starts.get(span) ?? 0;
  const startUs = Math.min(...spans.map(startOf));
  const endUs = Math.max(...spans.map((span) => startOf(span) + span.duration_us));
  const ids = new Set(spans.map((span) => span.span_id));
  const children = new Map<string, Span[]>();
  const tops: Span[] = [];
  for (const span of [...spans].sort((a, b) => startOf(a) - startOf(b))) {
    const parent = span.parent_span_id;
    if (!parent || !ids.has(parent) || parent === span.span_id) tops.push(span);
    else children.set(parent, [...(children.get(parent) ?? []), span]);
  }
  const bars: Bar[] = [];
  const placed = new Set<Span>();
  const place = (top: Span): void => {
    const waiting: [Span, number][] = [[top, 0]];
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [span, depth] = next;
      if (placed.has(span)) continue;
      placed.add(span);
      const orphan = Boolean(span.parent_span_id) && !ids.has(span.parent_span_id ?? "");
      bars.push({ span, depth, orphan, offset: startOf(span) - startUs, phases: layPhases(span) });
      for (const child of (children.get(span.span_id) ?? []).toReversed()) waiting.push([child, depth + 1]);
    }
  };
  tops.forEach(place);
  // Spans that are each other's ancestors hang on no top.
  spans.forEach(place);
  return { bars, startUs, lengthUs: Math.max(1, endUs - startUs) };
}

/** Round marks along an axis of `lengthUs`, about `count` of them, the first at 0. */
export function marks(lengthUs: number, count: number): number[] {
  const rough = lengthUs / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5].find((digit) => digit * power >= rough) ?? 10) * power;
  return Array.from({ length: Math.floor(lengthUs / step) + 1 }, (_, index) => index * step);
}

/** What to call a span: many SDKs name every request `GET` or `HTTP GET`; then its route tells more. */
export function titleOf(span: Span): string {
  const bare = /^(HTTP )?[A-Z]+$/.test(span.name);
  return bare && typeof span.route === "string" && span.route ? span.route.replace(/^([A-Z]+) [^/]*\//, "$1 /") : span.name;
}

/** Whether the span went over a network; any other has no phases. */
export function isRequest(span: Span): boolean {
  const known = Object.values(span.phases).some((phase) => phase.state !== "unknown");
  return known || Boolean(span.url) || Boolean(span.method) || typeof span.http_status === "number";
}
