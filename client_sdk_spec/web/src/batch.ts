/** From spans to sealed batches: what goes into one body, and how a body that is too large becomes two. */

import type { Anchor, Clock } from "./clock.ts";
import type { Bytes } from "./compress.ts";
import type { Counts } from "./drops.ts";
import { encode } from "./encode.ts";
import type { SentSpan } from "./encode.ts";
import { newBatchId } from "./ids.ts";
import { Rank } from "./sample.ts";

/** A batch is sealed with as many spans, or with about as many bytes. */
export const MOST_SPANS = 100;
export const MOST_BYTES = 48 * 1024;

/** A span that waits for its batch. */
export interface Held {
  span: SentSpan;
  epoch: string;
  rank: Rank;
  /** About, in the body. */
  bytes: number;
}

/** What is known of a sealed batch without its body. */
export interface Sealed {
  id: string;
  spans: number;
  rank: Rank;
  /** Of the body. */
  bytes: number;
  /** By the wall clock, ms. */
  sealedMs: number;
  /** The epoch of its starts, and where on its clock they are. */
  epoch: string;
  nearUs: number;
  /** The best anchor of that epoch, kept with a batch that a later page may send. */
  anchor?: Anchor;
  /** What the batch says was dropped before; counted again when the batch is lost. */
  dropped: Counts;
}

/** A batch and its body: neither changes from attempt to attempt. */
export interface Body extends Sealed {
  body: Bytes;
}

/** About what a span takes in a body. */
export function bytesOf(span: SentSpan): number {
  let bytes = 150;
  for (const text of [span.name, span.url, span.route, span.screen, span.errorType]) bytes += text?.length ?? 0;
  for (const [key, value] of Object.entries(span.attributes ?? {})) bytes += key.length + `${value}`.length + 10;
  return bytes + 50 * ((span.events?.length ?? 0) + (span.links?.length ?? 0));
}

/**
 * The spans as batches with new ids, one or more for each epoch; none of more than `MOST_SPANS` spans, and none above
 * `MOST_BYTES` that could be made smaller.
 *
 * @param dropped goes with the first; with a batch of no spans if there are none
 */
export function seal(
  held: readonly Held[],
  resource: Record<string, unknown>,
  clock: Clock,
  nowMs: number,
  dropped: Counts,
): Body[] {
  const epochs = [...new Set(held.map((each) => each.epoch))];
  const groups = epochs.map((epoch) => held.filter((each) => each.epoch === epoch));
  if (!groups.length && Object.keys(dropped).length) groups.push([]);
  const sealed: Body[] = [];
  for (const group of groups) {
    const map = clock.sealed(group[0]?.epoch);
    for (let row = 0; row === 0 || row < group.length; row += MOST_SPANS) {
      sealed.push(...bodies(group.slice(row, row + MOST_SPANS), resource, map, nowMs, sealed.length ? {} : dropped));
    }
  }
  return sealed;
}

function bodies(
  held: readonly Held[],
  resource: Record<string, unknown>,
  clock: Record<string, unknown>,
  sealedMs: number,
  dropped: Counts,
): Body[] {
  const spans = held.map((each) => each.span);
  const id = newBatchId();
  const body = new TextEncoder().encode(encode({ id, resource, clock, spans, dropped }));
  if (body.length > MOST_BYTES && held.length > 1) {
    const half = held.length >> 1;
    return [
      ...bodies(held.slice(0, half), resource, clock, sealedMs, dropped),
      ...bodies(held.slice(half), resource, clock, sealedMs, {}),
    ];
  }
  const rank = held.reduce<Rank>((most, each) => (each.rank > most ? each.rank : most), Rank.ordinary);
  const epoch = String(clock.epoch);
  const nearUs = spans[spans.length >> 1]?.startUs ?? Number(clock.mono_us);
  return [{ id, spans: spans.length, rank, bytes: body.length, sealedMs, epoch, nearUs, dropped, body }];
}
