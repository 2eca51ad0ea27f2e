/** The overview's answer, and what its figures say beside those of the period before. */

import type { Interval, Latency, Provenance, Tally } from "./api.ts";
import { formatCount, formatShare } from "./units.ts";
import type { Signal } from "./view.ts";

export interface Apdex {
  target_ms: number;
  /** null where the sample does not say how long failed spans took; then `range` holds it. */
  score: number | null;
  range: [number, number];
  satisfied: number;
  tolerating: number;
  frustrated: number;
}

export interface Total extends Tally {
  apdex: Apdex | null;
}

export interface Before {
  from: string;
  to: string;
  /** Whether spans are kept since its start. */
  whole: boolean;
  began_at: string | null;
  total: Total | null;
}

export interface FailureKinds {
  sampled: number;
  suppressed_kinds: number;
  kinds: { kind: string; spans: number; spans_interval: [number, number] }[];
}

export interface Failures {
  rate: [number, number];
  reports: { spans: number; errors: number };
  requests: FailureKinds;
  reported: FailureKinds;
}

export const RATINGS = ["good", "needs_improvement", "poor"] as const;
export type Rating = (typeof RATINGS)[number];

export interface Vital extends Record<Rating, number> {
  vital: Signal;
  spans: number;
  us: number | null;
  interval?: Interval | null;
  rating: Rating | null;
  good_us: number;
  poor_us: number;
}

export interface Version {
  version: string;
  spans: number;
  share: number;
  arrived_at: string | null;
}

export interface Overview extends Provenance {
  metric: string;
  from: string;
  to: string;
  step_s: number;
  quantiles: number[];
  total: Total | null;
  points: (Tally & { at: string })[];
  before: Before | null;
  failures: Failures | null;
  vitals: Vital[] | null;
  versions: Version[] | null;
  missing: string[];
}

/** The part of it that `latency` would answer. */
export function asLatency(overview: Overview): Latency {
  const { total, points } = overview;
  return { ...overview, groups: total ? [{ group: {}, total, points }] : [] };
}

/** How a figure stands to that of the period before. */
export interface Change {
  text: string;
  /** Whether it is the better for it; 0: neither, or not by more than figures can be wrong. */
  better: -1 | 0 | 1;
}

const SAME: Change = { text: "same", better: 0 };

/** The change of a percentile; differences within the error of both are none. */
export function changeOfQuantile(now: number | null | undefined, before: number | null | undefined, error: number): Change | null {
  if (!now || !before) return null;
  const ratio = now / before;
  if (ratio <= (1 + error) / (1 - error) && ratio >= (1 - error) / (1 + error)) return SAME;
  return { text: percent(ratio - 1), better: ratio < 1 ? 1 : -1 };
}

/** The change of a number of spans: neither good nor bad. */
export function changeOfCount(now: number | undefined, before: number | undefined): Change | null {
  if (now === undefined || !before) return null;
  return now === before ? SAME : { text: percent(now / before - 1), better: 0 };
}

/** The change of a share, in percentage points. */
export function changeOfRate(now: number, before: number): Change {
  const points = (now - before) * 100;
  if (Math.abs(points) < 0.05) return SAME;
  return { text: `${sign(points)}${Math.abs(points).toFixed(Math.abs(points) < 9.95 ? 1 : 0)} pp`, better: points < 0 ? 1 : -1 };
}

/** The change of an Apdex score. */
export function changeOfApdex(now: Apdex | null | undefined, before: Apdex | null | undefined): Change | null {
  if (typeof now?.score !== "number" || typeof before?.score !== "number") return null;
  const change = Math.round(now.score * 100) - Math.round(before.score * 100);
  return change === 0 ? SAME : { text: `${sign(change)}${(Math.abs(change) / 100).toFixed(2)}`, better: change > 0 ? 1 : -1 };
}

function sign(value: number): string {
  return value < 0 ? "−" : "+";
}

function percent(change: number): string {
  const size = Math.abs(change) * 100;
  if (size < 0.5) return `${sign(change)}<1\u202f%`;
  return size < 999.5 ? `${sign(change)}${Math.round(size)}\u202f%` : `×${Math.round(change + 1)}`;
}

/** What the Apdex specification calls a score, worst first by the least score of each. */
const APDEX_WORDS: [least: number, word: string][] = [
  [0.94, "excellent"],
  [0.85, "good"],
  [0.7, "fair"],
  [0.5, "poor"],
  [0, "unacceptable"],
];

export function apdexWord(score: number): string {
  const rounded = Math.round(score * 100) / 100;
  return APDEX_WORDS.find(([least]) => rounded >= least)?.[1] ?? "";
}

/** A score, or the range that holds it. */
export function formatApdex(apdex: Apdex | null | undefined): string {
  if (!apdex) return "–";
  if (apdex.score !== null) return apdex.score.toFixed(2);
  const [low, high] = apdex.range.map((each) => each.toFixed(2));
  return low === high ? `${low}` : `${low} – ${high}`;
}

/** The share that failed when those are counted of which browsers alone could tell. */
export function formatRange([low, high]: [number, number]): string {
  const [least, most] = [formatShare(low, 1), formatShare(high, 1)];
  return least === most ? most : `${least} – ${most}`;
}

const KINDS: Record<string, string> = {
  no_answer: "No answer (status 0)",
  "4xx": "Client errors (4xx)",
  "5xx": "Server errors (5xx)",
  other: "Failed, no HTTP status",
};

/** What a kind of failure is called. */
export function kindName(kind: string): string {
  return KINDS[kind] ?? kind;
}

/** How an estimate of failures came about. */
export function estimatedFrom({ sampled, suppressed_kinds: few }: FailureKinds): string {
  const left = few > 0 ? ` ${few} left out: too few sessions.` : "";
  return `Estimated from ${formatCount(sampled)} sampled ${sampled === 1 ? "failure" : "failures"}.${left}`;
}
