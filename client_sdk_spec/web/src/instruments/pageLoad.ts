/** The page load: one span from the start of the navigation to the end of the load event, and one of its document. */

import type { Instrument } from "../recorder.ts";
import { Kind, Signal } from "../span.ts";
import type { Link, SpanEvent } from "../span.ts";
import { onHide, quietly } from "./context.ts";
import type { TimingEntry } from "./phases.ts";
import { timed } from "./timing.ts";

type Navigation = PerformanceNavigationTiming & TimingEntry;

const MOMENTS = ["domInteractive", "domContentLoadedEventEnd", "domComplete"] as const;

/** The span that the server says it made the page in: `<meta name="traceparent">`. */
function madeIn(): Link[] {
  const content = document.querySelector<HTMLMetaElement>('meta[name="traceparent"]')?.content ?? "";
  const [, traceId, spanId] = /^00-([0-9a-f]{32})-([0-9a-f]{16})-/.exec(content) ?? [];
  return traceId && spanId ? [{ traceId, spanId }] : [];
}

function moments(entry: Navigation, startMs: number): SpanEvent[] {
  const paints = performance.getEntriesByType("paint").map(({ name, startTime }) => [name, startTime] as const);
  return [...MOMENTS.map((name) => [name, entry[name]] as const), ...paints]
    .filter(([, atMs]) => atMs > startMs)
    .map(([name, atMs]) => ({ name, offsetUs: Math.round((atMs - startMs) * 1000) }));
}

export const pageLoad: Instrument = (recorder) => {
  let told = false;
  const tell = quietly(() => {
    const entry = performance.getEntriesByType("navigation")[0] as Navigation | undefined;
    if (told || !entry) return;
    told = true;
    // Of a page loaded ahead, the user waited from its activation on.
    const startMs = entry.activationStart ?? 0;
    const left = !entry.loadEventEnd;
    const endMs = left ? performance.now() : entry.loadEventEnd;
    const { traceId, spanId } = recorder.page;
    const startUs = Math.round(startMs * 1000);
    recorder.record({
      traceId,
      spanId,
      name: location.pathname,
      signal: Signal.page,
      kind: Kind.internal,
      url: location.href,
      startUs,
      durationUs: Math.max(0, Math.round((endMs - startMs) * 1000)),
      attributes: { "browser.navigation.type": entry.type, ...(left && { "browser.page.left": true }) },
      events: moments(entry, startMs),
    });
    if (entry.responseEnd > 0) {
      recorder.record({
        traceId,
        spanId: recorder.newSpanId(),
        parentSpanId: spanId,
        name: "document",
        method: "GET",
        url: entry.name,
        links: madeIn(),
        ...timed(entry),
      });
    }
  });
  // `loadEventEnd` is set when the last listener is through.
  const loaded = (): unknown => setTimeout(tell);
  if (document.readyState === "complete") loaded();
  else addEventListener("load", loaded, { once: true });
  const stopHide = onHide(tell);
  return () => {
    stopHide();
    removeEventListener("load", loaded);
  };
};
