import assert from "node:assert/strict";
import { test } from "node:test";
import type { Group, Latency, Span } from "../src/api.ts";
import { lonely, series } from "../src/trend.ts";
import type { Known } from "../src/waterfall.ts";
import { add, isRequest, keyOf, Kinship, layOut, layPhases, marks, rowAbove, titleOf } from "../src/waterfall.ts";

function span(id: string, parent: string | null, start_us: number, duration_us: number, phases: Span["phases"] = {}): Span {
  return {
    span_id: id, parent_span_id: parent, name: id, route: null, kind: "client", status: "unset", origin: "client", duration_us, phases,
    start_at: "2026-01-31T08:00:00.000000Z", attributes: {}, resource: {}, events: [], links: [], first_byte: null, children: 0, top: null,
    line: { start_us, shift_us: 0, err_us: null, clock: 1 },
  };
}

function group(like: string, parent: string | null, spans: number, start_us: number): Group {
  return { like, parent_span_id: parent, name: "GET", route: null, spans, errors: 0, total_us: 9, min_us: 1, max_us: 3, p95_us: 3, start_us, end_us: 50 };
}

const known = (spans: Span[], groups: Group[] = [], next: Known["next"] = {}): Known => ({ spans, groups, next });
const none = new Map<string, boolean>();

/** Rows as text: depth and name. */
function seen(all: Known, opened: ReadonlyMap<string, boolean> = none): string[] {
  return layOut(all, opened).map((row) => {
    if (row.kind === "span") return `${row.depth} ${row.span.span_id}`;
    return row.kind === "group" ? `${row.depth} x${row.group.spans}` : `${row.depth} ${row.where}: ${row.left}`;
  });
}

test("children follow their parent in order of start, wherever they stand in the answer", () => {
  const spans = [span("late", "root", 300, 50), span("root", null, 0, 500), span("early", "root", 100, 1), span("leaf", "early", 200, 1)];
  assert.deepEqual(seen(known(spans)), ["0 root", "1 early", "2 leaf", "1 late"]);
});

test("siblings that start together keep the order in which the server gave them", () => {
  assert.deepEqual(seen(known([span("root", null, 0, 500), span("b", "root", 1, 1), span("a", "root", 1, 1)])), ["0 root", "1 b", "1 a"]);
});

test("a span whose parent is not here stands at the top and says why", () => {
  const why = (span: Span): string | null | undefined => layOut(known([span]), none).map((row) => (row.kind === "span" ? row.parentless : undefined))[0];
  assert.equal(why({ ...span("a", "gone", 0, 1), top: "orphan" }), "absent");
  assert.equal(why(span("a", "not fetched", 0, 1)), "elsewhere");
  assert.equal(why({ ...span("a", null, 0, 1), top: "root" }), null);
});

test("a closed span hides what is below it, and a jump knows what to open", () => {
  const deep = span("deep", "m1", 11, 1);
  const all = known([span("root", null, 0, 50), { ...span("m1", "root", 10, 5), name: "GET" }, deep], [group("m1", "root", 6, 10)]);
  assert.deepEqual(seen(all, new Map([["root/0/root", false]])), ["0 root"]);
  const above = new Kinship(all).above(deep);
  assert.deepEqual(seen(all, new Map([...above].map((key) => [key, true] as const))), ["0 root", "1 x6", "2 m1", "3 deep", "2 like=m1: 5"]);
});

test("a jump to a span in a ring of parents ends", () => {
  const [a, b] = [span("a", "b", 0, 1), span("b", "a", 1, 1)];
  assert.deepEqual([...new Kinship(known([a, b])).above(a)], [keyOf(b)]);
});

test("a span whose children are not known is closed, one without children cannot be opened", () => {
  const opened = (children: number): boolean | null => {
    const [row] = layOut(known([{ ...span("a", null, 0, 1), children }]), none);
    assert.ok(row?.kind === "span");
    return row.opened;
  };
  assert.equal(opened(3), false);
  assert.equal(opened(0), null);
});

test("the critical path of what a row hides is drawn on it", () => {
  const all = known([span("root", null, 0, 50), span("a", "root", 10, 20)]);
  const path = new Map([["root", [{ start_us: 0, duration_us: 10 }]], ["a", [{ start_us: 10, duration_us: 20 }]]]);
  const pieces = (open: ReadonlyMap<string, boolean>): number[] => layOut(all, open, path).map((row) => (row.kind === "rest" ? 0 : row.pieces.length));
  assert.deepEqual(pieces(none), [1, 1]);
  assert.deepEqual(pieces(new Map([["root/0/root", false]])), [2]);
});

test("siblings know their place among each other, and a row the one it is below", () => {
  const rows = layOut(known([span("root", null, 0, 50), span("b", "root", 2, 1), span("a", "root", 1, 1), span("leaf", "b", 3, 1)]), none);
  assert.deepEqual(rows.map(({ place, siblings }) => [place, siblings]), [[1, 1], [1, 2], [2, 2], [1, 1]]);
  assert.deepEqual(rows.map((_, index) => rowAbove(rows, index)), [null, 0, 0, 2]);
});

test("a chain of ten thousand spans and a group of as many are laid out", () => {
  const chain = Array.from({ length: 10_000 }, (_, index) => span(`s${index}`, index ? `s${index - 1}` : null, index, 1));
  assert.equal(layOut(known(chain), none).length, 10_000);
  const members = Array.from({ length: 10_000 }, (_, index) => ({ ...span(`m${index}`, "root", index, 1), name: "GET" }));
  const all = known([span("root", null, 0, 50), ...members], [group("m0", "root", 10_000, 0)]);
  assert.equal(layOut(all, none).length, 2);
  assert.equal(layOut(all, new Map([["xm0", true]])).length, 10_002);
});

test("spans that are each other's parents still appear, once each", () => {
  assert.equal(seen(known([span("a", "b", 0, 1), span("b", "a", 0, 1), span("c", "c", 0, 1), span("d", "a", 0, 1)])).length, 4);
});

test("two spans that claim one id both appear, and its children once", () => {
  const stranger = { ...span("a", "b", 5, 1), name: "stranger" };
  assert.deepEqual(seen(known([span("a", null, 0, 9), stranger, span("b", "a", 1, 1)])), ["0 a", "1 b", "2 a"]);
});

test("a group hides its members until it is opened, and says what of it is still to be fetched", () => {
  const member = { ...span("m1", "root", 10, 1), name: "GET" };
  const all = known([{ ...span("root", null, 0, 50), children: 7 }, member, span("under", "m1", 11, 1)], [group("m1", "root", 6, 10)]);
  assert.deepEqual(seen(all), ["0 root", "1 x6", "1 parent=root: 1"]);
  assert.deepEqual(seen(all, new Map([["xm1", true]])), ["0 root", "1 x6", "2 m1", "3 under", "2 like=m1: 5", "1 parent=root: 1"]);
});

test("what a page brings is added once, and its end is known", () => {
  const before = known([{ ...span("root", null, 0, 50), children: 2 }, span("a", "root", 1, 1)], [], { "": "c1" });
  assert.deepEqual(seen(before), ["0 root", "1 a", "1 parent=root: 1", "0 : null"]);
  const after = add(before, "parent=root", { spans: [span("a", "root", 1, 1), span("b", "root", 2, 1)], groups: [], next: null });
  assert.deepEqual(seen(after), ["0 root", "1 a", "1 b", "0 : null"]);
  assert.deepEqual(seen(add(after, "", { spans: [], groups: [], next: null })), ["0 root", "1 a", "1 b"]);
});

test("only measured phases are drawn, end to end and never beyond the span", () => {
  const laid = layPhases(span("a", null, 0, 100, {
    dns: { state: "measured", us: 30 }, tcp: { state: "reused" }, ttfb: { state: "measured", us: 60 }, download: { state: "measured", us: 40 },
  }));
  assert.deepEqual(laid, [{ phase: "dns", offset: 0, us: 30 }, { phase: "ttfb", offset: 30, us: 60 }, { phase: "download", offset: 90, us: 10 }]);
});

test("an axis has round marks from zero", () => {
  assert.deepEqual(marks(1_480_000, 5), [0, 500_000, 1_000_000]);
  assert.deepEqual(marks(7, 7), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(marks(3600e6, 5).map((us) => us / 60e6), [0, 20, 40, 60]);
});

test("buckets without a point become gaps in the trend", () => {
  const tally = { spans: 3, errors: 1, measured: 3, reused: 0, unknown: 0, quantiles: [10, null] };
  const answer: Latency = {
    from: "1970-01-01T00:01:00Z", to: "1970-01-01T00:04:00Z", step_s: 60, exact: true, basis: "exact", source: "view:all", truncated: false, hidden_spans: 0, weighted_spans: 0, relative_error: 0.01,
    quantiles: [0.5, 0.95], groups: [{ group: {}, total: tally, points: [{ ...tally, at: "1970-01-01T00:02:00Z" }] }],
  };
  assert.deepEqual(series(answer), { at: [60, 120, 180], spans: [null, 3, null], errors: [null, 1, null], quantiles: [[null, 10, null], [null, null, null]] });
});

test("a point between two gaps is found, so that it gets a dot", () => {
  assert.deepEqual(lonely([1, null, 2, null, null, 3, 4]), [0, 2]);
});

test("a request named after its method alone is called by its route", () => {
  const request = { ...span("a", null, 0, 1), name: "HTTP GET", route: "GET api.shop.example/orders/{id}" };
  assert.equal(titleOf(request), "GET /orders/{id}");
  assert.equal(titleOf({ ...request, name: "load basket" }), "load basket");
});

test("a span without phases, address, method or status is no request", () => {
  assert.equal(isRequest(span("a", null, 0, 1)), false);
  assert.equal(isRequest({ ...span("a", null, 0, 1), http_status: 0 }), true);
  assert.equal(isRequest(span("a", null, 0, 1, { tls: { state: "reused" } })), true);
});
