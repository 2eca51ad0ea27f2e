/** What happened during a span: exceptions, log records and vitals that hang on it, and its own events. Pure. */

import type { Span } from "./api.ts";
import { formatDuration, formatMeasure } from "./units.ts";
import type { Signal } from "./view.ts";

export interface Moment {
  kind: "exception" | "log" | "vital" | "event";
  /** On the trace's line of time. */
  at_us: number;
  name: string;
  /** What it says: an exception's message, a log's body, a vital's value. */
  text: string | null;
  /** The span that it is; null for an event of the span itself. */
  span_id: string | null;
}

const VITALS: readonly Signal[] = ["lcp", "inp", "cls", "fcp", "ttfb"];
/** These tell when something was seen: so long after their start. */
const SEEN_AT_END: readonly Signal[] = ["lcp", "fcp", "ttfb"];

/** What kind of moment a span is; null: it took time. */
export function momentKind(span: Span): Moment["kind"] | null {
  const signal = span["signal"] as Signal | undefined;
  if (signal === "exception") return "exception";
  if (signal === "event") return "log";
  return signal && VITALS.includes(signal) ? "vital" : null;
}

/** What an exception, a log record or a vital says. */
function textOf(span: Span): string | null {
  const signal = span["signal"] as Signal;
  if (VITALS.includes(signal)) return formatMeasure(signal)(span.duration_us);
  const said = span.attributes[signal === "exception" ? "exception.message" : "log.body"];
  return typeof said === "string" && said !== span.name ? said : null;
}

/** A span as a moment; null: it took time. */
export function asMoment(span: Span): Moment | null {
  const kind = momentKind(span);
  if (kind === null) return null;
  const after = SEEN_AT_END.includes(span["signal"] as Signal) ? span.duration_us : 0;
  return { kind, at_us: span.line.start_us + after, name: span.name, text: textOf(span), span_id: span.span_id };
}

/** Whether a span is but a moment: it has no length to be drawn. */
export function isMoment(span: Span): boolean {
  return span.duration_us === 0 && momentKind(span) !== null;
}

/** What happened during a span, by time. @param below spans that hang on it. */
export function momentsOf(span: Span, below: readonly Span[]): Moment[] {
  const own = span.events.map(({ name, offset_us: offset }) => ({ kind: "event" as const, at_us: span.line.start_us + offset, name, text: null, span_id: null }));
  return [...below.flatMap((each) => asMoment(each) ?? []), ...own].sort((one, two) => one.at_us - two.at_us);
}

/** A moment in a line: `TypeError: x is undefined, at 1.20 s`. */
export function momentText({ name, text, at_us: at }: Moment): string {
  return `${name}${text ? `: ${text}` : ""}, at ${formatDuration(Math.max(0, at))}`;
}

const NAMES: Record<Moment["kind"], [one: string, many: string]> = {
  exception: ["exception", "exceptions"],
  log: ["log record", "log records"],
  vital: ["vital", "vitals"],
  event: ["event", "events"],
};
export const MOMENT_KINDS = Object.keys(NAMES) as Moment["kind"][];

/** `2 exceptions, 1 log record`; empty when nothing happened. */
export function countMoments(moments: readonly Moment[]): string {
  return MOMENT_KINDS.flatMap((kind) => {
    const count = moments.filter((each) => each.kind === kind).length;
    return count === 0 ? [] : [`${count} ${NAMES[kind][count === 1 ? 0 : 1]}`];
  }).join(", ");
}

/** Several of one kind. */
export const kindName = (kind: Moment["kind"]): string => NAMES[kind][1];
