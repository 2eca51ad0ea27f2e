/** What an instrument sees of the SDK: where spans go, and what the page's clock and ids are. */

import type { Options } from "./options.ts";
import type { Span } from "./span.ts";

/** Why spans were not sent (`WIRE.md`, `dropped`). */
export type DropReason =
  | "before_send"
  | "consent"
  | "expired"
  | "network_error"
  | "queue_overflow"
  | "rate_limited"
  | "rejected"
  | "sampled"
  | "storage_full"
  | "too_large";

/** None of its members throws. */
export interface Recorder {
  /** Takes a finished span; what is not sent of it is counted. */
  record(span: Span): void;
  /** `performance.now()` in whole µs: the clock of `startUs`. */
  nowUs(): number;
  /** Whether the address is one the SDK itself asks: such a request is not to be recorded. */
  owns(url: string): boolean;
  /** Whether spans may be sent at all now. When not, `record` only counts: an instrument need not look closely. */
  recording(): boolean;
  newTraceId(): string;
  newSpanId(): string;
  /** The page load: parent of what happens in it. Its span is the page load instrument's. */
  readonly page: { readonly traceId: string; readonly spanId: string };
  /** Says on which screen (view, route) what follows happens, until it is said anew; "" leaves it to the path. */
  setScreen(name: string): void;
  /** The path changed: it is the screen, where the app names none. */
  followPath(path: string): void;
  /** Counts spans that were never recorded. */
  drop(reason: DropReason, count: number): void;
}

/** Watches one thing and records what it sees. Returns how to stop it. */
export type Instrument = (recorder: Recorder, options: Options) => () => void;
