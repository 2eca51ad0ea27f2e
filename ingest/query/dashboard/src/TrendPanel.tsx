/** Percentiles over time above the number of spans. Drag to look closer; arrow keys walk along it. */

import { Select, useComputedColorScheme } from "@mantine/core";
import type { KeyboardEvent } from "react";
import { useEffect, useMemo, useRef, useState } from "react";
import type uPlot from "uplot";
import type { Answer, Latency } from "./api.ts";
import { Panel } from "./Panel.tsx";
import { plot } from "./plot.ts";
import type { Series } from "./trend.ts";
import { series } from "./trend.ts";
import { formatCount, formatMeasure, formatTime, quantileName } from "./units.ts";
import type { Metric, Signal, View } from "./view.ts";
import { changeView, METRICS, QUANTILES } from "./view.ts";
import { METRIC_NAMES, SIGNAL_NAMES } from "./words.ts";

interface Hover {
  index: number;
  left: number;
}

interface ReadingProps {
  data: Series;
  hover: Hover;
  quantile: number;
  signal: Signal;
  width: number;
}

function Reading({ data, hover, quantile, signal, width }: ReadingProps) {
  const format = formatMeasure(signal);
  const at = data.at[hover.index];
  if (at === undefined) return null;
  const spans = data.spans[hover.index] ?? 0;
  const side = hover.left > width / 2 ? { right: width - hover.left + 14 } : { left: hover.left + 14 };
  return (
    <div className="reading" style={side} role="status">
      <strong>{formatTime(new Date(at * 1000))}</strong>
      <dl>
        {QUANTILES.map((each, index) => (
          <div key={each} className={each === quantile ? "chosen" : ""}>
            <dt>
              <i className="swatch" style={{ background: `var(--${quantileName(each)})` }} /> {quantileName(each)}
            </dt>
            <dd>{format(data.quantiles[index]?.[hover.index])}</dd>
          </div>
        ))}
        <div>
          <dt>
            <i className="swatch" style={{ background: "var(--bar)" }} /> spans
          </dt>
          <dd>{formatCount(spans)}</dd>
        </div>
        <div>
          <dt className="inset">errors</dt>
          <dd>{formatCount(data.errors[hover.index] ?? 0)}</dd>
        </div>
      </dl>
    </div>
  );
}

function Chart({ latency, view }: { latency: Latency; view: View }) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const scheme = useComputedColorScheme("light");
  const data = useMemo(() => series(latency), [latency]);
  const chosen = QUANTILES.findIndex((each) => each === view.quantile);

  useEffect(() => {
    const home = place.current;
    if (home === null) return undefined;
    const made = plot(home, data, chosen, formatMeasure(view.signal), {
      hover: (index, left) => setHover(index === null ? null : { index, left }),
      zoom: (from, to) => changeView({ from: new Date(from * 1000).toISOString(), to: new Date(to * 1000).toISOString() }),
    });
    chart.current = made;
    const follow = new ResizeObserver(() => made.setSize({ width: home.clientWidth, height: home.clientHeight }));
    follow.observe(home);
    return () => {
      follow.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [scheme, chosen, view.signal]);

  useEffect(() => {
    chart.current?.setData([data.at, data.spans, ...data.quantiles]);
  }, [data]);

  const walk = (event: KeyboardEvent): void => {
    const made = chart.current;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || made === null) return;
    event.preventDefault();
    const index = Math.min(data.at.length - 1, Math.max(0, (hover?.index ?? data.at.length) + step));
    made.setCursor({ left: made.valToPos(data.at[index] ?? 0, "x"), top: 10 });
  };

  const total = latency.groups[0]?.total;
  const format = formatMeasure(view.signal);
  const summary = QUANTILES.map((each, index) => `${quantileName(each)} ${format(total?.quantiles[index])}`);
  return (
    <div
      className="chart"
      role="group"
      tabIndex={0}
      onKeyDown={walk}
      onBlur={() => setHover(null)}
      aria-label={`${view.signal === "request" ? METRIC_NAMES[view.metric] : SIGNAL_NAMES[view.signal]} over time: ${summary.join(", ")}; ${formatCount(total?.spans)} spans. Arrow keys walk along the chart.`}
    >
      <div ref={place} className="plot" />
      {hover && <Reading data={data} hover={hover} quantile={view.quantile} signal={view.signal} width={place.current?.clientWidth ?? 0} />}
    </div>
  );
}

function stepName(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${seconds / 60} min`;
  return seconds < 86_400 ? `${seconds / 3600} h` : `${seconds / 86_400} d`;
}

export function TrendPanel({ answer, view, retry }: { answer: Answer<Latency>; view: View; retry: () => void }) {
  return (
    <Panel
      title="Trend"
      answer={answer}
      retry={retry}
      height={300}
      actions={
        <>
          {answer.data && <span className="aside wide">each point {stepName(answer.data.step_s)}</span>}
          {view.signal === "request" && <Select
            aria-label="Measure"
            size="xs"
            w={118}
            data={METRICS.map((metric) => ({ value: metric, label: METRIC_NAMES[metric] }))}
            value={view.metric}
            allowDeselect={false}
            onChange={(metric) => changeView({ metric: (metric ?? "duration") as Metric })}
          />}
        </>
      }
    >
      {(latency) => <Chart latency={latency} view={view} />}
    </Panel>
  );
}
