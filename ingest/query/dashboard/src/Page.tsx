/** The whole page: who is asking, what is being looked at, and the panels that show it. */

import { Button } from "@mantine/core";
import type { App } from "./api.ts";
import { useAnswer } from "./api.ts";
import { FilterBar } from "./FilterBar.tsx";
import { Header } from "./Header.tsx";
import { PAGE_KINDS } from "./pages.tsx";
import { Failure } from "./Panel.tsx";
import { TokenForm } from "./TokenForm.tsx";
import { TraceView } from "./TraceView.tsx";
import { useToken } from "./token.ts";
import { useTurns } from "./turns.ts";
import type { View } from "./view.ts";
import { changeView, useView, withoutFilters } from "./view.ts";

interface BoardProps {
  apps: App[];
  view: View;
  turn: number;
  next: () => void;
}

function Board({ apps, view, turn, next }: BoardProps) {
  const app = apps.find(({ name, id }) => name === view.app || String(id) === view.app);
  const { Shown, ranges } = PAGE_KINDS[view.page];
  const longer = view.range === "30d" && !view.from ? null : () => changeView({ range: "30d", from: null, to: null });
  return (
    <>
      <Header apps={apps} view={view} turn={turn} />
      {ranges && <FilterBar view={view} turn={turn} />}
      <main>
        {!app && (
          <div className="state" role="alert">
            <strong>This token does not open the app of this address.</strong>
            <Button variant="default" size="xs" onClick={() => changeView({ app: apps[0]?.name ?? null, ...withoutFilters() })}>
              Show {apps[0]?.name}
            </Button>
          </div>
        )}
        {app && <Shown app={app} view={view} turn={turn} next={next} longer={longer} />}
      </main>
      {view.trace && app && <TraceView view={view} id={view.trace} />}
    </>
  );
}

export function Page() {
  const held = useToken();
  const view = useView();
  const [turn, next] = useTurns(view.live);
  const { data, error } = useAnswer<{ apps: App[] }>("/api/v1/apps", turn);
  // Without a token a proxy may have said who asks; where none has, the answer is 401.
  if (error?.status === 401 || error?.status === 403) return <TokenForm refused={held || error.reason !== "no_token" ? error.message : null} />;
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
