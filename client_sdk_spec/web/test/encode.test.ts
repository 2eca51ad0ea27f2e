import assert from "node:assert/strict";
import { test } from "node:test";

import { encode } from "../src/encode.ts";
import { batch, golden, text } from "./vectors.ts";

for (const name of golden()) {
  test(`the golden batch ${name} is encoded byte for byte as the reference encodes it`, () => {
    assert.equal(encode(batch(name)), text(`golden/${name}.json`));
  });
}

test("there are golden batches", () => {
  assert.ok(golden().length >= 8);
});
