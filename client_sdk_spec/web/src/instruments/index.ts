/** All instruments, in the order in which they start. */

import type { Instrument } from "../recorder.ts";
import { errors } from "./errors.ts";
import { longTasks } from "./longTasks.ts";
import { pageLoad } from "./pageLoad.ts";
import { requests } from "./requests.ts";
import { resources } from "./resources.ts";
import { routes } from "./routes.ts";
import { vitals } from "./vitals.ts";

export const instruments: Instrument[] = [errors, pageLoad, requests, resources, routes, vitals, longTasks];
