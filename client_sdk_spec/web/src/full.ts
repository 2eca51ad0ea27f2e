/** The core with all instruments. */

import { start as startCore } from "./index.ts";
import type { Firsthop, Options } from "./index.ts";
import { instruments } from "./instruments/index.ts";

/** As the core's, but watches everything unless told otherwise. */
export const start = (options: Options): Firsthop => startCore({ instruments, ...options });

export { Kind, REUSED, Signal, Status, UNKNOWN, VERSION } from "./index.ts";
export { instruments } from "./instruments/index.ts";
export type * from "./index.ts";
