/** What the browser does around the page: timers, idle moments, locks, and the page's coming and going. */

/** Calls back after so many ms; returns how not to. */
export function after(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
}

/** Calls back when the page has nothing else to do, a second later at the latest; returns how not to. */
export function idle(call: () => void): () => void {
  if (typeof requestIdleCallback === "undefined") return after(0, call);
  const request = requestIdleCallback(call, { timeout: 1_000 });
  return () => cancelIdleCallback(request);
}

/** Does the work unless another page of the origin is at it under this name; says whether it did. */
export async function alone(name: string, work: () => Promise<void>): Promise<boolean> {
  // No locks in a page without TLS, or in an older browser: the edge takes a batch once, however often it comes.
  if (!navigator.locks) return work().then(() => true);
  return navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
    if (lock) await work();
    return lock !== null;
  });
}

/**
 * Watches the page's life; returns how to stop.
 *
 * Listens on the window and not in the capture phase: what instruments record of a page that is being hidden, they have
 * recorded by then.
 */
export function watch(page: { leave(): void; back(): void; online(): void }): () => void {
  const ended = new AbortController();
  const options = { signal: ended.signal };
  addEventListener(
    "visibilitychange",
    () => (document.visibilityState === "hidden" ? page.leave() : page.back()),
    options,
  );
  // Not every browser hides a page that is left, or says so before it is gone.
  addEventListener("pagehide", page.leave, options);
  document.addEventListener("freeze", page.leave, options);
  addEventListener("pageshow", page.back, options);
  addEventListener("online", page.online, options);
  return () => ended.abort();
}
