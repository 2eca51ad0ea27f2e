/** When what is sent, and what becomes of a batch (`WIRE.md`, The answer). Time, chance and network come from outside. */

import type { Body, Sealed } from "./batch.ts";
import { gzip } from "./compress.ts";
import type { Reply } from "./edge.ts";
import type { Queue } from "./queue.ts";
import type { DropReason } from "./recorder.ts";
import { halve } from "./split.ts";

const FIRST_BACKOFF_MS = 1_000;
const LONGEST_BACKOFF_MS = 300_000;
const LONGEST_RETRY_AFTER_MS = 3_600_000;
/** Batches that may wait for their turn; what is sealed beyond them waits in the queue, which is bounded. */
const MOST_FRESH = 20;
/** How long to leave it to another tab before looking again. */
const OTHER_TAB_MS = 30_000;

export type Fate = "accepted" | "later" | "halve" | "drop" | "stop";

/** What an answer means for its batch. */
export function fateOf(status: number): Fate {
  if (status >= 200 && status < 300) return "accepted";
  if (status === 413) return "halve";
  // The key or the address is wrong: no other batch would fare better.
  if ([401, 403, 404, 410].includes(status)) return "stop";
  return status >= 400 && status < 500 && status !== 408 && status !== 429 ? "drop" : "later";
}

/**
 * How long to wait before the next attempt, ms: what the answer asks for, an hour at most, and chance on top of it.
 *
 * @param failures how many attempts failed in a row before this one
 * @param random from 0 to 1
 */
export function backoff(failures: number, random: number, reply: Reply): number {
  const jitter = random * Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** failures);
  return Math.min(askedMs(reply), LONGEST_RETRY_AFTER_MS) + jitter;
}

/** What Retry-After says. A date counts from the answer's own: the device's clock may be wrong by years. */
function askedMs({ retryAfter, date }: Reply): number {
  const asked = retryAfter?.trim() ?? "";
  if (/^\d+$/.test(asked)) return Number(asked) * 1000;
  return Math.max(Date.parse(/[a-z]/i.test(asked) ? asked : "") - Date.parse(date ?? ""), 0) || 0;
}

export interface World {
  post(batch: Body, leaving?: boolean): Promise<Reply | undefined | false>;
  /** Monotonic, ms. */
  nowMs(): number;
  random(): number;
  /** Nothing may be sent for now; what waits goes on waiting. */
  paused(): boolean;
  /** Calls back after so many ms; returns how not to. */
  after(ms: number, call: () => void): () => void;
  /** Does the work unless another page of the origin is at it; says whether. */
  alone(work: () => Promise<void>): Promise<boolean>;
  /** A batch will not be sent. */
  lost(batch: Sealed, reason: DropReason): void;
  /** The batch as it is to be kept for a later page. */
  kept(batch: Body): Body;
  /** Keeps the batch in this very moment, in case the page ends in the next. */
  save(batch: Body): void;
  /** The page has not ended, and the batch is taken care of. */
  saved(id: string): void;
}

export class Sender {
  /** Refused for good: nothing is sent by this page any more. */
  off = false;
  /** Whether the edge was within reach when it was last tried. */
  reached: boolean;
  readonly #queue: Queue;
  readonly #world: World;
  /** Sealed and not yet handed to the network. */
  readonly #fresh = new Set<Body>();
  #turn: Promise<unknown> = Promise.resolve();
  #failures = 0;
  #untilMs = -Infinity;
  #cancel: () => void = () => undefined;
  #draining = false;

  /** @param reached whether the edge is known to be within reach */
  constructor(queue: Queue, world: World, reached: boolean) {
    this.#queue = queue;
    this.#world = world;
    this.reached = reached;
  }

  /** Sends a new batch, compressed; one after the other. Resolves when it was answered or waits in the queue. */
  send(batch: Body): Promise<void> {
    if (this.#fresh.size >= MOST_FRESH) return this.#queue.put(this.#world.kept(batch));
    this.#fresh.add(batch);
    const compressed = gzip(batch.body);
    const sent = this.#turn.then(async () => {
      const body = await compressed;
      if (!this.#fresh.delete(batch)) return; // gone with `leave`
      await this.#attempt({ ...batch, body, bytes: body.length }, false);
      if (this.#ready) void this.drain();
    });
    this.#turn = sent;
    return sent;
  }

  /** The page may end now: everything goes out at once, as it is. */
  leave(batches: readonly Body[]): void {
    const leaving = [...this.#fresh, ...batches];
    this.#fresh.clear();
    for (const batch of leaving) {
      // Nobody hears what comes of it when the page has ended. Where that is doubtful, a later page sends it (again).
      if (!this.reached || !this.#ready) this.#world.save(this.#world.kept(batch));
      void this.#attempt(batch, false, true).then(() => this.#world.saved(batch.id));
    }
  }

  /** Sends what waits, oldest first, until something fails. */
  async drain(): Promise<void> {
    if (this.#draining || this.off) return;
    const waitMs = this.#untilMs - this.#world.nowMs();
    if (waitMs > 0) return this.#wait(waitMs);
    this.#draining = true;
    const alone = await this.#world.alone(async () => {
      for (let batch; this.#ready && (batch = await this.#queue.next()); ) await this.#attempt(batch, true);
    });
    this.#draining = false;
    if (!alone) this.#wait(OTHER_TAB_MS * (1 + this.#world.random()));
  }

  /** The device is online again: what failed for want of a network need not wait. */
  online(): void {
    if (this.reached) return;
    this.#untilMs = -Infinity;
    void this.drain();
  }

  stop(): void {
    this.off = true;
    this.#cancel();
  }

  get #ready(): boolean {
    return !this.off && !this.#world.paused() && this.#world.nowMs() >= this.#untilMs;
  }

  /** @param stored whether the batch is in the queue */
  async #attempt(batch: Body, stored: boolean, leaving = false): Promise<void> {
    const keep = async (): Promise<void> =>
      stored ? this.#queue.release(batch.id) : this.#queue.put(this.#world.kept(batch));
    if (!this.#ready) return keep();
    const reply = await this.#world.post(batch, leaving);
    if (reply === undefined) return;
    if (reply === false) return keep();
    const fate = fateOf(reply.status);
    this.reached = reply.status !== 0;
    if (fate === "later") {
      const delayMs = backoff(this.#failures++, this.#world.random(), reply);
      this.#untilMs = Math.max(this.#untilMs, this.#world.nowMs() + delayMs);
      this.#wait(delayMs);
      return keep();
    }
    this.#failures = 0;
    if (stored) await this.#queue.remove(batch.id);
    if (fate === "stop") this.off = true;
    if (fate === "halve" && batch.spans > 1) {
      for (const half of await halve(batch)) await this.#attempt(half, false);
    } else if (fate !== "accepted") this.#world.lost(batch, fate === "halve" ? "too_large" : "rejected");
  }

  #wait(ms: number): void {
    this.#cancel();
    this.#cancel = this.#world.after(ms, () => void this.drain());
  }
}
