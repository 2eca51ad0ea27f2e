/** How long it takes, how often: bars on a logarithmic axis, percentiles among them, and sampled traces of the bar chosen. */

import type { KeyboardEvent } from "react";
import { useEffect, useId, useMemo, useState } from "react";
import { useAnswer } from "./api.ts";
import type { Bar, Exemplar, Histogram } from "./histogram.ts";
import { barOf, layout } from "./histogram.ts";
import { Panel } from "./Panel.tsx";
import { formatCount, formatMeasure, formatShare, formatTick, formatTime, quantileName } from "./units.ts";
import type { View } from "./view.ts";
import { changeView, filterParameters, QUANTILES } from "./view.ts";
import { METRIC_NAMES, SIGNAL_NAMES } from "./words.ts";

type Format = (value: number | null | undefined) => string;

const WHY: Record<Exemplar["why"], string> = { typical: "Typical", slowest: "Slowest", error: "Failed" };

function open({ trace_id: trace, span_id: span }: Exemplar): void {
  changeView({ trace, span });
}

function rangeOf(bar: Bar, format: Format): string {
  return bar.from_us === 0 ? format(0) : `${format(bar.from_us)} – ${format(bar.to_us)}`;
}

function Examples({ bar, format }: { bar: Bar; format: Format }) {
  if (bar.exemplars.length === 0) return <p className="none">No sampled trace of this bar was found.</p>;
  return (
    <ul>
      {bar.exemplars.map((exemplar) => (
        <li key={exemplar.why}>
          <button type="button" className={exemplar.error ? "example failed" : "example"} onClick={() => open(exemplar)} title={exemplar.route}>
            <span className="why">{WHY[exemplar.why]}</span>
            <span className="strong">{format(exemplar.us)}</span>
            <span className="aside">{formatTime(new Date(exemplar.start_at))}</span>
            {exemplar.error && exemplar.why !== "error" && <span className="badge badge-bad">error</span>}
            <span className="visually-hidden">: open the trace</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function Markers({ data, view, format }: { data: Histogram; view: View; format: Format }) {
  const { markers } = useMemo(() => layout(data), [data]);
  return (
    <div className="markers" aria-hidden="true">
      {markers.map((marker, index) => {
        const quantile = data.quantiles[index] ?? 0;
        const name = quantileName(quantile);
        return marker && (
          <div
            key={name}
            className={`marker${quantile === view.quantile ? " chosen" : ""}${marker.at > 0.85 ? " leftward" : ""}`}
            style={{ left: `${marker.at * 100}%`, top: `${marker.row * 17}px`, color: `var(--${name})` }}
          >
            <span>{name} <b>{format(data.total?.quantiles[index])}</b></span>
          </div>
        );
      })}
    </div>
  );
}

function Chart({ data, view }: { data: Histogram; view: View }) {
  const id = useId();
  const format = formatMeasure(view.signal);
  const { columns, ticks, markers } = useMemo(() => layout(data), [data]);
  const [picked, setPicked] = useState<number | null>(null);
  const { bars, total } = data;
  const measured = total?.measured ?? 0;
  // Bars come and go with every refresh: what was picked is remembered by its value.
  const quantileUs = total?.quantiles[data.quantiles.indexOf(view.quantile)];
  const chosen = barOf(bars, picked ?? quantileUs);
  useEffect(() => setPicked(null), [view.quantile, view.metric, view.signal]);
  const bar = bars[chosen];
  if (bar === undefined) return <p className="state">Nothing was measured in this time range.</p>;

  const pick = (index: number): void => setPicked(bars[Math.min(bars.length - 1, Math.max(0, index))]?.to_us ?? null);
  const press = (event: KeyboardEvent): void => {
    const [typical] = bar.exemplars;
    const to = { ArrowLeft: chosen - 1, ArrowRight: chosen + 1, Home: 0, End: bars.length - 1 }[event.key];
    if (to !== undefined) pick(to);
    else if (event.key === "Enter" && typical) open(typical);
    else return;
    event.preventDefault();
  };
  const rows = Math.max(0, ...markers.map((marker) => (marker?.row ?? 0) + 1));
  const percentiles = data.quantiles.map((each, index) => `${quantileName(each)} ${format(total?.quantiles[index])}`).join(", ");
  return (
    <div className="histogram">
      <div className="histogram-plot" style={{ paddingTop: `${rows * 17 + 8}px` }}>
        <div
          className="bars"
          role="listbox"
          tabIndex={0}
          onKeyDown={press}
          aria-activedescendant={`${id}-${chosen}`}
          aria-label={`Distribution: ${percentiles}; ${formatCount(measured)} measured. Arrow keys walk along the bars, Enter opens a trace.`}
        >
          {columns.map(({ bar: each, left, width, height }, index) => (
            <div
              key={each.to_us}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === chosen}
              aria-label={`${rangeOf(each, format)}: ${formatCount(each.spans)}, ${formatShare(each.spans, measured)}`}
              title={`${rangeOf(each, format)}: ${formatCount(each.spans)} (${formatShare(each.spans, measured)})`}
              className={each.exemplars.length > 0 ? "bin" : "bin bare"}
              style={{ left: `${left * 100}%`, width: `${width * 100}%` }}
              onClick={() => pick(index)}
            >
              <i style={{ height: `${height * 100}%` }} />
            </div>
          ))}
        </div>
        <Markers data={data} view={view} format={format} />
      </div>
      <div className="histogram-axis" aria-hidden="true">
        {ticks.map(({ us, at }) => (
          <span key={us} style={{ left: `${at * 100}%` }}>{us === 0 ? "0" : formatTick(us, format)}</span>
        ))}
      </div>
      <div className="examples" aria-live="polite">
        <p>
          <strong>{rangeOf(bar, format)}</strong>
          <span className="aside">{formatCount(bar.spans)} {bar.spans === 1 ? "span" : "spans"}, {formatShare(bar.spans, measured)}</span>
        </p>
        <Examples bar={bar} format={format} />
      </div>
    </div>
  );
}

/** The distribution of what the view is about. */
export function HistogramPanel({ view, turn, retry }: { view: View; turn: number; retry: () => void }) {
  const query = filterParameters(view);
  query.set("metric", view.metric);
  query.set("q", QUANTILES.join(","));
  const answer = useAnswer<Histogram>(`/api/v1/histogram?${query}`, turn);
  const about = view.signal === "request" ? METRIC_NAMES[view.metric] : SIGNAL_NAMES[view.signal];
  return (
    <Panel title={`Distribution of ${about.replace(/^[A-Z](?=[a-z])/, (first) => first.toLowerCase())}`} note="Choose a bar to see sampled traces of it." answer={answer} retry={retry} height={290} className="distribution">
      {(data) => <Chart data={data} view={view} />}
    </Panel>
  );
}
