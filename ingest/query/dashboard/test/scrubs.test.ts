import assert from "node:assert/strict";
import { test } from "node:test";
import type { Privacy } from "../src/api.ts";
import { ruleFinds } from "../src/scrubs.ts";

const HOUR_MS = 3_600_000;
const START = Date.parse("2026-03-01T00:00:00Z");

function answer(length: number, hours: [at: number, finds: Record<string, number>][]): Privacy {
  const scrubs = (finds: Record<string, number>) => ({
    finds,
    received: 0,
    outcomes: { counted_no_consent: 0, "rejected:no_consent": 0 },
  });
  const total: Record<string, number> = {};
  for (const [, finds] of hours) for (const [rule, count] of Object.entries(finds)) total[rule] = (total[rule] ?? 0) + count;
  return {
    from: new Date(START).toISOString(),
    to: new Date(START + length * HOUR_MS).toISOString(),
    hours: hours.map(([at, finds]) => ({ hour: new Date(START + at * HOUR_MS).toISOString(), ...scrubs(finds) })),
    total: scrubs(total),
    policy: { version: 0, source: "built_in", since: null, text: null },
    least_sessions: 5,
  };
}

function counts(data: Privacy, rule: string): number[] | undefined {
  return ruleFinds(data).find((row) => row.rule === rule)?.bins.map(({ finds }) => finds);
}

test("all rules come first, then each by what it replaced", () => {
  const rows = ruleFinds(answer(2, [[0, { email: 2, phone: 9 }], [1, { email: 3, card: 5 }]]));
  assert.deepEqual(rows.map(({ rule, finds }) => [rule, finds]), [["", 19], ["phone", 9], ["card", 5], ["email", 5]]);
});

test("hours without finds are there too", () => {
  const data = answer(4, [[1, { email: 2 }], [3, { email: 7, phone: 1 }]]);
  assert.deepEqual(counts(data, "email"), [0, 2, 0, 7]);
  assert.deepEqual(counts(data, ""), [0, 2, 0, 8]);
});

test("a long range adds hours up and loses none", () => {
  const data = answer(721, [[0, { email: 1 }], [15, { email: 2 }], [16, { email: 4 }], [720, { email: 8 }]]);
  const bins = ruleFinds(data)[0]?.bins ?? [];
  assert.ok(bins.length <= 48);
  assert.deepEqual(counts(data, "email")?.filter((finds) => finds > 0), [3, 4, 8]);
  assert.equal(bins.at(-1)?.to.getTime(), START + 721 * HOUR_MS);
});

test("where nothing was found there is no rule to show", () => {
  assert.deepEqual(ruleFinds(answer(1, [])).map(({ rule, finds }) => [rule, finds]), [["", 0]]);
});
