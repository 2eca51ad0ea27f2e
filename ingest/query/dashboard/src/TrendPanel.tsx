/** Percentiles over time as bands above the number of spans, with the versions that arrived. Drag to look closer; arrow keys walk along it. */

import { Select, useComputedColorScheme } from "@mantine/core";
import type { KeyboardEvent } from "react";
import { useEffect, useMemo, useRef, useState } from "react";
import type uPlot from "uplot";
import type { Answer } from "./api.ts";
import { VersionFlags } from "./VersionFlags.tsx";
import type { Overview } from "./overview.ts";
import { asLatency } from "./overview.ts";
import { Panel } from "./Panel.tsx";
import { plot, rows } from "./plot.ts";
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

/** The chart in its place: made once for a scheme and choice, given new figures as they come. */
function useChart(data: Series, view: View, hover: (hover: Hover | null) => void) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const scheme = useComputedColorScheme("light");
  const chosen = QUANTILES.findIndex((each) => each === view.quantile);

  useEffect(() => {
    const home = place.current;
    if (home === null) return undefined;
    const made = plot(home, data, chosen, formatMeasure(view.signal), {
      hover: (index, left) => hover(index === null ? null : { index, left }),
      zoom,
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
    chart.current?.setData(rows(data));
  }, [data]);
  return { place, chart };
}

/** Looks at a stretch of time, in seconds since 1970. */
function zoom(from: number, to: number): void {
  changeView({ from: new Date(from * 1000).toISOString(), to: new Date(to * 1000).toISOString() });
}

function Chart({ overview, view }: { overview: Overview; view: View }) {
  const [hover, setHover] = useState<Hover | null>(null);
  /** Where a selection by keyboard began. */
  const [anchor, setAnchor] = useState<number | null>(null);
  const data = useMemo(() => series(asLatency(overview)), [overview]);
  const { place, chart } = useChart(data, view, setHover);

  const select = (made: uPlot, index: number, since: number | null): void => {
    const [left, right] = [index, since ?? index].map((each) => made.valToPos(data.at[each] ?? 0, "x")).sort((one, other) => one - other);
    made.setSelect({ left: left ?? 0, width: since === null ? 0 : (right ?? 0) - (left ?? 0), top: 0, height: made.over.clientHeight }, false);
  };
  const walk = (event: KeyboardEvent): void => {
    const made = chart.current;
    if (made === null || event.target !== event.currentTarget) return;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const index = Math.min(data.at.length - 1, Math.max(0, (hover?.index ?? data.at.length) + step));
      const since = event.shiftKey ? (anchor ?? hover?.index ?? index) : null;
      made.setCursor({ left: made.valToPos(data.at[index] ?? 0, "x"), top: 10 });
      select(made, index, since);
      setAnchor(since);
    } else if (event.key === "Enter" && anchor !== null && hover !== null && anchor !== hover.index) {
      const [first, last] = [anchor, hover.index].sort((one, other) => one - other);
      setAnchor(null);
      zoom(data.at[first ?? 0] ?? 0, (data.at[last ?? 0] ?? 0) + overview.step_s);
    }
  };

  const format = formatMeasure(view.signal);
  const summary = QUANTILES.map((each, index) => `${quantileName(each)} ${format(overview.total?.quantiles[index])}`);
  const name = view.signal === "request" ? METRIC_NAMES[view.metric] : SIGNAL_NAMES[view.signal];
  return (
    <div
      className="chart"
      role="group"
      tabIndex={0}
      onKeyDown={walk}
      onBlur={() => setHover(null)}
      aria-label={`${name} over time: ${summary.join(", ")}; ${formatCount(overview.total?.spans)} spans. Arrow keys walk along the chart; with Shift they select, and Enter looks closer.`}
    >
      <div ref={place} className="plot" />
      <VersionFlags versions={overview.versions ?? []} from={data.at[0] ?? 0} to={data.at.at(-1) ?? 0} view={view} />
      {hover && <Reading data={data} hover={hover} quantile={view.quantile} signal={view.signal} width={place.current?.clientWidth ?? 0} />}
    </div>
  );
}

function stepName(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${seconds / 60} min`;
  return seconds < 86_400 ? `${seconds / 3600} h` : `${seconds / 86_400} d`;
}

export function TrendPanel({ answer, view, retry }: { answer: Answer<Overview>; view: View; retry: () => void }) {
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
      {(overview) => <Chart overview={overview} view={view} />}
    </Panel>
  );
}
