/** What is going on in the page: the load, a change of route, or nothing. Requests belong to it. */

import type { Recorder } from "../recorder.ts";

export interface Place {
  traceId: string;
  parentSpanId?: string;
}

let screen: { traceId: string; spanId: string } | undefined;

/** From now on requests belong to this screen; to none, without one. */
export function setCurrent(place: { traceId: string; spanId: string } | undefined): void {
  screen = place;
}

/** Where something that begins now belongs: a trace of its own when neither a page load nor a screen is under way. */
export function place(recorder: Recorder, loading = document.readyState !== "complete"): Place {
  const parent = loading ? recorder.page : screen;
  return parent ? { traceId: parent.traceId, parentSpanId: parent.spanId } : { traceId: recorder.newTraceId() };
}

/** Calls the instrument's part safely: what goes wrong in it is nobody's business but ours. */
export function quietly<Given extends unknown[]>(work: (...given: Given) => void): (...given: Given) => void {
  return (...given) => {
    try {
      work(...given);
    } catch {
      // an SDK must not be what breaks a page
    }
  };
}

/** Observes entries of a type, those of before included, where the browser knows it; returns how to stop. */
export function observe(type: string, see: (entry: PerformanceEntry) => void): { stop(): void; flush(): void } {
  if (!globalThis.PerformanceObserver?.supportedEntryTypes?.includes(type)) return { stop() {}, flush() {} };
  const look = quietly((entries: PerformanceEntry[]) => entries.forEach(see));
  const observer = new PerformanceObserver((list) => look(list.getEntries()));
  observer.observe({ type, buffered: true });
  return { stop: () => observer.disconnect(), flush: () => look(observer.takeRecords()) };
}

/** Calls back when the page is hidden or left, before the core seals what it holds; more than once, maybe. */
export function onHide(call: () => void): () => void {
  const ended = new AbortController();
  const options = { capture: true, signal: ended.signal };
  const safely = quietly(call);
  addEventListener("visibilitychange", () => document.visibilityState === "hidden" && safely(), options);
  addEventListener("pagehide", safely, options);
  return () => ended.abort();
}
