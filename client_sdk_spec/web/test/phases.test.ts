import assert from "node:assert/strict";
import { test } from "node:test";

import { phases } from "../src/instruments/phases.ts";
import type { TimingEntry } from "../src/instruments/phases.ts";
import { serverTiming } from "../src/instruments/timing.ts";
import { json } from "./vectors.ts";

const { base, cases } = json("phases.json");

for (const { why, entry, phases: expected } of cases) {
  test(`phases: ${why}`, () => {
    // null: the browser has no such field.
    const given = Object.fromEntries(Object.entries({ ...base, ...entry }).filter(([, value]) => value !== null));
    const known = Object.entries(expected).filter(([, us]) => us !== "unknown");
    const wanted = Object.fromEntries(known.map(([phase, us]) => [`${phase}_us`, us === "reused" ? -1 : us]));
    assert.deepEqual(phases(given as unknown as TimingEntry), wanted);
  });
}

test("Server-Timing is written as the header was, quotes and all", () => {
  const parts = [
    { name: "db", duration: 12.5, description: "" },
    { name: "trace", duration: 0, description: '00-ab-cd-01 "so" \\ on' },
    { name: "miss", duration: 0, description: "" },
  ] as PerformanceServerTiming[];
  assert.equal(serverTiming({ serverTiming: parts }), 'db;dur=12.5, trace;desc="00-ab-cd-01 \\"so\\" \\\\ on", miss');
  assert.equal(serverTiming({}), "");
});
