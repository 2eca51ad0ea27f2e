import assert from "node:assert/strict";
import { test } from "node:test";

import type { Body } from "../src/batch.ts";
import type { Reply } from "../src/edge.ts";
import { FakeWorld, START_MS, batchOf, settled } from "./world.ts";
import { json } from "./vectors.ts";

/** Plays a trace: the n-th answer is to the n-th attempt; when there are no more, the attempt stays without one. */
class Trace extends FakeWorld {
  readonly names = new Map<string, string>();
  readonly at: { at_us: number; batch: string }[] = [];
  readonly splits: Record<string, { id: string; rows: number[] }[]> = {};
  readonly dropped: Record<string, number> = {};
  readonly done = new Set<string>();
  #chances: number[];
  #answers: any[];
  #parent: string | undefined;

  constructor(vector: any) {
    super();
    this.#chances = vector.chances;
    this.#answers = vector.answers;
  }

  override random = (): number => this.#chances.shift()!;

  override lost = ({ id, spans }: { id: string; spans: number }, reason: string): number => {
    this.done.add(this.names.get(id)!);
    return (this.dropped[reason] = (this.dropped[reason] ?? 0) + spans);
  };

  override async post(batch: Body): Promise<Reply> {
    const name = this.names.get(batch.id) ?? this.#half(batch);
    if (!this.#answers.length) return new Promise(() => undefined);
    this.at.push({ at_us: Math.round(this.ms * 1000), batch: name });
    const { status = 0, after_us: afterUs, retry_after: retryAfter, date } = this.#answers.shift();
    // A redirect is not followed: the browser shows it as no answer.
    const seen = { status: status === 302 ? 0 : status, retryAfter, date };
    this.#parent = status === 413 ? name : this.#parent;
    if (status >= 200 && status < 300) this.done.add(name);
    if (status === 413) this.done.add(name);
    return new Promise((resolve) => this.after(afterUs / 1000, () => resolve(seen)));
  }

  /** A batch with a new id is a half of the one that was cut last and has not got both. */
  #half(batch: Body): string {
    let parent = this.#parent!;
    while ((this.splits[parent] ??= []).length === 2) parent = parent.slice(0, parent.lastIndexOf("."));
    const halves = this.splits[parent]!;
    const first = halves.length ? halves[0]!.rows[1]! : this.#rows(parent)[0]!;
    const name = `${parent}.${halves.length + 1}`;
    halves.push({ id: name, rows: [first, first + batch.spans] });
    this.names.set(batch.id, name);
    return name;
  }

  #rows(name: string): number[] {
    return [0];
  }
}

for (const [name, vector] of Object.entries<any>(json("retry.json").cases)) {
  test(`retries as the vector has it, ${name}: ${vector.meaning}`, async () => {
    const trace = new Trace(vector);
    for (const { id, spans, sealed_us: sealedUs } of vector.batches) {
      const batch = batchOf(spans, { sealedMs: START_MS + sealedUs / 1000 });
      trace.names.set(batch.id, id);
      await trace.queue.put(batch);
    }
    void trace.sender.drain();
    await settled();
    await trace.pass(2 * 3_600_000 + 3_000_000);
    assert.deepEqual(trace.at, vector.expected.attempts);
    assert.deepEqual(trace.dropped, vector.expected.dropped);
    assert.equal(trace.sender.off, vector.expected.stopped);
  });
}
