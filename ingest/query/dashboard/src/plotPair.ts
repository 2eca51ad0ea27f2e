/** Draws two sides' lines over one another with uPlot. */

import uPlot from "uplot";
import type { Pair } from "./compare.ts";
import { colour, FONT, timeLabels } from "./plot.ts";
import { lonely } from "./trend.ts";
import { formatTick } from "./units.ts";
import { SIDES } from "./view.ts";

/** Draws a chart of the size of `home`. */
export function plotPair(
  home: HTMLElement,
  data: Pair,
  format: (value: number) => string,
  hover: (index: number | null, left: number) => void,
): uPlot {
  const [soft, edge] = [colour("--ink-soft"), colour("--edge")];
  const axis = { stroke: soft, font: FONT, ticks: { show: false }, grid: { stroke: edge, width: 1 } };
  return new uPlot(
    {
      width: home.clientWidth,
      height: home.clientHeight,
      padding: [10, 14, 0, 0],
      legend: { show: false },
      cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
      scales: { us: { range: (_chart, _low, high) => [0, (high || 1000) * 1.06] } },
      axes: [
        { ...axis, grid: { show: false }, values: timeLabels, space: 64, size: 26 },
        { ...axis, scale: "us", size: 58, space: 44, values: (_chart, splits) => splits.map((us) => (us === 0 ? "0" : formatTick(us, format))) },
      ],
      series: [
        {},
        ...SIDES.map((side) => ({
          scale: "us",
          stroke: colour(`--side-${side}`),
          width: 2.2,
          ...(side === "a" && { dash: [6, 4] }),
          spanGaps: false,
          points: { size: 5, fill: colour(`--side-${side}`), filter: (chart: uPlot, line: number) => lonely(Array.from(chart.data[line] ?? [])) },
        })),
      ],
      hooks: { setCursor: [(chart) => hover(chart.cursor.idx ?? null, chart.bbox.left / uPlot.pxRatio + (chart.cursor.left ?? 0))] },
    },
    [data.at, data.lines.a, data.lines.b],
    home,
  );
}
