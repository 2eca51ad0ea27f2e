import assert from "node:assert/strict";
import { test } from "node:test";
import { arrange, linePath } from "../src/routeRows.ts";

const rows = [
  { route: "GET shop.example/cart", spans: 100, errors: 1, us: 900, impact: 5 },
  { route: "POST shop.example/checkout", spans: 10, errors: 5, us: 2000, impact: 3 },
  { route: "GET img.example/{hash}", spans: 1000, errors: 0, us: null, impact: 0 },
];
const names = (found: typeof rows): string[] => found.map(({ route }) => route.replace(/.*\//, ""));

test("routes are sorted by what is asked for, greatest first", () => {
  assert.deepEqual(names(arrange(rows, "impact", "") as typeof rows), ["cart", "checkout", "{hash}"]);
  assert.deepEqual(names(arrange(rows, "spans", "") as typeof rows), ["{hash}", "cart", "checkout"]);
  assert.deepEqual(names(arrange(rows, "errors", "") as typeof rows), ["checkout", "cart", "{hash}"]);
  assert.deepEqual(names(arrange(rows, "slowest", "") as typeof rows), ["checkout", "cart", "{hash}"]);
});

test("a route is found by words in any order and case", () => {
  assert.deepEqual(names(arrange(rows, "impact", "CART get") as typeof rows), ["cart"]);
  assert.deepEqual(arrange(rows, "impact", "cart post"), []);
});

test("a line starts anew after a gap, and a lone figure is a dot", () => {
  assert.equal(linePath([1, 2, null, 4], 30, 8), "M0.0 6.0L10.0 4.0M30.0 0.0h.01");
  assert.equal(linePath([null, null], 30, 8), "");
  assert.equal(linePath([0, 0], 30, 8), "M0.0 8.0L30.0 8.0");
});
