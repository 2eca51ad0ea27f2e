/** Calls of fetch and XMLHttpRequest: from the moment they are made to the browser's own entry of their timing. */

import type { Options } from "../options.ts";
import type { Recorder } from "../recorder.ts";
import { Status } from "../span.ts";
import type { Attributes, Span } from "../span.ts";
import { after } from "../surroundings.ts";
import { observe, onHide, place } from "./context.ts";
import type { TimingEntry } from "./phases.ts";
import { SERVER_TIMING, timed } from "./timing.ts";

/** How long after its answer a call waits for its entry, which comes when the last byte of the body is there. */
const WAIT_MS = 10_000;
/** Calls that wait for their entry; the one that waits longest goes without. */
const MOST_WAITING = 100;
/** Clocks of call and entry may round apart. */
const SLACK_MS = 1;

export interface Call {
  readonly url: string;
  readonly startMs: number;
  readonly span: Span;
}

export interface Answer {
  /** Unknown when not given; 0: none came. */
  httpStatus?: number;
  errorType?: string;
  /** Headers that scripts may read. */
  serverTiming?: string | null;
  traceResponse?: string | null;
}

interface Waiting {
  call: Call;
  answer: Answer;
  endMs: number;
  giveUp: () => void;
}

/** Sees calls begin and end, and records them. */
export class Calls {
  readonly #recorder: Recorder;
  readonly #options: Options;
  readonly #origins: Set<string | RegExp>;
  readonly #open = new Set<Call>();
  #waiting: Waiting[] = [];
  /** Entries that no call has taken yet, oldest first. */
  #entries: TimingEntry[] = [];
  readonly #stops: (() => void)[];

  constructor(recorder: Recorder, options: Options) {
    this.#recorder = recorder;
    this.#options = options;
    this.#origins = new Set([location.origin, ...(options.traceOrigins ?? [])]);
    const observer = observe("resource", (entry) => this.#see(entry as TimingEntry));
    this.#stops = [
      observer.stop,
      onHide(() => {
        observer.flush();
        for (const each of [...this.#waiting]) this.#record(each);
      }),
    ];
  }

  stop(): void {
    this.#stops.forEach((stop) => stop());
    for (const each of [...this.#waiting]) this.#record(each);
  }

  /** A call that begins now; nothing for one that is not to be recorded. */
  begin(given: string | URL, method: string): Call | undefined {
    const url = new URL(given, document.baseURI);
    url.hash = "";
    if (!/^https?:$/.test(url.protocol) || !this.#recorder.recording() || this.#recorder.owns(url.href)) return;
    const startMs = performance.now();
    const route = this.#options.route?.(url.href, method);
    const span: Span = {
      ...place(this.#recorder),
      spanId: this.#recorder.newSpanId(),
      name: method,
      method,
      url: url.href,
      ...(route && { route }),
      startUs: Math.round(startMs * 1000),
      durationUs: 0,
    };
    const call = { url: url.href, startMs, span };
    this.#open.add(call);
    return call;
  }

  /** The header that lets the server's spans join; nothing for a server that was not named. */
  traceparent({ url, span }: Call): string | undefined {
    const { origin } = new URL(url);
    for (const each of this.#origins) {
      // Not `test`: an expression with the flag g remembers where it stopped.
      if (typeof each === "string" ? each === origin : origin.search(each) >= 0) return `00-${span.traceId}-${span.spanId}-01`;
    }
    return undefined;
  }

  /** The call was answered, or it never will be. */
  end(call: Call, answer: Answer): void {
    if (!this.#open.delete(call)) return;
    const waiting: Waiting = { call, answer, endMs: performance.now(), giveUp: () => {} };
    // No byte came: there is no timing to wait for.
    if (answer.errorType) return this.#record(waiting);
    this.#waiting.push(waiting);
    waiting.giveUp = after(WAIT_MS, () => this.#record(waiting));
    if (this.#waiting.length > MOST_WAITING) this.#record(this.#waiting[0]!);
    this.#match(call.url);
  }

  #see(entry: TimingEntry): void {
    if (entry.initiatorType !== "fetch" && entry.initiatorType !== "xmlhttprequest") return;
    if (!this.#waiting.length && !this.#open.size) return;
    this.#entries.push(entry);
    if (this.#entries.length > MOST_WAITING) this.#entries.shift();
    this.#match(entry.name);
  }

  /** Gives entries to the calls of an address, where it is certain whose each one is. */
  #match(url: string): void {
    const same = (call: Call): boolean => call.url === url;
    const calls = this.#waiting.filter(({ call }) => same(call)).sort((a, b) => a.call.startMs - b.call.startMs);
    const first = Math.min(...calls.map(({ call }) => call.startMs), Infinity);
    const entries = this.#entries
      .filter(({ name, startTime }) => name === url && startTime >= first - SLACK_MS)
      .sort((a, b) => a.startTime - b.startTime);
    // Calls of one address begin on the network in the order in which they were made. While one of them is open, or
    // there are more entries than calls, whose each is cannot be told: a preflight may have one of its own.
    if (!calls.length || calls.length !== entries.length || [...this.#open].some(same)) return;
    if (calls.some(({ call }, i) => entries[i]!.startTime < call.startMs - SLACK_MS)) return;
    this.#entries = this.#entries.filter((entry) => !entries.includes(entry));
    calls.forEach((each, i) => this.#record(each, entries[i]));
  }

  #record({ call, answer, endMs, giveUp }: Waiting, entry?: TimingEntry): void {
    giveUp();
    this.#waiting = this.#waiting.filter((each) => each.call !== call);
    const { httpStatus, errorType, serverTiming, traceResponse } = answer;
    const known = entry ? timed(entry) : { durationUs: Math.round((endMs - call.startMs) * 1000), attributes: {} };
    const attributes: Attributes = {
      ...(serverTiming && { [SERVER_TIMING]: serverTiming }),
      ...(traceResponse && { "http.response.header.traceresponse": traceResponse }),
      ...known.attributes,
    };
    const { span } = call;
    // The call began before the browser took it up.
    const durationUs = entry ? Math.max(known.durationUs, Math.round(entry.responseEnd * 1000) - span.startUs) : known.durationUs;
    this.#recorder.record({
      ...span,
      ...known,
      startUs: span.startUs,
      durationUs,
      ...(httpStatus !== undefined && { httpStatus }),
      ...(errorType && { errorType }),
      ...(httpStatus === 0 && { status: Status.error }),
      attributes,
    });
  }
}
