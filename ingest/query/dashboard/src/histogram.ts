/** How a metric is distributed, as the server answers it, and where its bars, ticks and percentiles stand on a logarithmic axis. */

import type { Provenance, Tally } from "./api.ts";

export interface Exemplar {
  why: "typical" | "slowest" | "error";
  trace_id: string;
  span_id: string;
  route: string;
  start_at: string;
  us: number;
  error: boolean;
}

export interface Bar {
  /** It holds the values above this, up to the next: µs. */
  from_us: number;
  to_us: number;
  spans: number;
  exemplars: Exemplar[];
}

export interface Histogram extends Provenance {
  quantiles: number[];
  total: Tally | null;
  bars: Bar[];
}

export interface Column {
  bar: Bar;
  /** Shares of the width, from the left, and of the height. */
  left: number;
  width: number;
  height: number;
}

export interface Mark {
  at: number;
  us: number;
}

export interface Layout {
  columns: Column[];
  ticks: Mark[];
  /** By quantile; null where nothing was measured. A row of their names for each, so that neighbours do not touch. */
  markers: ({ row: number; at: number } | null)[];
}

/** Bars that hold 0 stand apart, in this share of the width. */
const ZERO_SHARE = 0.03;
const NAMES_TOUCH = 0.09;
/** The axis spans at least this factor, or the bar of an app's first span would fill the whole chart. */
const LEAST_SPAN = 8;
const STEPS = [1, 2, 5];
const MOST_TICKS = 9;

/** Lays an answer out; nothing of it depends on how wide the chart is in the end. */
export function layout({ bars, total }: Pick<Histogram, "bars" | "total">): Layout {
  const counted = bars.filter((bar) => bar.from_us > 0);
  const zero = bars.find((bar) => bar.from_us === 0);
  const [first, last] = [counted[0], counted.at(-1)];
  const left = zero ? ZERO_SHARE + 0.02 : 0;
  const [from, to] = [first?.from_us ?? 1, last?.to_us ?? 10];
  const wider = Math.sqrt(Math.max(1, LEAST_SPAN / (to / from)));
  const [low, high] = [Math.log(from / wider), Math.log(to * wider)];
  const place = (us: number): number => (us <= 0 ? ZERO_SHARE / 2 : left + ((Math.log(us) - low) / (high - low)) * (1 - left));
  const most = Math.max(1, ...bars.map((bar) => bar.spans));
  const columns = bars.map((bar) => {
    const start = bar === zero ? 0 : place(bar.from_us);
    const width = bar === zero ? ZERO_SHARE : place(bar.to_us) - start;
    return { bar, left: start, width, height: bar.spans / most };
  });
  const ticks = [...(zero ? [{ us: 0, at: ZERO_SHARE / 2 }] : []), ...(first ? rounds(from / wider, to * wider) : []).map((us) => ({ us, at: place(us) }))];
  return { columns, ticks, markers: markers(total?.quantiles ?? [], place) };
}

/** Round numbers of the range: 1, 2 and 5 of each power of ten, or so few of the powers that they do not crowd. */
export function rounds(low: number, high: number): number[] {
  const powers: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) powers.push(10 ** power);
  const within = (values: number[]): number[] => values.filter((value) => value >= low && value <= high);
  for (const steps of [STEPS, [1]]) {
    const found = within(powers.flatMap((power) => steps.map((step) => step * power)));
    if (found.length <= MOST_TICKS) return found;
  }
  return within(powers).filter((_, index) => index % 2 === 0);
}

function markers(quantiles: (number | null)[], place: (us: number) => number): Layout["markers"] {
  const ends: number[] = [];
  return quantiles.map((us) => {
    if (us === null) return null;
    const at = Math.min(1, Math.max(0, place(us)));
    let row = ends.findIndex((end) => at - end >= NAMES_TOUCH);
    if (row < 0) row = ends.length;
    ends[row] = at;
    return { row, at };
  });
}

/** The bar that a value falls into, the nearest one where that is empty; -1 when there is none. */
export function barOf(bars: readonly Bar[], us: number | null | undefined): number {
  if (us === null || us === undefined) return bars.length - 1;
  const found = bars.findIndex((bar) => us <= bar.to_us);
  return found < 0 ? bars.length - 1 : found;
}
