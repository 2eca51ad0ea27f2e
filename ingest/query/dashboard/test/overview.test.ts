import assert from "node:assert/strict";
import { test } from "node:test";
import type { Overview } from "../src/overview.ts";
import {
  apdexWord, asLatency, changeOfApdex, changeOfCount, changeOfQuantile, changeOfRate, formatApdex, formatRange,
} from "../src/overview.ts";

const apdex = (score: number | null) => ({ target_ms: 1000, score, range: [0.8, 0.9] as [number, number], satisfied: 1, tolerating: 1, frustrated: 0 });

test("a slower percentile is worse, a faster one better", () => {
  assert.deepEqual(changeOfQuantile(1200, 1000, 0.01), { text: "+20\u202f%", better: -1 });
  assert.deepEqual(changeOfQuantile(800, 1000, 0.01), { text: "−20\u202f%", better: 1 });
  assert.deepEqual(changeOfQuantile(30_000, 1000, 0.01)?.text, "×30");
});

test("a difference within the error of two sketches is none", () => {
  assert.equal(changeOfQuantile(1019, 1000, 0.01)?.text, "same");
  assert.equal(changeOfQuantile(1022, 1000, 0.01)?.text, "+2\u202f%");
});

test("what is not known is not compared", () => {
  assert.equal(changeOfQuantile(null, 1000, 0.01), null);
  assert.equal(changeOfQuantile(1000, undefined, 0.01), null);
  assert.equal(changeOfCount(12, 0), null);
  assert.equal(changeOfApdex(apdex(null), apdex(0.9)), null);
});

test("more spans are neither better nor worse", () => {
  assert.deepEqual(changeOfCount(150, 100), { text: "+50\u202f%", better: 0 });
  assert.equal(changeOfCount(1001, 1000)?.text, "+<1\u202f%");
});

test("rates of errors are compared in percentage points", () => {
  assert.deepEqual(changeOfRate(0.034, 0.02), { text: "+1.4 pp", better: -1 });
  assert.deepEqual(changeOfRate(0.02, 0.02), { text: "same", better: 0 });
  assert.deepEqual(changeOfRate(0.5, 0.7), { text: "−20 pp", better: 1 });
});

test("an Apdex is a score, or the range that holds it", () => {
  assert.equal(formatApdex(apdex(0.934)), "0.93");
  assert.equal(formatApdex(apdex(null)), "0.80 – 0.90");
  assert.equal(formatApdex(null), "–");
  assert.deepEqual(changeOfApdex(apdex(0.9), apdex(0.95)), { text: "−0.05", better: -1 });
  assert.deepEqual([0.94, 0.9, 0.7, 0.6, 0.2].map(apdexWord), ["excellent", "good", "fair", "poor", "unacceptable"]);
});

test("a range whose ends read the same is one share", () => {
  assert.equal(formatRange([0.0201, 0.0202]), "2.0\u202f%");
  assert.equal(formatRange([0.02, 0.04]), "2.0\u202f% – 4.0\u202f%");
});

test("the overview holds what latency would answer, and no group without spans", () => {
  const total = { spans: 1 };
  const points = [{ at: "2026-03-01T11:00:00Z" }];
  assert.deepEqual(asLatency({ total, points } as unknown as Overview).groups, [{ group: {}, total, points }]);
  assert.deepEqual(asLatency({ total: null, points: [] } as unknown as Overview).groups, []);
});
