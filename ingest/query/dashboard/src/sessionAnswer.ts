/** What the calls about sessions answer; the contract is `ingest/query/breakdowns.md`. */

import type { PhaseState, Suppressed } from "./api.ts";
import type { Phase, Signal } from "./view.ts";

interface Who {
  version: string | null;
  country: string | null;
  device_class: string;
  network: string | null;
  os: string | null;
}

export interface SessionRow extends Who {
  session: string;
  first_at: string;
  last_at: string;
  spans: number;
  errors: number;
  traces: number;
  slowest_name: string | null;
  slowest_us: number | null;
}

export interface Sessions {
  sessions: SessionRow[];
  suppressed: Suppressed;
}

export interface SessionSpan extends Who {
  trace_id: string;
  span_id: string;
  signal: Signal;
  name: string;
  route: string | null;
  screen: string | null;
  failed: boolean;
  http_status: number | null;
  error_type: string | null;
  start_at: string;
  /** From the session's start. */
  start_us: number;
  /** How far the start may be off, either way; null: nothing bounds it. */
  err_us: number | null;
  clock: number;
  duration_us: number;
  phases: Partial<Record<Phase, PhaseState>>;
}

export interface Session {
  session: string;
  start_at: string;
  duration_us: number;
  counts: { spans: number; errors: number; traces: number; more: boolean; signals: Partial<Record<Signal, number>> };
  clocks: { clock: number; spans: number; grade: string; err_us: number | null; conflict: boolean }[];
  spans: SessionSpan[];
  next: string | null;
}
