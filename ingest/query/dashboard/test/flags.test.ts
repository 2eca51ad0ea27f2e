import assert from "node:assert/strict";
import { test } from "node:test";
import { flags } from "../src/flags.ts";

const version = (name: string, at: string | null) => ({ version: name, spans: 10, share: 0.1, arrived_at: at });

test("versions that arrived stand where they did, and those close together below each other", () => {
  const found = flags(
    [version("3", "1970-01-01T00:00:55Z"), version("1", null), version("2", "1970-01-01T00:00:50Z"), version("4", "1970-01-01T00:00:10Z")],
    0,
    100,
  );
  assert.deepEqual(found.map(({ version: name, place, level }) => [name, place, level]), [["4", 0.1, 0], ["2", 0.5, 0], ["3", 0.55, 1]]);
});

test("what arrived outside of the chart has no flag", () => {
  assert.deepEqual(flags([version("1", "1970-01-01T01:00:00Z")], 0, 100), []);
});
