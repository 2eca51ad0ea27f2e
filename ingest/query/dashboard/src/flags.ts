/** Where the flags of versions that arrived stand above the trend. */

import type { Version } from "./overview.ts";

/** The largest are named; more would cover each other. */
const MOST = 6;
/** Flags closer than this, as a share of the width, stand below each other. */
const CLOSE = 0.09;
const LEVELS = 2;

export interface Flag extends Version {
  /** Place from the left, 0 to 1. */
  place: number;
  level: number;
}

/** The flags of versions that arrived between two times, in seconds since 1970. */
export function flags(versions: readonly Version[], from: number, to: number): Flag[] {
  const arrived = versions
    .flatMap((version) => (version.arrived_at ? [{ ...version, place: (Date.parse(version.arrived_at) / 1000 - from) / (to - from || 1) }] : []))
    .filter(({ place }) => place >= 0 && place <= 1)
    .slice(0, MOST)
    .sort((one, other) => one.place - other.place);
  let [level, last] = [0, -1];
  return arrived.map((flag) => {
    level = flag.place - last < CLOSE ? (level + 1) % LEVELS : 0;
    last = flag.place;
    return { ...flag, level };
  });
}
