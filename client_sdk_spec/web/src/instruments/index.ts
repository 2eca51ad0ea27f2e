/** All instruments, in the order in which they start. */

import type { Instrument } from "../recorder.ts";
import { pageLoad } from "./pageLoad.ts";
import { requests } from "./requests.ts";
import { resources } from "./resources.ts";

export const instruments: Instrument[] = [pageLoad, requests, resources];
