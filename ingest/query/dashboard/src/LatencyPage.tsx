/** How long what users wait for takes: figures, trend, phases, routes, traces. */

import { Button } from "@mantine/core";
import type { Latency } from "./api.ts";
import { useAnswer } from "./api.ts";
import { GettingStarted } from "./GettingStarted.tsx";
import type { PageProps } from "./pages.tsx";
import { PhasePanel } from "./PhasePanel.tsx";
import { RoutePanel } from "./RoutePanel.tsx";
import { Summary } from "./Summary.tsx";
import { TooFew } from "./TooFew.tsx";
import { TracePanel } from "./TracePanel.tsx";
import { TrendPanel } from "./TrendPanel.tsx";
import { VersionStrip } from "./VersionStrip.tsx";
import { changeView, filterParameters, isFiltered, QUANTILES, stepOf, withoutFilters } from "./view.ts";

export function LatencyPage({ app, view, turn, next, longer }: PageProps) {
  const query = filterParameters(view);
  query.set("metric", view.metric);
  query.set("q", QUANTILES.join(","));
  query.set("step", stepOf(view));
  const latency = useAnswer<Latency>(`/api/v1/latency?${query}`, turn);
  const spans = latency.data?.groups[0]?.total.spans ?? 0;
  const suppressed = latency.data?.suppressed;
  if (latency.data === undefined || spans > 0) {
    return (
      <>
        <Summary answer={latency} view={view} />
        <VersionStrip view={view} turn={turn} />
        <TrendPanel answer={latency} view={view} retry={next} />
        {view.signal === "request" ? (
          <div className="pair">
            <PhasePanel view={view} turn={turn} retry={next} />
            <RoutePanel view={view} turn={turn} retry={next} />
          </div>
        ) : (
          <RoutePanel view={view} turn={turn} retry={next} />
        )}
        <TracePanel view={view} latency={latency.data} turn={turn} retry={next} />
      </>
    );
  }
  if (suppressed && suppressed.groups > 0) {
    return <TooFew app={app} view={view} least={suppressed.least_sessions} longer={longer} />;
  }
  if (!isFiltered(view)) return <GettingStarted app={app} longer={longer} check={next} />;
  return (
    <div className="panel state">
      <strong>No spans match these filters in this time range.</strong>
      <Button variant="default" size="xs" onClick={() => changeView(withoutFilters())}>
        Clear all filters
      </Button>
    </div>
  );
}
