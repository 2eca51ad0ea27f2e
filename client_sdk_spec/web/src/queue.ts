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
 * What must go for the rest to fit: what is too old or could never fit, then ordinary batches, slow ones, those with
 * errors; of each the oldest first.
 *
 * @param staying ids of batches that may have arrived: they are not dropped until that is known
 */
export function evict(held: readonly Sealed[], mostBytes: number, nowMs: number, staying: ReadonlySet<string>): Lost[] {
  const lost: Lost[] = [];
  let bytes = held.reduce((sum, batch) => sum + batch.bytes, 0);
  const lose = (batch: Sealed, reason: DropReason): void => {
    bytes -= batch.bytes;
    lost.push([batch, reason]);
  };
  const idle = held.filter(({ id }) => !staying.has(id));
  idle.sort((a, b) => a.rank - b.rank || a.sealedMs - b.sealedMs);
  const fitting = idle.filter((batch) => {
    const old = nowMs - batch.sealedMs > MOST_AGE_MS;
    if (old || batch.bytes > mostBytes) lose(batch, old ? "expired" : "queue_overflow");
    return !old && batch.bytes <= mostBytes;
  });
  for (const batch of fitting) if (bytes > mostBytes) lose(batch, "queue_overflow");
  return lost;
}

/** The oldest batch is sent first. */
export class Queue {
  #disk: Disk | undefined;
  /** Whether a disk has failed: then it is for want of it that memory overflows. */
  #diskFailed = false;
  #memory: Body[] = [];
  /** Being sent. */
  readonly #inFlight = new Set<string>();
  readonly #now: () => number;
  readonly #lost: (batch: Sealed, reason: DropReason) => void;
  readonly #mostInMemory: number;

  /**
   * @param now the wall clock, ms
   * @param lost hears of every batch that was put here and will not be sent
   */
  constructor(now: () => number, lost: (batch: Sealed, reason: DropReason) => void, mostInMemory = MOST_IN_MEMORY) {
    this.#now = now;
    this.#lost = lost;
    this.#mostInMemory = mostInMemory;
  }

  /** Keeps batches on this disk from now on. */
  use(disk: Disk): void {
    this.#disk = disk;
    const waiting = this.#memory;
    this.#memory = [];
    for (const batch of waiting) void this.put(batch);
  }

  /** Never rejects: a disk that fails is not used again. */
  async put(batch: Body): Promise<void> {
    try {
      if (this.#disk) return this.#lose(await this.#disk.put(this.#overflow, batch));
    } catch {
      this.#fail();
    }
    this.#memory.push(batch);
    this.#trim();
  }

  /** The oldest that is not being sent. It is in flight from now on: it stays until it is removed, or released. */
  async next(): Promise<Body | undefined> {
    this.#trim();
    const batch = this.#memory.find(({ id }) => !this.#inFlight.has(id)) ?? (await this.#oldestOnDisk());
    if (batch) this.#inFlight.add(batch.id);
    return batch;
  }

  /** Not in flight any more: the attempt is to be repeated. */
  release(id: string): void {
    this.#inFlight.delete(id);
  }

  /** Not here any more, because it was sent, or lost for a reason that the caller counts. */
  async remove(id: string): Promise<void> {
    this.#inFlight.delete(id);
    this.#memory = this.#memory.filter((batch) => batch.id !== id);
    await this.#disk?.remove(id).catch(() => undefined);
  }

  /** Drops everything, on disk too, which is not used again. */
  async forget(reason: DropReason): Promise<void> {
    const held: Sealed[] = this.#memory;
    const disk = this.#disk;
    this.#memory = [];
    this.#disk = undefined;
    const stored = await disk?.clear().catch(() => []);
    this.#lose([...held, ...(stored ?? [])].map((batch) => [batch, reason]));
  }

  readonly #overflow = (held: readonly Sealed[]): Lost[] => evict(held, MOST_ON_DISK, this.#now(), this.#inFlight);

  #trim(): void {
    const lost = evict(this.#memory, this.#mostInMemory, this.#now(), this.#inFlight);
    this.#memory = this.#memory.filter(({ id }) => !lost.some(([gone]) => gone.id === id));
    this.#lose(lost.map(([batch, reason]) => [batch, this.#diskFailed && reason !== "expired" ? "storage_full" : reason]));
  }

  #fail(): undefined {
    this.#disk = undefined;
    this.#diskFailed = true;
  }

  async #oldestOnDisk(): Promise<Body | undefined> {
    try {
      this.#lose((await this.#disk?.put(this.#overflow)) ?? []);
      return await this.#disk?.oldest(this.#inFlight);
    } catch {
      return this.#fail();
    }
  }

  #lose(lost: readonly Lost[]): void {
    for (const [batch, reason] of lost) this.#lost(batch, reason);
  }
}
