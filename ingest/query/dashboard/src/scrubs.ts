/** What was scrubbed, as the page shows it: rules by size, each with its finds over time on an unbroken grid. */

import type { Privacy } from "./api.ts";

export interface Bin {
  from: Date;
  to: Date;
  finds: number;
}

export interface RuleFinds {
  /** Empty for all rules together. */
  rule: string;
  finds: number;
  bins: Bin[];
}

const HOUR_MS = 3_600_000;
const MOST_BINS = 48;

/** All rules together, then each rule that found something, most finds first. */
export function ruleFinds({ from, to, hours, total }: Privacy): RuleFinds[] {
  const start = Date.parse(from);
  const end = Date.parse(to);
  const width = Math.max(1, Math.ceil((end - start) / HOUR_MS / MOST_BINS)) * HOUR_MS;
  const bins = (pick: (finds: Record<string, number>) => number): Bin[] => {
    const counted: Bin[] = [];
    for (let at = start; at < end; at += width) {
      counted.push({ from: new Date(at), to: new Date(Math.min(at + width, end)), finds: 0 });
    }
    for (const { hour, finds } of hours) {
      const bin = counted[Math.floor((Date.parse(hour) - start) / width)];
      if (bin) bin.finds += pick(finds);
    }
    return counted;
  };
  const rules = Object.entries(total.finds)
    .filter(([, finds]) => finds > 0)
    .sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1))
    .map(([rule, finds]) => ({ rule, finds, bins: bins((of) => of[rule] ?? 0) }));
  const sum = (finds: Record<string, number>): number => Object.values(finds).reduce((all, each) => all + each, 0);
  return [{ rule: "", finds: sum(total.finds), bins: bins(sum) }, ...rules];
}
