import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock, PathShare, Span, Trace } from "../src/api.ts";
import { boundless, clockNote, contradictory, piecesOf, placed, sampled, spoken, waitedFor } from "../src/traceWords.ts";

const CLOCK: Clock = { clock: 1, spans: 2, grade: "A", err_before_us: 20_000, err_after_us: 12_000, shift_us: 0, conflict: false, tightened_by: ["a", "b"] };

function span(id: string, more: Partial<Span> = {}): Span {
  return {
    span_id: id, parent_span_id: null, name: id, route: null, kind: "client", status: "unset", origin: "client", duration_us: 900_000, phases: {},
    start_at: "2026-01-31T08:00:00.000000Z", attributes: {}, resource: { service: "app" }, events: [], links: [], first_byte: null, children: 0, top: null,
    clock_quality: "A", line: { start_us: 0, shift_us: 0, err_us: 12_000, clock: 1 }, ...more,
  };
}

function trace(spans: Span[], pieces: [string, number, number][]): Trace {
  const ends = pieces.reduce((sum, [, , us]) => sum + us, 0);
  return {
    spans, groups: [], next: null, trace_id: "t", external_url: null, duration_us: ends, senders: [], errors: [], clocks: [CLOCK],
    counts: { spans: spans.length, stored: spans.length, dropped: 0, backend: 0, errors: 0 },
    critical_path: { root: "root", duration_us: ends, shares: [], other_shares_us: 0, pieces: pieces.map(([span_id, start_us, duration_us]) => ({ span_id, start_us, duration_us })) },
    links: { links: [], more: false }, linked_from: { links: [], more: false },
  };
}

test("a start says how sure it is, by which grade, and what made it surer", () => {
  assert.equal(placed(span("a"), [CLOCK]), "start ± 12.0 ms, grade A, tightened by 2 backend spans");
  assert.equal(placed(span("a"), [{ ...CLOCK, tightened_by: ["a"] }]), "start ± 12.0 ms, grade A, tightened by 1 backend span");
  assert.equal(placed(span("a", { line: { start_us: 0, shift_us: -4_000_000, err_us: null, clock: 1 } }), []), "start unbounded: nothing tells how far off, grade A, moved by −4.00 s");
});

test("a clock says what was known before backend spans tightened it", () => {
  assert.equal(clockNote(CLOCK), "Client’s clock, 2 spans: start ± 12.0 ms, grade A (anchored both ways), tightened by 2 backend spans, before: ± 20.0 ms");
  assert.equal(clockNote({ ...CLOCK, spans: 1, tightened_by: [], err_after_us: 20_000 }), "Client’s clock, 1 span: start ± 20.0 ms, grade A (anchored both ways)");
});

test("what the end waited for is listed with all others in one", () => {
  const share = (name: string, us: number): PathShare => ({ name, route: null, service: null, spans: 1, us, longest: name });
  const given = trace([span("a")], [["a", 0, 1000]]);
  given.critical_path.shares = [share("a", 600), share("b", 300), share("c", 60)];
  const { list, others_us } = waitedFor(given, 2);
  assert.deepEqual([list.map(({ name }) => name), others_us], [["a", "b"], 100]);
});

test("pieces of one span keep together", () => {
  assert.deepEqual(piecesOf(trace([], [["a", 0, 1], ["b", 1, 2], ["a", 3, 4]]).critical_path).get("a"), [{ start_us: 0, duration_us: 1 }, { start_us: 3, duration_us: 4 }]);
});

test("how a span came into the sample is said in words", () => {
  assert.equal(sampled(span("a", { weight: 20, inclusion_probability: 0.05 })), "5.0\u202f% of those like it; stands for 20 spans");
  assert.equal(sampled(span("a", { weight: 1, inclusion_probability: 1 })), "every one like it; stands for itself");
  assert.match(sampled(span("a", { weight: 0, inclusion_probability: null })) ?? "", /others stand for its kind/);
});

test("a row speaks of all that is drawn", () => {
  const backend = span("GET /", { origin: "backend", resource: { service: "shop-api" }, status: "error", clock_conflict: true });
  assert.equal(spoken(backend, 5000, []), "GET /, backend shop-api, failed, 900 ms, starts at 0 µs, start ± 12.0 ms, its clock contradicts itself, 5.00 ms on the critical path");
});

test("spans of a clock that the trace's backends contradict are flagged", () => {
  assert.equal(contradictory(span("a"), [CLOCK]), false);
  assert.equal(contradictory(span("a"), [{ ...CLOCK, conflict: true }]), true);
  assert.equal(contradictory(span("a", { clock_conflict: true }), []), true);
});

test("a start without bounds matters where there is another clock", () => {
  const lost = span("a", { line: { start_us: 0, shift_us: 0, err_us: null, clock: 1 } });
  const alone = trace([lost], [["a", 0, 1]]);
  assert.equal(boundless(lost, alone), false);
  assert.equal(boundless(lost, { ...alone, counts: { ...alone.counts, backend: 1 } }), true);
  assert.equal(boundless(span("a"), { ...alone, clocks: [CLOCK, CLOCK] }), false);
});
