/** What a session's timeline says. Pure. */

import type { Session, SessionSpan } from "./sessionAnswer.ts";
import { formatCount, formatDuration, formatMeasure } from "./units.ts";
import type { Signal } from "./view.ts";
import { CLOCK_GRADES } from "./words.ts";

export const ONE_SIGNAL: Record<Signal, string> = {
  request: "request",
  page: "page load",
  screen: "screen",
  start: "app start",
  operation: "operation",
  lcp: "LCP",
  inp: "INP",
  cls: "CLS",
  fcp: "FCP",
  ttfb: "TTFB",
  exception: "exception",
  long_task: "long task",
  event: "event",
  report: "browser report",
};

/** Moments: they have no length to be seen. */
const MOMENTS: readonly Signal[] = ["exception", "event"];

export function hasLength({ signal, duration_us: us }: SessionSpan): boolean {
  return !MOMENTS.includes(signal) && us > 0;
}

/** What was measured: a duration, a shift without unit, or nothing of a moment. */
export function measured(span: SessionSpan): string {
  return hasLength(span) || span.signal === "cls" ? formatMeasure(span.signal)(span.duration_us) : "";
}

/** When it began, from the session's start, and how sure that is. */
export function when({ start_us: start, err_us: err }: SessionSpan): string {
  return `${start === 0 ? "0 s" : `+${formatDuration(start)}`} ${err === null ? "± ?" : `± ${formatDuration(err)}`}`;
}

/** Pauses shorter than this are not said. */
const PAUSE_US = 30e6;

/** How long nothing happened before a span, when that is long. */
export function pauseBefore(before: SessionSpan | undefined, span: SessionSpan): string | null {
  if (before === undefined) return null;
  const us = span.start_us - before.start_us - (hasLength(before) ? before.duration_us : 0);
  return us >= PAUSE_US ? `${formatDuration(us)} later` : null;
}

/** Whether two neighbours may have happened in the other order: different clocks, and the errors reach over. */
export function mayBeOtherWay(before: SessionSpan | undefined, span: SessionSpan): boolean {
  if (before === undefined || before.clock === span.clock) return false;
  return before.err_us === null || span.err_us === null || span.start_us - before.start_us < before.err_us + span.err_us;
}

/** What went wrong with a span, in a word; null: nothing, or its name says it. */
export function fault({ failed, signal, name, http_status: status, error_type: type }: SessionSpan): string | null {
  if (!failed) return null;
  if (signal === "exception") return type === name ? null : type;
  if (status === 0) return "no answer";
  return status ? String(status) : (type ?? "error");
}

/** How sure the times are. */
export function clocksNote({ clocks }: Session): string {
  const parts = clocks.map(({ grade, err_us: err, spans, conflict }) => {
    const sure = err === null ? "nothing bounds all its starts" : `starts ± ${formatDuration(err)}`;
    return `${formatCount(spans)} ${spans === 1 ? "span" : "spans"}: ${sure}, grade ${grade} (${CLOCK_GRADES[grade] ?? ""})${conflict ? ", contradictory" : ""}`;
  });
  const clock = clocks.length === 1 ? "One clock" : `${clocks.length} clocks, each in its own order; two of them may be off against each other`;
  return `${clock}. ${parts.slice(0, 3).join(". ")}.`;
}
