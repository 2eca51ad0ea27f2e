/** How many spans were not sent, by reason. A batch carries the counts; they come back when the batch is lost. */

import type { DropReason } from "./recorder.ts";

export type Counts = Partial<Record<DropReason, number>>;

export class Drops {
  #counts: Counts = {};

  add(reason: DropReason, count: number): void {
    if (count > 0) this.#counts[reason] = (this.#counts[reason] ?? 0) + Math.round(count);
  }

  /** What goes with the batch that is sealed now; nothing is counted twice. */
  take(): Counts {
    const counts = this.#counts;
    this.#counts = {};
    return counts;
  }

  /** A batch is lost for this reason: its spans, and the counts that it carried. */
  lost(batch: { spans: number; dropped: Counts }, reason: DropReason): void {
    this.add(reason, batch.spans);
    for (const [each, count] of Object.entries(batch.dropped)) this.add(each as DropReason, count);
  }

  get any(): boolean {
    return Object.keys(this.#counts).length > 0;
  }
}
