/** Figures as people read them: three significant digits, the unit that fits, no false precision. */

import type { Signal } from "./view.ts";

const NONE = "–";

function significant(value: number): string {
  if (value === 0) return "0";
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  // 9.996 rounds up to a number with one more digit before the point.
  const rounded = Number(value.toFixed(digits));
  return rounded.toFixed(Math.max(0, 2 - Math.floor(Math.log10(Math.abs(rounded) || 1))));
}

/** Microseconds as µs, ms, s, min or h. */
export function formatDuration(us: number | null | undefined): string {
  if (us === null || us === undefined || !Number.isFinite(us)) return NONE;
  if (us < 999.5) return `${Math.round(us)} µs`;
  if (us < 999_500) return `${significant(us / 1e3)} ms`;
  if (us < 119.5e6) return `${significant(us / 1e6)} s`;
  if (us < 7170e6) return `${significant(us / 60e6)} min`;
  return `${significant(us / 3600e6)} h`;
}

/** What is measured of a signal: CLS has no unit and comes in millionths, everything else is a duration. */
export function formatMeasure(signal: Signal): (value: number | null | undefined) => string {
  if (signal !== "cls") return formatDuration;
  return (value) => (value === null || value === undefined || !Number.isFinite(value) ? NONE : (value / 1e6).toFixed(3));
}

/** A duration on an axis: no trailing zeros. */
export function formatTick(us: number, format: (value: number) => string = formatDuration): string {
  return format(us).replace(/\.0+(?= )|(\.\d*?[1-9])0+(?= )/, "$1");
}

/** A number of spans: whole below ten thousand, then k, M, G. */
export function formatCount(count: number | null | undefined): string {
  if (count === null || count === undefined) return NONE;
  if (count < 9_999.5) return String(Math.round(count)).replace(/(\d)(?=(\d{3})$)/, "$1\u202f");
  if (count < 999_500) return `${significant(count / 1e3)}k`;
  if (count < 999.5e6) return `${significant(count / 1e6)}M`;
  return `${significant(count / 1e9)}G`;
}

/** An interval as `low – high`, or as `≥ low` where nothing bounds it above. */
export function formatInterval([low, high]: readonly [number, number | null], format: (value: number) => string): string {
  return high === null ? `≥\u202f${format(low)}` : `${format(low)} – ${format(high)}`;
}

/** A share of a whole as per cent; what is not nothing never reads 0 %, what is not all never reads 100 %. */
export function formatShare(part: number, whole: number): string {
  if (whole <= 0) return NONE;
  const percent = (part / whole) * 100;
  if (percent === 0) return "0\u202f%";
  if (percent < 0.1) return "<0.1\u202f%";
  if (percent > 99.9 && percent < 100) return ">99.9\u202f%";
  const fine = percent < 9.95 || (percent > 99 && percent < 100);
  return `${fine ? percent.toFixed(1) : Math.round(percent)}\u202f%`;
}

/** 0.95 → p95, 0.999 → p99.9. */
export function quantileName(quantile: number): string {
  return `p${Number((quantile * 100).toFixed(3))}`;
}

/** Microseconds since 1970 of an RFC 3339 time; `Date` alone would cut it to milliseconds. */
export function microseconds(time: string): number {
  const [, head = time, fraction = "", zone = "Z"] = /^(.*?:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?$/.exec(time) ?? [];
  return Date.parse(head + zone) * 1000 + Number(fraction.padEnd(6, "0").slice(0, 6));
}

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
const DAY_CLOCK = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
});

/** Time of day, with the day when it is not today. */
export function formatTime(at: Date, now: Date = new Date()): string {
  return at.toDateString() === now.toDateString() ? CLOCK.format(at) : DAY_CLOCK.format(at);
}

/** How long ago, roughly. */
export function formatAgo(at: Date, now: Date = new Date()): string {
  const seconds = Math.max(0, (now.getTime() - at.getTime()) / 1000);
  if (seconds < 90) return `${Math.round(seconds)} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

/** Bytes as B, kB or MB. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${significant(bytes / 1e3)} kB` : `${significant(bytes / 1e6)} MB`;
}
