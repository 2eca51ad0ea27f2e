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

/** Room beside the lines in CSS pixels: left for the axis, right for their names. Flags above the chart stand by it. */
export const ROOM = { left: 58, right: 34, top: 26 } as const;

export const FONT = '11px "Inter Variable", system-ui, sans-serif';
/** Below the lines' zero the bars of counts have a strip of their own, a little less high than the share of the whole. */
const STRIP = 0.22;
const BARS = 0.18;

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

/** Where the lines' rows begin in the chart's data: after the times, the counts and the errors. */
const LINES = 3;

/** What the chart draws, in uPlot's order. */
export function rows(data: Series): uPlot.AlignedData {
  return [data.at, data.spans, data.errors, ...data.quantiles] as uPlot.AlignedData;
}

/** Writes each line's name at its right end; names that would touch are pushed apart. */
function nameLines(chart: uPlot): void {
  const ends = QUANTILES.map((quantile, index) => {
    const value = Array.from(chart.data[index + LINES] ?? []).findLast((each) => each !== null && each !== undefined);
    return { quantile, y: value === null || value === undefined ? null : chart.valToPos(value, "us", true) };
  });
  const { ctx, bbox } = chart;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.font = `600 ${11 * ratio}px "Inter Variable", system-ui, sans-serif`;
  ctx.textBaseline = "middle";
  ctx.textAlign = "left";
  const apart = 12 * ratio;
  let highest = Number.POSITIVE_INFINITY;
  const pushed = ends.flatMap(({ quantile, y }) => (y === null ? [] : [{ quantile, y: (highest = Math.min(y, highest - apart)) }]));
  // A stack that would leave the chart at its top is pushed back down.
  let lowest = bbox.top - apart / 2;
  for (const { quantile, y } of pushed.reverse()) {
    const placed = Math.max(y, lowest + apart);
    lowest = placed;
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
  const counted = (fill: string): uPlot.Series => ({
    scale: "spans",
    fill,
    ...(bars && { paths: bars }),
    points: { show: false },
    value: (_chart, spans) => formatCount(spans),
  });
  const axis = { stroke: soft, font: FONT, ticks: { show: false }, grid: { stroke: edge, width: 1 } };
  return new uPlot(
    {
      width: home.clientWidth,
      height: home.clientHeight,
      padding: [ROOM.top, ROOM.right, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { x: true, y: false, setScale: false, dist: 6 },
        points: { size: 7 },
      },
      scales: {
        us: { range: (_chart, _low, high) => [(-STRIP / (1 - STRIP)) * (high || 1000) * 1.04, (high || 1000) * 1.04] },
        spans: { range: (_chart, _low, high) => [0, (high || 1) / BARS] },
      },
      axes: [
        { ...axis, grid: { show: false }, values: timeLabels, space: 64, size: 26 },
        { ...axis, scale: "us", size: ROOM.left, space: 40, filter: (_chart, splits) => splits.map((us) => (us < 0 ? null : us)), values: (_chart, splits) => splits.map((us) => (us === null ? "" : us === 0 ? "0" : formatTick(us, format))) },
      ],
      series: [
        {},
        counted(colour("--bar")),
        counted(colour("--bad")),
        ...QUANTILES.map((quantile, index) => ({
          scale: "us",
          stroke: colour(`--${quantileName(quantile)}`),
          width: index === chosen ? 2.6 : 1,
          alpha: index === chosen ? 1 : 0.6,
          spanGaps: false,
          points: {
            size: 5,
            fill: colour(`--${quantileName(quantile)}`),
            filter: (chart: uPlot, line: number) => lonely(Array.from(chart.data[line] ?? [])),
          },
        })),
      ],
      // The more spans are below a band, the deeper its colour.
      bands: QUANTILES.slice(1).map((_, index) => ({
        series: [LINES + index + 1, LINES + index] as [number, number],
        fill: colour(`--band-${index + 1}`),
      })),
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
    rows(data),
    home,
  );
}
