/** The vectors of the specification, in the words of this SDK. */

import { readdirSync, readFileSync } from "node:fs";

import type { Batch, SentSpan } from "../src/encode.ts";

const VECTORS = new URL("../../vectors/", import.meta.url);

export const text = (path: string): string => readFileSync(new URL(path, VECTORS), "utf8");
export const json = (path: string): any => JSON.parse(text(path));

/** Names of the golden batches that a page could send: those without sketches. */
export const golden = (): string[] =>
  readdirSync(new URL("golden/", VECTORS))
    .filter((name) => name.endsWith(".batch.json") && !("sketches" in json(`golden/${name}`)))
    .map((name) => name.replace(".batch.json", ""));

const PHASE = /^(redirect|blocked|dns|tcp|tls|request|ttfb|download)_us$/;
const camel = (key: string): string => key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const renamed = (thing: object): any => Object.fromEntries(Object.entries(thing).map(([key, value]) => [camel(key), value]));

/** A span of a `.batch.json` as this SDK holds it. */
export function span(given: Record<string, any>): SentSpan {
  const keys = Object.entries(given);
  const found = renamed(Object.fromEntries(keys.filter(([key]) => !PHASE.test(key) && !["attributes", "events", "links"].includes(key))));
  const phases = keys.filter(([key]) => PHASE.test(key));
  if (phases.length) found.phases = Object.fromEntries(phases);
  if (given.attributes) found.attributes = given.attributes;
  for (const key of ["events", "links"]) if (given[key]) found[key] = given[key].map(renamed);
  return found;
}

export const batch = (name: string): Batch => {
  const given = json(`golden/${name}.batch.json`);
  return { ...given, spans: given.spans.map(span) };
};
