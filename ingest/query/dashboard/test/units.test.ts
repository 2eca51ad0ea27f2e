import assert from "node:assert/strict";
import { test } from "node:test";
import { formatAgo, formatBytes, formatCount, formatDuration, formatInterval, formatMeasure, formatShare, formatTick, microseconds, quantileName } from "../src/units.ts";

test("layout shift has no unit", () => {
  assert.equal(formatMeasure("cls")(81_250), "0.081");
  assert.equal(formatMeasure("cls")(null), "–");
  assert.equal(formatMeasure("lcp")(81_250), "81.3 ms");
});

test("durations take the unit that fits, with three significant digits", () => {
  const cases: [number | null, string][] = [
    [null, "–"],
    [Number.NaN, "–"],
    [0, "0 µs"],
    [999.4, "999 µs"],
    [999.6, "1.00 ms"],
    [12_345, "12.3 ms"],
    [99_960, "100 ms"],
    [999_600, "1.00 s"],
    [1_234_567, "1.23 s"],
    [90e6, "90.0 s"],
    [300e6, "5.00 min"],
    [7200e6, "2.00 h"],
  ];
  for (const [us, text] of cases) assert.equal(formatDuration(us), text);
});

test("an axis shows no trailing zeros", () => {
  assert.equal(formatTick(500_000), "500 ms");
  assert.equal(formatTick(1_000_000), "1 s");
  assert.equal(formatTick(1_500_000), "1.5 s");
});

test("a share that is not nothing never reads as nothing, and one that is not all never as all", () => {
  assert.equal(formatShare(0, 10), "0\u202f%");
  assert.equal(formatShare(1, 1_000_000), "<0.1\u202f%");
  assert.equal(formatShare(999_999, 1_000_000), ">99.9\u202f%");
  assert.equal(formatShare(10, 10), "100\u202f%");
  assert.equal(formatShare(997, 1000), "99.7\u202f%");
  assert.equal(formatShare(1, 0), "–");
});

test("counts are grouped, then shortened", () => {
  assert.equal(formatCount(812), "812");
  assert.equal(formatCount(9_812), "9\u202f812");
  assert.equal(formatCount(12_345), "12.3k");
  assert.equal(formatCount(3_000_000), "3.00M");
});

test("times keep their microseconds and their zone", () => {
  assert.equal(microseconds("1970-01-01T00:00:01.000002Z"), 1_000_002);
  assert.equal(microseconds("1970-01-01T01:00:00+01:00"), 0);
  assert.equal(microseconds("1970-01-01T00:00:00.5Z"), 500_000);
});

test("quantiles, ages and sizes read as people say them", () => {
  assert.equal(quantileName(0.95), "p95");
  assert.equal(quantileName(0.999), "p99.9");
  assert.equal(formatAgo(new Date(0), new Date(12_000)), "12 s ago");
  assert.equal(formatBytes(2048), "2.05 kB");
});

test("an interval without an upper end says at least", () => {
  assert.equal(formatInterval([1200, 3400], formatDuration), "1.20 ms – 3.40 ms");
  assert.equal(formatInterval([1200, null], formatDuration), "≥\u202f1.20 ms");
});
