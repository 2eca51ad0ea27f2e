/** Where the time goes, over the requests in which the phase happened; how often it did not; how often nobody knows. */

import { Tooltip } from "@mantine/core";
import type { Phases, PhaseShare } from "./api.ts";
import { useAnswer } from "./api.ts";
import { Panel } from "./Panel.tsx";
import { formatCount, formatDuration, formatInterval, formatShare, quantileName } from "./units.ts";
import type { View } from "./view.ts";
import { changeView, filterParameters } from "./view.ts";
import { METRIC_NAMES, PHASE_MEANINGS } from "./words.ts";

function Shares({ share }: { share: PhaseShare }) {
  const { measured, reused, unknown } = share;
  const all = measured + reused + unknown;
  return (
    <div
      className="shares"
      role="img"
      aria-label={`measured ${formatShare(measured, all)}, reused ${formatShare(reused, all)}, unknown ${formatShare(unknown, all)}`}
    >
      <span className="share-measured" style={{ flexGrow: measured, background: `var(--${share.phase})` }} />
      <span className="share-reused" style={{ flexGrow: reused }} />
      <span className="share-unknown" style={{ flexGrow: unknown }} />
    </div>
  );
}

function PhaseRow({ share, longest, chosen }: { share: PhaseShare; longest: number; chosen: boolean }) {
  const { phase, us, measured, reused, unknown } = share;
  const all = measured + reused + unknown;
  const name = METRIC_NAMES[phase];
  return (
    <tr className={chosen ? "chosen" : ""}>
      <th scope="row">
        <Tooltip label={`${PHASE_MEANINGS[phase]} Click to see it over time.`} multiline w={240} withArrow openDelay={300}>
          <button type="button" className="plain" aria-pressed={chosen} onClick={() => changeView({ metric: chosen ? "duration" : phase })}>
            <i className="swatch" style={{ background: `var(--${phase})` }} />
            {name}
          </button>
        </Tooltip>
      </th>
      <td className="bar-cell">
        <div className="bar" title={`${formatCount(measured)} measured`}>
          <span style={{ width: `${longest > 0 ? ((us ?? 0) / longest) * 100 : 0}%`, background: `var(--${phase})` }} />
        </div>
      </td>
      <td className="number strong" title={share.interval ? `95 % interval: ${formatInterval(share.interval, formatDuration)}` : undefined}>{formatDuration(us)}</td>
      <td className="shares-cell">
        <Shares share={share} />
      </td>
      <td className="number" title={`${formatCount(reused)} requests`}>{formatShare(reused, all)}</td>
      <td className="number" title={`${formatCount(unknown)} requests`}>{formatShare(unknown, all)}</td>
    </tr>
  );
}

export function PhasePanel({ view, turn, retry }: { view: View; turn: number; retry: () => void }) {
  const query = filterParameters(view);
  query.set("q", String(view.quantile));
  const answer = useAnswer<Phases>(`/api/v1/phases?${query}`, turn);
  const quantile = quantileName(view.quantile);
  return (
    <Panel
      title={`Phases at ${quantile}`}
      note="Over the requests in which the phase happened. Percentiles of phases do not add up to one of the whole."
      answer={answer}
      retry={retry}
      height={330}
      className="phases"
    >
      {({ groups }) => {
        const shares = groups[0]?.phases ?? [];
        const longest = Math.max(0, ...shares.map(({ us }) => us ?? 0));
        return (
          <table className="figures">
            <thead>
              <tr>
                <th scope="col">Phase</th>
                <th scope="col" className="number" colSpan={2}>{quantile} when it happened</th>
                <th scope="col" className="shares-cell">Of all requests</th>
                <th scope="col" className="number"><i className="swatch share-reused" /> Reused</th>
                <th scope="col" className="number"><i className="swatch share-unknown" /> Unknown</th>
              </tr>
            </thead>
            <tbody>
              {shares.map((share) => (
                <PhaseRow key={share.phase} share={share} longest={longest} chosen={view.metric === share.phase} />
              ))}
            </tbody>
          </table>
        );
      }}
    </Panel>
  );
}
