/** Recent sessions of the sample. */

import { SegmentedControl } from "@mantine/core";
import { useAnswer } from "./api.ts";
import { Panel } from "./Panel.tsx";
import type { SessionRow, Sessions } from "./sessionAnswer.ts";
import { formatCount, formatDuration, formatTime } from "./units.ts";
import type { TraceKind, View } from "./view.ts";
import { changeView, filterParameters } from "./view.ts";
import { valueName } from "./words.ts";

const LIMIT = "50";

function Row({ row }: { row: SessionRow }) {
  return (
    <tr>
      <td className="time">{formatTime(new Date(row.last_at))}</td>
      <th scope="row">
        <button type="button" className="plain" onClick={() => changeView({ session: row.session })} aria-label={`Open session ${row.session.slice(0, 8)}`}>
          <code>{row.session.slice(0, 8)}</code>
        </button>
        {row.errors > 0 && <span className="badge badge-bad">{row.errors === 1 ? "error" : `${row.errors} errors`}</span>}
      </th>
      <td className="number wide">{formatDuration((Date.parse(row.last_at) - Date.parse(row.first_at)) * 1000)}</td>
      <td className="number">{formatCount(row.spans)}</td>
      <td className="number wide">{formatCount(row.traces)}</td>
      <td className="slowest wide">{row.slowest_name ?? "–"}</td>
      <td className="number strong">{formatDuration(row.slowest_us)}</td>
      <td className="wide">{row.version ?? "–"}</td>
      <td className="wide">{row.country ? valueName("country", row.country) : "–"}</td>
      <td className="wide">{row.device_class}</td>
      <td className="wide">{row.network ?? "–"}</td>
    </tr>
  );
}

export function SessionList({ view, turn, retry }: { view: View; turn: number; retry: () => void }) {
  const query = filterParameters(view);
  const kind = view.traces === "errors" ? "errors" : "all";
  query.set("limit", LIMIT);
  if (kind === "errors") query.set("errors", "true");
  const answer = useAnswer<Sessions>(`/api/v1/sessions?${query}`, turn);
  return (
    <Panel
      title="Recent sessions"
      note="Those with a sampled span that passes the filters. A session is a pseudonym: who it is, nobody can tell from it, and every 30 days it gets another."
      answer={answer}
      retry={retry}
      height={420}
      className="sessions"
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Which sessions"
          value={kind}
          onChange={(each) => changeView({ traces: each as TraceKind })}
          data={[{ value: "all", label: "All" }, { value: "errors", label: "With errors" }]}
        />
      }
    >
      {({ sessions, suppressed }) =>
        sessions.length === 0 ? (
          <p className="state">
            {suppressed.groups > 0
              ? `No sampled session like this in this time range, or only of fewer than ${suppressed.least_sessions} sessions.`
              : "No sampled session like this in this time range."}
          </p>
        ) : (
          <div className="scroll" tabIndex={0} role="group" aria-label="Sessions">
            <table className="figures">
              <thead>
                <tr>
                  <th scope="col">Last seen</th>
                  <th scope="col">Session</th>
                  <th scope="col" className="number wide">Lasted</th>
                  <th scope="col" className="number">Spans</th>
                  <th scope="col" className="number wide">Traces</th>
                  <th scope="col" className="wide">Slowest</th>
                  <th scope="col" className="number">took</th>
                  <th scope="col" className="wide">Version</th>
                  <th scope="col" className="wide">Country</th>
                  <th scope="col" className="wide">Device</th>
                  <th scope="col" className="wide">Network</th>
                </tr>
              </thead>
              <tbody>
                {sessions.map((row) => <Row key={row.session} row={row} />)}
              </tbody>
            </table>
          </div>
        )
      }
    </Panel>
  );
}
