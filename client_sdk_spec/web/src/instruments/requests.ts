/** Watches what the page's scripts ask for by fetch and XMLHttpRequest. */

import type { Instrument } from "../recorder.ts";
import { Calls } from "./calls.ts";
import { patchFetch } from "./fetch.ts";
import { patchXhr } from "./xhr.ts";

export const requests: Instrument = (recorder, options) => {
  const calls = new Calls(recorder, options);
  const stops = [patchFetch(calls), patchXhr(calls)];
  return () => {
    stops.forEach((stop) => stop());
    calls.stop();
  };
};
