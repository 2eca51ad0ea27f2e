/** How requests failed, and what browsers reported by themselves. */

import type { Answer } from "./api.ts";
import type { FailureKinds, Overview } from "./overview.ts";
import { estimatedFrom, kindName } from "./overview.ts";
import { Panel } from "./Panel.tsx";
import { formatCount, formatInterval, formatShare } from "./units.ts";

function Kinds({ label, failed, of }: { label: string; failed: FailureKinds; of: number }) {
  const most = Math.max(...failed.kinds.map(({ spans }) => spans));
  return (
    <table className="figures">
      <caption className="visually-hidden">{label}</caption>
      <tbody>
        {failed.kinds.map(({ kind, spans, spans_interval: interval }) => (
          <tr key={kind}>
            <th scope="row">{kindName(kind)}</th>
            <td className="bar-cell">
              <div className="bar">
                <span className={`failed-${kind}`} style={{ width: `${(spans / most) * 100}%` }} />
              </div>
            </td>
            <td className="number strong" title={`95 % interval: ${formatInterval(interval, formatCount)}`}>≈ {formatCount(spans)}</td>
            <td className="number">{of > 0 ? formatShare(spans, of) : ""}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function FailurePanel({ answer, retry }: { answer: Answer<Overview>; retry: () => void }) {
  return (
    <Panel title="Failures" answer={answer} retry={retry} height={150} className="failures" badge={false}>
      {({ failures, total }) => {
        if (failures === null) return <p className="note">How requests failed could not be read in time.</p>;
        const { requests, reports, reported } = failures;
        return (
          <>
            <p className="note">
              {total?.errors ? `${formatCount(total.errors)} of ${formatCount(total.spans)} requests failed. ${estimatedFrom(requests)}` : "No request failed."}
            </p>
            {requests.kinds.length > 0 && <Kinds label="How requests failed" failed={requests} of={total?.spans ?? 0} />}
            {reports.errors > 0 && (
              <>
                <h3>{formatCount(reports.errors)} failures that browsers reported</h3>
                <p className="note">Of users for whom no page ever loaded, too; some may be among those above.</p>
                <Kinds label="What browsers reported" failed={reported} of={0} />
              </>
            )}
          </>
        );
      }}
    </Panel>
  );
}
