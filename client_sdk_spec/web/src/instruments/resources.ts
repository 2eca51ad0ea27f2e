/** What the page loads beside what its scripts ask for: styles, scripts, images, fonts. */

import type { Instrument } from "../recorder.ts";
import { observe, onHide, place } from "./context.ts";
import type { TimingEntry } from "./phases.ts";
import { timed } from "./timing.ts";

/** Of one page; a list of thousands of images tells no more than its first hundreds. */
const MOST = 200;
/** Told by the calls themselves (`fetch.ts`, `xhr.ts`), or not waited for. */
const CALLS = new Set(["fetch", "xmlhttprequest", "beacon"]);

export const resources: Instrument = (recorder) => {
  let seen = 0;
  const loadEndMs = (): number => {
    const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    return navigation?.loadEventEnd || Infinity;
  };
  const observer = observe("resource", (given) => {
    const entry = given as TimingEntry;
    if (CALLS.has(entry.initiatorType) || recorder.owns(entry.name) || !/^https?:/.test(entry.name)) return;
    if (++seen > MOST) return recorder.drop("queue_overflow", 1);
    recorder.record({
      ...place(recorder, entry.startTime < loadEndMs()),
      spanId: recorder.newSpanId(),
      name: entry.initiatorType || "resource",
      method: "GET",
      url: entry.name,
      ...timed(entry),
    });
  });
  const stopHide = onHide(observer.flush);
  return () => {
    stopHide();
    observer.stop();
  };
};
