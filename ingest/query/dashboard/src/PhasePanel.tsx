/** Where the time goes, over the requests in which the phase happened; how often it did not; how often nobody knows. */

import { Tooltip } from "@mantine/core";
import { Fragment } from "react";
import type { FirstByteSplit, Phases, PhaseShare } from "./api.ts";
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
      <td className="number wide">{formatDuration(share.mean_us)}</td>
      <td className="shares-cell">
        <Shares share={share} />
      </td>
      <td className="number" title={`${formatCount(reused)} requests`}>{formatShare(reused, all)}</td>
      <td className="number" title={`${formatCount(unknown)} requests`}>{formatShare(unknown, all)}</td>
    </tr>
  );
}

/** What an average request spends on each phase, end to end: means add up, percentiles do not. */
function Stack({ shares }: { shares: PhaseShare[] }) {
  const spent = shares.filter(({ mean_us: mean }) => (mean ?? 0) > 0);
  const whole = spent.reduce((sum, { mean_us: mean }) => sum + (mean ?? 0), 0);
  if (whole === 0) return null;
  const text = spent.map(({ phase, mean_us: mean }) => `${METRIC_NAMES[phase]} ${formatDuration(mean)}`).join(", ");
  return (
    <div className="phase-stack">
      <span className="aside">On average {formatDuration(whole)}</span>
      <div className="shares tall" role="img" aria-label={`An average request: ${text}`}>
        {spent.map(({ phase, mean_us: mean }) => (
          <span
            key={phase}
            style={{ flexGrow: (mean ?? 0) / whole, background: `var(--${phase})` }}
            title={`${METRIC_NAMES[phase]} ${formatDuration(mean)}, ${formatShare(mean ?? 0, whole)}`}
          />
        ))}
      </div>
    </div>
  );
}

/** Network and server of the time to first byte. */
function SplitRows({ split, longest }: { split: FirstByteSplit; longest: number }) {
  const { sampled, coverage, contradictory } = split;
  const left = contradictory > 0 ? ` ${formatCount(contradictory)} contradict themselves and are left out.` : "";
  const why = `Estimated from ${formatCount(sampled)} sampled requests whose server is known; they stand for ${formatShare(coverage, 1)} of those with a TTFB.${left}`;
  return (["network", "server"] as const).map((part) => {
    const { us, interval, mean_us: mean } = split[part];
    return (
      <tr key={part} className="part">
        <th scope="row" title={why}>
          <i className={`swatch ${part === "server" ? "of-server" : ""}`} style={part === "network" ? { background: "var(--ttfb)" } : undefined} />
          {part === "network" ? "Network" : "Server"}
        </th>
        <td className="bar-cell">
          <div className="bar">
            <span className={part === "server" ? "of-server" : ""} style={{ width: `${longest > 0 ? Math.min((us ?? 0) / longest, 1) * 100 : 0}%` }} />
          </div>
        </td>
        <td className="number" title={`95 % interval: ${formatInterval(interval, formatDuration)}`}>≈ {formatDuration(us)}</td>
        <td className="number wide">≈ {formatDuration(mean)}</td>
        <td className="aside part-note" colSpan={3} title={why}>
          {part === "network" ? `estimated from ${formatCount(sampled)}` : `covers ${formatShare(coverage, 1)}`}
        </td>
      </tr>
    );
  });
}

export function PhasePanel({ view, turn, retry }: { view: View; turn: number; retry: () => void }) {
  const query = filterParameters(view);
  query.set("q", String(view.quantile));
  const answer = useAnswer<Phases>(`/api/v1/phases?${query}`, turn);
  const quantile = quantileName(view.quantile);
  return (
    <Panel
      title={`Phases at ${quantile}`}
      note="Percentiles are over the requests in which the phase happened, and do not add up. Averages do: a phase that was reused took no time."
      answer={answer}
      retry={retry}
      height={330}
      className="phases"
    >
      {({ groups, ttfb }) => {
        const shares = groups[0]?.phases ?? [];
        const longest = Math.max(0, ...shares.map(({ us }) => us ?? 0));
        return (
          <>
          <Stack shares={shares} />
          <table className="figures">
            <thead>
              <tr>
                <th scope="col">Phase</th>
                <th scope="col" className="number" colSpan={2}>{quantile} when it happened</th>
                <th scope="col" className="number wide" title="Of all requests that tell; where it was reused it took no time">Average</th>
                <th scope="col" className="shares-cell">Of all requests</th>
                <th scope="col" className="number"><i className="swatch share-reused" /> Reused</th>
                <th scope="col" className="number"><i className="swatch share-unknown" /> Unknown</th>
              </tr>
            </thead>
            <tbody>
              {shares.map((share) => (
                <Fragment key={share.phase}>
                  <PhaseRow share={share} longest={longest} chosen={view.metric === share.phase} />
                  {share.phase === "ttfb" && ttfb && <SplitRows split={ttfb} longest={longest} />}
                </Fragment>
              ))}
            </tbody>
          </table>
          </>
        );
      }}
    </Panel>
  );
}
