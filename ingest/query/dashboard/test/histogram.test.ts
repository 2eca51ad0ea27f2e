import assert from "node:assert/strict";
import { test } from "node:test";
import type { Bar } from "../src/histogram.ts";
import { barOf, layout, rounds } from "../src/histogram.ts";

function bar(from_us: number, to_us: number, spans: number): Bar {
  return { from_us, to_us, spans, exemplars: [] };
}

function tally(quantiles: (number | null)[]) {
  return { spans: 1, errors: 0, measured: 1, reused: 0, unknown: 0, quantiles };
}

const close = (found: number | undefined, wanted: number): void => assert.ok(Math.abs((found ?? Number.NaN) - wanted) < 1e-9, `${found} is not ${wanted}`);

test("equal ratios are equally wide, and the fullest bar is as high as the chart", () => {
  const { columns } = layout({ bars: [bar(1000, 2000, 5), bar(2000, 4000, 10), bar(8000, 16_000, 1)], total: null });
  for (const column of columns) close(column.width, 0.25);
  close(columns[2]?.left, 0.75);
  assert.deepEqual(columns.map((column) => column.height), [0.5, 1, 0.1]);
});

test("what is 0 stands apart on the left", () => {
  const { columns, ticks } = layout({ bars: [bar(0, 1, 7), bar(1000, 10_000, 5)], total: null });
  assert.equal(columns[0]?.left, 0);
  assert.ok((columns[1]?.left ?? 0) > (columns[0]?.width ?? 1));
  assert.equal(ticks[0]?.us, 0);
});

test("ticks are round and few", () => {
  assert.deepEqual(rounds(900, 12_000), [1000, 2000, 5000, 10_000]);
  assert.deepEqual(rounds(900, 2_000_000), [1000, 10_000, 100_000, 1_000_000]);
  assert.ok(rounds(1, 1e12).length <= 9);
});

test("names of percentiles that would touch stand in rows of their own", () => {
  const { markers } = layout({ bars: [bar(1000, 1_000_000, 5)], total: tally([10_000, 11_000, 12_000, 900_000]) });
  assert.deepEqual(markers.map((marker) => marker?.row), [0, 1, 2, 0]);
});

test("a percentile of nothing has no marker, and one beyond the last bar stays on the chart", () => {
  const { markers } = layout({ bars: [bar(1000, 20_000, 5)], total: tally([null, 20_100]) });
  assert.equal(markers[0], null);
  assert.equal(markers[1]?.at, 1);
});

test("the bar of a single span is no wider than one of many, and stands in the middle", () => {
  const { columns, ticks } = layout({ bars: [bar(180_000, 184_000, 1)], total: tally([182_000]) });
  const [only] = columns;
  assert.ok(only !== undefined && only.width < 0.02);
  assert.ok(Math.abs(only.left + only.width / 2 - 0.5) < 0.001);
  assert.ok(ticks.length > 0);
});

test("nothing is laid out as nothing", () => {
  assert.deepEqual(layout({ bars: [], total: null }), { columns: [], ticks: [], markers: [] });
});

test("a value is found in its bar, else in the one above, else in the last", () => {
  const bars = [bar(1000, 2000, 5), bar(4000, 8000, 1)];
  assert.deepEqual([1500, 2000, 3000, 9000, null].map((us) => barOf(bars, us)), [0, 0, 1, 1, 1]);
  assert.equal(barOf([], 5), -1);
});
