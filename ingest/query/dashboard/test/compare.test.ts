import assert from "node:assert/strict";
import { test } from "node:test";
import { apart, behind, bothParameters, byAge, compareParameters, formatPoints, isSame, isUnsaid, pair, partOf, periodOf, sideName, sideParameters, sideView, signed, suggestVersions, verdict, withInterval } from "../src/compare.ts";
import type { Latency } from "../src/api.ts";
import type { ComparedPhase, ComparedSide, Comparison, Difference } from "../src/compareAnswer.ts";
import { formatDuration } from "../src/units.ts";
import { formatView, parseView } from "../src/view.ts";

const versions = parseView("?country=BR&a.version=5.2.0&b.version=5.2.1&b.shift=day");

test("sides survive the address bar", () => {
  const search = "?page=compare&a.version=5.2.0&a.network=4g&b.version=5.2.1&b.shift=week";
  assert.equal(formatView(parseView(search)), search);
  assert.ok(isUnsaid(parseView("?version=1").sides));
  assert.ok(isSame(parseView("?a.version=1&b.version=1").sides));
});

test("what is common is asked for once, what a side has for itself under its name", () => {
  const query = compareParameters(versions, versions.sides);
  assert.deepEqual(query.getAll("country"), ["BR"]);
  assert.deepEqual(query.getAll("a.version"), ["5.2.0"]);
  assert.equal(query.get("b.from"), "-90000s");
  assert.equal(query.get("b.to"), "-86400s");
  assert.equal(query.get("at"), "0.95");
});

test("a side alone opens as a view of its own, but not of another time", () => {
  const filters = { version: ["5.2.0"], country: ["BR"], device_class: [], network: [] };
  assert.deepEqual(sideView(versions, versions.sides.a), { page: "overview", filters });
  assert.equal(sideView(versions, versions.sides.b), null);
});

test("a side alone is asked for by its own values, which win over the common ones", () => {
  const query = sideParameters(parseView("?version=1&country=DE&a.version=2"), parseView("?version=1&country=DE&a.version=2").sides.a);
  assert.deepEqual(query.getAll("version"), ["2"]);
  assert.deepEqual(query.getAll("country"), ["DE"]);
});

test("a range of the user's own is moved as a whole", () => {
  const view = parseView("?from=2026-01-02T00:00:00Z&to=2026-01-02T06:00:00Z");
  assert.deepEqual(periodOf(view, "range"), { from: "2026-01-01T18:00:00.000Z", to: "2026-01-02T00:00:00.000Z" });
  assert.equal(periodOf(view, "none"), null);
});

test("the newest version in use is compared with the one before; a canary and the unknown are not", () => {
  const values = [["5.2.0", 500], ["5.10.0", 300], ["5.9.9", 190], ["6.0.0", 2], ["unknown", 40]].map(([value, spans]) => ({ value: String(value), spans: Number(spans) }));
  const found = suggestVersions(values, parseView("").sides.a);
  assert.deepEqual([found?.a.filters.version, found?.b.filters.version], [["5.9.9"], ["5.10.0"]]);
  assert.equal(suggestVersions(values.slice(0, 1), parseView("").sides.a), null);
  assert.deepEqual(byAge(["10.0", "9.1", "{other}"]), ["9.1", "10.0"]);
});

test("two versions are asked for at once, and each finds its own group in the answer", () => {
  const view = parseView("?country=BR&a.version=5.2.0&b.version=5.2.1");
  assert.deepEqual(apart(view.sides), ["version"]);
  const query = bothParameters(view, view.sides, ["version"]);
  assert.deepEqual([query.getAll("version"), query.get("group_by"), query.get("country")], [["5.2.0", "5.2.1"], "version", "BR"]);
  const answer = { groups: [{ group: { version: "5.2.1" } }, { group: { version: "5.2.0" } }] } as unknown as Latency;
  assert.deepEqual(partOf(answer, view.sides.a, ["version"]).groups, [{ group: { version: "5.2.0" } }]);
});

test("periods, several values and what only one side says need a call each", () => {
  for (const search of ["?a.shift=day", "?a.version=1&b.version=2&b.shift=week", "?a.version=1&a.version=2&b.version=3", "?a.country=BR"]) {
    assert.equal(apart(parseView(search).sides), null);
  }
});

test("a side is named by what tells it from the other", () => {
  const { a, b } = versions.sides;
  assert.equal(sideName(a, b), "5.2.0, this time range");
  assert.equal(sideName(b, a), "5.2.1, a day earlier");
  const some = parseView("?a.country=BR").sides;
  assert.equal(sideName(some.a, some.b), "Brazil (BR)");
  assert.equal(sideName(some.b, some.a), "any country");
});

test("a difference has its sign and its interval", () => {
  assert.equal(signed(-1500, formatDuration), "−1.50 ms");
  assert.equal(withInterval({ value: 2e6, interval: [1e6, null] }, formatDuration), "+2.00 s (+1.00 s to anything)");
});

const differs = (value: number, significant: boolean): Difference => ({ value, interval: [value - 1e5, value + 1e5], significant });

function phase(name: ComparedPhase["phase"], meanUs: number, significant: boolean, unknown = 0): ComparedPhase {
  return { phase: name, mean_us: differs(meanUs, significant), unknown_share: { value: unknown, interval: [null, null], significant: unknown !== 0 } } as ComparedPhase;
}

const side = { spans: 1000, errors: 20, effective_spans: 400 } as ComparedSide;

function comparison(us: Difference, phases: ComparedPhase[], rest: Partial<Comparison> = {}): Comparison {
  return {
    at: 0.95, a: side, b: { ...side, errors: 21 }, phases,
    difference: { us, mean_us: differs(1.1e6, us.significant), error_rate: differs(0.001, false) },
    ...rest,
  } as Comparison;
}

const NAMES = { a: "5.2.0", b: "5.2.1" };

test("a slower version is said to be, by how much, and in which phase", () => {
  const found = verdict(comparison(differs(1.4e6, true), [phase("dns", 1000, true), phase("tls", 1e6, true), phase("tcp", 3e5, false)]), NAMES, "request");
  assert.equal(found.tone, "worse");
  assert.equal(found.headline, "5.2.1 is slower than 5.2.0 at p95 by 1.40 s (1.30 s to 1.50 s).");
  assert.equal(found.more[0], "On average 5.2.1 takes 1.10 s more: 1.00 s of it in TLS.");
  assert.equal(found.more[1], "Failed: 2.1\u202f% instead of 2.0\u202f%, which may be chance.");
});

test("a phase that grew by the whole difference is said to be all of it", () => {
  const found = verdict(comparison(differs(1.4e6, true), [phase("request", 1.13e6, true), phase("ttfb", 2e5, true)]), NAMES, "request");
  assert.equal(found.more[0], "On average 5.2.1 takes 1.10 s more: all of it in sending the request.");
});

test("points of a share are written to where they tell", () => {
  assert.deepEqual([0, 0.0004, 0.0123, 0.25].map(formatPoints), ["0.00\u202fpp", "0.04\u202fpp", "1.2\u202fpp", "25\u202fpp"]);
});

test("where a high percentile cannot tell, the mean may", () => {
  const answer = comparison(differs(5e4, false), [phase("tls", 1e6, true)]);
  const found = verdict({ ...answer, difference: { ...answer.difference, mean_us: differs(1.1e6, true) } }, NAMES, "request");
  assert.equal(found.headline, "5.2.1 is slower than 5.2.0 on average by 1.10 s (1.00 s to 1.20 s): 1.00 s of it in TLS.");
  assert.match(found.more[0] ?? "", /^At p95 no difference beyond chance/);
});

test("what may be chance is said to be, and that more spans would tell", () => {
  const few = { ...side, effective_spans: 31 };
  const found = verdict(comparison(differs(5e4, false), [phase("tls", 1e6, false)], { a: few }), NAMES, "request");
  assert.equal(found.tone, "alike");
  assert.match(found.headline, /^At p95 no difference beyond chance: \+50\.0 ms \(−50\.0 ms to \+150 ms\)\. A side has only 31 independent spans/);
});

test("a side of which nothing is shown is named", () => {
  assert.equal(verdict(comparison(differs(0, false), [], { b: { ...side, spans: 0 } }), NAMES, "request").headline, "Nothing to show of 5.2.1.");
});

test("phases that go the other way, are small or may be chance are not blamed", () => {
  const found = behind([phase("dns", -1e6, true), phase("tls", 1e4, true), phase("tcp", 9e5, false), phase("ttfb", 8e5, true)], 1e6);
  assert.deepEqual(found.map((each) => each.phase), ["ttfb"]);
});

test("a phase that is known more often on one side is warned about", () => {
  const found = verdict(comparison(differs(1.4e6, true), [phase("tls", 1e6, true, 0.3)]), NAMES, "request");
  assert.match(found.more[2] ?? "", /^How often TLS is known differs/);
});

test("layout shift is higher or lower, not slower", () => {
  assert.match(verdict(comparison(differs(3e5, true), []), NAMES, "cls").headline, /^5\.2\.1 is higher than 5\.2\.0 at p95 by 0\.300/);
});

test("a day before lies on the day of the other side", () => {
  const of = (day: string, us: number): Latency =>
    ({ from: `${day}T10:00:00Z`, to: `${day}T10:02:00Z`, step_s: 60, quantiles: [0.95], groups: [{ group: {}, points: [{ at: `${day}T10:01:00Z`, quantiles: [us] }] }] }) as unknown as Latency;
  const { at, lines } = pair({ a: of("2026-03-01", 5), b: of("2026-03-02", 7) }, { a: 86_400, b: 0 });
  assert.deepEqual(at.map((time) => new Date(time * 1000).toISOString()), ["2026-03-02T10:00:00.000Z", "2026-03-02T10:01:00.000Z"]);
  assert.deepEqual(lines, { a: [null, 5], b: [null, 7] });
});
