import assert from "node:assert/strict";
import { test } from "node:test";

import type { Body } from "../src/batch.ts";
import { inflate } from "../src/compress.ts";
import type { Reply } from "../src/edge.ts";
import { json } from "./vectors.ts";
import { FakeWorld, START_MS, batchOf, settled } from "./world.ts";

const TRACE_MS = 3 * 3_600_000;

/** Plays a trace: the n-th answer is to the n-th attempt; when there are no more, the attempt stays without one. */
class Trace extends FakeWorld {
  /** Batch id → its name and the first of its rows in the batch that it was cut from. */
  readonly known = new Map<string, { name: string; first: number }>();
  readonly attempted: { at_us: number; batch: string }[] = [];
  readonly splits: Record<string, { id: string; rows: number[] }[]> = {};
  readonly dropped: Record<string, number> = {};
  readonly waiting = new Set<string>();
  readonly #answers: any[];

  constructor(vector: any) {
    super();
    this.#answers = [...vector.answers];
    const chances = [...vector.chances];
    this.random = () => chances.shift();
  }

  override lost = ({ id, spans }: { id: string; spans: number }, reason: string): number => {
    this.waiting.delete(this.known.get(id)!.name);
    return (this.dropped[reason] = (this.dropped[reason] ?? 0) + spans);
  };

  override async post(batch: Body): Promise<Reply> {
    if (!this.#answers.length) return new Promise(() => undefined);
    const atUs = Math.round(this.ms * 1000);
    const { strings } = JSON.parse(await inflate(batch.body));
    const first = Number(/\d+/.exec(strings[0])![0]);
    const { name } = this.known.get(batch.id) ?? this.#half(batch, first);
    this.attempted.push({ at_us: atUs, batch: name });
    const { status = 0, after_us: afterUs, retry_after: retryAfter, date } = this.#answers.shift();
    if (status === 413 && batch.spans > 1) this.#cut(name, first, batch.spans);
    if (status === 413 || (status >= 200 && status < 300)) this.waiting.delete(name);
    // A redirect is not followed: the browser shows it as no answer.
    const reply = { status: status === 302 ? 0 : status, retryAfter, date };
    return new Promise((resolve) => this.after(afterUs / 1000, () => resolve(reply)));
  }

  readonly #halves: { name: string; first: number; spans: number }[] = [];

  #cut(parent: string, first: number, spans: number): void {
    const middle = spans >> 1;
    const parts = [[0, middle], [middle, spans]] as const;
    this.splits[parent] = parts.map(([from, to], k) => ({ id: `${parent}.${k + 1}`, rows: [from, to] }));
    parts.forEach(([from, to], k) => {
      this.#halves.push({ name: `${parent}.${k + 1}`, first: first + from, spans: to - from });
      this.waiting.add(`${parent}.${k + 1}`);
    });
  }

  /** A batch with a new id must be one of the halves that are due, by its rows. */
  #half(batch: Body, first: number): { name: string; first: number } {
    const half = this.#halves.find((each) => each.first === first && each.spans === batch.spans);
    assert.ok(half, "a batch that nothing was cut into");
    this.known.set(batch.id, half);
    return half;
  }
}

for (const [name, vector] of Object.entries<any>(json("retry.json").cases)) {
  test(`retries as the vector has it, ${name}: ${vector.meaning}`, async () => {
    const trace = new Trace(vector);
    for (const { id, spans, sealed_us: sealedUs } of vector.batches) {
      const batch = batchOf(spans, { sealedMs: START_MS + sealedUs / 1000 });
      trace.known.set(batch.id, { name: id, first: 0 });
      trace.waiting.add(id);
      await trace.queue.put(batch);
    }
    void trace.sender.drain();
    await settled();
    await trace.pass(TRACE_MS);
    const { attempts, splits, dropped, left, stopped } = vector.expected;
    assert.deepEqual(trace.attempted, attempts);
    assert.deepEqual([trace.splits, trace.dropped, [...trace.waiting], trace.sender.off], [splits, dropped, left, stopped]);
  });
}
