/** One route by version, country and device class: who waits for it, and since which version. */

import type { Values } from "./api.ts";
import { useAnswer } from "./api.ts";
import { Panel } from "./Panel.tsx";
import { formatCount, formatInterval, formatMeasure, formatShare, quantileName } from "./units.ts";
import type { Dimension, View } from "./view.ts";
import { changeView, filterParameters } from "./view.ts";
import { DIMENSION_NAMES, valueName } from "./words.ts";

const SHOWN: readonly Dimension[] = ["version", "country", "device_class"];
const LIMIT = 8;

interface ByProps {
  dimension: Dimension;
  view: View;
  turn: number;
  retry: () => void;
}

function By({ dimension, view, turn, retry }: ByProps) {
  const query = filterParameters(view);
  query.set("dimension", dimension);
  query.set("q", String(view.quantile));
  query.set("limit", String(LIMIT));
  const answer = useAnswer<Values>(`/api/v1/values?${query}`, turn);
  const format = formatMeasure(view.signal);
  const chosen = view.filters[dimension];
  const toggle = (value: string): void => {
    const values = chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value];
    changeView({ filters: { ...view.filters, [dimension]: values } });
  };
  return (
    <Panel title={`By ${DIMENSION_NAMES[dimension].toLowerCase()}`} answer={answer} retry={retry} height={180} className="by-value">
      {({ values }) => {
        const longest = Math.max(0, ...values.map(({ us }) => us ?? 0));
        return (
          <table className="figures">
            <thead>
              <tr>
                <th scope="col">{DIMENSION_NAMES[dimension]}</th>
                <th scope="col" className="number">Spans</th>
                <th scope="col" className="number">Errors</th>
                <th scope="col" className="number" colSpan={2}>{quantileName(view.quantile)}</th>
              </tr>
            </thead>
            <tbody>
              {values.map(({ value, spans, errors, us, interval }) => (
                <tr key={value} className={chosen.includes(value ?? "") ? "chosen" : ""}>
                  <th scope="row">
                    {value ? (
                      <button type="button" className="plain" aria-pressed={chosen.includes(value)} onClick={() => toggle(value)}>
                        {valueName(dimension, value)}
                      </button>
                    ) : (
                      "not given"
                    )}
                  </th>
                  <td className="number">{formatCount(spans)}</td>
                  <td className="number">{formatShare(errors, spans)}</td>
                  <td className="bar-cell">
                    <div className="bar">
                      <span style={{ width: `${longest > 0 ? ((us ?? 0) / longest) * 100 : 0}%` }} />
                    </div>
                  </td>
                  <td className="number strong" title={interval ? `95 % interval: ${formatInterval(interval, format)}` : undefined}>{format(us)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        );
      }}
    </Panel>
  );
}

export function RouteDetails({ route, view, turn, retry }: { route: string; view: View; turn: number; retry: () => void }) {
  return (
    <div className="details-of-route" role="group" aria-label={`${route} in detail`}>
      {SHOWN.map((dimension) => (
        <By key={dimension} dimension={dimension} view={view} turn={turn} retry={retry} />
      ))}
    </div>
  );
}
