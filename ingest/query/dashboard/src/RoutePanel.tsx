/** Routes by impact: the time their users waited beyond the target. */

import type { RouteRow, Routes } from "./api.ts";
import { useAnswer } from "./api.ts";
import { Panel } from "./Panel.tsx";
import { formatCount, formatDuration, formatInterval, formatMeasure, formatShare, formatTick, quantileName } from "./units.ts";
import type { Signal, View } from "./view.ts";
import { changeView, filterParameters } from "./view.ts";

const TARGET_MS = 1000;
const LIMIT = 100;
/** Share of errors from which on it is coloured. */
const NOTABLE_ERRORS = 0.01;

/** Signals whose spans nobody waited for: they have no impact. */
const WITHOUT_WAIT: readonly Signal[] = ["cls", "exception", "event"];

/** A route with its method and host quiet and its path plain: `GET api.shop.example/orders/{id}`. */
export function RouteName({ route }: { route: string }) {
  const [, method = "", host = "", path = route] = /^(?:([A-Z]+) )?([^/\s{]*)(\/.*)$/.exec(route) ?? [];
  return (
    <span className="route">
      {method && <span className="method">{method}</span>}
      {host && <span className="host">{host}</span>}
      <span>{path || "not given"}</span>
    </span>
  );
}

function Row({ row, most, chosen, signal }: { row: RouteRow; most: number; chosen: boolean; signal: Signal }) {
  const format = formatMeasure(signal);
  return (
    <tr className={chosen ? "chosen" : ""}>
      <th scope="row">
        <button
          type="button"
          className="plain"
          aria-pressed={chosen}
          title={chosen ? "Show all routes again" : `Show only ${row.route}`}
          onClick={() => changeView({ route: chosen ? null : row.route })}
        >
          <RouteName route={row.route} />
        </button>
      </th>
      <td className="number">{formatCount(row.spans)}</td>
      <td className={row.errors >= row.spans * NOTABLE_ERRORS && row.errors > 0 ? "number bad" : "number"} title={`${formatCount(row.errors)} errors`}>
        {formatShare(row.errors, row.spans)}
      </td>
      <td className="number strong" title={row.interval ? `95 % interval: ${formatInterval(row.interval, format)}` : undefined}>{format(row.us)}</td>
      {!WITHOUT_WAIT.includes(signal) && <td className="impact-cell">
        <div className="impact">
          <span>{row.impact > 0 ? formatDuration(row.impact * 1e6) : "–"}</span>
          <div className="bar">
            <span style={{ width: `${most > 0 ? (row.impact / most) * 100 : 0}%` }} />
          </div>
        </div>
      </td>}
    </tr>
  );
}

export function RoutePanel({ view, turn, retry }: { view: View; turn: number; retry: () => void }) {
  const query = filterParameters(view);
  query.set("q", String(view.quantile));
  query.set("target_ms", String(TARGET_MS));
  query.set("limit", String(LIMIT));
  const answer = useAnswer<Routes>(`/api/v1/routes?${query}`, turn);
  const waited = !WITHOUT_WAIT.includes(view.signal);
  return (
    <Panel
      title={waited ? "Routes by impact" : "Routes"}
      note={waited ? `Impact: the time users waited beyond ${formatTick(TARGET_MS * 1000)}, all spans together.` : ""}
      answer={answer}
      retry={retry}
      height={330}
      className="routes"
    >
      {({ routes }) => {
        const most = Math.max(0, ...routes.map(({ impact }) => impact));
        return (
          <div className="scroll" tabIndex={0} role="group" aria-label="Routes">
            <table className="figures">
              <thead>
                <tr>
                  <th scope="col">Route</th>
                  <th scope="col" className="number">Spans</th>
                  <th scope="col" className="number">Errors</th>
                  <th scope="col" className="number">{quantileName(view.quantile)}</th>
                  {waited && <th scope="col" className="number">Impact</th>}
                </tr>
              </thead>
              <tbody>
                {routes.map((row) => (
                  <Row key={row.route} row={row} most={most} chosen={view.route === row.route} signal={view.signal} />
                ))}
              </tbody>
            </table>
            {routes.length === 0 && <p className="state">No routes in this time range.</p>}
          </div>
        );
      }}
    </Panel>
  );
}
