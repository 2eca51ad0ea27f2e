/** Web vitals: the 75th percentile of each, by which pages are rated, and how many loads were good, middling or poor. */

import type { Answer } from "./api.ts";
import type { Overview, Rating, Vital } from "./overview.ts";
import { RATINGS } from "./overview.ts";
import { Panel } from "./Panel.tsx";
import { formatCount, formatInterval, formatMeasure, formatShare, formatTick } from "./units.ts";
import type { View } from "./view.ts";
import { changeView } from "./view.ts";
import { RATING_NAMES, VITAL_MEANINGS } from "./words.ts";

function VitalRow({ vital, chosen }: { vital: Vital; chosen: boolean }) {
  const format = formatMeasure(vital.vital);
  const bounds = `Good up to ${formatTick(vital.good_us, format)}, poor above ${formatTick(vital.poor_us, format)}.`;
  const share = (rating: Rating): string => formatShare(vital[rating], 1);
  const label = RATINGS.map((rating) => `${RATING_NAMES[rating]} ${share(rating)}`).join(", ");
  return (
    <tr className={chosen ? "chosen" : ""}>
      <th scope="row">
        <button
          type="button"
          className="plain"
          aria-pressed={chosen}
          title={`${VITAL_MEANINGS[vital.vital]} ${bounds}`}
          onClick={() => changeView({ signal: chosen ? "request" : vital.vital, metric: "duration", route: null })}
        >
          {vital.vital.toUpperCase()}
        </button>
      </th>
      <td className="number strong" title={vital.interval ? `95 % interval: ${formatInterval(vital.interval, format)}` : undefined}>{format(vital.us)}</td>
      <td>{vital.rating && <span className={`rating ${vital.rating}`}>{RATING_NAMES[vital.rating]}</span>}</td>
      <td className="ratings-cell">
        <div className="shares tall" role="img" aria-label={label} title={label}>
          {RATINGS.map((rating) => (
            <span key={rating} className={`share-${rating}`} style={{ flexGrow: vital[rating] }} />
          ))}
        </div>
      </td>
      <td className="number">{share("good")}</td>
      <td className="number wide">{formatCount(vital.spans)}</td>
    </tr>
  );
}

export function VitalPanel({ answer, view, retry }: { answer: Answer<Overview>; view: View; retry: () => void }) {
  return (
    <Panel title="Web vitals at p75" answer={answer} retry={retry} height={200} className="vitals" badge={false}>
      {({ vitals }) => (
        <table className="figures">
          <thead>
            <tr>
              <th scope="col">Vital</th>
              <th scope="col" className="number">p75</th>
              <th scope="col">Rating</th>
              <th scope="col" className="ratings-cell">Good, middling, poor</th>
              <th scope="col" className="number">Good</th>
              <th scope="col" className="number wide">Measured</th>
            </tr>
          </thead>
          <tbody>
            {(vitals ?? []).filter(({ spans }) => spans > 0).map((vital) => (
              <VitalRow key={vital.vital} vital={vital} chosen={view.signal === vital.vital} />
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
