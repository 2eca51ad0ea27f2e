/** What is recorded: one span, as the instruments and the page hand it to a recorder. */

/** The phase did not happen: a pooled connection, a cached name, no redirect. */
export const REUSED = -1;
/** Nobody knows. */
export const UNKNOWN = -2;

/** What a span is about, by its number on the wire (`fields.json`, append only). */
export const Signal = {
  request: 0,
  operation: 1,
  page: 2,
  screen: 3,
  exception: 4,
  longTask: 5,
  event: 6,
  lcp: 7,
  inp: 8,
  cls: 9,
  fcp: 10,
  ttfb: 11,
  report: 12,
  start: 13,
} as const;
export type Signal = (typeof Signal)[keyof typeof Signal];

/** As OTLP numbers them: 1 internal, 3 client. */
export const Kind = { internal: 1, client: 3 } as const;

/** As OTLP numbers them. */
export const Status = { unset: 0, ok: 1, error: 2 } as const;
export type Status = (typeof Status)[keyof typeof Status];

/** The eight phases of a request (`PHASES.md`), whole µs, or `REUSED`, or `UNKNOWN`. */
export interface Phases {
  redirect_us: number;
  blocked_us: number;
  dns_us: number;
  tcp_us: number;
  tls_us: number;
  request_us: number;
  ttfb_us: number;
  download_us: number;
}

export type AttributeValue = string | number | boolean;
export type Attributes = Record<string, AttributeValue>;

/** A moment inside a span. */
export interface SpanEvent {
  name: string;
  /** From the span's start, whole µs. */
  offsetUs: number;
}

/** Another span that this one belongs with. */
export interface Link {
  traceId: string;
  spanId: string;
}

/** One finished span. Ids are lower-case hex: 32 digits of a trace, 16 of a span. */
export interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  /** Default `Signal.request`. */
  signal?: Signal;
  /** Default `Kind.client`. */
  kind?: number;
  status?: Status;
  /** `performance.now()` × 1000, whole; of another page's time origin it means nothing. */
  startUs: number;
  durationUs: number;
  /** Those left out are unknown. */
  phases?: Partial<Phases>;
  method?: string;
  url?: string;
  /** The path with its variable parts as `{name}`; else the server derives it from the URL. */
  route?: string;
  /** 0 when the request failed without an answer. */
  httpStatus?: number;
  errorType?: string;
  protocol?: string;
  /** Default: the recorder's current screen. */
  screen?: string;
  requestBytes?: number;
  responseBytes?: number;
  attributes?: Attributes;
  events?: SpanEvent[];
  links?: Link[];
}
