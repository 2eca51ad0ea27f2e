/** One span as the wire takes it: whatever the page made of it, the batch it goes with is not refused for it. */

import type { Attributes, Phases, Span } from "./span.ts";

/** Longer text is cut by the server (`WIRE.md`); here already, so that it is not sent. */
const LONGEST = 8_192;
/** Of attributes, events and links each. */
const MOST = 128;

const whole = (number: unknown): number | undefined => (Number.isFinite(number) ? Math.round(number as number) : undefined);
const isId = (id: unknown, digits: number): id is string =>
  typeof id === "string" && id.length === digits && /^[0-9a-f]*[1-9a-f][0-9a-f]*$/.test(id);

export function text(given: unknown): string {
  const found = typeof given === "string" ? given : String(given);
  return found.length > LONGEST ? `${found.slice(0, LONGEST - 1)}…` : found;
}

/** Nothing when ids, start or duration are none. */
export function tidy(span: Span): Span | undefined {
  const startUs = whole(span.startUs);
  const durationUs = whole(span.durationUs);
  if (!isId(span.traceId, 32) || !isId(span.spanId, 16) || startUs === undefined || durationUs === undefined) return;
  const found: Span = { traceId: span.traceId, spanId: span.spanId, name: text(span.name), startUs, durationUs };
  if (isId(span.parentSpanId, 16)) found.parentSpanId = span.parentSpanId;
  for (const key of ["signal", "kind", "status", "httpStatus", "requestBytes", "responseBytes"] as const) {
    const number = whole(span[key]);
    if (number !== undefined) (found[key] as number) = number;
  }
  for (const key of ["method", "url", "route", "errorType", "protocol", "screen"] as const) {
    if (span[key]) found[key] = text(span[key]);
  }
  if (span.phases) {
    const known = Object.entries(span.phases).map(([phase, us]) => [phase, whole(us)] as const);
    found.phases = Object.fromEntries(known.filter(([, us]) => us !== undefined)) as Partial<Phases>;
  }
  if (span.attributes) found.attributes = attributes(span.attributes);
  if (span.events) {
    const events = span.events.map(({ name, offsetUs }) => ({ name: text(name), offsetUs: whole(offsetUs) ?? -1 }));
    found.events = events.filter(({ offsetUs }) => offsetUs >= 0).slice(0, MOST);
  }
  if (span.links) {
    found.links = span.links.filter(({ traceId, spanId }) => isId(traceId, 32) && isId(spanId, 16)).slice(0, MOST);
  }
  return found;
}

function attributes(given: Attributes): Attributes {
  const known = Object.entries(given).filter(([, value]) => value !== undefined && value !== null);
  const kept = known.slice(0, MOST).map(([key, value]) => [
    text(key),
    typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value)) ? value : text(value),
  ]);
  return Object.fromEntries(kept) as Attributes;
}
