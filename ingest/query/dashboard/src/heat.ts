/** A grid of groups laid out: rows, columns by facet, and how each cell stands against the whole. Pure. */

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

/** How a cell stands against the whole: −1 where it takes a third of it or less, 0 as long, 1 three times as long or longer. */
export function heat(us: number | null, wholeUs: number | null): number {
  if (!us || !wholeUs) return 0;
  return Math.min(1, Math.max(-1, Math.log(us / wholeUs) / Math.log(FULL_FACTOR)));
}

/** A factor in words: `2.4 ×`, `about the same`. */
export function factorName(us: number | null, wholeUs: number | null): string {
  if (!us || !wholeUs) return "";
  const factor = us / wholeUs;
  return factor > 0.95 && factor < 1.05 ? "about as long as the whole" : `${factor.toPrecision(2)} × the whole`;
}
