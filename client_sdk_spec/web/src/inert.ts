/** A client that does nothing: for a page that the SDK cannot run in, as on a server that renders it. */

import type { Firsthop } from "./client.ts";
import { begin } from "./operation.ts";

const NONE = "0".repeat(16);

export function inert(): Firsthop {
  const nothing = (): void => undefined;
  const client: Firsthop = {
    page: { traceId: NONE + NONE, spanId: NONE },
    record: nothing,
    nowUs: () => 0,
    owns: () => false,
    recording: () => false,
    newTraceId: () => NONE + NONE,
    newSpanId: () => NONE,
    setScreen: nothing,
    followPath: nothing,
    drop: nothing,
    span: (...given) => begin(client, ...given),
    setConsent: nothing,
    reportProblem: nothing,
    flush: () => Promise.resolve(),
    stop: nothing,
  };
  return client;
}
