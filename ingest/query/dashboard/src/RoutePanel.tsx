/** Routes by impact: the time their users waited beyond the target. Click: that route alone, with details below. */

import { TextInput } from "@mantine/core";
import type { ReactNode } from "react";
import type { RouteRow, Routes } from "./api.ts";
import { useAnswer } from "./api.ts";
import { Panel } from "./Panel.tsx";
import { arrange, linePath } from "./routeRows.ts";
import { formatCount, formatDuration, formatInterval, formatMeasure, formatShare, formatTick, quantileName } from "./units.ts";
import type { RouteSort, Signal, View } from "./view.ts";
import { changeView, filterParameters } from "./view.ts";

const LIMIT = 500;
const LINE_POINTS = 24;
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

const LINE = { width: 96, height: 24 };

/** The percentile over the range, from 0 up; each route to its own scale. */
function Sparkline({ row, name, format }: { row: RouteRow; name: string; format: (us: number | null | undefined) => string }) {
  const known = (row.line_us ?? []).filter((us) => us !== null);
  if (row.line_us === undefined || known.length === 0) return null;
  const label = `${name} over time: from ${format(known[0])} to ${format(known.at(-1))}, at most ${format(Math.max(...known))}`;
  return (
    <svg className="sparkline" viewBox={`-2 -2 ${LINE.width + 4} ${LINE.height + 4}`} role="img" aria-label={label}>
      <title>{label}</title>
      <path d={linePath(row.line_us, LINE.width, LINE.height)} />
    </svg>
  );
}

function Row({ row, most, view }: { row: RouteRow; most: number; view: View }) {
  const format = formatMeasure(view.signal);
  const chosen = view.route === row.route;
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
      <td className="line-cell"><Sparkline row={row} name={quantileName(view.quantile)} format={format} /></td>
      <td className="number strong" title={row.interval ? `95 % interval: ${formatInterval(row.interval, format)}` : undefined}>{format(row.us)}</td>
      {!WITHOUT_WAIT.includes(view.signal) && <td className="impact-cell">
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

/** The head of a column by which rows can be sorted, greatest first. */
function SortHead({ sort, chosen, children }: { sort: RouteSort; chosen: boolean; children: ReactNode }) {
  return (
    <th scope="col" className="number" aria-sort={chosen ? "descending" : undefined}>
      <button type="button" className="sort" onClick={() => changeView({ sort })} title="Sort by this, greatest first">
        {children}
        <span aria-hidden="true">{chosen ? " ▾" : ""}</span>
      </button>
    </th>
  );
}

export function RoutePanel({ view, turn, retry }: { view: View; turn: number; retry: () => void }) {
  // The route chosen stays among the others, so that the next one is a click away.
  const query = filterParameters({ ...view, route: null });
  query.set("q", String(view.quantile));
  query.set("target_ms", String(view.target));
  query.set("points", String(LINE_POINTS));
  query.set("limit", String(LIMIT));
  const answer = useAnswer<Routes>(`/api/v1/routes?${query}`, turn);
  const waited = !WITHOUT_WAIT.includes(view.signal);
  const head = (sort: RouteSort, name: ReactNode): ReactNode => <SortHead sort={sort} chosen={view.sort === sort}>{name}</SortHead>;
  return (
    <Panel
      title={waited ? "Routes by impact" : "Routes"}
      note={waited ? `Impact: the time users waited beyond ${formatTick(view.target * 1000)}, all spans together.` : ""}
      answer={answer}
      retry={retry}
      height={330}
      className="routes"
      actions={
        <TextInput
          size="xs"
          className="find"
          aria-label="Find a route"
          placeholder="Find a route"
          value={view.find}
          onChange={(event) => changeView({ find: event.currentTarget.value }, { typed: true })}
        />
      }
    >
      {({ routes, truncated }) => {
        const most = Math.max(0, ...routes.map(({ impact }) => impact));
        const found = arrange(routes, view.sort, view.find);
        return (
          <div className="scroll" tabIndex={0} role="group" aria-label="Routes">
            <table className="figures">
              <thead>
                <tr>
                  <th scope="col">Route</th>
                  {head("spans", view.signal === "request" ? "Requests" : "Spans")}
                  {head("errors", "Errors")}
                  <th scope="col" className="line-cell">{quantileName(view.quantile)} over time</th>
                  {head("slowest", quantileName(view.quantile))}
                  {waited && head("impact", "Impact")}
                </tr>
              </thead>
              <tbody>
                {found.map((row) => (
                  <Row key={row.route} row={row} most={most} view={view} />
                ))}
              </tbody>
            </table>
            {found.length === 0 && (
              <p className="state">
                {routes.length === 0 ? "No routes in this time range." : `None of ${truncated ? "the first " : ""}${formatCount(routes.length)} routes holds these words.`}
              </p>
            )}
          </div>
        );
      }}
    </Panel>
  );
}
