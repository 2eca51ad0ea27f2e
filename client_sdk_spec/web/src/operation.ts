/** A span of the page's own: something that it did and that took time. */

import type { Recorder } from "./recorder.ts";
import { Kind, Signal, Status } from "./span.ts";
import type { Attributes, AttributeValue, Span } from "./span.ts";

export interface Operation {
  readonly traceId: string;
  readonly spanId: string;
  set(key: string, value: AttributeValue): void;
  /** Something happened now, inside the span. */
  event(name: string): void;
  /** It failed; for instance with an error's name. */
  fail(errorType?: string): void;
  /** It is over, and recorded; only the first call counts. */
  end(): void;
}

/** @param parent default: the page load */
export function begin(
  recorder: Recorder,
  name: string,
  attributes: Attributes = {},
  parent: { traceId: string; spanId: string } = recorder.page,
): Operation {
  const startUs = recorder.nowUs();
  const span: Span = {
    traceId: parent.traceId,
    spanId: recorder.newSpanId(),
    parentSpanId: parent.spanId,
    name,
    signal: Signal.operation,
    kind: Kind.internal,
    startUs,
    durationUs: 0,
    attributes: { ...attributes },
    events: [],
  };
  let ended = false;
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    set: (key, value) => void (span.attributes![key] = value),
    event: (called) => void span.events!.push({ name: called, offsetUs: recorder.nowUs() - startUs }),
    fail: (errorType) => {
      span.status = Status.error;
      if (errorType) span.errorType = errorType;
    },
    end: () => {
      if (ended) return;
      ended = true;
      recorder.record({ ...span, durationUs: recorder.nowUs() - startUs });
    },
  };
}
