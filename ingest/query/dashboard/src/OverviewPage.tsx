/** The page people open first: how long what users wait for takes, how often it fails, where the time goes. */

import { Button } from "@mantine/core";
import { useAnswer } from "./api.ts";
import { FailurePanel } from "./FailurePanel.tsx";
import { GettingStarted } from "./GettingStarted.tsx";
import { Headline } from "./Headline.tsx";
import type { Overview } from "./overview.ts";
import { asLatency } from "./overview.ts";
import { HistogramPanel } from "./HistogramPanel.tsx";
import { OverviewHead } from "./OverviewHead.tsx";
import type { PageProps } from "./pages.tsx";
import { PhasePanel } from "./PhasePanel.tsx";
import { RouteDetails } from "./RouteDetails.tsx";
import { RoutePanel } from "./RoutePanel.tsx";
import { TooFew } from "./TooFew.tsx";
import { TracePanel } from "./TracePanel.tsx";
import { TrendPanel } from "./TrendPanel.tsx";
import { VersionStrip } from "./VersionStrip.tsx";
import { changeView, filterParameters, isFiltered, QUANTILES, stepOf, withoutFilters } from "./view.ts";
import { VitalPanel } from "./VitalPanel.tsx";

export function OverviewPage({ app, view, turn, next, longer }: PageProps) {
  const query = filterParameters(view);
  query.set("metric", view.metric);
  query.set("q", QUANTILES.join(","));
  query.set("step", stepOf(view));
  query.set("target_ms", String(view.target));
  const answer = useAnswer<Overview>(`/api/v1/overview?${query}`, turn);
  const overview = answer.data;
  const vitals = overview?.vitals?.some(({ spans }) => spans > 0) ?? false;
  const shared = { view, turn, retry: next };
  if (overview === undefined || overview.total !== null) {
    return (
      <>
        <OverviewHead overview={overview} view={view} />
        <Headline answer={answer} view={view} />
        {overview?.versions && <VersionStrip versions={overview.versions} view={view} />}
        <TrendPanel answer={answer} view={view} retry={next} />
        <HistogramPanel {...shared} />
        {view.signal === "request" && (
          <div className="pair">
            <PhasePanel {...shared} />
            <div className="stacked">
              <FailurePanel answer={answer} retry={next} />
              {vitals && <VitalPanel answer={answer} view={view} retry={next} />}
            </div>
          </div>
        )}
        {view.signal !== "request" && vitals && <VitalPanel answer={answer} view={view} retry={next} />}
        <RoutePanel {...shared} />
        {view.route !== null && <RouteDetails {...shared} route={view.route} />}
        <TracePanel view={view} latency={overview && asLatency(overview)} turn={turn} retry={next} />
      </>
    );
  }
  const { suppressed } = overview;
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
