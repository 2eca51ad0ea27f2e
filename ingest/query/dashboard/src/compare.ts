/** Comparing two sides: what to ask, which versions suggest themselves, and what the answer says in plain words. Pure. */

import type { Latency, Values } from "./api.ts";
import type { Bounded, ComparedPhase, Comparison, Difference } from "./compareAnswer.ts";
import { series } from "./trend.ts";
import { formatCount, formatDuration, formatMeasure, formatShare, quantileName } from "./units.ts";
import type { Dimension, Phase, Range, Shift, Side, SideName, Signal, View } from "./view.ts";
import { DIMENSIONS, filterParameters, QUANTILES, SIDES } from "./view.ts";
import { DIMENSION_NAMES, METRIC_NAMES, valueName } from "./words.ts";

export type Sides = Record<SideName, Side>;

const RANGE_S: Record<Range, number> = { "15m": 900, "1h": 3600, "6h": 21_600, "24h": 86_400, "7d": 604_800, "30d": 2_592_000 };

export const SHIFT_NAMES: Record<Shift, string> = {
  none: "this time range",
  range: "the range before",
  day: "a day earlier",
  week: "a week earlier",
};

/** Whether nobody has said yet what to compare. */
export function isUnsaid({ a, b }: Sides): boolean {
  return [a, b].every(({ filters, shift }) => shift === "none" && DIMENSIONS.every((name) => filters[name].length === 0));
}

/** Whether both sides ask the same question. */
export function isSame({ a, b }: Sides): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function lengthOf(view: View): number {
  return view.from && view.to ? (Date.parse(view.to) - Date.parse(view.from)) / 1000 : RANGE_S[view.range];
}

/** How many seconds before the common time range a side's own lies. */
export function secondsBack(view: View, shift: Shift): number {
  return { none: 0, range: lengthOf(view), day: 86_400, week: 604_800 }[shift];
}

/** Start and end of a side's own time range as the API takes them; null: the common one. */
export function periodOf(view: View, shift: Shift): { from: string; to: string } | null {
  if (shift === "none") return null;
  const [own, back] = [lengthOf(view), secondsBack(view, shift)];
  if (!view.from || !view.to) return { from: `-${own + back}s`, to: `-${back}s` };
  const moved = (at: string): string => new Date(Date.parse(at) - back * 1000).toISOString();
  return { from: moved(view.from), to: moved(view.to) };
}

/** The parameters of the comparison. */
export function compareParameters(view: View, sides: Sides): URLSearchParams {
  const query = filterParameters(view);
  query.set("q", QUANTILES.join(","));
  query.set("at", String(view.quantile));
  for (const side of SIDES) {
    const { filters, shift } = sides[side];
    for (const name of DIMENSIONS) for (const value of filters[name]) query.append(`${side}.${name}`, value);
    for (const [name, text] of Object.entries(periodOf(view, shift) ?? {})) query.set(`${side}.${name}`, text);
  }
  return query;
}

/** The filters of one side: its own, and where it has none those common to both. */
function filtersOf(view: View, side: Side): View["filters"] {
  const own = DIMENSIONS.map((name) => [name, side.filters[name].length > 0 ? side.filters[name] : view.filters[name]]);
  return Object.fromEntries(own) as View["filters"];
}

/** Where the figures and traces of one side alone are; null for another time than the page's, of which no view tells. */
export function sideView(view: View, side: Side): Pick<View, "page" | "filters"> | null {
  return side.shift === "none" ? { page: "overview", filters: filtersOf(view, side) } : null;
}

/** What other calls ask of one side alone. */
export function sideParameters(view: View, side: Side): URLSearchParams {
  const query = filterParameters({ ...view, filters: filtersOf(view, side) });
  for (const [name, text] of Object.entries(periodOf(view, side.shift) ?? {})) query.set(name, text);
  return query;
}

/** Dimensions by which one call groups. */
const MOST_GROUPED = 2;

/** The dimensions that tell two sides apart in one answer; null: each needs a call of its own. */
export function apart({ a, b }: Sides): Dimension[] | null {
  const differing = DIMENSIONS.filter((name) => a.filters[name].join() !== b.filters[name].join());
  const single = differing.every((name) => a.filters[name].length === 1 && b.filters[name].length === 1);
  return a.shift === b.shift && single && differing.length <= MOST_GROUPED ? differing : null;
}

/** What a call for both sides at once asks; its answer has a group for each. */
export function bothParameters(view: View, sides: Sides, by: readonly Dimension[]): URLSearchParams {
  const query = sideParameters(view, sides.a);
  for (const name of by) query.append(name, sides.b.filters[name][0] ?? "");
  query.set("group_by", by.join());
  return query;
}

/** Each side's own part of such an answer. */
export function partOf(answer: Latency, side: Side, by: readonly Dimension[]): Latency {
  return { ...answer, groups: answer.groups.filter(({ group }) => by.every((name) => group[name] === side.filters[name][0])) };
}

/** Share of the spans below which a version is not worth suggesting. */
const NOTABLE = 0.01;

/** Versions by their numbers, the newest last; not those that stand for others. */
export function byAge(versions: string[]): string[] {
  const order = new Intl.Collator("en", { numeric: true });
  return versions.filter((version) => /^\d/.test(version)).sort(order.compare);
}

/** The newest version that is much in use, against the one before it; null when there are no two. */
export function suggestVersions(values: readonly Pick<Values["values"][number], "value" | "spans">[], nothing: Side): Sides | null {
  const all = values.reduce((sum, { spans }) => sum + spans, 0);
  const [before, newest] = byAge(values.filter(({ spans }) => spans >= all * NOTABLE).map(({ value }) => value ?? "")).slice(-2);
  if (before === undefined || newest === undefined) return null;
  const only = (version: string): Side => ({ ...nothing, filters: { ...nothing.filters, version: [version] } });
  return { a: only(before), b: only(newest) };
}

/** What tells a side from the other. */
export function sideName(side: Side, other: Side): string {
  const parts = DIMENSIONS.flatMap((name) => {
    const [own, its] = [side.filters[name], other.filters[name]];
    if (own.length === 0) return its.length > 0 ? [`any ${DIMENSION_NAMES[name].toLowerCase()}`] : [];
    return own.join() === its.join() ? [] : [own.map((value) => valueName(name, value)).join(" or ")];
  });
  if (side.shift !== other.shift) parts.push(SHIFT_NAMES[side.shift]);
  return parts.join(", ") || "the same";
}

export interface Verdict {
  tone: "worse" | "better" | "alike" | "nothing";
  headline: string;
  more: string[];
}

/** A difference with its sign. */
export function signed(value: number | null, format: (value: number) => string): string {
  if (value === null) return "–";
  return value < 0 ? `−${format(-value)}` : value > 0 ? `+${format(value)}` : format(0);
}

/** `+1.4 s (+1.2 s to +1.6 s)`. */
export function withInterval({ value, interval: [low, high] }: Bounded, format: (value: number) => string): string {
  const bound = (end: number | null): string => (end === null ? "anything" : signed(end, format));
  return `${signed(value, format)} (${bound(low)} to ${bound(high)})`;
}

/** A share as a difference of percentage points. */
export function formatPoints(share: number): string {
  const points = share * 100;
  return `${points.toFixed(points < 0.095 ? 2 : points < 9.95 ? 1 : 0)}\u202fpp`;
}

/** Phases as part of a sentence. */
const PLAIN_PHASES: Record<Phase, string> = {
  redirect: "redirects",
  blocked: "waiting in the client",
  dns: "DNS",
  tcp: "TCP",
  tls: "TLS",
  request: "sending the request",
  ttfb: "waiting for the first byte (network and server)",
  download: "the download",
};

/** Phases that explain less of the mean's difference than this are not named. */
const NAMED = 0.1;
const MOST_NAMED = 3;

/** The phases behind a difference of the mean: those that differ by more than chance, the largest first. */
export function behind(phases: readonly ComparedPhase[], wholeUs: number): ComparedPhase[] {
  return phases
    .filter(({ mean_us: { significant, value } }) => significant && value !== null && value * wholeUs > 0 && Math.abs(value) >= NAMED * Math.abs(wholeUs))
    .sort((one, two) => Math.abs(two.mean_us.value ?? 0) - Math.abs(one.mean_us.value ?? 0))
    .slice(0, MOST_NAMED);
}

/** Points by which what is known of a phase must differ to be worth a word. */
const NOTABLE_UNKNOWN = 0.05;

/** From this share of a difference on a phase is said to be all of it; others may have gone the other way. */
const ALL = 0.95;

/** `: 1.05 s of it in TLS`; what is known of the causes. */
function causes({ phases, difference: { mean_us: mean } }: Comparison): string {
  if (phases.length === 0) return "";
  const named = behind(phases, mean.value ?? 0);
  if (named.length === 0) return "; no single phase differs by more than chance";
  const [first] = named;
  if (first && Math.abs(first.mean_us.value ?? 0) >= ALL * Math.abs(mean.value ?? 0)) return `: all of it in ${PLAIN_PHASES[first.phase]}`;
  return `: ${named.map(({ phase, mean_us }) => `${formatDuration(Math.abs(mean_us.value ?? 0))} of it in ${PLAIN_PHASES[phase]}`).join(", ")}`;
}

function onAverage(answer: Comparison, b: string, format: (value: number) => string): string {
  const { mean_us: mean } = answer.difference;
  if (!mean.significant) return "On average, over all requests, no difference can be told from chance.";
  const value = mean.value ?? 0;
  return `On average ${b} takes ${format(Math.abs(value))} ${value > 0 ? "more" : "less"}${causes(answer)}.`;
}

function errorsOf({ a, b, difference: { error_rate: rate } }: Comparison): string {
  const [was, is] = [a, b].map((side) => formatShare(side.errors, side.spans));
  if (!rate.significant) return `Failed: ${is} instead of ${was}, which may be chance.`;
  return `Failed: ${is} instead of ${was}, ${(rate.value ?? 0) > 0 ? "more" : "less"} than chance explains.`;
}

function unknownOf({ phases }: Comparison): string[] {
  const odd = phases.filter(({ unknown_share: { significant, value } }) => significant && Math.abs(value ?? 0) >= NOTABLE_UNKNOWN);
  if (odd.length === 0) return [];
  return [`How often ${odd.map(({ phase }) => METRIC_NAMES[phase]).join(", ")} is known differs between the sides, and their means differ with it.`];
}

/** Fewer independent spans than this on a side are said to be few. */
const FEW = 100;

function few(answer: Comparison): string {
  const least = Math.min(answer.a.effective_spans, answer.b.effective_spans);
  return least < FEW ? ` A side has only ${formatCount(least)} independent spans; more time or fewer filters would tell more.` : "";
}

/** What the answer says. */
export function verdict(answer: Comparison, names: Record<SideName, string>, signal: Signal): Verdict {
  const format = formatMeasure(signal);
  const missing = SIDES.filter((side) => answer[side].spans === 0);
  if (missing.length > 0) {
    return { tone: "nothing", headline: `Nothing to show of ${missing.map((side) => names[side]).join(" and ")}.`, more: [] };
  }
  const { us, mean_us: mean } = answer.difference;
  const at = quantileName(answer.at);
  const [above, below] = signal === "cls" ? ["higher", "lower"] : ["slower", "faster"];
  const rest = [errorsOf(answer), ...unknownOf(answer)];
  const tone = (difference: Difference): Verdict["tone"] => ((difference.value ?? 0) > 0 ? "worse" : "better");
  const than = (difference: Difference): string => `${names.b} is ${tone(difference) === "worse" ? above : below} than ${names.a}`;
  if (us.significant) {
    return { tone: tone(us), headline: `${than(us)} at ${at} by ${size(us, format)}.`, more: [onAverage(answer, names.b, format), ...rest] };
  }
  const unsure = `At ${at} no difference beyond chance: ${withInterval(us, format)}.${few(answer)}`;
  if (mean.significant) {
    return { tone: tone(mean), headline: `${than(mean)} on average by ${size(mean, format)}${causes(answer)}.`, more: [unsure, ...rest] };
  }
  return { tone: "alike", headline: unsure, more: [onAverage(answer, names.b, format), ...rest] };
}

function size({ value, interval }: Difference, format: (value: number) => string): string {
  const ends = interval.map((end) => (end === null ? null : Math.abs(end))).sort((one, two) => (one ?? Infinity) - (two ?? Infinity));
  const [low, high] = ends;
  return `${format(Math.abs(value ?? 0))} (${high === null || high === undefined ? `at least ${format(low ?? 0)}` : `${format(low ?? 0)} to ${format(high)}`})`;
}

/** Two lines over one time: a side's own range is moved onto the common one. */
export interface Pair {
  /** Seconds since 1970. */
  at: number[];
  lines: Record<SideName, (number | null)[]>;
}

/** @param back seconds by which each side's range lies before the common one. */
export function pair(answers: Record<SideName, Latency>, back: Record<SideName, number>): Pair {
  const found = SIDES.map((side) => {
    const { at, quantiles } = series(answers[side]);
    return new Map(at.map((time, index) => [time + back[side], quantiles[0]?.[index] ?? null]));
  });
  const at = [...new Set(found.flatMap((line) => [...line.keys()]))].sort((one, two) => one - two);
  const [a, b] = found.map((line) => at.map((time) => line.get(time) ?? null));
  return { at, lines: { a: a ?? [], b: b ?? [] } };
}
