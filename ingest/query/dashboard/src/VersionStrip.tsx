/** The newest version in use, and the way to compare it with the one before. */

import type { Values } from "./api.ts";
import { useAnswer } from "./api.ts";
import { suggestVersions } from "./compare.ts";
import { formatShare } from "./units.ts";
import type { View } from "./view.ts";
import { changeView, formatView, signalParameters } from "./view.ts";

export function VersionStrip({ view, turn }: { view: View; turn: number }) {
  const query = signalParameters(view);
  query.set("dimension", "version");
  query.set("limit", "200");
  const { data } = useAnswer<Values>(`/api/v1/values?${query}`, turn);
  const sides = data && suggestVersions(data, { filters: { version: [], country: [], device_class: [], network: [] }, shift: "none" });
  if (!data || !sides) return null;
  const [before, newest] = [sides.a.filters.version[0] ?? "", sides.b.filters.version[0] ?? ""];
  const all = data.values.reduce((sum, { spans }) => sum + spans, 0);
  const own = data.values.find(({ value }) => value === newest)?.spans ?? 0;
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
