/** What `GET /api/v1/compare` answers; the contract is `ingest/query/breakdowns.md`. */

import type { Provenance } from "./api.ts";
import type { Dimension, Phase } from "./view.ts";

/** A figure and its 95 % interval; null: nothing was measured, or nothing bounds it. */
export interface Bounded {
  value: number | null;
  interval: [number | null, number | null];
}

/** b − a. */
export interface Difference extends Bounded {
  significant: boolean;
}

export interface ComparedSide extends Provenance {
  from: string;
  to: string;
  filters: Partial<Record<Dimension | "route" | "os", string[]>>;
  spans: number;
  errors: number;
  /** Independent spans that they are worth. */
  effective_spans: number;
  error_rate: Bounded;
  mean_us: Bounded;
  quantiles: Bounded[];
}

export interface PhaseOfSide {
  us: Bounded;
  mean_us: Bounded;
  measured: number;
  reused: number;
  unknown: number;
}

export interface ComparedPhase {
  phase: Phase;
  a: PhaseOfSide;
  b: PhaseOfSide;
  us: Difference;
  mean_us: Difference;
  reused_share: Difference;
  unknown_share: Difference;
}

export interface Comparison {
  quantiles: number[];
  at: number;
  a: ComparedSide;
  b: ComparedSide;
  difference: { us: Difference; mean_us: Difference; error_rate: Difference };
  phases: ComparedPhase[];
  rest: { a_us: number | null; b_us: number | null; us: number | null };
}
