/** Web vitals, by the library of that name: one span for each value. */

import { onCLS, onFCP, onINP, onLCP, onTTFB } from "web-vitals";
import type { MetricType } from "web-vitals";

import type { Instrument } from "../recorder.ts";
import { Kind, Signal } from "../span.ts";
import { quietly } from "./context.ts";

const SIGNALS = { LCP: Signal.lcp, INP: Signal.inp, CLS: Signal.cls, FCP: Signal.fcp, TTFB: Signal.ttfb } as const;
/** Of CLS, which has no unit, the wire has millionths; of the others µs. */
const SCALES = { CLS: 1e6 } as Record<string, number>;
/** Navigations that asked no server: their time to first byte is 0, and nobody waited for it. */
const NOT_ASKED = new Set(["back-forward-cache", "prerender", "restore", "soft-navigation"]);

export const vitals: Instrument = (recorder) => {
  // The library has no way to stop; and it tells a metric again when it grew after the page was hidden and shown again.
  let stopped = false;
  const told = new Set<string>();
  const tell = quietly(({ name, value, delta, id, rating, navigationType }: MetricType) => {
    if (stopped || told.has(id) || (name === "TTFB" && NOT_ASKED.has(navigationType))) return;
    told.add(id);
    const { traceId, spanId } = recorder.page;
    const scale = SCALES[name] ?? 1000;
    recorder.record({
      traceId,
      spanId: recorder.newSpanId(),
      parentSpanId: spanId,
      name,
      signal: SIGNALS[name],
      kind: Kind.internal,
      url: location.href,
      // The value is no stretch of time in the page: it stands at its start.
      startUs: 0,
      durationUs: Math.round(value * scale),
      attributes: {
        "web_vital.rating": rating,
        "web_vital.navigation_type": navigationType,
        "web_vital.id": id,
        "web_vital.delta": delta,
      },
    });
  });
  for (const watch of [onCLS, onFCP, onINP, onLCP, onTTFB]) watch(tell);
  return () => void (stopped = true);
};
