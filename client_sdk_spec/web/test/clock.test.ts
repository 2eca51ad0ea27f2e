import assert from "node:assert/strict";
import { test } from "node:test";

import { Clock } from "../src/clock.ts";
import { json } from "./vectors.ts";

const SECOND_US = 1_000_000;
const HOUR_US = 3_600 * SECOND_US;

/** A page whose clocks stand until they are moved; the monotonic one stops in sleep. */
class Page {
  mono = 5 * SECOND_US;
  wall = 1_790_000_000 * SECOND_US;
  #epochs = 0;
  clock = new Clock(
    () => this.mono,
    () => this.wall,
    () => `epoch-${this.#epochs++}`,
  );

  wait(us: number): void {
    this.mono += us;
    this.wall += us;
    this.clock.sample();
  }

  sleep(us: number): void {
    this.wall += us;
    this.clock.sample();
  }

  /** An exchange of `us` in all with a server that is `ahead` of the monotonic clock. */
  exchange(us: number, ahead = 1_790_000_000 * SECOND_US): void {
    const sent = this.mono;
    this.wait(us);
    this.clock.answered(sent, this.mono, sent + ahead + us / 2, sent + ahead + us / 2);
  }
}

for (const exchange of json("clock/exchanges.json").exchanges) {
  test(`of an answer it makes what the vector says: ${exchange.meaning}`, () => {
    const clock = new Clock(
      () => exchange.t1,
      () => 0,
      () => "e",
    );
    clock.answered(exchange.t1, exchange.t4, exchange.received_us, exchange.replied_us);
    const { offset_us: offsetUs, err_us: errUs, at_us: atUs } = exchange.anchor ?? {};
    assert.deepEqual(clock.anchor("e", exchange.t4), exchange.anchor ? { offsetUs, errUs, atUs } : undefined);
  });
}

test("a sleep begins an epoch, and of the older one the clocks are told as last seen", () => {
  const page = new Page();
  page.wait(SECOND_US);
  const then = page.clock.sealed();
  page.sleep(8 * HOUR_US);
  page.wait(SECOND_US);
  assert.equal(page.clock.epoch, "epoch-1");
  assert.deepEqual(page.clock.sealed("epoch-0"), then);
  assert.equal(page.clock.sealed().mono_us, (then.mono_us as number) + SECOND_US);
  assert.equal(page.clock.stamp("epoch-0", 0).b, `${8 * HOUR_US}`);
  assert.equal(page.clock.stamp("epoch-1", 0).b, undefined);
});

test("a drift of less than a quarter of a second begins none", () => {
  const page = new Page();
  page.sleep(250_000);
  assert.equal(page.clock.epoch, "epoch-0");
  page.sleep(250_001);
  assert.equal(page.clock.epoch, "epoch-1");
});

test("a bridge over changes of both signs is not sent", () => {
  const page = new Page();
  page.sleep(HOUR_US);
  page.sleep(2 * HOUR_US);
  assert.equal(page.clock.stamp("epoch-0", 0).b, `${3 * HOUR_US}`);
  page.sleep(-HOUR_US);
  assert.equal(page.clock.stamp("epoch-0", 0).b, undefined);
  assert.equal(page.clock.stamp("epoch-2", 0).b, `${-HOUR_US}`);
});

test("a start belongs to the epoch that had begun by then, one from before them all to the first", () => {
  const page = new Page();
  page.wait(SECOND_US);
  page.sleep(HOUR_US);
  assert.equal(page.clock.epochOf(page.mono - 1), "epoch-0");
  assert.equal(page.clock.epochOf(page.mono), "epoch-1");
  assert.equal(page.clock.epochOf(0), "epoch-0");
});

test("the anchor with the smaller error at the time is kept, and the smallest round trip", () => {
  const page = new Page();
  page.exchange(100_000);
  const near = page.clock.stamp("epoch-0", page.mono);
  assert.deepEqual([near.r, near.d], ["100000", `${50_000 + 10 + 2}`]);
  page.exchange(400_000);
  assert.equal(page.clock.stamp("epoch-0", page.mono).o, near.o);
  page.exchange(50_000);
  assert.deepEqual(
    [page.clock.stamp("epoch-0", page.mono).r, page.clock.stamp("epoch-0", page.mono).d],
    ["50000", `${25_000 + 5 + 2}`],
  );
});

test("a batch that waited goes with the anchor that is best where its spans are", () => {
  const page = new Page();
  page.exchange(100_000);
  const then = page.mono;
  page.wait(HOUR_US);
  page.exchange(100_000);
  assert.equal(page.clock.stamp("epoch-0", then).t, `${then}`);
  assert.equal(page.clock.stamp("epoch-0", page.mono).t, `${page.mono}`);
});

test("of many exchanges eight anchors are kept, the first and the newest among them", () => {
  const page = new Page();
  page.exchange(10_000);
  const first = page.mono;
  for (let exchange = 0; exchange < 30; exchange++) {
    page.wait(60 * SECOND_US);
    page.exchange(10_000);
  }
  const seen = new Set<number>();
  for (let us = 0; us <= page.mono; us += SECOND_US) seen.add(page.clock.anchor("epoch-0", us)!.atUs);
  assert.ok(seen.size <= 8 && seen.has(first) && seen.has(page.mono));
});

test("an answer that came over a sleep proves nothing", () => {
  const page = new Page();
  const sent = page.mono;
  page.wait(SECOND_US);
  page.sleep(HOUR_US);
  page.clock.answered(sent, page.mono, page.wall, page.wall);
  assert.equal(page.clock.stamp("epoch-1", page.mono).o, undefined);
});

test("a batch of an earlier page goes with the anchor that was kept with it, and names its epoch", () => {
  const page = new Page();
  page.exchange(100_000);
  const kept = { offsetUs: 7, errUs: 8, atUs: 9 };
  const { o, d, t, oe, e, b } = page.clock.stamp("page-before", 9, kept);
  assert.deepEqual({ o, d, t, oe, e, b }, { o: "7", d: "8", t: "9", oe: "page-before", e: "epoch-0", b: undefined });
});

test("a batch of an earlier page without one goes with the anchor of this page", () => {
  const page = new Page();
  page.exchange(100_000);
  const { oe, t } = page.clock.stamp("page-before", 9);
  assert.deepEqual([oe, t], [undefined, `${page.mono}`]);
});

test("sixteen epochs are remembered beside the current one", () => {
  const page = new Page();
  for (let epoch = 0; epoch < 40; epoch++) page.sleep(HOUR_US);
  assert.equal(page.clock.stamp("epoch-23", 0).b, undefined);
  assert.equal(page.clock.stamp("epoch-24", 0).b, `${16 * HOUR_US}`);
});
