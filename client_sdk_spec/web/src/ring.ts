/** The last spans of something, bounded by number and bytes; the oldest goes first. */

import type { Held } from "./batch.ts";

const MOST_SPANS = 500;
const MOST_BYTES = 200 * 1024;

export class Ring {
  #held: Held[] = [];
  #bytes = 0;

  /** Keeps it; returns how many went for it. */
  push(held: Held): number {
    this.#held.push(held);
    this.#bytes += held.bytes;
    let gone = 0;
    while (this.#held.length > MOST_SPANS || (this.#bytes > MOST_BYTES && this.#held.length > 1)) {
      this.#bytes -= this.#held.shift()!.bytes;
      gone++;
    }
    return gone;
  }

  /** All of them, oldest first; none is left. */
  take(): Held[] {
    const held = this.#held;
    this.#held = [];
    this.#bytes = 0;
    return held;
  }
}
