/** Both sides of a comparison over time, one line each. Arrow keys walk along them. */

import { useComputedColorScheme } from "@mantine/core";
import type { KeyboardEvent } from "react";
import { useEffect, useMemo, useRef, useState } from "react";
import type uPlot from "uplot";
import type { Latency } from "./api.ts";
import { useAnswer } from "./api.ts";
import type { Pair, Sides } from "./compare.ts";
import { apart, bothParameters, pair, partOf, secondsBack, sideParameters } from "./compare.ts";
import { Panel } from "./Panel.tsx";
import { plotPair } from "./plotPair.ts";
import { formatMeasure, formatTime, quantileName } from "./units.ts";
import type { SideName, View } from "./view.ts";
import { SIDES, stepOf } from "./view.ts";

interface Hover {
  index: number;
  left: number;
}

interface ChartProps {
  data: Pair;
  view: View;
  names: Record<SideName, string>;
}

function Chart({ data, view, names }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot | null>(null);
  const [hover, setHover] = useState<Hover | null>(null);
  const scheme = useComputedColorScheme("light");
  const format = formatMeasure(view.signal);

  useEffect(() => {
    const home = place.current;
    if (home === null) return undefined;
    const made = plotPair(home, data, format, (index, left) => setHover(index === null ? null : { index, left }));
    chart.current = made;
    const follow = new ResizeObserver(() => made.setSize({ width: home.clientWidth, height: home.clientHeight }));
    follow.observe(home);
    return () => {
      follow.disconnect();
      made.destroy();
      chart.current = null;
    };
  }, [scheme, view.signal]);

  useEffect(() => {
    chart.current?.setData([data.at, data.lines.a, data.lines.b]);
  }, [data]);

  const walk = (event: KeyboardEvent): void => {
    const made = chart.current;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step === undefined || made === null) return;
    event.preventDefault();
    const index = Math.min(data.at.length - 1, Math.max(0, (hover?.index ?? data.at.length) + step));
    made.setCursor({ left: made.valToPos(data.at[index] ?? 0, "x"), top: 10 });
  };

  const at = hover ? data.at[hover.index] : undefined;
  const width = place.current?.clientWidth ?? 0;
  return (
    <div
      className="chart"
      role="group"
      tabIndex={0}
      onKeyDown={walk}
      onBlur={() => setHover(null)}
      aria-label={`${quantileName(view.quantile)} of ${names.a} and of ${names.b} over time. Arrow keys walk along the chart.`}
    >
      <div ref={place} className="plot" />
      {hover && at !== undefined && (
        <div className="reading" style={hover.left > width / 2 ? { right: width - hover.left + 14 } : { left: hover.left + 14 }} role="status">
          <strong>{formatTime(new Date(at * 1000))}</strong>
          <dl>
            {SIDES.map((side) => (
              <div key={side}>
                <dt><i className={`side-line side-${side}`} /> {names[side]}</dt>
                <dd>{format(data.lines[side][hover.index])}</dd>
              </div>
            ))}
          </dl>
        </div>
      )}
    </div>
  );
}

interface PairTrendProps {
  view: View;
  sides: Sides;
  names: Record<SideName, string>;
  turn: number;
  retry: () => void;
}

export function PairTrend({ view, sides, names, turn, retry }: PairTrendProps) {
  const by = apart(sides);
  const asked = (query: URLSearchParams): string => {
    query.set("q", String(view.quantile));
    query.set("step", stepOf(view));
    return `/api/v1/latency?${query}`;
  };
  const first = useAnswer<Latency>(asked(by ? bothParameters(view, sides, by) : sideParameters(view, sides.a)), turn);
  const second = useAnswer<Latency>(by ? null : asked(sideParameters(view, sides.b)), turn);
  const [a, b] = [first, by ? first : second];
  const back = { a: secondsBack(view, sides.a.shift), b: secondsBack(view, sides.b.shift) };
  const data = useMemo(() => {
    if (!a.data || !b.data) return undefined;
    return pair(by ? { a: partOf(a.data, sides.a, by), b: partOf(b.data, sides.b, by) } : { a: a.data, b: b.data }, back);
  }, [a.data, b.data, back.a, back.b]);
  return (
    <Panel
      title={`${quantileName(view.quantile)} over time`}
      note={back.a === back.b ? "" : "Both time ranges are laid over one another."}
      answer={{ data, error: a.error ?? b.error, loading: a.loading || b.loading }}
      retry={retry}
      height={300}
      actions={SIDES.map((side) => (
        <span key={side} className="aside side-key"><i className={`side-line side-${side}`} /> {names[side]}</span>
      ))}
    >
      {(lines) => <Chart data={lines} view={view} names={names} />}
    </Panel>
  );
}
