/** Draws the trend with uPlot; `plotPair.ts` draws two. Colours come from `palette.css`, so that light and dark need no second list here. */

import uPlot from "uplot";
import type { Series } from "./trend.ts";
import { lonely } from "./trend.ts";
import { formatCount, formatTick, quantileName } from "./units.ts";
import { QUANTILES } from "./view.ts";

export interface Reactions {
  /** The bucket under the pointer, or null when it has left. */
  hover: (index: number | null, left: number) => void;
  /** Seconds since 1970, start and end of what was dragged out. */
  zoom: (from: number, to: number) => void;
}

export const FONT = '11px "Inter Variable", system-ui, sans-serif';
/** The bars keep to the lower part, the lines mostly stand above them. */
const BARS_SHARE = 4.5;

const MONTH_DAY = new Intl.DateTimeFormat(undefined, { month: "short", day: "numeric" });
const HOUR_MINUTE = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", hour12: false });
const WITH_SECONDS = new Intl.DateTimeFormat(undefined, { minute: "2-digit", second: "2-digit", hour: "2-digit", hour12: false });

/** Times of day, days where one begins. */
export function timeLabels(_: uPlot, splits: number[], _axis: number, _space: number, increment: number): string[] {
  return splits.map((seconds) => {
    const at = new Date(seconds * 1000);
    if (increment >= 86_400 || (at.getHours() === 0 && at.getMinutes() === 0)) return MONTH_DAY.format(at);
    return (increment < 60 ? WITH_SECONDS : HOUR_MINUTE).format(at);
  });
}

/** Writes each line's name at its right end; names that would touch are pushed apart. */
function nameLines(chart: uPlot): void {
  const ends = QUANTILES.map((quantile, index) => {
    const value = Array.from(chart.data[index + 2] ?? []).findLast((each) => each !== null && each !== undefined);
    return { quantile, y: value === null || value === undefined ? null : chart.valToPos(value, "us", true) };
  });
  const { ctx, bbox } = chart;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.font = `600 ${11 * ratio}px "Inter Variable", system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  let highest = Number.POSITIVE_INFINITY;
  for (const { quantile, y } of ends) {
    if (y === null) continue;
    const placed = Math.min(y, highest - 12 * ratio);
    highest = placed;
    ctx.fillStyle = colour(`--${quantileName(quantile)}`);
    ctx.fillText(quantileName(quantile), bbox.left + bbox.width + 6 * ratio, placed);
  }
  ctx.restore();
}

/** A colour of the palette, as it is now. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Draws a chart of the size of `home`, the chosen quantile's line the strongest. */
export function plot(
  home: HTMLElement,
  data: Series,
  chosen: number,
  format: (value: number) => string,
  { hover, zoom }: Reactions,
): uPlot {
  const [soft, edge] = [colour("--ink-soft"), colour("--edge")];
  const bars = uPlot.paths.bars?.({ size: [0.82, 40] });
  const axis = { stroke: soft, font: FONT, ticks: { show: false }, grid: { stroke: edge, width: 1 } };
  return new uPlot(
    {
      width: home.clientWidth,
      height: home.clientHeight,
      padding: [10, 34, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false, dist: 6 },
        points: { size: 7 },
      },
      scales: {
        us: { range: (_chart, _low, high) => [0, (high || 1000) * 1.06] },
        spans: { range: (_chart, _low, high) => [0, (high || 1) * BARS_SHARE] },
      },
      axes: [
        { ...axis, grid: { show: false }, values: timeLabels, space: 64, size: 26 },
        { ...axis, scale: "us", size: 58, space: 44, values: (_chart, splits) => splits.map((us) => (us === 0 ? "0" : formatTick(us, format))) },
      ],
      series: [
        {},
        {
          scale: "spans",
          fill: colour("--bar"),
          ...(bars && { paths: bars }),
          points: { show: false },
          value: (_chart, spans) => formatCount(spans),
        },
        ...QUANTILES.map((quantile, index) => ({
          scale: "us",
          stroke: colour(`--${quantileName(quantile)}`),
          width: index === chosen ? 2.6 : 1.4,
          alpha: index === chosen ? 1 : 0.75,
          spanGaps: false,
          points: {
            size: 5,
            fill: colour(`--${quantileName(quantile)}`),
            filter: (chart: uPlot, line: number) => lonely(Array.from(chart.data[line] ?? [])),
          },
        })),
      ],
      hooks: {
        draw: [nameLines],
        setCursor: [(chart) => hover(chart.cursor.idx ?? null, chart.bbox.left / uPlot.pxRatio + (chart.cursor.left ?? 0))],
        setSelect: [
          (chart) => {
            const { left, width } = chart.select;
            if (width > 0) zoom(Math.floor(chart.posToVal(left, "x")), Math.ceil(chart.posToVal(left + width, "x")));
            chart.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          },
        ],
      },
    },
    [data.at, data.spans, ...data.quantiles],
    home,
  );
}
