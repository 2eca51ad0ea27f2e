/** A world that stands still until a test moves it: time, chance, an edge that answers as told, batches. */

import type { Body, Sealed } from "../src/batch.ts";
import type { Reply } from "../src/edge.ts";
import { encode } from "../src/encode.ts";
import { Queue } from "../src/queue.ts";
import { Sender } from "../src/send.ts";
import type { World } from "../src/send.ts";

export const START_MS = 1_790_000_000_000;

export class FakeWorld implements World {
  ms = 0;
  chance = 0.5;
  killed = false;
  otherTab = false;
  /** What the edge says next; 202 when nothing is left. */
  replies: (Reply | undefined | false)[] = [];
  attempts: { id: string; body: Uint8Array; atMs: number; leaving: boolean; spans: number }[] = [];
  gone: { id: string; spans: number; reason: string }[] = [];
  #timers: { atMs: number; call: () => void }[] = [];
  queue = new Queue(
    () => START_MS + this.ms,
    (batch, reason) => this.lost(batch, reason),
  );
  sender = new Sender(this.queue, this, true);

  async post(batch: Body, leaving = false): Promise<Reply | undefined | false> {
    this.attempts.push({ id: batch.id, body: batch.body, atMs: this.ms, leaving, spans: batch.spans });
    return this.replies.length ? this.replies.shift() : { status: 202 };
  }

  nowMs = (): number => this.ms;
  random = (): number => this.chance;
  paused = (): boolean => this.killed;
  /** What is kept in case the page ends. */
  left = new Map<string, Body>();
  kept = (batch: Body): Body => batch;
  save = (batch: Body): void => void this.left.set(batch.id, batch);
  saved = (id: string): void => void this.left.delete(id);
  lost = ({ id, spans }: Sealed, reason: string): number => this.gone.push({ id, spans, reason });

  after(ms: number, call: () => void): () => void {
    const timer = { atMs: this.ms + ms, call };
    this.#timers.push(timer);
    return () => void (this.#timers = this.#timers.filter((each) => each !== timer));
  }

  async alone(work: () => Promise<void>): Promise<boolean> {
    if (!this.otherTab) await work();
    return !this.otherTab;
  }

  /** Lets time pass, timer by timer. */
  async pass(ms: number): Promise<void> {
    const endMs = this.ms + ms;
    for (;;) {
      const due = this.#timers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.ms = Math.max(this.ms, due.atMs);
      due.call();
      await settled();
    }
    this.ms = endMs;
  }

  get timers(): number[] {
    return this.#timers.map(({ atMs }) => atMs - this.ms);
  }
}

/** Everything that waits for nothing from outside has happened. */
export const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

let made = 0;

export function batchOf(spans: number, more: Partial<Sealed> = {}): Body {
  const id = (++made).toString(16).padStart(32, "0");
  const rows = Array.from({ length: spans }, (_, row) => ({
    traceId: `${row + 1}`.padStart(32, "a"),
    spanId: `${row + 1}`.padStart(16, "b"),
    name: `span ${row}`,
    startUs: 1000 + row,
    durationUs: 10 * row,
    attributes: { row, of: spans },
  }));
  const body = new TextEncoder().encode(encode({ id, spans: rows }));
  const known = { rank: 0 as const, sealedMs: START_MS, epoch: "e", nearUs: 0, dropped: {} };
  return { id, spans, bytes: body.length, ...known, ...more, body };
}
