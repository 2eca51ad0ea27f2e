/** All instruments, in the order in which they start. */

import type { Instrument } from "../recorder.ts";

export const instruments: Instrument[] = [];
