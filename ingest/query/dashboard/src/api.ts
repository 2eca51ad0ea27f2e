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
  /** With estimated answers: the 95 % interval of each quantile, and of the counts. */
  intervals?: (Interval | null)[];
  spans_interval?: Interval;
  errors_interval?: Interval;
}

/** Low and high; no high where no sample bounds it. */
export type Interval = [number, number | null];

/** How the figures of an answer came about. */
export interface Provenance {
  exact: boolean;
  /** `incomplete` when `hidden_spans` might belong to it. */
  basis: "exact" | "estimated" | "incomplete";
  /** `view:…` when sketches answered, `samples` when weighted samples did. */
  source: string;
  truncated: boolean;
  /** Spans counted under `{other}` of which some might have passed the filters; of `samples`: for which none stands. */
  hidden_spans: number;
  /** Spans that stand for others, which their clients did not send. */
  weighted_spans: number;
  /** Largest error of a percentile from sketches. */
  relative_error: number;
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
  /** What a request spends on it on average, those in which it was reused included; such means add up. */
  mean_us: number | null;
  interval?: Interval | null;
  measured: number;
  reused: number;
  unknown: number;
}

/** A part of the time to first byte. */
export interface FirstBytePart {
  us: number | null;
  interval: Interval;
  mean_us: number | null;
}

/** The time to first byte by network and server, estimated from the sampled requests whose server is known. */
export interface FirstByteSplit {
  sampled: number;
  /** Share of the requests with a time to first byte for which they stand. */
  coverage: number;
  contradictory: number;
  network: FirstBytePart;
  server: FirstBytePart;
}

export interface Phases extends Provenance {
  ttfb: FirstByteSplit | null;
  quantile: number;
  groups: { group: Record<string, string>; spans: number; phases: PhaseShare[] }[];
}

export interface RouteRow {
  route: string;
  spans: number;
  errors: number;
  us: number | null;
  interval?: Interval | null;
  impact: number;
  /** The quantile step by step. */
  line_us?: (number | null)[];
}

export interface Routes extends Provenance {
  quantile: number;
  target_ms: number;
  /** Where lines begin, and how wide their steps are. */
  line?: { from: string; step_s: number };
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
  values: { value: string | null; spans: number; errors: number; us?: number | null; interval?: Interval | null }[];
}

export interface TraceRow {
  trace_id: string;
  name: string;
  route: string | null;
  start_at: string;
  duration_us: number;
  /** Of clients, as `errors`. */
  spans: number;
  errors: number;
  backend_spans: number;
  /** It had no room for some of its spans. */
  oversized: boolean;
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

/** A span's place on the trace's line of time. */
export interface Line {
  start_us: number;
  /** From the start that was stored. */
  shift_us: number;
  /** How far its start may be off, either way; null: nothing bounds it. */
  err_us: number | null;
  /** 0: a backend's, which moves not. */
  clock: number;
}

/** TTFB split into network and server. */
export interface FirstByte {
  state: "measured" | "unknown" | "contradictory";
  network_us: number | null;
  server_us: number | null;
  server_span_id: string | null;
}

export interface Span {
  span_id: string;
  parent_span_id: string | null;
  name: string;
  route: string | null;
  kind: string;
  status: string;
  origin: "client" | "backend";
  start_at: string;
  duration_us: number;
  phases: Partial<Record<Phase, PhaseState>>;
  attributes: Record<string, unknown>;
  resource: Record<string, unknown>;
  events: { name: string; offset_us: number }[];
  links: { trace_id: string; span_id: string; kind: string }[];
  /** Spans it stands for; 0: others do already. */
  weight?: number;
  inclusion_probability?: number | null;
  line: Line;
  first_byte: FirstByte | null;
  /** How many spans hang on it, shown or not. */
  children: number;
  /** Why it hangs on no other: `root`, `orphan`, `cycle`. */
  top: string | null;
  [column: string]: unknown;
}

/** Siblings with one name and route, folded. */
export interface Group {
  /** Id of the earliest of them. */
  like: string;
  parent_span_id: string | null;
  name: string;
  route: string | null;
  spans: number;
  errors: number;
  total_us: number;
  min_us: number;
  max_us: number;
  p95_us: number;
  start_us: number;
  end_us: number;
}

export interface Clock {
  clock: number;
  spans: number;
  grade: string;
  err_before_us: number | null;
  err_after_us: number | null;
  shift_us: number;
  conflict: boolean;
  tightened_by: string[];
}

export interface TraceLink {
  /** The span that points. */
  span_id: string;
  name: string;
  kind: string;
  trace_id: string;
  linked_span_id: string | null;
  external_url: string | null;
}

/** Some of a trace's spans; `next` is where the rest begins. */
export interface SpanPage {
  spans: Span[];
  groups: Group[];
  next: string | null;
}

/** Time of their own that spans alike have on the critical path. */
export interface PathShare {
  name: string;
  route: string | null;
  service: string | null;
  spans: number;
  us: number;
  /** Id of the one that has the most. */
  longest: string;
}

/** The spans that claim one id, and what points at them. */
export interface OneSpan {
  spans: Span[];
  linked_from: { links: TraceLink[]; more: boolean };
}

export interface Trace extends SpanPage {
  trace_id: string;
  external_url: string | null;
  duration_us: number;
  counts: { spans: number; stored: number; dropped: number; backend: number; errors: number };
  senders: { service: string | null; origin: "client" | "backend"; spans: number }[];
  /** Of too many pieces the longest. */
  critical_path: { root: string; duration_us: number; pieces: { span_id: string; start_us: number; duration_us: number }[]; shares: PathShare[]; other_shares_us: number };
  /** Ids of failed spans, the first 50. */
  errors: string[];
  clocks: Clock[];
  links: { links: TraceLink[]; more: boolean };
  linked_from: { links: TraceLink[]; more: boolean };
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

/** Who asks: the token, if there is one, and the sign that no other site's page sends this (`ingest/query/access.md`). */
function asker(): Record<string, string> {
  const held = token();
  return held ? { Authorization: `Bearer ${held}`, "X-Firsthop": "1" } : { "X-Firsthop": "1" };
}

/**
 * The answer to one call.
 * @throws ApiError when there is none.
 */
export async function call<T>(path: string, init: RequestInit): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, { ...init, headers: { ...init.headers, ...asker() } });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw new ApiError(0, "unreachable", "The query server does not answer. Is it running, and is this machine online?");
  }
  const body: unknown = await answer.json().catch(() => null);
  if (answer.ok && body !== null) return body as T;
  const { error = "unreadable", message = `The query server answered ${answer.status} without saying why.` } =
    (body as { error?: string; message?: string } | null) ?? {};
  throw new ApiError(answer.status, error, message);
}

/** The answer to one GET; the browser keeps it, and asks whether it still holds. */
export async function ask<T>(path: string, signal: AbortSignal): Promise<T> {
  return call<T>(path, { signal, cache: "no-cache" });
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
    ask<T>(path, abort.signal).then(
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
