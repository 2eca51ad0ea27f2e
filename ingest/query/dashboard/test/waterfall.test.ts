import assert from "node:assert/strict";
import { test } from "node:test";
import type { Latency, Span } from "../src/api.ts";
import { lonely, series } from "../src/trend.ts";
import { isRequest, layOut, layPhases, marks, titleOf } from "../src/waterfall.ts";

function span(id: string, parent: string | null, second: number, duration_us: number, phases: Span["phases"] = {}): Span {
  return {
    span_id: id, parent_span_id: parent, name: id, kind: "client", status: "unset", duration_us, phases,
    start_at: `2026-01-31T08:00:0${second}.000000Z`, attributes: {}, resource: {}, events: [], links: [],
  };
}

test("children follow their parent in order of start, wherever they stand in the answer", () => {
  const { bars, lengthUs } = layOut([span("late", "root", 3, 500_000), span("root", null, 0, 5_000_000), span("early", "root", 1, 1), span("leaf", "early", 2, 1)]);
  assert.deepEqual(bars.map((bar) => [bar.span.span_id, bar.depth]), [["root", 0], ["early", 1], ["leaf", 2], ["late", 1]]);
  assert.equal(lengthUs, 5_000_000);
  assert.equal(bars[3]?.offset, 3_000_000);
});

test("a span whose parent is not here stands at the top and says so", () => {
  const { bars } = layOut([span("a", "gone", 0, 1)]);
  assert.deepEqual([bars[0]?.depth, bars[0]?.orphan], [0, true]);
});

test("spans that are each other's parents still appear, once each", () => {
  assert.equal(layOut([span("a", "b", 0, 1), span("b", "a", 0, 1), span("c", "c", 0, 1)]).bars.length, 3);
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
});

test("buckets without a point become gaps in the trend", () => {
  const tally = { spans: 3, errors: 1, measured: 3, reused: 0, unknown: 0, quantiles: [10, null] };
  const answer: Latency = {
    from: "1970-01-01T00:01:00Z", to: "1970-01-01T00:04:00Z", step_s: 60, exact: true, source: "view:all", truncated: false, hidden_spans: 0,
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
