/** Errors that the page did not catch, and promises whose rejection nobody handled. */

import type { Instrument, Recorder } from "../recorder.ts";
import { Kind, Signal, Status } from "../span.ts";
import type { Span } from "../span.ts";
import { after } from "../surroundings.ts";
import { onHide, place, quietly } from "./context.ts";

/** Different errors of one page; more are the same trouble. */
const MOST = 50;
const STACK_BYTES = 8_000;
/** After this long, what came again is told. */
const AGAIN_MS = 30_000;

interface Trouble {
  span: Span;
  /** How often it came since it was told last. */
  repeats: number;
}

/** Text of at most so many bytes of UTF-8. */
export function cut(text: string, bytes: number): string {
  if (text.length * 3 <= bytes) return text;
  const encoded = new TextEncoder().encode(text);
  return encoded.length <= bytes ? text : new TextDecoder().decode(encoded.subarray(0, bytes - 3)).replace(/\ufffd+$/, "") + "…";
}

/** What is known of a thing that was thrown. */
export function describe(thrown: unknown, message = ""): { type: string; message: string; stack: string } {
  if (thrown instanceof Error || (typeof DOMException !== "undefined" && thrown instanceof DOMException)) {
    return { type: thrown.name || "Error", message: String(thrown.message), stack: cut(String(thrown.stack ?? ""), STACK_BYTES) };
  }
  // Of a script of another origin the browser tells nothing.
  const type = thrown === null || thrown === undefined ? "Error" : typeof thrown;
  return { type, message: message || String(thrown), stack: "" };
}

function spanOf(recorder: Recorder, { type, message, stack }: ReturnType<typeof describe>, how: string): Span {
  return {
    ...place(recorder),
    spanId: recorder.newSpanId(),
    name: type,
    signal: Signal.exception,
    kind: Kind.internal,
    status: Status.error,
    errorType: type,
    url: location.href,
    startUs: recorder.nowUs(),
    durationUs: 0,
    attributes: {
      "exception.message": message,
      ...(stack && { "exception.stacktrace": stack }),
      "exception.mechanism": how,
    },
  };
}

export const errors: Instrument = (recorder) => {
  const seen = new Map<string, Trouble>();
  let again: (() => void) | undefined;

  const tellAgain = (): void => {
    again?.();
    again = undefined;
    for (const trouble of seen.values()) {
      const { span, repeats } = trouble;
      if (!repeats) continue;
      trouble.repeats = 0;
      const attributes = { ...span.attributes, "exception.repeats": repeats };
      recorder.record({ ...span, spanId: recorder.newSpanId(), startUs: recorder.nowUs(), attributes });
    }
  };
  const take = quietly((thrown: unknown, how: string, message?: string) => {
    const told = describe(thrown, message);
    const key = [told.type, told.message, told.stack.split("\n", 3).join("\n")].join("\0");
    const known = seen.get(key);
    if (known) {
      known.repeats++;
      again ??= after(AGAIN_MS, tellAgain);
    } else if (seen.size < MOST) {
      const span = spanOf(recorder, told, how);
      seen.set(key, { span, repeats: 0 });
      recorder.record(span);
    } else recorder.drop("rate_limited", 1);
  });

  const failed = ({ error, message }: ErrorEvent): void => take(error, "error", message);
  const rejected = ({ reason }: PromiseRejectionEvent): void => take(reason, "unhandledrejection");
  addEventListener("error", failed);
  addEventListener("unhandledrejection", rejected);
  const stopHide = onHide(tellAgain);
  return () => {
    removeEventListener("error", failed);
    removeEventListener("unhandledrejection", rejected);
    stopHide();
    tellAgain();
  };
};
