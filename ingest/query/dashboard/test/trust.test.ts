import assert from "node:assert/strict";
import { test } from "node:test";
import type { Provenance } from "../src/api.ts";
import type { Ledger, Sums } from "../src/ledger.ts";
import type { Evidence } from "../src/trust.ts";
import { verdict } from "../src/trust.ts";

const NOW = new Date("2026-03-01T12:00:00Z");
const EXACT: Provenance = { exact: true, basis: "exact", source: "view:all", truncated: false, hidden_spans: 0, weighted_spans: 0, relative_error: 0.01 };

function ledger(change: Partial<Sums>, closed = true): Ledger {
  const total = { received: 1000, outcomes: { kept: 1000 }, client: {}, noted: { clock_a: 1000 }, ...change };
  return { hours: [{ hour: "2026-03-01T11:00:00Z", ...total }], total, closed };
}

function judged(change: Partial<Sums>, more: Partial<Evidence> = {}) {
  return verdict({ ledger: ledger(change), provenance: EXACT, newest: "2026-03-01T11:59:30Z", untilNow: true, ...more }, NOW);
}

test("a ledger that closes, with anchored clocks and nothing lost, can be trusted without a word", () => {
  assert.deepEqual(judged({}), { level: "good", doubts: [] });
});

test("a ledger that does not close is not to be trusted, and that is said first", () => {
  const outcomes = { kept: 900, "rejected:future": 10 };
  const { level, doubts } = judged({}, { ledger: ledger({ outcomes }, false) });
  assert.equal(level, "bad");
  assert.match(doubts[0]?.text ?? "", /does not close: 90 spans/);
});

test("what was refused is in doubt from half a per cent, wrong from five, and names the largest reason", () => {
  const refused = (spans: number) => judged({ outcomes: { kept: 1000 - spans, "rejected:future": spans } });
  assert.equal(refused(4).level, "good");
  assert.equal(refused(5).level, "care");
  assert.equal(refused(50).level, "bad");
  assert.match(refused(50).doubts[0]?.text ?? "", /5\.0.%.*“in the future”/);
});

test("what nobody agreed to, and what clients drop on purpose, is no loss", () => {
  const change = { outcomes: { kept: 500, "rejected:no_consent": 500 }, client: { consent: 900, before_send: 900, sampled: 900 } };
  assert.equal(judged(change).level, "good");
});

test("spans that clients lost count against what arrived and what did not", () => {
  assert.equal(judged({ client: { queue_overflow: 5 } }).level, "good");
  assert.match(judged({ client: { queue_overflow: 100, expired: 20 } }).doubts[0]?.text ?? "", /lost 11.% before it arrived, most of it as “queue full”/);
});

test("clocks that are not anchored are a matter of care, never of distrust", () => {
  assert.equal(judged({ noted: { clock_b: 500, clock_e: 500 } }).level, "care");
  assert.equal(judged({ noted: { clock_f: 1000 } }).level, "care");
});

test("estimates, other buckets and batches sent again are told", () => {
  const provenance: Provenance = { ...EXACT, exact: false, basis: "estimated", weighted_spans: 40, relative_error: 0.0605 };
  const { doubts } = judged({ outcomes: { kept: 900, duplicate: 100 } }, { provenance });
  assert.deepEqual(doubts.map(({ panel }) => panel), ["ledger", "notes", "notes"]);
});

test("old data is news only where the range ends now", () => {
  const newest = "2026-03-01T09:00:00Z";
  assert.match(judged({}, { newest }).doubts[0]?.text ?? "", /3 h ago/);
  assert.equal(judged({}, { newest, untilNow: false }).level, "good");
});

test("without spans there is nothing to judge, and no share of nothing", () => {
  const nothing = { received: 0, outcomes: {}, noted: {} };
  assert.deepEqual(judged(nothing, { newest: null }), { level: "none", doubts: [] });
  assert.equal(judged({ ...nothing, client: { expired: 3 } }).level, "none");
});

test("an app whose clients send sketches alone is judged by them", () => {
  const { level, doubts } = judged({ received: 0, outcomes: {}, noted: { sketched: 80, sketch_too_old: 20 } });
  assert.equal(level, "bad");
  assert.match(doubts[0]?.text ?? "", /20.% of the spans in clients’ sketches is not counted/);
});
