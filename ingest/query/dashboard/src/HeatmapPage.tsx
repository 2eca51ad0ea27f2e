/** Where it is slow: countries by class of device, for each network. A cell opens the figures of its group. */

import { Select } from "@mantine/core";
import type { CSSProperties } from "react";
import { useAnswer } from "./api.ts";
import type { HeatCell, Heatmap } from "./heat.ts";
import { cellsByPlace, factorName, FULL_FACTOR, heat, inOrder, middle } from "./heat.ts";
import type { PageProps } from "./pages.tsx";
import { Panel } from "./Panel.tsx";
import { formatCount, formatInterval, formatMeasure, formatShare, quantileName } from "./units.ts";
import type { Metric, View } from "./view.ts";
import { changeView, filterParameters, METRICS } from "./view.ts";
import { METRIC_NAMES, SIGNAL_NAMES, valueName } from "./words.ts";

/** Share of errors from which on a cell says it. */
const NOTABLE_ERRORS = 0.05;

function warmth(cell: HeatCell, middleUs: number | null): CSSProperties {
  const level = heat(cell.us, middleUs);
  return { "--level": Math.abs(level).toFixed(3), "--side": level < 0 ? "var(--heat-fast)" : "var(--heat-slow)" } as CSSProperties;
}

interface CellProps {
  cell: HeatCell | undefined;
  view: View;
  middleUs: number | null;
  /** The first column of a network. */
  first: boolean;
}

function Cell({ cell, view, middleUs, first }: CellProps) {
  const edge = first ? "first" : "";
  if (cell === undefined) {
    return <td className={`nobody ${edge}`} title="Nobody, or too few sessions to be shown"><span className="visually-hidden">not shown</span></td>;
  }
  const format = formatMeasure(view.signal);
  const failed = cell.errors >= cell.spans * NOTABLE_ERRORS && cell.errors > 0;
  const more = [
    factorName(cell.us, middleUs),
    cell.interval && `95 % interval ${formatInterval(cell.interval, format)}`,
    `${formatCount(cell.spans)} spans`,
    !failed && `${formatShare(cell.errors, cell.spans)} failed`,
  ].filter(Boolean).join(", ");
  const open = (): void =>
    changeView({
      page: "overview",
      filters: { ...view.filters, country: [cell.y], device_class: [cell.x], network: [cell.facet ?? ""] },
    });
  return (
    <td className={`cell ${edge}`} style={warmth(cell, middleUs)}>
      <button type="button" onClick={open} title={`${more}. Click for its figures.`}>
        <span className="visually-hidden">{valueName("country", cell.y)}, {cell.x} devices, {cell.facet}: {quantileName(view.quantile)} </span>
        {format(cell.us)}
        {failed && <small>{formatShare(cell.errors, cell.spans)} failed</small>}
        <span className="visually-hidden">, {more}</span>
      </button>
    </td>
  );
}

function Grid({ data, view }: { data: Heatmap; view: View }) {
  const [find, middleUs] = [cellsByPlace(data.cells), middle(data.cells)];
  const networks = data.facets.map(({ value }) => value);
  const columns = new Map(networks.map((network) => [network, inOrder(data.columns.filter(({ value }) => data.cells.some((cell) => cell.facet === network && cell.x === value)))]));
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Heatmap">
      <table className="figures heat">
        <thead>
          <tr>
            <th scope="col" rowSpan={2}>Country</th>
            {networks.map((network) => <th key={network} scope="colgroup" colSpan={columns.get(network)?.length ?? 1} className="network first">{network}</th>)}
          </tr>
          <tr>
            {networks.flatMap((network) => (columns.get(network) ?? []).map((name, index) => (
              <th key={`${network} ${name}`} scope="col" className={index === 0 ? "first" : ""}>{name}</th>
            )))}
          </tr>
        </thead>
        <tbody>
          {data.rows.map(({ value, spans }) => (
            <tr key={value}>
              <th scope="row">
                {valueName("country", value)} <span className="aside">{formatCount(spans)}</span>
              </th>
              {networks.flatMap((network) => (columns.get(network) ?? []).map((name, index) => (
                <Cell key={`${network} ${name}`} cell={find(value, name, network)} view={view} middleUs={middleUs} first={index === 0} />
              )))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Legend({ data, view }: { data: Heatmap; view: View }) {
  const format = formatMeasure(view.signal);
  return (
    <p className="heat-legend">
      <span>⅓ of</span>
      <i className="scale" />
      <span>{FULL_FACTOR} times</span>
      <span className="middle-figure">
        the middle group’s <strong>{format(middle(data.cells))}</strong> (all together: {format(data.whole_us)})
      </span>
      <span><i className="swatch nobody" /> nobody, or too few sessions</span>
    </p>
  );
}

export function HeatmapPage({ view, turn, next }: PageProps) {
  const query = filterParameters(view);
  const metric = view.signal === "request" ? view.metric : "duration";
  query.set("facet", "network");
  query.set("metric", metric);
  query.set("q", String(view.quantile));
  const answer = useAnswer<Heatmap>(`/api/v1/heatmap?${query}`, turn);
  const what = view.signal === "request" ? METRIC_NAMES[view.metric] : SIGNAL_NAMES[view.signal];
  return (
    <Panel
      title={`${what} at ${quantileName(view.quantile)} by country, device and network`}
      note={view.route ? "A route is not counted by country, device and network together: weighted samples answer." : "Counted over every span. The colour says how a group stands against the one in the middle: half of the spans are in slower ones. A click opens its figures."}
      answer={answer}
      retry={next}
      height={460}
      actions={
        view.signal === "request" && (
          <Select
            aria-label="Measure"
            size="xs"
            w={118}
            data={METRICS.map((each) => ({ value: each, label: METRIC_NAMES[each] }))}
            value={view.metric}
            allowDeselect={false}
            onChange={(each) => changeView({ metric: (each ?? "duration") as Metric })}
          />
        )
      }
    >
      {(data) =>
        data.cells.length === 0 ? (
          <p className="state">
            {data.suppressed && data.suppressed.groups > 0
              ? `No group of at least ${data.suppressed.least_sessions} sessions in this time range.`
              : "No spans like these in this time range."}
          </p>
        ) : (
          <>
            <Legend data={data} view={view} />
            <Grid data={data} view={view} />
          </>
        )
      }
    </Panel>
  );
}
