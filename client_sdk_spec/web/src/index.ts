/** The core: no instruments of its own. */

import { Client } from "./client.ts";
import type { Firsthop } from "./client.ts";
import { inert } from "./inert.ts";
import type { Options } from "./options.ts";

const COPY = Symbol.for("firsthop");
const page = globalThis as { [COPY]?: Firsthop };

/** Starts the SDK; a second start on a page returns the first's client. Never throws: one that cannot start does nothing. */
export function start(options: Options): Firsthop {
  if (page[COPY]) return page[COPY];
  try {
    if (!options.key || !options.service) throw new TypeError("key and service must be given");
    const client = new Client(options);
    const stop = client.stop.bind(client);
    client.stop = () => {
      delete page[COPY];
      stop();
    };
    return (page[COPY] = client);
  } catch (error) {
    console.warn("firsthop does not run:", error);
    return inert();
  }
}

export { Kind, REUSED, Signal, Status, UNKNOWN } from "./span.ts";
export type { Attributes, AttributeValue, Link, Phases, Span, SpanEvent } from "./span.ts";
export type { Consent, Options } from "./options.ts";
export type { DropReason, Instrument, Recorder } from "./recorder.ts";
export type { Firsthop } from "./client.ts";
export type { Operation } from "./operation.ts";
export { VERSION } from "./version.ts";
