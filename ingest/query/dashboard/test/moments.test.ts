import assert from "node:assert/strict";
import { test } from "node:test";
import type { Span } from "../src/api.ts";
import { asMoment, countMoments, momentsOf, momentText } from "../src/moments.ts";
import type { Signal } from "../src/view.ts";
import { layOut } from "../src/waterfall.ts";

function span(name: string, signal: Signal, start_us: number, rest: object = {}): Span {
  return {
    span_id: name, parent_span_id: "page", name, route: null, signal, duration_us: 0, attributes: {}, events: [], children: 0, top: null,
    phases: {}, line: { start_us, shift_us: 0, err_us: 0, clock: 1 }, ...rest,
  } as unknown as Span;
}

const page = span("page", "page", 1_000_000, { parent_span_id: null, top: "root", duration_us: 5_000_000, events: [{ name: "dom_complete", offset_us: 4_000_000 }] });
const thrown = span("TypeError", "exception", 3_000_000, { attributes: { "exception.message": "x is undefined" } });
const logged = span("warn", "event", 2_000_000, { attributes: { "log.body": "slow cart" } });
const lcp = span("LCP", "lcp", 1_000_000, { duration_us: 2_500_000 });

test("exceptions, logs and vitals of a span are moments in their order, with its own events", () => {
  const found = momentsOf(page, [thrown, logged, lcp, span("GET", "request", 1_500_000)]);
  assert.deepEqual(found.map(({ kind, at_us: at }) => [kind, at]), [["log", 2e6], ["exception", 3e6], ["vital", 3.5e6], ["event", 5e6]]);
  assert.equal(countMoments(found), "1 exception, 1 log record, 1 vital, 1 event");
  assert.equal(countMoments([]), "");
});

test("a moment says what it is about", () => {
  const [log, error, vital] = momentsOf({ ...page, events: [] }, [thrown, logged, lcp]);
  assert.ok(log && error && vital);
  assert.equal(momentText(error), "TypeError: x is undefined, at 3.00 s");
  assert.equal(momentText(log), "warn: slow cart, at 2.00 s");
  assert.equal(vital.text, "2.50 s");
});

test("what took time is no moment, and a body that only repeats the name is not said twice", () => {
  assert.equal(asMoment(span("GET", "request", 0)), null);
  assert.equal(asMoment(span("slow cart", "event", 0, { attributes: { "log.body": "slow cart" } }))?.text, null);
});

test("a closed row still has the moments that it hides, folded ones too", () => {
  const many = Array.from({ length: 6 }, (_, index) => span("warn", "event", 2_000_000 + index, { span_id: `w${index}` }));
  const group = { like: "w0", parent_span_id: "page", name: "warn", route: null, spans: 6, errors: 0, total_us: 0, min_us: 0, max_us: 0, p95_us: 0, start_us: 2_000_000, end_us: 2_000_005 };
  const rows = layOut({ spans: [{ ...page, children: 7 }, thrown, ...many], groups: [group], next: {} }, new Map([["page/1000000/page", false]]));
  assert.equal(rows.length, 1);
  assert.equal(rows[0]?.kind === "span" && countMoments(rows[0].moments), "1 exception, 6 log records, 1 event");
});
