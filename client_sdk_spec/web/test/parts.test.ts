import assert from "node:assert/strict";
import { test } from "node:test";

import { MOST_BYTES, MOST_SPANS, bytesOf, seal } from "../src/batch.ts";
import type { Held } from "../src/batch.ts";
import { Clock } from "../src/clock.ts";
import { gzip, inflate } from "../src/compress.ts";
import { encode } from "../src/encode.ts";
import { newRandomness, newSpanId, newTraceId } from "../src/ids.ts";
import { Ring } from "../src/ring.ts";
import { halve } from "../src/split.ts";
import { tidy } from "../src/tidy.ts";
import { VERSION } from "../src/version.ts";
import packaged from "../package.json" with { type: "json" };
import { batch as goldenBatch, golden } from "./vectors.ts";
import { START_MS } from "./world.ts";

const clock = (): Clock => new Clock(() => 5_000, () => START_MS * 1000, () => "e0");
const held = (count: number, more: object = {}): Held[] =>
  Array.from({ length: count }, (_, row) => {
    const span = { traceId: "a".repeat(32), spanId: `${row + 1}`.padStart(16, "0"), name: `n${row}`, startUs: row, ...more };
    return { span, epoch: "e0", rank: 0, bytes: bytesOf(span) };
  });
const decoded = (body: Uint8Array<ArrayBuffer>): any => JSON.parse(new TextDecoder().decode(body));

test("the version is the package's", () => {
  assert.equal(VERSION, packaged.version);
});

test("ids are hex of their length, differ, and are never all zeros", () => {
  const random = crypto.getRandomValues.bind(crypto);
  let zeros = 1;
  crypto.getRandomValues = ((array: Uint8Array<ArrayBuffer>) => (zeros-- > 0 ? array : random(array))) as typeof random;
  assert.match(newTraceId(), /^(?!0+$)[0-9a-f]{32}$/);
  crypto.getRandomValues = random;
  assert.equal(new Set(Array.from({ length: 100 }, newSpanId)).size, 100);
  assert.match(newRandomness(), /^[0-9a-f]{14}$/);
});

test("a body that was compressed is the same when it is inflated, one that was not, too", async () => {
  const body = new TextEncoder().encode("{" + "zéro 🙂".repeat(300));
  const packed = await gzip(body);
  assert.ok(packed.length < body.length / 10);
  assert.equal(await inflate(packed), new TextDecoder().decode(body));
  assert.equal(await inflate(body), new TextDecoder().decode(body));
});

for (const name of golden()) {
  test(`the halves of the golden batch ${name} are what the reference makes of its halves`, async () => {
    const whole = goldenBatch(name);
    const body = new TextEncoder().encode(encode(whole));
    const sealed = { spans: whole.spans.length, rank: 0 as const, sealedMs: 1, epoch: "e", nearUs: 0, dropped: {} };
    const [first, second] = await halve({ id: whole.id, bytes: body.length, ...sealed, body });
    const middle = whole.spans.length >> 1;
    const spans = [whole.spans.slice(0, middle), whole.spans.slice(middle)];
    assert.deepEqual([first.spans, second.spans], spans.map((each) => each.length));
    assert.equal(new Set([whole.id, first.id, second.id]).size, 3);
    for (const [half, part] of [[first, spans[0]!], [second, spans[1]!]] as const) {
      const { dropped, ...rest } = whole;
      const direct = { ...rest, ...(half === first && dropped && { dropped }), id: half.id, spans: part };
      assert.deepEqual(rows(decoded(half.body)), rows(decoded(new TextEncoder().encode(encode(direct)))));
    }
  });
}

const DEFAULTS: Record<string, number> = { kind: 3, status: 0, signal: 0 };

/** The batch with text for codes, absolute starts, and without columns that are all default: what a decoder makes of it. */
function rows(body: any): unknown {
  const text = (code: number): string => (code ? body.strings[code - 1] : "");
  const codes = ["name", "method", "url", "route", "error_type", "protocol", "screen", "threshold", "randomness"];
  const cols: Record<string, unknown> = {};
  for (const [name, column] of Object.entries<any>(body.cols)) {
    const absolute = name === "start_us" ? column.map((us: number) => (us < 0 ? us : us + body.clock.base_us)) : column;
    const found = codes.includes(name) ? column.map(text) : absolute;
    const idle = codes.includes(name) ? "" : (DEFAULTS[name] ?? -2);
    const all = typeof found === "string" ? /^0*$/.test(found) : found.every((each: unknown) => each === idle);
    if (!all) cols[name] = found;
  }
  const traces = body.traces.match(/.{32}/g) ?? [];
  if (cols.trace) cols.trace = body.cols.trace.map((row: number) => traces[row] ?? "");
  const attrs = body.attrs?.span.map((row: number, k: number) => [row, text(body.attrs.key[k]), text(body.attrs.value[k])]);
  const events = body.events?.span.map((row: number, k: number) => [row, text(body.events.name[k]), body.events.offset_us[k]]);
  const { base_us: _, ...kept } = body.clock;
  const links = body.links?.span.length ? body.links : undefined;
  return { n: body.n, dropped: body.dropped, clock: kept, cols, attrs: attrs ?? [], events: events ?? [], links };
}

test("a batch has at most a hundred spans, and the first carries what was dropped", () => {
  const sealed = seal(held(250), { service: "s" }, clock(), START_MS, { sampled: 3 });
  assert.deepEqual(sealed.map(({ spans }) => spans), [MOST_SPANS, MOST_SPANS, 50]);
  assert.deepEqual(sealed.map(({ dropped }) => dropped), [{ sampled: 3 }, {}, {}]);
  assert.deepEqual(sealed.map(({ body }) => decoded(body).dropped), [{ sampled: 3 }, undefined, undefined]);
});

test("a batch of text in many bytes is sealed as several that fit", () => {
  const sealed = seal(held(100, { url: `https://x/${"貓".repeat(400)}` }).map(distinct), {}, clock(), START_MS, {});
  assert.ok(sealed.length > 1);
  assert.ok(sealed.every(({ bytes, body }) => bytes === body.length && bytes <= MOST_BYTES));
  assert.equal(sealed.reduce((sum, { spans }) => sum + spans, 0), 100);
});
const distinct = (each: Held, row: number): Held => ({ ...each, span: { ...each.span, url: `${each.span.url}${row}` } });

test("spans of two epochs go in batches of their own", () => {
  const [first, second] = held(2);
  const sealed = seal([first!, { ...second!, epoch: "older" }], {}, clock(), START_MS, {});
  assert.deepEqual(sealed.map(({ epoch, spans }) => [epoch, spans]), [["e0", 1], ["older", 1]]);
});

test("a batch of no spans is sealed for what was dropped, and for nothing else", () => {
  assert.deepEqual(seal([], {}, clock(), START_MS, { consent: 2 }).map(({ spans }) => spans), [0]);
  assert.deepEqual(seal([], {}, clock(), START_MS, {}), []);
});

test("a batch matters as much as the span in it that matters most", () => {
  const [first, second] = held(2);
  assert.equal(seal([first!, { ...second!, rank: 3 }], {}, clock(), START_MS, {})[0]!.rank, 3);
});

test("a ring keeps the newest spans and bytes", () => {
  const ring = new Ring();
  const gone = held(600).map((each) => ring.push(each));
  assert.equal(gone.reduce((sum, each) => sum + each), 100);
  const kept = ring.take();
  assert.deepEqual([kept.length, kept[0]!.span.name, ring.take()], [500, "n100", []]);
  for (const each of held(30)) ring.push({ ...each, bytes: 10 * 1024 });
  assert.equal(ring.take().length, 20);
});

const SPAN = { traceId: "a".repeat(32), spanId: "b".repeat(16), name: "n", startUs: 1.4, durationUs: 2.6 };

test("what a page hands over is made what the wire takes", () => {
  const given: any = {
    ...SPAN,
    parentSpanId: "B".repeat(16),
    httpStatus: "200",
    kind: NaN,
    responseBytes: 1.5,
    url: "",
    route: { toString: () => "/r" },
    phases: { dns_us: 1.2, tcp_us: NaN, tls_us: -1 },
    attributes: { a: 1, b: undefined, c: null, d: Infinity, e: { f: 1 }, g: "x".repeat(9_000), h: true },
    events: [{ name: "e", offsetUs: 1.5 }, { name: "f", offsetUs: -3 }, { name: "g" }],
    links: [{ traceId: "z", spanId: "b".repeat(16) }, { traceId: "c".repeat(32), spanId: "d".repeat(16) }],
    surprise: 1,
  };
  assert.deepEqual(tidy(given), {
    ...SPAN,
    startUs: 1,
    durationUs: 3,
    responseBytes: 2,
    route: "/r",
    phases: { dns_us: 1, tls_us: -1 },
    attributes: { a: 1, d: "Infinity", e: "[object Object]", g: `${"x".repeat(8_191)}…`, h: true },
    events: [{ name: "e", offsetUs: 2 }],
    links: [{ traceId: "c".repeat(32), spanId: "d".repeat(16) }],
  });
});

for (const [what, broken] of Object.entries({
  "without a trace id": { traceId: undefined },
  "with a trace id in capitals": { traceId: "A".repeat(32) },
  "with a trace id of zeros": { traceId: "0".repeat(32) },
  "with a span id that is too short": { spanId: "abc" },
  "without a start": { startUs: NaN },
  "without a duration": { durationUs: undefined },
})) {
  test(`a span ${what} is none`, () => {
    assert.equal(tidy({ ...SPAN, ...broken } as never), undefined);
  });
}

test("of attributes, events and links the first 128 each are kept", () => {
  const many = Array.from({ length: 200 }, (_, k) => k);
  const found = tidy({
    ...SPAN,
    attributes: Object.fromEntries(many.map((k) => [`k${k}`, k])),
    events: many.map((k) => ({ name: `${k}`, offsetUs: k })),
    links: many.map(() => ({ traceId: SPAN.traceId, spanId: SPAN.spanId })),
  })!;
  assert.deepEqual([Object.keys(found.attributes!), found.events, found.links].map((each) => each!.length), [128, 128, 128]);
});
