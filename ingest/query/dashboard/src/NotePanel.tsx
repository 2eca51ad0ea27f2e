/** What clients dropped, what was noticed and put right, and how much was scrubbed: counts with a sentence for each. */

import type { MouseEvent } from "react";
import type { Answer, Privacy } from "./api.ts";
import { useAnswer } from "./api.ts";
import type { Ledger } from "./ledger.ts";
import { largest } from "./ledger.ts";
import type { Meaning, NoteKind } from "./outcomeWords.ts";
import { DROPS, isMeant, NOTES } from "./outcomeWords.ts";
import { Panel } from "./Panel.tsx";
import { formatCount, formatShare } from "./units.ts";
import type { View } from "./view.ts";
import { changeView, commonParameters, formatView } from "./view.ts";
import { ruleName } from "./words.ts";

const NEWER: Omit<Meaning, "name"> = { meaning: "This page does not know it: it is older than the server." };

interface CountRow {
  key: string;
  words: Meaning;
  spans: number;
  /** Text in place of a share, where there is no whole. */
  share: string;
  badge?: string;
}

function Counts({ head, rows }: { head: string; rows: CountRow[] }) {
  return (
    <table className="figures">
      <thead>
        <tr>
          <th scope="col">{head}</th>
          <th scope="col" className="number">Spans</th>
          <th scope="col" className="number">Share</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, words, spans, share, badge }) => (
          <tr key={key}>
            <th scope="row">
              {words.name} <code className="aside wide">{key}</code> {badge && <span className="badge badge-quiet">{badge}</span>}
              <p className="meaning">{words.meaning}</p>
              {words.remedy && <p className="meaning remedy">{words.remedy}</p>}
            </th>
            <td className="number strong">{formatCount(spans)}</td>
            <td className="number">{share}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function DropPanel({ answer, retry }: { answer: Answer<Ledger>; retry: () => void }) {
  return (
    <div id="drops" className="anchored">
      <Panel
        title="Dropped by clients"
        note="What clients say they dropped before sending: beside the ledger, not in it. The share is of what arrived and what did not."
        answer={answer}
        retry={retry}
        height={320}
        className="drops"
      >
        {({ total: { client, received } }) => {
          const rows = largest(client);
          const all = rows.reduce((sum, [, spans]) => sum + spans, received);
          if (rows.length === 0) {
            return (
              <div className="state">
                <strong>No client says that it dropped any.</strong>
                <p>The native format and this project’s SDKs tell; OTLP and Faro cannot say what they lost.</p>
              </div>
            );
          }
          return (
            <Counts
              head="Reason"
              rows={rows.map(([reason, spans]) => ({
                key: reason,
                words: DROPS[reason] ?? { name: reason, ...NEWER },
                spans,
                share: formatShare(spans, all),
                ...(isMeant(reason) ? { badge: "meant" } : {}),
              }))}
            />
          );
        }}
      </Panel>
    </div>
  );
}

const KINDS: Record<Exclude<NoteKind, "clock">, string> = {
  repair: "Put right while reading",
  phase: "Phases that contradict themselves",
  sampling: "Sampling",
  sketch: "Clients’ sketches",
  left_out: "Left out: not waited for, or told another way",
  export: "On to the tracing backend",
};

/** Kinds whose spans are among those received, so that a share of them means something. */
const OF_RECEIVED: readonly NoteKind[] = ["repair", "phase", "sampling"];

export function NotePanel({ answer, retry }: { answer: Answer<Ledger>; retry: () => void }) {
  return (
    <div id="notes" className="anchored">
      <Panel
        title="Noticed and put right"
        note="Where a client is known to send something wrongly, it is put right; what contradicts itself becomes unknown rather than wrong."
        answer={answer}
        retry={retry}
        height={220}
        className="notes"
      >
        {({ total: { noted, received } }) => {
          const rows = largest(noted).map(([note, spans]) => ({ note, spans, words: NOTES[note] ?? { name: note, kind: "sampling" as const, ...NEWER } }));
          const kinds = (Object.keys(KINDS) as (keyof typeof KINDS)[]).filter((kind) => rows.some(({ words }) => words.kind === kind));
          if (kinds.length === 0) return <p className="state">Nothing had to be put right, left out or made unknown.</p>;
          return (
            <div className="note-kinds">
              {kinds.map((kind) => (
                <Counts
                  key={kind}
                  head={KINDS[kind]}
                  rows={rows
                    .filter(({ words }) => words.kind === kind)
                    .map(({ note, spans, words }) => ({
                      key: note,
                      words,
                      spans,
                      share: OF_RECEIVED.includes(kind) ? formatShare(spans, received) : "",
                    }))}
                />
              ))}
            </div>
          );
        }}
      </Panel>
    </div>
  );
}

export function ScrubPanel({ view, turn, retry }: { view: View; turn: number; retry: () => void }) {
  const answer = useAnswer<Privacy>(`/api/v1/privacy?${commonParameters(view)}`, turn);
  const open = (event: MouseEvent): void => {
    if (event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    changeView({ page: "privacy" });
  };
  return (
    <Panel
      title="Scrubbed"
      answer={answer}
      retry={retry}
      height={60}
      className="scrubbed"
      actions={
        <a className="link" href={formatView({ ...view, page: "privacy" })} onClick={open}>
          What each rule replaced
        </a>
      }
    >
      {({ total }) => {
        const rules = largest(total.finds);
        if (rules.length === 0) return <p className="note">Nothing had to be replaced.</p>;
        return (
          <ul className="rule-counts">
            {rules.map(([rule, finds]) => (
              <li key={rule}>
                {ruleName(rule)} <strong>{formatCount(finds)}</strong>
              </li>
            ))}
          </ul>
        );
      }}
    </Panel>
  );
}
