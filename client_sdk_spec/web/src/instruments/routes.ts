/** Changes of route in a page of one document: from the change until the page is quiet again. */

import type { Instrument } from "../recorder.ts";
import { Kind, Signal } from "../span.ts";
import { after } from "../surroundings.ts";
import { observe, onHide, quietly, setCurrent } from "./context.ts";

/** Nothing loaded and nothing asked for in this time: the new screen stands. */
const QUIET_MS = 100;
const LONGEST_MS = 10_000;

interface Change {
  traceId: string;
  spanId: string;
  startMs: number;
  /** When something was last seen to load or to be painted. */
  busyMs: number;
  url: string;
  from: string;
  cancel: () => void;
}

export const routes: Instrument = (recorder) => {
  let path = location.pathname;
  let current: Change | undefined;

  const end = (): void => {
    if (!current) return;
    const { traceId, spanId, startMs, busyMs, url, from, cancel } = current;
    cancel();
    current = undefined;
    setCurrent(undefined);
    recorder.record({
      traceId,
      spanId,
      name: new URL(url).pathname,
      signal: Signal.screen,
      kind: Kind.internal,
      url,
      startUs: Math.round(startMs * 1000),
      durationUs: Math.round((busyMs - startMs) * 1000),
      attributes: { "screen.previous": from },
    });
  };

  /** Ends when nothing has happened for a while; looks again when something has. */
  const look = (): void => {
    if (!current) return;
    const now = performance.now();
    const quietMs = now - Math.max(current.busyMs, current.startMs);
    if (quietMs >= QUIET_MS || now - current.startMs >= LONGEST_MS) end();
    else current.cancel = after(QUIET_MS - quietMs, look);
  };

  const changed = quietly(() => {
    if (location.pathname === path) return; // what stands behind ? and # is no other screen
    end();
    const from = path;
    path = location.pathname;
    const startMs = performance.now();
    const ids = { traceId: recorder.newTraceId(), spanId: recorder.newSpanId() };
    current = { ...ids, startMs, busyMs: startMs, url: location.href, from, cancel: () => {} };
    setCurrent(ids);
    recorder.followPath(path);
    // Two frames: in the first the new screen is drawn, in the second it has been.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => {
        if (current?.spanId !== ids.spanId) return;
        current.busyMs = Math.max(current.busyMs, performance.now());
        current.cancel = after(QUIET_MS, look);
      }),
    );
  });

  const observer = observe("resource", ({ startTime, duration, name }) => {
    if (current && startTime >= current.startMs && !recorder.owns(name)) {
      current.busyMs = Math.max(current.busyMs, startTime + duration);
    }
  });
  const { pushState, replaceState } = history;
  const watched = (original: typeof pushState): typeof pushState =>
    function (this: History, ...given) {
      original.apply(this, given);
      changed();
    };
  const patches = { pushState: watched(pushState), replaceState: watched(replaceState) };
  Object.assign(history, patches);
  addEventListener("popstate", changed);
  const stopHide = onHide(() => {
    observer.flush();
    end();
  });
  return () => {
    for (const [name, original] of Object.entries({ pushState, replaceState })) {
      const key = name as keyof typeof patches;
      if (history[key] === patches[key]) Object.assign(history, { [key]: original });
    }
    removeEventListener("popstate", changed);
    stopHide();
    observer.stop();
    end();
  };
};
