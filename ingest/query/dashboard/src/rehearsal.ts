/** Lays the dry run of a rule out: lines, gaps, bound and firings as shares of width and height. */

import type { Group, Rehearsal } from "./alerts.ts";
import { groupText } from "./alerts.ts";

export interface Line {
  group: Group;
  /** Runs of windows that have a value: time and value as shares. */
  paths: [number, number][][];
  /** Windows that have a value and no neighbour that has one. */
  dots: [number, number][];
  /** Null where it differs by window. */
  bound: number | null;
  bands: { from: number; to: number }[];
  /** The value at the top. */
  most: number;
}

const ROOM = 1.08;

/** The lines of a dry run, each on a scale of its own that holds the bound. */
export function linesOf(found: Rehearsal): Line[] {
  const [start, end] = [Date.parse(found.from), Date.parse(found.to)];
  const x = (at: string): number => (Date.parse(at) - start) / Math.max(end - start, 1);
  return found.lines.map(({ group, windows }) => {
    const values = windows.flatMap(({ value }) => (value === null ? [] : [value]));
    const most = Math.max(found.bound ?? 0, ...values, Number.MIN_VALUE) * ROOM;
    const runs: [number, number][][] = [[]];
    for (const { at, value } of windows) {
      if (value === null) runs.push([]);
      else runs.at(-1)?.push([x(at), Math.max(value, 0) / most]);
    }
    const own = found.firings.filter((each) => groupText(each.group) === groupText(group));
    return {
      group,
      paths: runs.filter(({ length }) => length > 1),
      dots: runs.filter(({ length }) => length === 1).flat(),
      bound: found.bound === null ? null : found.bound / most,
      bands: own.map((each) => ({ from: Math.max(x(each.started_at), 0), to: each.ended_at ? x(each.ended_at) : 1 })),
      most,
    };
  });
}
