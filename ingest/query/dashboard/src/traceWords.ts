/** What a trace's figures say: who the end waited for, how sure a start is, why a span was kept. Pure. */

import type { Clock, Group, PathShare, Span, Trace } from "./api.ts";
import { formatCount, formatDuration, formatShare } from "./units.ts";
import type { Stretch } from "./waterfall.ts";
import { serviceOf, titleOf } from "./waterfall.ts";
import { BACKEND_CLOCK, CLOCK_GRADES } from "./words.ts";

const plural = (count: number, one: string): string => `${formatCount(count)} ${one}${count === 1 ? "" : "s"}`;

/** The pieces of the critical path by span id. */
export function piecesOf(path: Trace["critical_path"]): Map<string, Stretch[]> {
  const pieces = new Map<string, Stretch[]>();
  for (const { span_id: id, ...piece } of path.pieces) pieces.set(id, [...(pieces.get(id) ?? []), piece]);
  return pieces;
}

/** What the end of the trace's root waited for: the `most` that took longest, and the time of all others. */
export function waitedFor({ critical_path: path }: Trace, most: number): { list: PathShare[]; others_us: number } {
  const list = path.shares.slice(0, most);
  return { list, others_us: Math.max(0, path.duration_us - list.reduce((sum, each) => sum + each.us, 0)) };
}

/** How far a start may be off. */
export function sureness(errUs: number | null): string {
  return errUs === null ? "start unbounded: nothing tells how far off" : `start ± ${formatDuration(errUs)}`;
}

const moved = (us: number): string => `moved by ${us < 0 ? "−" : "+"}${formatDuration(Math.abs(us))}`;

const tightened = ({ tightened_by: by }: Clock): string | false =>
  by.length > 0 && `tightened by ${by.length >= 10 ? "10 or more" : by.length} backend ${by.length === 1 ? "span" : "spans"}`;

/** Where a span stands on the line of time, and how sure that is: `start ± 12 ms, grade A, tightened by 2 backend spans`. */
export function placed(span: Span, clocks: readonly Clock[]): string {
  const clock = clocks.find((each) => each.clock === span.line.clock);
  return [
    sureness(span.line.err_us),
    `grade ${String(span["clock_quality"])}`,
    clock && tightened(clock),
    span.line.shift_us !== 0 && moved(span.line.shift_us),
  ].filter(Boolean).join(", ");
}

/** What a span's grade means. */
export function gradeOf(span: Span): string | null {
  const grade = String(span["clock_quality"] ?? "");
  const meaning = span.origin === "backend" ? BACKEND_CLOCK : CLOCK_GRADES[grade];
  return meaning ? `grade ${grade}: ${meaning}` : null;
}

/** Figures of siblings that are alike. */
export function groupFigures(group: Group): [string, string][] {
  return [
    ["spans", formatCount(group.spans)],
    ["errors", formatCount(group.errors)],
    ["together", formatDuration(group.total_us)],
    ["p95", formatDuration(group.p95_us)],
    ["shortest", formatDuration(group.min_us)],
    ["longest", formatDuration(group.max_us)],
    ["from", formatDuration(group.start_us)],
    ["to", formatDuration(group.end_us)],
  ];
}

/** A client's clock, its spans taken together. */
export function clockNote(clock: Clock): string {
  const before = clock.tightened_by.length > 0 && clock.err_before_us !== clock.err_after_us;
  return [
    `Client’s clock, ${plural(clock.spans, "span")}: ${sureness(clock.err_after_us)}`,
    `grade ${clock.grade} (${CLOCK_GRADES[clock.grade] ?? "unknown"})`,
    tightened(clock),
    before && `before: ${clock.err_before_us === null ? "unbounded" : `± ${formatDuration(clock.err_before_us)}`}`,
    clock.shift_us !== 0 && moved(clock.shift_us),
  ].filter(Boolean).join(", ");
}

/** The share of spans like it that were kept, and what it stands for. */
export function sampled(span: Span): string | null {
  const { weight, inclusion_probability: probability } = span;
  if (weight === undefined) return null;
  if (!weight || !probability) return "stands for itself alone: others stand for its kind already";
  if (weight === 1) return "every one like it; stands for itself";
  return `${formatShare(probability, 1)} of those like it; stands for ${Number(weight.toPrecision(3))} spans`;
}

/** Whether what is known of a span's clock contradicts itself, or what the trace's backends say. */
export function contradictory(span: Span, clocks: readonly Clock[]): boolean {
  return span["clock_conflict"] === true || clocks.some((clock) => clock.clock === span.line.clock && clock.conflict);
}

/** Whether nothing tells how far off a span's start is, and it matters: there is another clock to be compared with. */
export function boundless(span: Span, trace: Trace): boolean {
  return span.line.err_us === null && (trace.counts.backend > 0 || trace.clocks.length > 1);
}

/** A span in one sentence, for those who do not see its bar. */
export function spoken(span: Span, onPathUs: number, clocks: readonly Clock[]): string {
  return [
    titleOf(span),
    span.origin === "backend" ? `backend ${serviceOf(span) ?? ""}`.trim() : "client",
    span.status === "error" && "failed",
    formatDuration(span.duration_us),
    `starts at ${formatDuration(span.line.start_us)}`,
    sureness(span.line.err_us),
    contradictory(span, clocks) && "its clock contradicts itself",
    onPathUs > 0 && `${formatDuration(onPathUs)} on the critical path`,
  ].filter(Boolean).join(", ");
}
