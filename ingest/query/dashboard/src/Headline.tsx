/** The headline figures, each with its change; the four percentiles are the selector that drives every other panel. */

import type { Answer, Interval as Bounds } from "./api.ts";
import type { Change, Overview } from "./overview.ts";
import {
  apdexWord, changeOfApdex, changeOfCount, changeOfQuantile, changeOfRate, formatApdex, formatRange,
} from "./overview.ts";
import { formatCount, formatDuration, formatInterval, formatMeasure, formatShare, formatTick, quantileName } from "./units.ts";
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

/** The change since the period before. */
function Delta({ change }: { change: Change | null }) {
  if (change === null) return null;
  const kind = change.better > 0 ? "delta better" : change.better < 0 ? "delta worse" : "delta";
  return (
    <span className={kind} title="Compared with the period before">
      {change.text}
    </span>
  );
}

export function Headline({ answer, view }: { answer: Answer<Overview>; view: View }) {
  const format = formatMeasure(view.signal);
  const { total, before, failures, relative_error: error = 0 } = answer.data ?? {};
  const earlier = before?.whole ? before.total : null;
  const ours = total?.spans ? total.errors / total.spans : 0;
  const apdex = total?.apdex;
  const estimated = total?.spans_interval ? "≈\u202f" : "";
  return (
    <div className={answer.loading ? "summary headline-figures behind" : "summary headline-figures"}>
      <div className="figure">
        <span className="label">{view.signal === "request" ? "Requests" : "Spans"}</span>
        <span className="value">{estimated}{formatCount(total?.spans)}</span>
        <Delta change={changeOfCount(total?.spans, earlier?.spans)} />
        <Interval interval={total?.spans_interval} format={formatCount} />
      </div>
      <div className="figure">
        <span className="label">Errors</span>
        <span className="value">{total ? formatShare(total.errors, total.spans) : "–"}</span>
        <Delta change={total && earlier?.spans ? changeOfRate(ours, earlier.errors / earlier.spans) : null} />
        <span className="aside interval">
          {total?.errors_interval && "≈\u202f"}{total ? formatCount(total.errors) : ""}
          {failures && failures.reports.errors > 0 && (
            <span title="Share that failed when requests are counted of which browsers alone could tell"> · with reports {formatRange(failures.rate)}</span>
          )}
        </span>
        <Interval interval={total?.errors_interval} format={formatCount} />
      </div>
      {(apdex || total === undefined) && (
        <div className="figure" title="1: every user is satisfied, 0: every one is frustrated">
          <span className="label">Apdex, target {formatTick(view.target * 1000, formatDuration)}</span>
          <span className="value">{formatApdex(apdex)}</span>
          <Delta change={changeOfApdex(apdex, earlier?.apdex)} />
          <span className="aside interval">{apdex && typeof apdex.score === "number" ? apdexWord(apdex.score) : ""}</span>
        </div>
      )}
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
            <Delta change={changeOfQuantile(total?.quantiles[index], earlier?.quantiles[index], error)} />
            <Interval interval={total?.intervals?.[index]} format={format} />
          </label>
        ))}
      </fieldset>
    </div>
  );
}
