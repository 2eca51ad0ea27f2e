/** The script of a tag: all of the SDK as `firsthop`, and a start where the tag itself says whom to send to. */

import { start } from "./full.ts";
import type { Consent, Options } from "./full.ts";

export * from "./full.ts";

/** The options that a tag gives as `data-…`; the edge is where the script came from. */
function optionsOf({ dataset, src }: HTMLScriptElement): Options {
  const { traceOrigins, sampleSessions, profile, key = "", consent, withoutConsent, ...others } = dataset;
  return {
    url: new URL(".", src).href,
    service: location.hostname,
    ...others,
    key,
    ...(consent && { consent: consent as Consent }),
    ...(withoutConsent === "hold" && { withoutConsent }),
    ...(traceOrigins && { traceOrigins: traceOrigins.split(/[\s,]+/) }),
    ...(sampleSessions !== undefined && { sampleSessions: true }),
    ...(profile !== undefined && { profile: true }),
  };
}

const tag = document.currentScript;
if (tag instanceof HTMLScriptElement && tag.dataset.key) start(optionsOf(tag));
