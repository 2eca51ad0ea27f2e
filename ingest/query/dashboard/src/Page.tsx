/** The whole page: who is asking, what is being looked at, and the panels that show it. */

import { Button } from "@mantine/core";
import type { App, Latency } from "./api.ts";
import { useAnswer } from "./api.ts";
import { FilterBar } from "./FilterBar.tsx";
import { GettingStarted } from "./GettingStarted.tsx";
import { Header } from "./Header.tsx";
import { Failure } from "./Panel.tsx";
import { PhasePanel } from "./PhasePanel.tsx";
import { PrivacyPage } from "./PrivacyPage.tsx";
import { RoutePanel } from "./RoutePanel.tsx";
import { Summary } from "./Summary.tsx";
import { TokenForm } from "./TokenForm.tsx";
import { TooFew } from "./TooFew.tsx";
import { TracePanel } from "./TracePanel.tsx";
import { TraceView } from "./TraceView.tsx";
import { TrendPanel } from "./TrendPanel.tsx";
import { useToken } from "./token.ts";
import { useTurns } from "./turns.ts";
import type { View } from "./view.ts";
import { changeView, filterParameters, isFiltered, QUANTILES, stepOf, useView, withoutFilters } from "./view.ts";

interface BoardProps {
  apps: App[];
  view: View;
  turn: number;
  next: () => void;
}

interface AppProps {
  app: App;
  view: View;
  turn: number;
  next: () => void;
  longer: (() => void) | null;
}

function LatencyPage({ app, view, turn, next, longer }: AppProps) {
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

function Board({ apps, view, turn, next }: BoardProps) {
  const app = apps.find(({ name, id }) => name === view.app || String(id) === view.app);
  const longer = view.range === "30d" && !view.from ? null : () => changeView({ range: "30d", from: null, to: null });
  return (
    <>
      <Header apps={apps} view={view} turn={turn} />
      <FilterBar view={view} turn={turn} />
      <main>
        {!app && (
          <div className="state" role="alert">
            <strong>This token does not open the app of this address.</strong>
            <Button variant="default" size="xs" onClick={() => changeView({ app: apps[0]?.name ?? null, ...withoutFilters() })}>
              Show {apps[0]?.name}
            </Button>
          </div>
        )}
        {app && view.page === "latency" && <LatencyPage app={app} view={view} turn={turn} next={next} longer={longer} />}
        {app && view.page === "privacy" && <PrivacyPage app={app} view={view} turn={turn} retry={next} longer={longer} />}
      </main>
      {view.trace && app && <TraceView view={view} id={view.trace} />}
    </>
  );
}

export function Page() {
  const held = useToken();
  const view = useView();
  const [turn, next] = useTurns(view.live);
  const { data, error } = useAnswer<{ apps: App[] }>(held ? "/api/v1/apps" : null, turn);
  if (!held) return <TokenForm />;
  if (error?.status === 401 || error?.status === 403) return <TokenForm refused={error.message} />;
  if (data === undefined) {
    return <main className="alone">{error && <Failure error={error} retry={next} />}</main>;
  }
  const first = data.apps[0];
  if (first === undefined) {
    return (
      <main className="alone">
        <div className="panel state">
          <strong>There is no app yet.</strong>
          <p>
            Make one with <code>firsthop app create NAME</code>; it prints the key your clients send with.
          </p>
          <Button variant="default" size="xs" onClick={next}>
            Look again
          </Button>
        </div>
      </main>
    );
  }
  return <Board apps={data.apps} view={{ ...view, app: view.app ?? first.name }} turn={turn} next={next} />;
}
