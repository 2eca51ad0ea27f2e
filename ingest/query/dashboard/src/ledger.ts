/** The ledger's answer, and how the page lays it out: what became of received spans, on an unbroken grid of whole hours. */

export interface Sums {
  received: number;
  /** Outcome → spans; together they are `received`. */
  outcomes: Record<string, number>;
  /** Reason → spans that clients say they dropped. Beside the ledger, not in it. */
  client: Record<string, number>;
  /** Note → spans. */
  noted: Record<string, number>;
}

export interface Ledger {
  hours: ({ hour: string } & Sums)[];
  total: Sums;
  /** In every hour, received is the sum of the outcomes. */
  closed: boolean;
}

/** The ends that are told apart in the picture; the table has each reason. */
export const ENDS = ["kept", "counted_only", "counted_no_consent", "not_sampled", "duplicate", "rejected"] as const;
export type End = (typeof ENDS)[number];

export interface LedgerBin {
  from: Date;
  to: Date;
  received: number;
  ends: Record<End, number>;
}

const HOUR_MS = 3_600_000;
const MOST_BINS = 96;

/** Which end an outcome belongs to; one that this page does not know yet is none, and shows as a gap. */
export function endOf(outcome: string): End | undefined {
  return outcome.startsWith("rejected:") ? "rejected" : ENDS.find((end) => end === outcome);
}

/** Spans of all entries together. */
export function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((all, each) => all + each, 0);
}

/** Received spans that have no outcome, or outcomes of spans never received: 0 when the ledger closes. */
export function gap({ received, outcomes }: Sums): number {
  return received - sum(outcomes);
}

function noEnds(): Record<End, number> {
  return Object.fromEntries(ENDS.map((end) => [end, 0])) as Record<End, number>;
}

/** The ends of a sum. */
export function endsOf(outcomes: Record<string, number>): Record<End, number> {
  const ends = noEnds();
  for (const [outcome, spans] of Object.entries(outcomes)) {
    const end = endOf(outcome);
    if (end) ends[end] += spans;
  }
  return ends;
}

/** Bins of whole hours from start to end, at most 96. */
export function ledgerBins({ hours }: Ledger, start: Date, end: Date): LedgerBin[] {
  const first = Math.floor(start.getTime() / HOUR_MS) * HOUR_MS;
  const last = Math.ceil(end.getTime() / HOUR_MS) * HOUR_MS;
  const width = Math.max(1, Math.ceil((last - first) / HOUR_MS / MOST_BINS)) * HOUR_MS;
  const bins: LedgerBin[] = [];
  for (let at = first; at < last; at += width) {
    bins.push({ from: new Date(at), to: new Date(Math.min(at + width, last)), received: 0, ends: noEnds() });
  }
  for (const { hour, received, outcomes } of hours) {
    const bin = bins[Math.floor((Date.parse(hour) - first) / width)];
    if (bin === undefined) continue;
    bin.received += received;
    for (const [end, spans] of Object.entries(endsOf(outcomes))) bin.ends[end as End] += spans;
  }
  return bins;
}

/** Entries that hold spans, most first. */
export function largest(counts: Record<string, number>): [name: string, spans: number][] {
  return Object.entries(counts)
    .filter(([, spans]) => spans > 0)
    .sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1));
}
