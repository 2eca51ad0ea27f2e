import assert from "node:assert/strict";
import { test } from "node:test";

import { inflate } from "../src/compress.ts";
import { backoff, fateOf } from "../src/send.ts";
import { FakeWorld, batchOf, settled } from "./world.ts";

test("only network errors, 408, 429 and 5xx are tried again", () => {
  const later = [0, 408, 429, ...Array.from({ length: 100 }, (_, k) => 500 + k)];
  const statuses = [0, 200, 202, 204, ...Array.from({ length: 200 }, (_, k) => 400 + k)];
  assert.deepEqual(statuses.filter((status) => fateOf(status) === "later"), later);
});

test("the wait is drawn from twice as much after each failure, up to five minutes", () => {
  assert.deepEqual([0, 1, 2, 8, 9, 60].map((failures) => backoff(failures, 1, { status: 503 })), [1e3, 2e3, 4e3, 256e3, 3e5, 3e5]);
  assert.equal(backoff(3, 0, { status: 0 }), 0);
});

test("what the answer asks for is waited out, an hour at most, and chance comes on top", () => {
  assert.equal(backoff(0, 0.5, { status: 429, retryAfter: "7" }), 7_500);
  assert.equal(backoff(0, 0, { status: 429, retryAfter: "86400" }), 3_600_000);
});

test("an accepted batch was sent once, compressed", async () => {
  const world = new FakeWorld();
  const batch = batchOf(3);
  await world.sender.send(batch);
  assert.equal(world.attempts.length, 1);
  assert.equal(world.attempts[0]!.body[0], 0x1f);
  assert.equal(await inflate(world.attempts[0]!.body as never), new TextDecoder().decode(batch.body));
});

test("every attempt sends the same bytes under the same id", async () => {
  const world = new FakeWorld();
  world.replies = [{ status: 503 }, { status: 0 }, { status: 429 }];
  await world.sender.send(batchOf(3));
  await world.pass(3_600_000);
  assert.equal(world.attempts.length, 4);
  for (const attempt of world.attempts) assert.deepEqual([attempt.id, attempt.body], [world.attempts[0]!.id, world.attempts[0]!.body]);
  assert.deepEqual(world.attempts.map(({ atMs }) => atMs), [0, 500, 1_500, 3_500]);
  assert.deepEqual([world.gone, world.timers], [[], []]);
});

test("Retry-After is waited out, by whatever new batch, and counts from the answer", async () => {
  const world = new FakeWorld();
  world.replies = [{ status: 429, retryAfter: "30" }];
  await world.sender.send(batchOf(1));
  await world.pass(10_000);
  await world.sender.send(batchOf(1));
  world.sender.online();
  await world.pass(20_000);
  assert.equal(world.attempts.length, 1);
  await world.pass(500);
  await settled();
  assert.deepEqual(world.attempts.map(({ atMs }) => atMs), [0, 30_500, 30_500]);
});

test("after an accepted batch what waits goes out, the oldest first", async () => {
  const world = new FakeWorld();
  const [first, second, third] = [batchOf(1), batchOf(2), batchOf(1)];
  await world.queue.put(first!);
  await world.queue.put(second!);
  await world.sender.send(third!);
  await settled();
  assert.deepEqual(world.attempts.map(({ id }) => id), [third!.id, first!.id, second!.id]);
  assert.equal(await world.queue.next(), undefined);
});

test("a batch that is too large becomes two with new ids, until one span is too large by itself", async () => {
  const world = new FakeWorld();
  const large = { status: 413 };
  world.replies = [large, large, large, { status: 202 }, { status: 202 }];
  const batch = batchOf(5, { dropped: { expired: 7 } });
  await world.sender.send(batch);
  assert.deepEqual(world.attempts.map(({ spans }) => spans), [5, 2, 1, 1, 3]);
  assert.equal(new Set(world.attempts.map(({ id }) => id)).size, 5);
  assert.deepEqual(world.gone.map(({ spans, reason }) => [spans, reason]), [[1, "too_large"]]);
});

test("any other refusal loses the batch and nothing else", async () => {
  const world = new FakeWorld();
  world.replies = [{ status: 400 }];
  const batch = batchOf(4);
  await world.sender.send(batch);
  await world.sender.send(batchOf(1));
  assert.deepEqual(world.gone, [{ id: batch.id, spans: 4, reason: "rejected" }]);
  assert.equal(world.attempts.length, 2);
});

for (const status of [401, 403, 404, 410]) {
  test(`${status} ends sending for the page; what comes after waits for another`, async () => {
    const world = new FakeWorld();
    world.replies = [{ status }];
    await world.sender.send(batchOf(4));
    const next = batchOf(1);
    await world.sender.send(next);
    await world.sender.drain();
    assert.equal(world.attempts.length, 1);
    assert.equal((await world.queue.next())?.id, next.id);
  });
}

test("a page that ends hands over everything at once, the batch that is being compressed too, each once", async () => {
  const world = new FakeWorld();
  const [first, second] = [batchOf(1), batchOf(2)];
  const sent = world.sender.send(first);
  world.sender.leave([second]);
  assert.deepEqual(world.attempts.map(({ id, leaving }) => [id, leaving]), [[first.id, true], [second.id, true]]);
  await sent;
  assert.equal(world.attempts.length, 2);
});

test("a page that ends while the edge is out of reach keeps the batch as well, until it is known to live on", async () => {
  const world = new FakeWorld();
  world.sender.reached = false;
  const batch = batchOf(2);
  world.replies = [{ status: 0 }];
  world.sender.leave([batch]);
  assert.deepEqual([...world.left.keys()], [batch.id]);
  await settled();
  assert.equal(world.left.size, 0);
  assert.equal((await world.queue.next())?.id, batch.id);
});

test("a page that ends while the edge is within reach keeps nothing: it would be sent twice", async () => {
  const world = new FakeWorld();
  world.sender.leave([batchOf(2)]);
  assert.equal(world.left.size, 0);
});

test("a page that ends while it has to wait keeps the batch and asks nobody", async () => {
  const world = new FakeWorld();
  world.replies = [{ status: 503, retryAfter: "60" }];
  await world.sender.send(batchOf(1));
  world.sender.leave([batchOf(2)]);
  assert.equal(world.left.size, 1);
  await settled();
  assert.equal(world.attempts.length, 1);
});

test("a batch that the browser refuses to hand over waits", async () => {
  const world = new FakeWorld();
  world.replies = [false];
  const batch = batchOf(2);
  world.sender.leave([batch]);
  await settled();
  assert.equal((await world.queue.next())?.id, batch.id);
});

test("nothing is sent while the edge says so; what waits goes on waiting", async () => {
  const world = new FakeWorld();
  world.killed = true;
  await world.sender.send(batchOf(1));
  await world.sender.drain();
  assert.equal(world.attempts.length, 0);
  world.killed = false;
  await world.sender.drain();
  assert.equal(world.attempts.length, 1);
});

test("what another tab is sending is left to it, and looked at again later", async () => {
  const world = new FakeWorld();
  await world.queue.put(batchOf(1));
  world.otherTab = true;
  await world.sender.drain();
  assert.equal(world.attempts.length, 0);
  world.otherTab = false;
  await world.pass(45_000);
  assert.equal(world.attempts.length, 1);
});

test("of a page that seals faster than its network sends, no more than twenty batches wait outside the queue", async () => {
  const world = new FakeWorld();
  const sent = Array.from({ length: 50 }, () => world.sender.send(batchOf(1)));
  await Promise.all(sent.slice(20));
  assert.ok(await world.queue.next());
  await Promise.all(sent);
  await world.sender.drain();
  await settled();
  assert.equal(new Set(world.attempts.map(({ id }) => id)).size, 49);
});

test("online again, a batch that failed for want of a network is tried at once", async () => {
  const world = new FakeWorld();
  world.replies = [{ status: 0 }, { status: 0 }, { status: 0 }, { status: 0 }];
  await world.sender.send(batchOf(1));
  await world.pass(5_000);
  const before = world.attempts.length;
  world.sender.online();
  await settled();
  assert.equal(world.attempts.length, before + 1);
});
