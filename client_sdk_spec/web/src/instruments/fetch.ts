/** fetch, watched: what it gives the page is what it gave before. */

import type { Call, Calls } from "./calls.ts";

/** Puts a watched fetch in the place of the page's; returns how to put that back. */
export function patchFetch(calls: Calls): () => void {
  const original = globalThis.fetch;
  if (typeof original !== "function") return () => {};
  const watched = function (this: unknown, input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
    let call: Call | undefined;
    let given = init;
    try {
      const request = input instanceof Request ? input : undefined;
      call = calls.begin(request?.url ?? String(input), (init?.method ?? request?.method ?? "GET").toUpperCase());
      if (call) given = traced(calls.traceparent(call), init, request);
    } catch {
      // what cannot be read here, fetch itself will refuse
    }
    const answer: Promise<Response> = original.call(this ?? globalThis, input, given);
    if (!call) return answer;
    const seen = call;
    // The page gets a promise of its own: an error that it does not handle stays unhandled.
    return answer.then(
      (response) => {
        ended(calls, seen, response);
        return response;
      },
      (error: unknown) => {
        const name = error instanceof Error || error instanceof DOMException ? error.name : "Error";
        // A page that changes its mind is no failure: nobody knows what would have come.
        calls.end(seen, name === "AbortError" ? { errorType: "abort" } : { httpStatus: 0, errorType: name });
        throw error;
      },
    );
  };
  globalThis.fetch = watched as typeof fetch;
  return () => {
    if (globalThis.fetch === watched) globalThis.fetch = original;
  };
}

/** The same call with the header, unless the page sets it itself or the mode allows none. */
function traced(traceparent: string | undefined, init?: RequestInit, request?: Request): RequestInit | undefined {
  if (!traceparent || (init?.mode ?? request?.mode) === "no-cors") return init;
  const headers = new Headers(init?.headers ?? request?.headers);
  if (headers.has("traceparent")) return init;
  headers.set("traceparent", traceparent);
  return { ...init, headers };
}

function ended(calls: Calls, call: Call, { status, type, headers }: Response): void {
  // Of an opaque answer nothing is known but that it came; a redirect that is not followed is one, too.
  calls.end(
    call,
    type === "opaque" || type === "opaqueredirect"
      ? {}
      : { httpStatus: status, serverTiming: headers.get("server-timing"), traceResponse: headers.get("traceresponse") },
  );
}
