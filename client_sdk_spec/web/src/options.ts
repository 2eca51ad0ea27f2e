/** What a page says when it starts the SDK. */

import type { Instrument } from "./recorder.ts";
import type { Span } from "./span.ts";

/** What the user has agreed to (`WIRE.md`, Consent). */
export type Consent = "granted" | "pending" | "denied";

export interface Options {
  /** The edge, `https://edge.example`; paths are added to it. */
  url: string;
  /** The app's public client key. */
  key: string;
  /** What the app is called. */
  service: string;
  version?: string;
  environment?: string;
  /** Origins beside the page's own whose requests get a `traceparent` header; they must allow it in CORS. */
  traceOrigins?: (string | RegExp)[];
  /** Names a request's route: the path with its variable parts as `{name}`, or nothing. Never called with the SDK's own. */
  route?: (url: string, method: string) => string | undefined;
  /** Base64 of the edge's public key (`firsthop app list`): a configuration that it did not sign is ignored. */
  publicKey?: string;
  /** Keep or leave out whole sessions instead of single traces. */
  sampleSessions?: boolean;
  /** Default: none, the app does not ask. */
  consent?: Consent;
  /**
   * What becomes of spans while consent is `pending` or `denied`. `send` (default): they go with that word, without a
   * session, and the edge counts them only. `hold`: nothing goes; `pending` waits in memory, `denied` drops.
   */
  withoutConsent?: "send" | "hold";
  /** Adds stacks to long tasks, where the document's policy allows profiling (`Document-Policy: js-profiling`). Default: no. */
  profile?: boolean;
  /** What watches the page. Default: all of `full`, none of the core. */
  instruments?: Instrument[];
  /** The last look at a span before it is kept: changed, or null to drop it. */
  beforeSend?: (span: Span) => Span | null;
}
