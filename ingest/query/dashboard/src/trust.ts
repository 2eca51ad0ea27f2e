/** Whether an app's figures can be trusted, and if not, why not: the ledger and what is known beside it, in a few sentences. */

import type { Provenance } from "./api.ts";
import type { Ledger } from "./ledger.ts";
import { gap, largest, sum } from "./ledger.ts";
import { DROPS, isMeant, OUTCOMES } from "./outcomeWords.ts";
import { formatAgo, formatCount, formatShare } from "./units.ts";

/** `none`: there is nothing to trust yet. */
export type Level = "good" | "care" | "bad" | "none";

export interface Doubt {
  level: "care" | "bad";
  text: string;
  /** Id of the panel that says more. */
  panel: string;
}

export interface Verdict {
  level: Level;
  doubts: Doubt[];
}

/** Shares from which a figure is in doubt, and from which it is wrong. */
const REFUSED = { care: 0.005, bad: 0.05 };
const LOST = { care: 0.01, bad: 0.1 };
const UNCOUNTED_SKETCHES = { care: 0.01, bad: 0.1 };
const UNANCHORED = 0.2;
const SENT_AGAIN = 0.05;
const STALE_MS = 15 * 60_000;
/** Of a percentile, where only our own sketches are added up. */
const USUAL_ERROR = 0.01;

const REFUSED_AS_MEANT = "rejected:no_consent";

function level(share: number, { care, bad }: { care: number; bad: number }): Doubt["level"] | undefined {
  if (share >= bad) return "bad";
  return share >= care ? "care" : undefined;
}

/** What was refused although somebody meant it to be counted: reason → spans. */
export function refusedAmiss(outcomes: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(outcomes).filter(([name]) => name.startsWith("rejected:") && name !== REFUSED_AS_MEANT));
}

/** What clients dropped although nobody meant them to: reason → spans. */
export function lostByClients(client: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(client).filter(([reason]) => !isMeant(reason)));
}

function refused({ total }: Ledger): Doubt[] {
  const amiss = refusedAmiss(total.outcomes);
  const spans = sum(amiss);
  const found = level(spans / total.received, REFUSED);
  if (found === undefined) return [];
  const [first = ""] = largest(amiss)[0] ?? [];
  const text = `${formatShare(spans, total.received)} of what arrived was refused and is in no figure, most of it as “${(OUTCOMES[first]?.name ?? first).toLowerCase()}”.`;
  return [{ level: found, text, panel: "ledger" }];
}

function lost({ total }: Ledger): Doubt[] {
  const amiss = lostByClients(total.client);
  const spans = sum(amiss);
  const all = total.received + spans;
  const found = level(spans / all, LOST);
  if (found === undefined) return [];
  const [first = ""] = largest(amiss)[0] ?? [];
  const text = `Clients say that they lost ${formatShare(spans, all)} before it arrived, most of it as “${(DROPS[first]?.name ?? first).toLowerCase()}”.`;
  return [{ level: found, text, panel: "drops" }];
}

function sketches({ total: { noted } }: Ledger): Doubt[] {
  const uncounted = (noted.sketch_future ?? 0) + (noted.sketch_too_old ?? 0);
  const all = uncounted + (noted.sketched ?? 0);
  const found = all > 0 ? level(uncounted / all, UNCOUNTED_SKETCHES) : undefined;
  return found ? [{ level: found, text: `${formatShare(uncounted, all)} of the spans in clients’ sketches is not counted, for their time.`, panel: "notes" }] : [];
}

function clocks({ total: { noted } }: Ledger): Doubt[] {
  const grades = ["a", "b", "c", "d", "e", "f"].map((grade) => noted[`clock_${grade}`] ?? 0);
  const all = grades.reduce((more, each) => more + each, 0);
  const unanchored = grades.slice(3).reduce((more, each) => more + each, 0);
  if (all === 0 || unanchored / all < UNANCHORED) return [];
  const text = `When ${formatShare(unanchored, all)} of the spans began is not anchored to the server’s clock. Their durations are right; what happened when may not be.`;
  return [{ level: "care", text, panel: "clocks" }];
}

function sentAgain({ total }: Ledger): Doubt[] {
  const duplicates = total.outcomes.duplicate ?? 0;
  if (duplicates === 0 || duplicates / total.received < SENT_AGAIN) return [];
  const text = `${formatShare(duplicates, total.received)} of what arrived had arrived before. It is counted once; the answers to clients get lost.`;
  return [{ level: "care", text, panel: "ledger" }];
}

function estimates({ weighted_spans: weighted, relative_error: error }: Provenance): Doubt[] {
  const doubts: Doubt[] = [];
  if (weighted > 0) {
    const text = `${formatCount(weighted)} spans stand for others that their clients sampled away: counts and percentiles are estimates.`;
    doubts.push({ level: "care", text, panel: "notes" });
  }
  if (error > USUAL_ERROR * 1.001) {
    const text = `Percentiles are within ${Number((error * 100).toPrecision(2))} % rather than 1 %: clients’ sketches have other buckets.`;
    doubts.push({ level: "care", text, panel: "notes" });
  }
  return doubts;
}

function fresh(newest: string | null, now: Date): Doubt[] {
  if (newest === null || now.getTime() - Date.parse(newest) < STALE_MS) return [];
  return [{ level: "care", text: `The newest figures are from ${formatAgo(new Date(newest), now)}: nothing has been counted since.`, panel: "ledger" }];
}

export interface Evidence {
  ledger: Ledger;
  /** Of a question about all requests of the range; not here yet, or held back: undefined. */
  provenance: Provenance | undefined;
  newest: string | null;
  /** The range ends now, so that old data is news. */
  untilNow: boolean;
}

/** The verdict, the worst doubts first. */
export function verdict({ ledger, provenance, newest, untilNow }: Evidence, now: Date = new Date()): Verdict {
  const { total, closed, hours } = ledger;
  if (total.received + (total.noted.sketched ?? 0) === 0) return { level: "none", doubts: untilNow ? fresh(newest, now) : [] };
  const doubts = [
    ...refused(ledger),
    ...lost(ledger),
    ...sketches(ledger),
    ...sentAgain(ledger),
    ...clocks(ledger),
    ...(provenance ? estimates(provenance) : []),
    ...(untilNow ? fresh(newest, now) : []),
  ];
  if (!closed) {
    const astray = hours.reduce((all, hour) => all + Math.abs(gap(hour)), 0);
    const text = `The ledger does not close: ${formatCount(astray)} spans have no end, or more than one. That is a fault of the server; please report it.`;
    doubts.unshift({ level: "bad", text, panel: "ledger" });
  }
  doubts.sort((a, b) => Number(b.level === "bad") - Number(a.level === "bad"));
  return { level: doubts[0]?.level ?? "good", doubts };
}
