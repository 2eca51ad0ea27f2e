/** The headline figures; the four percentiles are the selector that drives every other panel. */

import type { Answer, Interval as Bounds, Latency } from "./api.ts";
import { formatCount, formatInterval, formatMeasure, formatShare, quantileName } from "./units.ts";
import type { View } from "./view.ts";
import { changeView, QUANTILES } from "./view.ts";

/** The 95 % interval of an estimate. */
function Interval({ interval, format }: { interval: Bounds | null | undefined; format: (value: number) => string }) {
  if (!interval) return null;
  return (
    <span className="aside interval" title="95 % interval of the estimate">
      {formatInterval(interval, format)}
    </span>
  );
}

export function Summary({ answer, view }: { answer: Answer<Latency>; view: View }) {
  const format = formatMeasure(view.signal);
  const total = answer.data?.groups[0]?.total;
  return (
    <div className={answer.loading ? "summary behind" : "summary"}>
      <div className="figure">
        <span className="label">Spans</span>
        <span className="value">{total?.spans_interval && "≈\u202f"}{formatCount(total?.spans)}</span>
        <Interval interval={total?.spans_interval} format={formatCount} />
      </div>
      <div className="figure">
        <span className="label">Errors</span>
        <span className="value">{total ? formatShare(total.errors, total.spans) : "–"}</span>
        <span className="aside">{total?.errors_interval && "≈\u202f"}{total ? formatCount(total.errors) : ""}</span>
        <Interval interval={total?.errors_interval} format={formatCount} />
      </div>
      <fieldset className="quantiles">
        <legend className="visually-hidden">Percentile shown in every panel</legend>
        {QUANTILES.map((each, index) => (
          <label key={each} className={each === view.quantile ? "figure chosen" : "figure"}>
            <input
              type="radio"
              name="quantile"
              className="visually-hidden"
              checked={each === view.quantile}
              onChange={() => changeView({ quantile: each })}
            />
            <span className="label">
              <i className="swatch" style={{ background: `var(--${quantileName(each)})` }} />
              {quantileName(each)}
            </span>
            <span className="value">{format(total?.quantiles[index])}</span>
            <Interval interval={total?.intervals?.[index]} format={format} />
          </label>
        ))}
      </fieldset>
    </div>
  );
}
