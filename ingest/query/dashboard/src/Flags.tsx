/** Flags above the trend where versions arrived. */

import { ROOM } from "./plot.ts";
import type { Version } from "./overview.ts";
import { formatShare, formatTime } from "./units.ts";
import type { View } from "./view.ts";
import { changeView } from "./view.ts";

/** The largest are named; more would cover each other. */
const MOST = 6;
/** Flags closer than this, as a share of the width, stand below each other. */
const CLOSE = 0.09;
const LEVELS = 2;

interface Flag extends Version {
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

export function Flags({ versions, from, to, view }: { versions: readonly Version[]; from: number; to: number; view: View }) {
  const chosen = view.filters.version;
  return (
    <ul className="flags" aria-label="Versions that arrived" style={{ left: ROOM.left, right: ROOM.right }}>
      {flags(versions, from, to).map(({ version, arrived_at: at, share, place, level }) => (
        <li key={version} style={{ left: `${place * 100}%`, "--level": level } as React.CSSProperties} className={place > 0.85 ? "leftward" : ""}>
          <button
            type="button"
            aria-pressed={chosen.includes(version)}
            title={`${version} since ${formatTime(new Date(at ?? ""))}, ${formatShare(share, 1)} of the range. Click to see it alone.`}
            onClick={() => changeView({ filters: { ...view.filters, version: chosen.includes(version) ? [] : [version] } })}
          >
            {version}
          </button>
        </li>
      ))}
    </ul>
  );
}
