/** XMLHttpRequest, watched. */

import type { Answer, Call, Calls } from "./calls.ts";

interface Opened {
  url: string;
  method: string;
  traced: boolean;
}

const FAILURES = ["error", "timeout", "abort"] as const;

/** Watches every request that is opened from now on; returns how to stop. */
export function patchXhr(calls: Calls): () => void {
  const prototype = globalThis.XMLHttpRequest?.prototype as XMLHttpRequest | undefined;
  if (!prototype) return () => {};
  const { open, send, setRequestHeader } = prototype;
  const opened = new WeakMap<XMLHttpRequest, Opened>();

  const patches = {
    open(this: XMLHttpRequest, method: string, url: string | URL, ...rest: unknown[]) {
      opened.set(this, { url: String(url), method: String(method).toUpperCase(), traced: false });
      return Reflect.apply(open, this, [method, url, ...rest]);
    },
    setRequestHeader(this: XMLHttpRequest, name: string, value: string) {
      const request = opened.get(this);
      if (request && /^traceparent$/i.test(name)) request.traced = true;
      return setRequestHeader.call(this, name, value);
    },
    send(this: XMLHttpRequest, body?: Document | XMLHttpRequestBodyInit | null) {
      const request = opened.get(this);
      let call: Call | undefined;
      try {
        call = request && calls.begin(request.url, request.method);
        if (call) watch(this, call, request!.traced);
      } catch {
        // what cannot be read here, the request itself will refuse
      }
      try {
        return send.call(this, body);
      } catch (error) {
        if (call) calls.end(call, { httpStatus: 0, errorType: error instanceof DOMException ? error.name : "Error" });
        throw error;
      }
    },
  };

  function watch(xhr: XMLHttpRequest, call: Call, traced: boolean): void {
    let failure: (typeof FAILURES)[number] | undefined;
    const ended = new AbortController();
    for (const name of FAILURES) xhr.addEventListener(name, () => (failure = name), { signal: ended.signal });
    const over = (): void => {
      ended.abort();
      calls.end(call, answerOf(xhr, failure));
    };
    xhr.addEventListener("loadend", over, { signal: ended.signal });
    const traceparent = traced ? undefined : calls.traceparent(call);
    if (traceparent) setRequestHeader.call(xhr, "traceparent", traceparent);
  }

  Object.assign(prototype, patches);
  return () => {
    for (const [name, original] of Object.entries({ open, send, setRequestHeader })) {
      const key = name as keyof typeof patches;
      if (prototype[key] === (patches[key] as unknown)) Object.assign(prototype, { [key]: original });
    }
  };
}

function answerOf(xhr: XMLHttpRequest, failure: (typeof FAILURES)[number] | undefined): Answer {
  if (failure === "abort") return { errorType: failure };
  if (failure) return { httpStatus: 0, errorType: failure };
  // Asking for a header that may not be read is a complaint in the console.
  const names = xhr.getAllResponseHeaders().toLowerCase();
  const read = (name: string): string | null => (names.includes(`${name}:`) ? xhr.getResponseHeader(name) : null);
  return { httpStatus: xhr.status, serverTiming: read("server-timing"), traceResponse: read("traceresponse") };
}
