/** The query API as the page uses it; the contract is `ingest/query/README.md`. */

import { useEffect, useRef, useState } from "react";
import { token, useToken } from "./token.ts";
import type { Phase } from "./view.ts";

export interface App {
  id: number;
  name: string;
  client_key: string | null;
}

export interface Tally {
  spans: number;
  errors: number;
  measured: number;
  reused: number;
  unknown: number;
  quantiles: (number | null)[];
  /** With estimated answers: the 95 % interval of each quantile. */
  intervals?: ([number, number] | null)[];
}

/** How the figures of an answer came about. */
export interface Provenance {
  exact: boolean;
  /** `view:…` when sketches answered, `samples` when weighted samples did. */
  source: string;
  truncated: boolean;
  /** Spans counted under `{other}` of which some might have passed the filters. */
  hidden_spans: number;
  suppressed?: Suppressed;
}

/** What is not shown because fewer than so many distinct sessions are in it, or because it would give those away. */
export interface Suppressed {
  least_sessions: number;
  groups: number;
  points: number;
}

export interface Latency extends Provenance {
  from: string;
  to: string;
  step_s: number;
  quantiles: number[];
  groups: { group: Record<string, string>; total: Tally; points: (Tally & { at: string })[] }[];
}

export interface PhaseShare {
  phase: Phase;
  us: number | null;
  measured: number;
  reused: number;
  unknown: number;
}

export interface Phases extends Provenance {
  quantile: number;
  groups: { group: Record<string, string>; spans: number; phases: PhaseShare[] }[];
}

export interface RouteRow {
  route: string;
  spans: number;
  errors: number;
  us: number | null;
  impact: number;
}

export interface Routes extends Provenance {
  quantile: number;
  target_ms: number;
  routes: RouteRow[];
}

export interface Scrubs {
  /** Rule → how often it replaced something. */
  finds: Record<string, number>;
  /** Spans. */
  received: number;
  outcomes: { counted_no_consent: number; "rejected:no_consent": number };
}

export interface Privacy {
  /** Whole hours. */
  from: string;
  to: string;
  hours: ({ hour: string } & Scrubs)[];
  total: Scrubs;
  policy: { version: number; source: "app" | "every_app" | "built_in"; since: string | null; text: string | null };
  least_sessions: number;
}

export interface Values extends Provenance {
  values: { value: string | null; spans: number }[];
}

export interface TraceRow {
  trace_id: string;
  name: string;
  route: string | null;
  start_at: string;
  duration_us: number;
  spans: number;
  errors: number;
  version: string | null;
  country: string | null;
  device_class: string;
}

export interface Traces {
  traces: TraceRow[];
  suppressed?: Suppressed;
}

export interface PhaseState {
  state: "measured" | "reused" | "unknown";
  us?: number | null;
}

export interface Span {
  span_id: string;
  parent_span_id: string | null;
  name: string;
  kind: string;
  status: string;
  start_at: string;
  duration_us: number;
  phases: Partial<Record<Phase, PhaseState>>;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
  events: { name: string; offset_us: number }[];
  links: { trace_id: string; span_id: string }[];
  [column: string]: unknown;
}

export interface Trace {
  trace_id: string;
  spans: Span[];
}

/** A call that did not work. `status` is 0 when no answer came at all. */
export class ApiError extends Error {
  readonly status: number;
  readonly reason: string;

  constructor(status: number, reason: string, message: string) {
    super(message);
    this.status = status;
    this.reason = reason;
  }
}

async function call<T>(path: string, signal: AbortSignal): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, { signal, headers: { Authorization: `Bearer ${token() ?? ""}` }, cache: "no-store" });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(0, "unreachable", "The query server does not answer. Is it running, and is this machine online?");
  }
  const body: unknown = await answer.json().catch(() => null);
  if (answer.ok && body !== null) return body as T;
  const { error = "unreadable", message = `The query server answered ${answer.status} without saying why.` } =
    (body as { error?: string; message?: string } | null) ?? {};
  throw new ApiError(answer.status, error, message);
}

export interface Answer<T> {
  data: T | undefined;
  error: ApiError | undefined;
  loading: boolean;
}

/**
 * The answer to a GET, fetched again when the path, the token or `turn` changes. While a new answer is on its way the last
 * one stays, so that nothing flickers; an old answer never overtakes a newer one. No path, no call.
 */
export function useAnswer<T>(path: string | null, turn: number): Answer<T> {
  const held = useToken();
  const [answer, setAnswer] = useState<Answer<T>>({ data: undefined, error: undefined, loading: path !== null });
  const shown = useRef<string | null>(null);
  useEffect(() => {
    if (path === null) {
      setAnswer({ data: undefined, error: undefined, loading: false });
      return undefined;
    }
    const abort = new AbortController();
    const sameQuestion = shown.current === path;
    setAnswer((last) => ({ ...last, loading: !sameQuestion || last.data === undefined }));
    call<T>(path, abort.signal).then(
      (data) => {
        shown.current = path;
        setAnswer({ data, error: undefined, loading: false });
      },
      (error: unknown) => {
        if (abort.signal.aborted) return;
        if (!(error instanceof ApiError)) throw error;
        setAnswer((last) => ({ data: sameQuestion ? last.data : undefined, error, loading: false }));
      },
    );
    return () => abort.abort();
  }, [path, held, turn]);
  return answer;
}
