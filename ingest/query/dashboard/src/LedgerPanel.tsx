/** How every received span ended: over time, with the check that nothing is missing, and by reason with what to do about it. */

import type { KeyboardEvent, ReactNode } from "react";
import { useState } from "react";
import type { Answer } from "./api.ts";
import type { End, Ledger, LedgerBin } from "./ledger.ts";
import { endOf, endsOf, ENDS, gap, largest, ledgerBins } from "./ledger.ts";
import { OUTCOMES } from "./outcomeWords.ts";
import { Panel } from "./Panel.tsx";
import { formatCount, formatShare, formatTime } from "./units.ts";
import type { Range, View } from "./view.ts";

const END_NAMES: Record<End, string> = {
  kept: "kept",
  counted_only: "counted",
  counted_no_consent: "counted without identifiers",
  not_sampled: "of backends, not chosen",
  duplicate: "sent again",
  rejected: "refused",
};

const UNIT_MS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

function lengthOf(range: Range): number {
  return Number.parseInt(range, 10) * (UNIT_MS[range.at(-1) ?? ""] ?? 0);
}

/** The range that the view asks for. */
function rangeOf({ from, to, range }: View): [start: Date, end: Date] {
  if (from && to) return [new Date(from), new Date(to)];
  const now = Date.now();
  return [new Date(now - lengthOf(range)), new Date(now)];
}

function Equation({ received, ends, children }: { received: number; ends: Record<End, number>; children: ReactNode }) {
  const parts = ENDS.filter((end) => ends[end] > 0);
  const ended = parts.reduce((all, end) => all + ends[end], 0);
  return (
    <p className="equation" aria-live="polite">
      <span className="aside">{children}</span>
      <strong>{formatCount(received)}</strong> received {received === ended ? "=" : "≠"}{" "}
      {parts.map((end, place) => (
        <span key={end}>
          {place > 0 && " + "}
          <i className={`swatch end-${end}`} />
          <strong>{formatCount(ends[end])}</strong> {END_NAMES[end]}
        </span>
      ))}
      {parts.length === 0 && <strong>0</strong>}
    </p>
  );
}

function Bar({ bin, most, chosen, choose }: { bin: LedgerBin; most: number; chosen: boolean; choose: () => void }) {
  return (
    <span className={chosen ? "chosen" : ""} onMouseEnter={choose}>
      {ENDS.map((end) => bin.ends[end] > 0 && <i key={end} className={`end-${end}`} style={{ height: `${(bin.ends[end] / most) * 100}%` }} />)}
    </span>
  );
}

function OverTime({ data, view }: { data: Ledger; view: View }) {
  const [chosen, choose] = useState<number | null>(null);
  const bins = ledgerBins(data, ...rangeOf(view));
  const most = Math.max(1, ...bins.map(({ received }) => received));
  const at = chosen === null ? undefined : bins[Math.min(chosen, bins.length - 1)];
  const walk = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") choose(null);
    if (step === undefined) return;
    event.preventDefault();
    choose((last) => (last === null ? (step > 0 ? 0 : bins.length - 1) : Math.max(0, Math.min(bins.length - 1, last + step))));
  };
  return (
    <>
      <div
        className="ledger-bars"
        tabIndex={0}
        role="group"
        aria-label={`Spans by the hour and how they ended, at most ${formatCount(most)}; arrow keys walk along`}
        onKeyDown={walk}
        onMouseLeave={() => choose(null)}
        onBlur={() => choose(null)}
      >
        <span className="most aside" aria-hidden="true">{formatCount(most)}</span>
        {bins.map((bin, place) => (
          <Bar key={bin.from.getTime()} bin={bin} most={most} chosen={bin === at} choose={() => choose(place)} />
        ))}
      </div>
      <div className="ledger-ends aside" aria-hidden="true">
        <span>{formatTime(bins[0]?.from ?? new Date())}</span>
        <span>{formatTime(bins.at(-1)?.to ?? new Date())}</span>
      </div>
      {at ? (
        <Equation received={at.received} ends={at.ends}>{`${formatTime(at.from)} – ${formatTime(at.to)}`}</Equation>
      ) : (
        <Equation received={data.total.received} ends={endsOf(data.total.outcomes)}>Whole range</Equation>
      )}
    </>
  );
}

function OutcomeRow({ outcome, spans, received }: { outcome: string; spans: number; received: number }) {
  const { name, meaning, remedy } = OUTCOMES[outcome] ?? { name: outcome, meaning: "This page does not know it: it is older than the server." };
  return (
    <tr>
      <th scope="row">
        <i className={`swatch end-${endOf(outcome) ?? "unknown"}`} />
        {name} <code className="aside wide">{outcome}</code>
        <p className="meaning">{meaning}</p>
        {remedy && <p className="meaning remedy">{remedy}</p>}
      </th>
      <td className="number strong">{formatCount(spans)}</td>
      <td className="number">{formatShare(spans, received)}</td>
    </tr>
  );
}

function Check({ data }: { data: Ledger }) {
  if (data.closed) return <span className="badge badge-good">● closes</span>;
  const astray = data.hours.filter((hour) => gap(hour) !== 0);
  return (
    <span className="badge badge-bad" title={astray.map(({ hour }) => formatTime(new Date(hour))).join(", ")}>
      does not close in {astray.length} {astray.length === 1 ? "hour" : "hours"}
    </span>
  );
}

function Shown({ data, view }: { data: Ledger; view: View }) {
  const { received, outcomes } = data.total;
  if (received === 0) {
    return (
      <div className="state">
        <strong>No spans arrived in this time range.</strong>
        <p>The ledger is of whole hours by the time of receipt: what a device sends late counts when it arrives.</p>
      </div>
    );
  }
  return (
    <>
      <OverTime data={data} view={view} />
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">How they ended</th>
            <th scope="col" className="number">Spans</th>
            <th scope="col" className="number">Share</th>
          </tr>
        </thead>
        <tbody>
          {largest(outcomes).map(([outcome, spans]) => (
            <OutcomeRow key={outcome} outcome={outcome} spans={spans} received={received} />
          ))}
        </tbody>
      </table>
    </>
  );
}

interface LedgerPanelProps {
  answer: Answer<Ledger>;
  view: View;
  retry: () => void;
  actions?: ReactNode;
}

export function LedgerPanel({ answer, view, retry, actions }: LedgerPanelProps) {
  return (
    <div id="ledger" className="anchored">
      <Panel
        title="Ledger"
        note="Every span that arrives ends in exactly one way, and the sum is checked hour by hour."
        answer={answer}
        retry={retry}
        height={420}
        className="ledger"
        actions={
          <>
            {answer.data && answer.data.total.received > 0 && <Check data={answer.data} />}
            {actions}
          </>
        }
      >
        {(data) => <Shown data={data} view={view} />}
      </Panel>
    </div>
  );
}
