import assert from "node:assert/strict";
import { test } from "node:test";
import type { Session, SessionSpan } from "../src/sessionAnswer.ts";
import { clocksNote, fault, mayBeOtherWay, measured, pauseBefore, when } from "../src/timeline.ts";

const at = (start_us: number, rest: Partial<SessionSpan> = {}): SessionSpan =>
  ({ start_us, err_us: 20_000, clock: 1, duration_us: 1_000_000, signal: "request", failed: false, ...rest }) as SessionSpan;

test("a time says how sure it is", () => {
  assert.equal(when(at(0)), "0 s ± 20.0 ms");
  assert.equal(when(at(2_500_000, { err_us: null })), "+2.50 s ± ?");
});

test("a pause counts from the end of what was before", () => {
  assert.equal(pauseBefore(at(0), at(61_000_000)), "60.0 s later");
  assert.equal(pauseBefore(at(0, { duration_us: 50_000_000 }), at(61_000_000)), null);
  assert.equal(pauseBefore(undefined, at(61_000_000)), null);
});

test("neighbours of one clock are in order; of two clocks they are where their errors do not meet", () => {
  assert.equal(mayBeOtherWay(at(0), at(1)), false);
  assert.equal(mayBeOtherWay(at(0), at(1, { clock: 2 })), true);
  assert.equal(mayBeOtherWay(at(0), at(50_000, { clock: 2 })), false);
  assert.equal(mayBeOtherWay(at(0, { err_us: null }), at(50_000_000, { clock: 2 })), true);
});

test("a moment has no length, a vital its own measure", () => {
  assert.equal(measured(at(0, { signal: "exception", duration_us: 5 })), "");
  assert.equal(measured(at(0, { signal: "lcp" })), "1.00 s");
  assert.equal(measured(at(0, { signal: "cls", duration_us: 120_000 })), "0.120");
  assert.equal(measured(at(0, { signal: "cls", duration_us: 0 })), "0.000");
});

test("what went wrong is one word", () => {
  assert.equal(fault(at(0, { failed: true, http_status: 503 })), "503");
  assert.equal(fault(at(0, { failed: true, http_status: 0 })), "no answer");
  assert.equal(fault(at(0, { failed: true, signal: "exception", name: "checkout", error_type: "TypeError" })), "TypeError");
  assert.equal(fault(at(0, { failed: true, signal: "exception", name: "TypeError", error_type: "TypeError" })), null);
  assert.equal(fault(at(0)), null);
});

test("clocks say how sure the order is", () => {
  const clock = { clock: 1, spans: 3, grade: "A", err_us: 20_000, conflict: false };
  assert.equal(clocksNote({ clocks: [clock] } as Session), "One clock. 3 spans: starts ± 20.0 ms, grade A (anchored both ways).");
  assert.match(clocksNote({ clocks: [clock, { ...clock, err_us: null }] } as Session), /^2 clocks, each in its own order.*nothing bounds/);
});
