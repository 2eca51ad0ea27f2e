/** Batches that could not be sent yet: on disk where there is one, else in memory. Bounded both ways. */

import type { Body, Sealed } from "./batch.ts";
import type { Disk } from "./disk.ts";
import type { DropReason } from "./recorder.ts";

export const MOST_AGE_MS = 7 * 86_400_000;
export const MOST_ON_DISK = 10 * 1024 * 1024;
export const MOST_IN_MEMORY = 1024 * 1024;

/** A batch that had to go. */
export type Lost = [batch: Sealed, reason: DropReason];

/**
 * What must go for the rest to fit: what is too old, then ordinary batches, slow ones, those with errors; of each the
 * oldest first.
 */
export function evict(held: readonly Sealed[], mostBytes: number, nowMs: number): Lost[] {
  const lost: Lost[] = held.filter(({ sealedMs }) => nowMs - sealedMs > MOST_AGE_MS).map((batch) => [batch, "expired"]);
  const left = held.filter(({ sealedMs }) => nowMs - sealedMs <= MOST_AGE_MS);
  left.sort((a, b) => a.rank - b.rank || a.sealedMs - b.sealedMs);
  let bytes = left.reduce((sum, batch) => sum + batch.bytes, 0);
  for (const batch of left) {
    if (bytes <= mostBytes) break;
    bytes -= batch.bytes;
    lost.push([batch, "queue_overflow"]);
  }
  return lost;
}

/** The oldest batch is sent first. */
export class Queue {
  #disk: Disk | undefined;
  #memory: Body[] = [];
  readonly #now: () => number;
  readonly #lost: (batch: Sealed, reason: DropReason) => void;

  /**
   * @param now the wall clock, ms
   * @param lost hears of every batch that was put here and will not be sent
   */
  constructor(now: () => number, lost: (batch: Sealed, reason: DropReason) => void) {
    this.#now = now;
    this.#lost = lost;
  }

  /** Keeps batches on this disk from now on. */
  use(disk: Disk): void {
    this.#disk = disk;
    const waiting = this.#memory;
    this.#memory = [];
    for (const batch of waiting) void this.put(batch);
  }

  /** Whether a batch that is put here outlives the page. */
  get durable(): boolean {
    return this.#disk !== undefined;
  }

  /** Never rejects: a disk that fails is not used again. */
  async put(batch: Body): Promise<void> {
    try {
      if (this.#disk) return this.#lose(await this.#disk.put(batch, (held) => evict(held, MOST_ON_DISK, this.#now())));
    } catch {
      this.#disk = undefined;
    }
    this.#memory.push(batch);
    const lost = evict(this.#memory, MOST_IN_MEMORY, this.#now());
    this.#memory = this.#memory.filter((each) => !lost.some(([gone]) => gone.id === each.id));
    this.#lose(lost);
  }

  /** The oldest; it stays here until it is removed. */
  async next(): Promise<Body | undefined> {
    const lost = evict(this.#memory, MOST_IN_MEMORY, this.#now());
    this.#memory = this.#memory.filter((each) => !lost.some(([gone]) => gone.id === each.id));
    this.#lose(lost);
    if (this.#memory.length || !this.#disk) return this.#memory[0];
    try {
      this.#lose(await this.#disk.lose((held) => evict(held, MOST_ON_DISK, this.#now())));
      return await this.#disk.oldest();
    } catch {
      this.#disk = undefined;
      return undefined;
    }
  }

  /** Not here any more, because it was sent, or lost for a reason that the caller counts. */
  async remove(id: string): Promise<void> {
    this.#memory = this.#memory.filter((batch) => batch.id !== id);
    await this.#disk?.remove(id).catch(() => undefined);
  }

  /** Drops everything, on disk too, which is not used again. */
  async forget(reason: DropReason): Promise<void> {
    const disk = this.#disk;
    this.#disk = undefined;
    this.#lose(this.#memory.map((batch) => [batch, reason]));
    this.#memory = [];
    this.#lose((await disk?.clear().catch(() => []))?.map((batch) => [batch, reason]) ?? []);
  }

  #lose(lost: readonly Lost[]): void {
    for (const [batch, reason] of lost) this.#lost(batch, reason);
  }
}
