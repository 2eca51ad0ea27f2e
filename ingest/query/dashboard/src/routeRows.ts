/** Routes as their table lists them: found by text, in the order that is asked for. */

import type { RouteRow } from "./api.ts";
import type { RouteSort } from "./view.ts";

const KEYS: Record<RouteSort, (row: RouteRow) => number> = {
  impact: (row) => row.impact,
  spans: (row) => row.spans,
  errors: (row) => (row.spans > 0 ? row.errors / row.spans : 0),
  slowest: (row) => row.us ?? -1,
};

/** The rows that hold every word of a text, greatest first; equal ones stay as the server ranked them. */
export function arrange(rows: readonly RouteRow[], sort: RouteSort, text: string): RouteRow[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = rows.filter(({ route }) => words.every((word) => route.toLowerCase().includes(word)));
  return found.sort((one, other) => KEYS[sort](other) - KEYS[sort](one));
}

/** A line of figures as the `d` of an SVG path, from 0 at the bottom; gaps where there is none, a dot for a lone figure. */
export function linePath(values: readonly (number | null)[], width: number, height: number): string {
  const most = Math.max(...values.map((value) => value ?? 0));
  const across = width / Math.max(values.length - 1, 1);
  const place = (value: number, index: number): string =>
    `${(index * across).toFixed(1)} ${(height - (most > 0 ? value / most : 0) * height).toFixed(1)}`;
  return values
    .map((value, index) => {
      if (value === null) return "";
      if (typeof values[index - 1] === "number") return `L${place(value, index)}`;
      return typeof values[index + 1] === "number" ? `M${place(value, index)}` : `M${place(value, index)}h.01`;
    })
    .join("");
}
