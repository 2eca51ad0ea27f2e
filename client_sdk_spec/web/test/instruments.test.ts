import assert from "node:assert/strict";
import { test } from "node:test";

import { cut, describe } from "../src/instruments/errors.ts";
import { fold } from "../src/instruments/profile.ts";

const TRACE = {
  frames: [{ name: "checkout" }, { name: "sort the;cart", line: 12 }, { name: "" }],
  stacks: [{ frameId: 0 }, { frameId: 1, parentId: 0 }, { frameId: 2 }],
  samples: [
    { timestamp: 90, stackId: 0 },
    { timestamp: 100, stackId: 1 },
    { timestamp: 110, stackId: 1 },
    { timestamp: 120, stackId: 2 },
    { timestamp: 130 },
    { timestamp: 210, stackId: 0 },
  ],
};

test("stacks are folded outermost first, the most frequent first, within the stretch alone", () => {
  assert.equal(fold(TRACE, 100, 200), "checkout;sort_the_cart:12 2\n(anonymous) 1");
  assert.equal(fold(TRACE, 300, 400), "");
});

test("folded stacks are bounded, however deep and however many", () => {
  const deep = Array.from({ length: 500 }, (_, id) => ({ frameId: 0, ...(id && { parentId: id - 1 }) }));
  const one = fold({ frames: [{ name: "f" }], stacks: deep, samples: [{ timestamp: 1, stackId: 499 }] }, 0, 2);
  assert.equal(one, `${Array(32).fill("f").join(";")} 1`);
  const frames = Array.from({ length: 400 }, (_, id) => ({ name: `function_number_${id}` }));
  const stacks = frames.map((_, frameId) => ({ frameId }));
  const samples = stacks.map((_, stackId) => ({ timestamp: 1, stackId }));
  assert.ok(fold({ frames, stacks, samples }, 0, 2).length <= 4_000);
});

test("an error says its name, message and stack; anything else that was thrown says what it is", () => {
  const told = describe(new RangeError("full"));
  assert.deepEqual([told.type, told.message], ["RangeError", "full"]);
  assert.match(told.stack, /RangeError: full/);
  assert.deepEqual(describe("out of stock"), { type: "string", message: "out of stock", stack: "" });
  assert.deepEqual(describe(undefined, "Script error."), { type: "Error", message: "Script error.", stack: "" });
  assert.deepEqual(describe(null), { type: "Error", message: "null", stack: "" });
});

test("stacks are cut by bytes, never inside a character", () => {
  assert.equal(cut("short", 100), "short");
  const text = cut("ä🙂".repeat(3_000), 8_000);
  const bytes = new TextEncoder().encode(text).length;
  assert.ok(bytes <= 8_000 && bytes > 7_990, String(bytes));
  assert.ok(!text.includes("\ufffd"));
  assert.ok(text.endsWith("…"));
});
