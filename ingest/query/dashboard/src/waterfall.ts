/** A trace's spans as rows: parents above their children, siblings folded, everything on one line of time. Pure. */

import type { Group, Span, SpanPage } from "./api.ts";
import type { Moment } from "./moments.ts";
import { momentsOf } from "./moments.ts";
import type { Phase } from "./view.ts";
import { PHASES } from "./view.ts";

/** A stretch of the trace's line of time. */
export interface Stretch {
  start_us: number;
  duration_us: number;
}

interface Placed {
  key: string;
  depth: number;
  /** Place among its siblings, from 1, and how many those are. */
  place: number;
  siblings: number;
}

/** A row that may have others below it. */
interface Openable extends Placed {
  /** null: nothing is below it. */
  opened: boolean | null;
  /** What to ask for to see what is below. */
  where: string;
  /** The critical path on this row: its own pieces, and those of the rows that it hides. */
  pieces: Stretch[];
}

export interface Bar extends Openable {
  kind: "span";
  span: Span;
  /** Why it stands at the top though it names a parent: that is not in the sample, or has not been fetched. */
  parentless: "absent" | "elsewhere" | null;
  /** What happened during it, as far as it is known. */
  moments: Moment[];
}

export interface Fold extends Openable {
  kind: "group";
  group: Group;
}

/** Spans that have not been fetched yet. */
export interface Rest extends Placed {
  kind: "rest";
  /** What to ask for: `parent=…`, `like=…`, or nothing for the top. */
  where: string;
  /** How many are left; null when nobody has counted them. */
  left: number | null;
}

export type Row = Bar | Fold | Rest;

/** What is known of a trace so far. */
export interface Known {
  spans: readonly Span[];
  groups: readonly Group[];
  /** `where` → where its next page begins; null when all of it is here. */
  next: Readonly<Record<string, string | null>>;
}

/** What was known and a page that came. */
export function add(known: Known, where: string, page: SpanPage): Known {
  return { ...merge(known, page.spans, page.groups), next: { ...known.next, [where]: page.next } };
}

/** What was known and some spans more. */
export function merge(known: Known, spans: readonly Span[], groups: readonly Group[]): Known {
  const allSpans = new Map([...known.spans, ...spans].map((span) => [keyOf(span), span]));
  const allGroups = new Map([...known.groups, ...groups].map((group) => [group.like, group]));
  return { ...known, spans: [...allSpans.values()], groups: [...allGroups.values()] };
}

/** Tells spans apart, even those that claim one id. */
export function keyOf(span: Span): string {
  return `${span.span_id}/${span.line.start_us}/${span.name}`;
}

/** The row of a group. */
export function keyOfGroup(group: Group): string {
  return `x${group.like}`;
}

type Item = Span | Group;

const isSpan = (item: Item): item is Span => "line" in item;
const startOf = (item: Item): number => (isSpan(item) ? item.line.start_us : item.start_us);
const spansIn = (item: Item): number => (isSpan(item) ? 1 : item.spans);
const family = (of: { parent_span_id: string | null; name: string; route: string | null }): string =>
  JSON.stringify([of.parent_span_id, of.name, of.route]);

function listed<K>(lists: Map<K, Item[]>, key: K, item: Item): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}

/** Who hangs on whom, by ids alone. */
export class Kinship {
  /** The first span with each id; children hang on it. */
  readonly holders = new Map<string, Span>();
  readonly #groups = new Map<string, Group>();
  readonly #below = new Map<string, Item[]>();
  readonly #members = new Map<string, Item[]>();
  readonly tops: Item[] = [];
  readonly all: Item[] = [];

  constructor(known: Known) {
    for (const group of known.groups) this.#groups.set(family(group), group);
    for (const span of known.spans) if (!this.holders.has(span.span_id)) this.holders.set(span.span_id, span);
    const hang = (item: Item): void => {
      const parent = this.parentOf(item);
      if (parent) listed(this.#below, parent.span_id, item);
      else this.tops.push(item);
      this.all.push(item);
    };
    for (const span of known.spans) {
      const group = this.groupOf(span);
      if (group) listed(this.#members, group.like, span);
      else hang(span);
      if (group) this.all.push(span);
    }
    known.groups.forEach(hang);
  }

  /** The group that a span is folded into. */
  groupOf(span: Span): Group | undefined {
    return this.#groups.get(family(span));
  }

  parentOf(item: Item): Span | undefined {
    return item.parent_span_id && !(isSpan(item) && item.top) ? this.holders.get(item.parent_span_id) : undefined;
  }

  /** What is known to be directly below an item. */
  below(item: Item): readonly Item[] {
    if (!isSpan(item)) return this.#members.get(item.like) ?? [];
    return this.holders.get(item.span_id) === item ? (this.#below.get(item.span_id) ?? []) : [];
  }

  /** How many spans are directly below an item, known or not. */
  count(item: Item): number {
    if (!isSpan(item)) return item.spans;
    return this.holders.get(item.span_id) === item ? Math.max(item.children, this.below(item).length) : 0;
  }

  /** Keys of the rows that must be open for a span to be seen. */
  above(span: Span): Set<string> {
    const keys = new Set<string>();
    const met = new Set<Span>();
    for (let at: Span | undefined = span; at && !met.has(at); at = this.parentOf(at)) {
      met.add(at);
      const group = this.groupOf(at);
      if (group) keys.add(keyOfGroup(group));
      if (at !== span) keys.add(keyOf(at));
    }
    return keys;
  }
}

interface Waiting {
  item: Item;
  depth: number;
  place: number;
  siblings: number;
  /** The row that hides it. */
  within: Openable | null;
}

/**
 * Lays out what is known of a trace; each span appears once, whatever its parents say.
 * @param open which rows were opened or closed by hand; else spans with known children are open, groups are closed.
 * @param path the pieces of the critical path by span id.
 */
export function layOut(known: Known, open: ReadonlyMap<string, boolean>, path: ReadonlyMap<string, readonly Stretch[]> = new Map()): Row[] {
  const kin = new Kinship(known);
  const rows: Row[] = [];
  const met = new Set<Item>();
  const waiting: (Waiting | Rest)[] = [];

  const putOff = (items: readonly Item[], depth: number, within: Openable | null): void => {
    // Those that start together keep the server's order; what is put off last is taken first.
    const sorted = [...items].sort((a, b) => startOf(a) - startOf(b));
    for (let index = sorted.length - 1; index >= 0; index -= 1) {
      waiting.push({ item: sorted[index] as Item, depth, place: index + 1, siblings: sorted.length, within });
    }
  };
  const rowOf = ({ item, depth, place, siblings }: Waiting): Bar | Fold => {
    const span = isSpan(item);
    const key = span ? keyOf(item) : keyOfGroup(item);
    const opened = kin.count(item) === 0 ? null : (open.get(key) ?? (span && kin.below(item).length > 0));
    const common = { key, depth, place, siblings, opened };
    if (!span) return { ...common, kind: "group", group: item, where: `like=${item.like}`, pieces: [] };
    const orphan = item.top === "orphan" ? "absent" : "elsewhere";
    const parentless = item.parent_span_id && !kin.parentOf(item) && item.top !== "cycle" ? orphan : null;
    const pieces = kin.holders.get(item.span_id) === item ? [...(path.get(item.span_id) ?? [])] : [];
    const below = kin.below(item).flatMap((each) => (isSpan(each) ? [each] : kin.below(each).filter(isSpan)));
    const moments = momentsOf(item, below);
    return { ...common, kind: "span", span: item, parentless, moments, where: `parent=${item.span_id}`, pieces };
  };
  const place = (next: Waiting): void => {
    if (met.has(next.item)) return;
    met.add(next.item);
    const row = rowOf(next);
    if (next.within) next.within.pieces.push(...row.pieces);
    else rows.push(row);
    const below = kin.below(next.item);
    if (next.within || !row.opened) return putOff(below, next.depth + 1, next.within ?? row);
    const left = kin.count(next.item) - below.reduce((sum, each) => sum + spansIn(each), 0);
    if (left > 0 && known.next[row.where] !== null) {
      waiting.push({ kind: "rest", key: row.where, depth: next.depth + 1, place: 0, siblings: 0, where: row.where, left });
    }
    return putOff(below, next.depth + 1, null);
  };
  const placeAll = (items: readonly Item[]): void => {
    putOff(items, 0, null);
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      if ("kind" in next) rows.push(next);
      else place(next);
    }
  };

  placeAll(kin.tops);
  // Spans that are each other's parents hang on no top: the earliest of each ring becomes one.
  for (const item of [...kin.all].sort((a, b) => startOf(a) - startOf(b))) if (!met.has(item)) placeAll([item]);
  if (known.next[""]) rows.push({ kind: "rest", key: "", depth: 0, place: 0, siblings: 0, where: "", left: null });
  return rows;
}

/** The row that a row is below: the nearest above it that is less deep. */
export function rowAbove(rows: readonly Row[], index: number): number | null {
  const depth = rows[index]?.depth ?? 0;
  for (let at = index - 1; at >= 0; at -= 1) if ((rows[at]?.depth ?? 0) < depth) return at;
  return null;
}

/**
 * Measured phases end to end from the span's start, in the order in which they happen. The wire carries lengths alone, so
 * gaps between phases are not seen; what would reach beyond the span's end is cut there.
 */
export function layPhases(span: Pick<Span, "phases" | "duration_us">): { phase: Phase; offset: number; us: number }[] {
  let offset = 0;
  const laid: { phase: Phase; offset: number; us: number }[] = [];
  for (const phase of PHASES) {
    const { state, us } = span.phases[phase] ?? { state: "unknown" as const, us: null };
    if (state !== "measured" || !us) continue;
    const room = Math.min(us, Math.max(0, span.duration_us - offset));
    if (room > 0) laid.push({ phase, offset, us: room });
    offset += us;
  }
  return laid;
}

const [SECOND, MINUTE, HOUR] = [1e6, 60e6, 3600e6];

/** Round marks along an axis of `lengthUs`, about `count` of them, the first at 0; round in the unit that they are written in. */
export function marks(lengthUs: number, count: number): number[] {
  const unit = lengthUs < 2 * MINUTE ? SECOND : lengthUs < 2 * HOUR ? MINUTE : HOUR;
  const rough = lengthUs / count / unit;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.round(([1, 2, 5].find((digit) => digit * power >= rough) ?? 10) * power * unit);
  return Array.from({ length: Math.floor(lengthUs / step) + 1 }, (_, index) => index * step);
}

/** What to call a span: many SDKs name every request `GET` or `HTTP GET`; then its route tells more. */
export function titleOf(span: { name: string; route: string | null }): string {
  const bare = /^(HTTP )?[A-Z]+$/.test(span.name);
  return bare && span.route ? span.route.replace(/^([A-Z]+) [^/]*\//, "$1 /") : span.name;
}

/** Who sent a span. */
export function serviceOf(span: Span): string | null {
  const service = span.resource["service"];
  return typeof service === "string" && service ? service : null;
}

/** Whether the span went over a network; any other has no phases. */
export function isRequest(span: Span): boolean {
  const known = Object.values(span.phases).some((phase) => phase.state !== "unknown");
  return known || span.first_byte !== null || Boolean(span.url) || Boolean(span.method) || typeof span.http_status === "number";
}
