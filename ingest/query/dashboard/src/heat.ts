/** A grid of groups laid out: rows, columns by facet, and how each cell stands against the one in the middle. Pure. */

import type { Interval, Provenance } from "./api.ts";

export interface HeatCell {
  y: string;
  x: string;
  facet: string | null;
  spans: number;
  errors: number;
  measured: number;
  us: number | null;
  interval?: Interval | null;
}

export interface Axis {
  value: string;
  spans: number;
}

/** What `GET /api/v1/heatmap` answers. */
export interface Heatmap extends Provenance {
  quantile: number;
  rows: Axis[];
  columns: Axis[];
  facets: Axis[];
  whole_us: number | null;
  cells: HeatCell[];
}

/** Classes of devices have an order of their own; what is not among these comes last. */
const CLASSES = ["low", "mid", "high"];

/** Values of the columns, from the least capable device to the most. */
export function inOrder(columns: readonly Axis[]): string[] {
  const place = (value: string): number => (CLASSES.includes(value) ? CLASSES.indexOf(value) : CLASSES.length);
  return columns.map(({ value }) => value).sort((one, two) => place(one) - place(two));
}

/** Finds the cell of a place in the grid; undefined: nobody is there, or too few to be shown. */
export function cellsByPlace(cells: readonly HeatCell[]): (y: string, x: string, facet: string) => HeatCell | undefined {
  const key = (...place: string[]): string => JSON.stringify(place);
  const found = new Map(cells.map((cell) => [key(cell.y, cell.x, cell.facet ?? ""), cell]));
  return (y, x, facet) => found.get(key(y, x, facet));
}

/** The factor from which on a cell has the full colour. */
export const FULL_FACTOR = 3;

/** The figure of the group in the middle: half of the spans are in groups that are slower. Null without any. */
export function middle(cells: readonly HeatCell[]): number | null {
  const measured = cells.filter(({ us }) => us !== null).sort((one, two) => (one.us ?? 0) - (two.us ?? 0));
  const half = measured.reduce((sum, { spans }) => sum + spans, 0) / 2;
  let before = 0;
  return measured.find(({ spans }) => (before += spans) >= half)?.us ?? null;
}

/** How a cell stands against the middle: −1 at a third of it or less, 0 at the same, 1 at three times as much or more. */
export function heat(us: number | null, middleUs: number | null): number {
  if (!us || !middleUs) return 0;
  return Math.min(1, Math.max(-1, Math.log(us / middleUs) / Math.log(FULL_FACTOR)));
}

/** A factor in words: `2.4 × the middle`. */
export function factorName(us: number | null, middleUs: number | null): string {
  if (!us || !middleUs) return "";
  const factor = us / middleUs;
  return factor > 0.95 && factor < 1.05 ? "about the middle" : `${factor.toPrecision(2)} × the middle`;
}
