import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ledger, Sums } from "../src/ledger.ts";
import { endOf, gap, ledgerBins } from "../src/ledger.ts";

const HOUR_MS = 3_600_000;
const START = Date.parse("2026-03-01T00:00:00Z");

function sums(received: number, outcomes: Record<string, number>): Sums {
  return { received, outcomes, client: {}, noted: {} };
}

function ledger(...hours: [at: number, sums: Sums][]): Ledger {
  return {
    hours: hours.map(([at, each]) => ({ hour: new Date(START + at * HOUR_MS).toISOString(), ...each })),
    total: sums(0, {}),
    closed: true,
  };
}

test("hours without spans have a bin, and the range is widened to whole hours", () => {
  const bins = ledgerBins(ledger([2, sums(5, { kept: 5 })]), new Date(START + HOUR_MS / 2), new Date(START + 3.2 * HOUR_MS));
  assert.deepEqual(bins.map(({ received }) => received), [0, 0, 5, 0]);
  assert.equal(bins[0]?.from.getTime(), START);
});

test("a long range has bins of several hours, at most 96, and loses nothing", () => {
  const hours = Array.from({ length: 720 }, (_, at): [number, Sums] => [at, sums(1, { kept: 1 })]);
  const bins = ledgerBins(ledger(...hours), new Date(START), new Date(START + 720 * HOUR_MS));
  assert.equal(bins.length, 90);
  assert.equal(bins.reduce((all, { received }) => all + received, 0), 720);
});

test("refusals are one end, whatever their reason; an outcome that is not known is none", () => {
  const [bin] = ledgerBins(ledger([0, sums(6, { "rejected:future": 2, "rejected:too_old": 1, kept: 2, unheard_of: 1 })]), new Date(START), new Date(START + 1));
  assert.equal(bin?.ends.rejected, 3);
  assert.equal(endOf("unheard_of"), undefined);
});

test("the gap tells spans without an end from ends without a span", () => {
  assert.equal(gap(sums(9, { kept: 8 })), 1);
  assert.equal(gap(sums(9, { kept: 8, duplicate: 1 })), 0);
  assert.equal(gap(sums(1, { kept: 2 })), -1);
});
