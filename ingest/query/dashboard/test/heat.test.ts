import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeatCell } from "../src/heat.ts";
import { cellsByPlace, factorName, heat, inOrder, middle } from "../src/heat.ts";

test("columns run from the cheapest device to the best, the unknown last", () => {
  const columns = ["unknown", "high", "low", "mid"].map((value) => ({ value, spans: 1 }));
  assert.deepEqual(inOrder(columns), ["low", "mid", "high", "unknown"]);
});

test("a cell is found by its place, and there is none where nothing may be shown", () => {
  const cell = { y: "BR", x: "low", facet: "4g", us: 5 } as HeatCell;
  const find = cellsByPlace([cell, { ...cell, y: "BR", facet: null, us: 6 }]);
  assert.equal(find("BR", "low", "4g")?.us, 5);
  assert.equal(find("BR", "low", "")?.us, 6);
  assert.equal(find("BR", "high", "4g"), undefined);
});

test("colour tells twice as slow from twice as fast, and ends at three times", () => {
  assert.equal(heat(100, 100), 0);
  assert.equal(heat(200, 100), -heat(50, 100));
  assert.equal(heat(1e9, 100), 1);
  assert.equal(heat(300, 100), 1);
  assert.equal(heat(null, 100), 0);
});

test("a factor is said in words", () => {
  assert.equal(factorName(240, 100), "2.4 × the middle");
  assert.equal(factorName(101, 100), "about the middle");
});

test("the middle is by spans, not by groups", () => {
  const cell = (us: number | null, spans: number): HeatCell => ({ us, spans }) as HeatCell;
  assert.equal(middle([cell(900, 10), cell(100, 80), cell(500, 30), cell(null, 500)]), 100);
  assert.equal(middle([cell(900, 100), cell(100, 80)]), 900);
  assert.equal(middle([]), null);
});
