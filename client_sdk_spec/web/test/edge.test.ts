import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";

import { Clock } from "../src/clock.ts";
import { Edge } from "../src/edge.ts";
import { batchOf, settled } from "./world.ts";

interface Asked {
  url: URL;
  init: RequestInit;
  answer(response: Response): void;
}

let asked: Asked[] = [];
let beacons: { url: URL; body: unknown }[] = [];
let beaconTaken = true;
let us = 5_000;
const clock = (): Clock => new Clock(() => us, () => 1_790_000_000_000_000 + us, () => "e");

function set(name: string, value: unknown): void {
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}

beforeEach(() => {
  [asked, beacons, beaconTaken, us] = [[], [], true, 5_000];
  set("location", { href: "https://shop.example/page" });
  set("navigator", {
    hardwareConcurrency: 8,
    sendBeacon: (url: string, body: unknown) => beaconTaken && beacons.push({ url: new URL(url), body }) > 0,
  });
  set("fetch", (url: string, init: RequestInit) =>
    new Promise((answer, reject) => {
      init.signal!.addEventListener("abort", () => reject(new Error("aborted")));
      asked.push({ url: new URL(url), init, answer });
    }),
  );
});

afterEach(async () => {
  for (const { answer } of asked) answer(accepted());
  await new Promise(setImmediate);
});

const accepted = (): Response =>
  Response.json({ accepted: 1, received_us: 1_790_000_000_006_000, replied_us: 1_790_000_000_006_100 }, { status: 202 });

test("an attempt has key and stamp in the address, no header, no body type, no cookies", async () => {
  const edge = new Edge("https://edge.example/", "k&1", clock());
  const batch = batchOf(2);
  const reply = edge.post(batch);
  const { url, init, answer } = asked[0]!;
  assert.equal(`${url.origin}${url.pathname}`, "https://edge.example/v1/batches");
  assert.deepEqual(Object.fromEntries(url.searchParams), { key: "k&1", s: "5000", w: "1790000000005000", e: "e" });
  assert.deepEqual([init.method, init.headers, init.credentials, init.redirect], ["POST", undefined, "omit", "manual"]);
  assert.equal(init.body, batch.body);
  us += 1_000;
  answer(accepted());
  assert.equal(((await reply) as { status: number }).status, 202);
});

test("the next attempt is stamped anew, with what the answer told of the clock", async () => {
  const edge = new Edge("https://edge.example", "k", clock());
  const batch = batchOf(1, { nearUs: 5_000 });
  const first = edge.post(batch);
  us += 1_000;
  asked[0]!.answer(accepted());
  await first;
  void edge.post(batch, true);
  const { s, r, o, bg } = Object.fromEntries(asked[1]!.url.searchParams);
  assert.deepEqual({ s, r, o, bg }, { s: "6000", r: "900", o: "1790000000000550", bg: "1" });
});

test("a path of the edge's address stays, and its own requests are known by it", () => {
  const edge = new Edge("/telemetry/", "k", clock());
  assert.equal(edge.owns("https://shop.example/telemetry/v1/config?x=1"), true);
  assert.equal(edge.owns("https://shop.example/telemetry/other"), false);
});

test("requests live on after the page up to eight and 60,000 bytes, and no further", async () => {
  const edge = new Edge("https://edge.example", "k", clock());
  const large = batchOf(1, { bytes: 25_000 });
  for (let request = 0; request < 3; request++) void edge.post(large);
  assert.deepEqual(asked.map(({ init }) => init.keepalive), [true, true, false]);
  asked[0]!.answer(accepted());
  await settled();
  for (let request = 0; request < 9; request++) void edge.post(batchOf(1, { bytes: 10 }));
  assert.equal(asked.filter(({ init }) => init.keepalive).length, 2 + 7);
  void edge.post(batchOf(1, { bytes: 60_001 }));
  assert.equal(asked.at(-1)!.init.keepalive, false);
});

test("what does not fit when the page ends goes as a beacon, and nobody hears of it; or is refused", async () => {
  const edge = new Edge("https://edge.example", "k", clock());
  void edge.post(batchOf(1, { bytes: 50_000 }));
  const batch = batchOf(1, { bytes: 20_000 });
  assert.equal(await edge.post(batch, true), undefined);
  assert.deepEqual(beacons.map(({ url, body }) => [url.searchParams.get("key"), body]), [["k", batch.body]]);
  beaconTaken = false;
  assert.equal(await edge.post(batch, true), false);
});

test("a browser that cannot keep requests alive sends a beacon when the page ends", async () => {
  const keepalive = Object.getOwnPropertyDescriptor(Request.prototype, "keepalive")!;
  delete (Request.prototype as { keepalive?: boolean }).keepalive;
  const edge = new Edge("https://edge.example", "k", clock());
  assert.equal(await edge.post(batchOf(1), true), undefined);
  Object.defineProperty(Request.prototype, "keepalive", keepalive);
  assert.equal(beacons.length, 1);
});

test("an attempt without an answer is given up after ten seconds", async ({ mock }) => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const reply = new Edge("https://edge.example", "k", clock()).post(batchOf(1));
  mock.timers.tick(10_000);
  assert.deepEqual(await reply, { status: 0 });
});

test("headers that say when to come back are handed on, and a body that is no JSON does no harm", async () => {
  const reply = new Edge("https://edge.example", "k", clock()).post(batchOf(1));
  asked[0]!.answer(new Response("<html>", { status: 503, headers: { "Retry-After": "7" } }));
  assert.deepEqual(await reply, { status: 503, retryAfter: "7", date: null });
});

test("the configuration is asked for with what is known of the device, and the server's clock", () => {
  const edge = new Edge("https://edge.example", "k", clock());
  void edge.config('"7"');
  assert.deepEqual(Object.fromEntries(asked[0]!.url.searchParams), { key: "k", etag: '"7"', clock: "1", cores: "8" });
  assert.equal(asked[0]!.init.headers, undefined);
});
