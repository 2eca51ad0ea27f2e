/** The trend's figures as the chart wants them: one row per quantity, one column per bucket, gaps where nothing came. */

import type { Latency, Tally } from "./api.ts";

export interface Series {
  /** Start of every bucket, seconds since 1970; buckets without spans included. */
  at: number[];
  spans: (number | null)[];
  errors: (number | null)[];
  /** By quantile, then bucket; microseconds. */
  quantiles: (number | null)[][];
}

const MOST_BUCKETS = 2000;

/** The first group of an answer on an unbroken grid of buckets. */
export function series(latency: Latency): Series {
  const step = latency.step_s;
  const tallies = new Map<number, Tally>();
  for (const point of latency.groups[0]?.points ?? []) tallies.set(Date.parse(point.at) / 1000, point);
  const known = [...tallies.keys()];
  const first = Math.min(Math.floor(Date.parse(latency.from) / 1000 / step) * step, ...known);
  const last = Math.max(Math.ceil(Date.parse(latency.to) / 1000 / step) * step - step, ...known);
  const at: number[] = [];
  for (let time = first; time <= last && at.length < MOST_BUCKETS; time += step) at.push(time);
  const row = (pick: (tally: Tally) => number | null | undefined): (number | null)[] =>
    at.map((time) => {
      const tally = tallies.get(time);
      return (tally && pick(tally)) ?? null;
    });
  return {
    at,
    spans: row((tally) => tally.spans),
    errors: row((tally) => tally.errors),
    quantiles: latency.quantiles.map((_, index) => row((tally) => tally.quantiles[index])),
  };
}

/** The buckets of a line whose neighbours are empty: without a dot of their own they would not be seen. */
export function lonely(line: readonly (number | null | undefined)[]): number[] {
  const empty = (index: number): boolean => line[index] === null || line[index] === undefined;
  return line.flatMap((_, index) => (!empty(index) && empty(index - 1) && empty(index + 1) ? [index] : []));
}
