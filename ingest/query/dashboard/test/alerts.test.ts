import assert from "node:assert/strict";
import { test } from "node:test";
import type { Rehearsal, Rule } from "../src/alerts.ts";
import { draftOf, formatValue, groupText, isWhole, usual, viewOf } from "../src/alerts.ts";
import { conditionText, scopeText } from "../src/alertWords.ts";
import { linesOf } from "../src/rehearsal.ts";
import { parseView } from "../src/view.ts";

const VIEW = parseView("?app=shop&signal=request&q=0.99&metric=tls&version=5.2.1&country=BR&route=POST+x%2Fcheckout");
const RULE: Rule = { ...draftOf(VIEW), name: "slow", group_by: ["country"] };

test("a rule drafted from a view is about what the view shows", () => {
  assert.deepEqual(RULE.filters, { version: ["5.2.1"], country: ["BR"], route: ["POST x/checkout"] });
  assert.deepEqual(RULE.when, { kind: "latency", above_ms: 2000, quantile: 0.99, metric: "tls" });
});

test("the view of an alert is the rule's, its group's and its time's", () => {
  const found = parseView(viewOf(VIEW, RULE, { country: "DE" }, "2026-03-01T12:00:00Z", "2026-03-01T12:15:00Z"));
  assert.deepEqual(found.filters, { version: ["5.2.1"], country: ["DE"], device_class: [], network: [] });
  assert.deepEqual([found.from, found.to], ["2026-03-01T12:00:00Z", "2026-03-01T12:15:00Z"]);
  assert.deepEqual([found.quantile, found.metric, found.route], [0.99, "tls", "POST x/checkout"]);
  assert.equal(found.edit, null);
});

test("a view holds one route, so that of several none is chosen", () => {
  const rule = { ...RULE, filters: { route: ["a", "b"] } };
  assert.equal(parseView(viewOf(VIEW, rule, {}, "", "")).route, null);
});

test("conditions are said in words", () => {
  assert.equal(conditionText(RULE), "p99 of the TLS phase of requests above 2.00 s");
  assert.equal(conditionText({ ...RULE, when: usual("errors", VIEW) }), "more than 5.0\u202f% failed");
  assert.equal(conditionText({ ...RULE, when: usual("traffic", VIEW) }), "traffic below 50\u202f% of other days");
  assert.equal(scopeText(RULE), "for 10m, by 5m · each country · POST x/checkout · 5.2.1 · BR");
});

test("values are written in the unit of their rule", () => {
  assert.equal(formatValue("us", "request", 1_500_000), "1.50 s");
  assert.equal(formatValue("us", "cls", 250_000), "0.250");
  assert.equal(formatValue("sigma", "request", 3.26), "3.3 σ");
  assert.equal(formatValue("spans", "request", null), "–");
});

test("a group is its values in the order of dimensions", () => {
  assert.equal(groupText({ country: "BR", route: "GET /" }), "GET / · BR");
  assert.equal(groupText({}), "");
});

test("a number that is not typed yet is not asked about", () => {
  assert.equal(isWhole(RULE), true);
  assert.equal(isWhole({ ...RULE, when: { kind: "errors", above: 0 } }), false);
  assert.equal(isWhole({ ...RULE, when: { kind: "traffic", below_spans: null, below_share: null } }), false);
});

test("a dry run is laid out as lines with gaps, lone points and bands", () => {
  const at = (minute: number): string => `2026-03-01T12:0${minute}:00Z`;
  const values = [1, 2, null, 4, null, 3, 3];
  const found: Rehearsal = {
    from: at(0),
    to: at(8),
    unit: "us",
    bound: 2,
    undecided: 2,
    firings: [{ group: { country: "BR" }, started_at: at(4), ended_at: null, value: 4, text: "" }],
    lines: [{ group: { country: "BR" }, windows: values.map((value, minute) => ({ at: at(minute), value, verdict: "clear" as const })) }],
  };
  const [line] = linesOf(found);
  assert.deepEqual(line?.paths.map(({ length }) => length), [2, 2]);
  assert.equal(line?.dots.length, 1);
  assert.deepEqual(line?.bands, [{ from: 0.5, to: 1 }]);
  assert.ok((line?.bound ?? 0) < 0.5);
});
