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

/** Where what is known begins, in ms since 1970: before that a line would be empty. */
export function startOf(found: Rehearsal): number {
  const known = found.lines.flatMap(({ windows }) => windows.find(({ value }) => value !== null)?.at ?? []);
  return Math.min(...known.map((at) => Date.parse(at)), Date.parse(found.to));
}

/** Windows since then that tell nothing, of the groups shown. */
export function undecidedIn(found: Rehearsal): number {
  const start = startOf(found);
  return found.lines.flatMap(({ windows }) => windows).filter(({ at, verdict }) => verdict === "undecided" && Date.parse(at) >= start).length;
}

/** The lines of a dry run, each on a scale of its own that holds the bound. */
export function linesOf(found: Rehearsal): Line[] {
  const [start, end] = [startOf(found), Date.parse(found.to)];
  const x = (at: string): number => (Date.parse(at) - start) / Math.max(end - start, 1);
  return found.lines.map(({ group, windows }) => {
    const values = windows.flatMap(({ value }) => (value === null ? [] : [value]));
    const most = Math.max(found.bound ?? 0, ...values, Number.MIN_VALUE) * ROOM;
    const runs: [number, number][][] = [[]];
    for (const { at, value } of windows) {
      if (Date.parse(at) < start) continue;
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
