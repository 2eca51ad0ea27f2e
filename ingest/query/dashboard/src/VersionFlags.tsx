/** Flags above the trend where versions arrived. */

import { flags } from "./flags.ts";
import type { Version } from "./overview.ts";
import { ROOM } from "./plot.ts";
import { formatShare, formatTime } from "./units.ts";
import type { View } from "./view.ts";
import { changeView } from "./view.ts";

export function VersionFlags({ versions, from, to, view }: { versions: readonly Version[]; from: number; to: number; view: View }) {
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
