/** Column JSON (`WIRE.md`), byte for byte as the reference encoder writes it. */

import { UNKNOWN } from "./span.ts";
import type { Phases, Span } from "./span.ts";

/** A span as it is sent: with what the sampling decision says of it. */
export interface SentSpan extends Omit<Span, "traceId" | "spanId" | "startUs" | "durationUs" | "name" | "attributes"> {
  traceId?: string;
  spanId?: string;
  startUs?: number;
  durationUs?: number;
  name?: string;
  attributes?: Record<string, unknown>;
  /** W3C `th`, without trailing zeros. */
  threshold?: string;
  /** W3C `rv`: 14 hex digits. */
  randomness?: string;
}

export interface Batch {
  /** 32 hex digits, the same on every retry. */
  id: string;
  resource?: Record<string, unknown>;
  clock?: Record<string, unknown>;
  spans: readonly SentSpan[];
  /** Reason → spans that were dropped before. */
  dropped?: Record<string, number>;
}

const ID = "id";
const CODE = "code";
type ColumnType = typeof ID | typeof CODE | number;
type Key = Exclude<keyof SentSpan, "traceId" | "phases" | "attributes" | "events" | "links"> | keyof Phases;

/** Column, where its values are, and their type: a number is the default of a column of numbers. */
const COLUMNS: readonly (readonly [column: string, key: Key, type: ColumnType])[] = [
  ["span_id", "spanId", ID],
  ["parent_span_id", "parentSpanId", ID],
  ["name", "name", CODE],
  ["signal", "signal", 0],
  ["kind", "kind", 3],
  ["status", "status", 0],
  ["start_us", "startUs", UNKNOWN],
  ["duration_us", "durationUs", UNKNOWN],
  ["redirect_us", "redirect_us", UNKNOWN],
  ["blocked_us", "blocked_us", UNKNOWN],
  ["dns_us", "dns_us", UNKNOWN],
  ["tcp_us", "tcp_us", UNKNOWN],
  ["tls_us", "tls_us", UNKNOWN],
  ["request_us", "request_us", UNKNOWN],
  ["ttfb_us", "ttfb_us", UNKNOWN],
  ["download_us", "download_us", UNKNOWN],
  ["method", "method", CODE],
  ["url", "url", CODE],
  ["route", "route", CODE],
  ["http_status", "httpStatus", UNKNOWN],
  ["error_type", "errorType", CODE],
  ["protocol", "protocol", CODE],
  ["screen", "screen", CODE],
  ["request_bytes", "requestBytes", UNKNOWN],
  ["response_bytes", "responseBytes", UNKNOWN],
  ["threshold", "threshold", CODE],
  ["randomness", "randomness", CODE],
];

const isTime = (us: number | undefined): us is number => us !== undefined && us !== -1 && us !== -2;

/** One batch as the body of `POST /v1/batches`, not compressed. */
export function encode(batch: Batch): string {
  const { spans } = batch;
  const strings = new Map<string, number>();
  const code = (text: string): number => {
    if (text === "") return 0;
    const known = strings.get(text) ?? strings.size + 1;
    strings.set(text, known);
    return known;
  };
  const starts = spans.map((span) => span.startUs).filter(isTime);
  const baseUs = starts.length ? starts.reduce((least, us) => Math.min(least, us)) : 0;
  const traces = [...new Set(spans.map((span) => span.traceId).filter((id) => id !== undefined))];
  const body: Record<string, unknown> = {
    v: 1,
    id: batch.id,
    n: spans.length,
    resource: batch.resource ?? {},
    clock: { ...batch.clock, base_us: baseUs },
    traces: traces.join(""),
    cols: columns(spans, traces, code, baseUs),
    ...tables(spans, code),
    strings: [],
  };
  body.strings = [...strings.keys()];
  if (batch.dropped && Object.keys(batch.dropped).length) body.dropped = batch.dropped;
  return JSON.stringify(body);
}

/** Every column that is not all default: whole numbers, or hex text for ids. */
function columns(
  spans: readonly SentSpan[],
  traces: readonly string[],
  code: (text: string) => number,
  baseUs: number,
): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  if (traces.length) {
    const rows = new Map(traces.map((id, row) => [id, row]));
    found.trace = spans.map((span) => rows.get(span.traceId ?? "") ?? UNKNOWN);
  }
  for (const [column, key, type] of COLUMNS) {
    const inPhases = key.endsWith("_us");
    const values = spans.map((span) => (inPhases ? span.phases?.[key as keyof Phases] : span[key as keyof SentSpan]));
    if (values.every((value) => value === undefined)) continue;
    if (type === ID) found[column] = values.map((value) => value ?? "0".repeat(16)).join("");
    else if (type === CODE) found[column] = values.map((value) => code((value as string | undefined) ?? ""));
    else if (key === "startUs") {
      found[column] = (values as (number | undefined)[]).map((us) => (isTime(us) ? us - baseUs : (us ?? UNKNOWN)));
    } else found[column] = values.map((value) => value ?? type);
  }
  return found;
}

/** What spans have any number of: attributes, events, links. */
function tables(spans: readonly SentSpan[], code: (text: string) => number): Record<string, unknown> {
  const attributes = spans.flatMap((span, row) =>
    Object.entries(span.attributes ?? {}).map(([key, value]) => [row, key, value] as const),
  );
  const events = spans.flatMap((span, row) => (span.events ?? []).map((event) => [row, event] as const));
  const links = spans.flatMap((span, row) => (span.links ?? []).map((link) => [row, link] as const));
  const found: Record<string, unknown> = {};
  if (attributes.length) {
    found.attrs = {
      span: attributes.map(([row]) => row),
      key: attributes.map(([, key]) => code(key)),
      value: attributes.map(([, , value]) => code(typeof value === "string" ? value : JSON.stringify(value))),
    };
  }
  if (events.length) {
    found.events = {
      span: events.map(([row]) => row),
      name: events.map(([, event]) => code(event.name)),
      offset_us: events.map(([, event]) => event.offsetUs),
    };
  }
  if (links.length) {
    found.links = {
      span: links.map(([row]) => row),
      trace_id: links.map(([, link]) => link.traceId).join(""),
      span_id: links.map(([, link]) => link.spanId).join(""),
    };
  }
  return found;
}
