/** The newest version in use, and the way to compare it with the one before. */

import { suggestVersions } from "./compare.ts";
import type { Version } from "./overview.ts";
import { formatShare } from "./units.ts";
import type { View } from "./view.ts";
import { changeView, formatView } from "./view.ts";

export function VersionStrip({ versions, view }: { versions: readonly Version[]; view: View }) {
  const values = versions.map(({ version, spans }) => ({ value: version, spans }));
  const sides = suggestVersions(values, { filters: { version: [], country: [], device_class: [], network: [] }, shift: "none" });
  if (!sides) return null;
  const [before, newest] = [sides.a.filters.version[0] ?? "", sides.b.filters.version[0] ?? ""];
  const all = values.reduce((sum, { spans }) => sum + spans, 0);
  const own = values.find(({ value }) => value === newest)?.spans ?? 0;
  const to = { page: "compare" as const, sides, filters: { ...view.filters, version: [] } };
  return (
    <p className="version-strip">
      Newest version much in use: <strong>{newest}</strong>, {formatShare(own, all)} of all spans.{" "}
      <a
        href={formatView({ ...view, ...to })}
        onClick={(event) => {
          if (event.metaKey || event.ctrlKey || event.shiftKey) return;
          event.preventDefault();
          changeView(to);
        }}
      >
        Compare {newest} with {before}
      </a>
    </p>
  );
}
