/** How sure it is when spans began: shares of the grades of their clocks. */

import type { Answer } from "./api.ts";
import type { Ledger } from "./ledger.ts";
import { NOTES } from "./outcomeWords.ts";
import { Panel } from "./Panel.tsx";
import { formatCount, formatShare } from "./units.ts";

const GRADES = ["a", "b", "c", "d", "e", "f"] as const;

function Shown({ noted }: { noted: Record<string, number> }) {
  const grades = GRADES.map((grade) => ({ grade, spans: noted[`clock_${grade}`] ?? 0, words: NOTES[`clock_${grade}`] }));
  const all = grades.reduce((sum, { spans }) => sum + spans, 0);
  const conflicts = noted.clock_conflict ?? 0;
  if (all === 0) return <p className="state">No spans in this time range.</p>;
  return (
    <>
      <div className="shares tall" role="img" aria-label={grades.map(({ grade, spans }) => `${grade.toUpperCase()} ${formatShare(spans, all)}`).join(", ")}>
        {grades.map(({ grade, spans }) => spans > 0 && <span key={grade} className={`grade-${grade}`} style={{ flexGrow: spans }} />)}
      </div>
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">Grade</th>
            <th scope="col" className="number">Spans</th>
            <th scope="col" className="number">Share</th>
          </tr>
        </thead>
        <tbody>
          {grades.map(({ grade, spans, words }) => (
            <tr key={grade}>
              <th scope="row">
                <i className={`swatch grade-${grade}`} />
                {words?.name}
                <p className="meaning">{words?.meaning}</p>
                {spans > 0 && words?.remedy && <p className="meaning remedy">{words.remedy}</p>}
              </th>
              <td className="number strong">{formatCount(spans)}</td>
              <td className="number">{formatShare(spans, all)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {conflicts > 0 && (
        <p className="note">
          Of {formatCount(conflicts)} spans the bounds contradicted each other: {NOTES.clock_conflict?.remedy}
        </p>
      )}
    </>
  );
}

export function ClockPanel({ answer, retry }: { answer: Answer<Ledger>; retry: () => void }) {
  return (
    <div id="clocks" className="anchored">
      <Panel
        title="When spans began"
        note="A to C are anchored to the server’s clock, D to F are not. Durations are measured on the device and never touched."
        answer={answer}
        retry={retry}
        height={320}
        className="clocks"
      >
        {({ total }) => <Shown noted={total.noted} />}
      </Panel>
    </div>
  );
}
