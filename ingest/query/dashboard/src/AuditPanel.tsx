/** Who changed what, newest first; older changes are fetched on demand. */

import { Button } from "@mantine/core";
import { useState } from "react";
import type { App } from "./api.ts";
import { useAnswer } from "./api.ts";
import { Panel } from "./Panel.tsx";
import type { Audit, Change, Key } from "./settings.ts";
import { actionName, actorName, changeText, roleName } from "./settings.ts";
import { formatTime } from "./units.ts";

const PAGE = 20;

/** Id of a key → what it is for. */
type Labels = ReadonlyMap<string, string>;

function Row({ change, labels }: { change: Change; labels: Labels }) {
  const who = labels.get(change.actor.replace(/^key:/, "")) ?? actorName(change);
  return (
    <tr>
      <td className="when" title={change.at}>{formatTime(new Date(change.at))}</td>
      <th scope="row">
        {actionName(change.action)} <code className="aside">{change.subject}</code>
        <p className="meaning">{changeText(change)}</p>
        <p className="narrow">by {who}</p>
      </th>
      <td className="who wide" title={change.actor}>
        {who}
        <p className="meaning">{roleName(change.role)}</p>
      </td>
    </tr>
  );
}

/** A page of older changes, and the way to the next one. */
function Older({ app, cursor, labels }: { app: App; cursor: string; labels: Labels }) {
  const [wanted, setWanted] = useState(false);
  const { data } = useAnswer<Audit>(wanted ? `/api/v1/audit?app=${app.id}&limit=${PAGE}&cursor=${cursor}` : null, 0);
  if (data === undefined) {
    return (
      <tr>
        <td colSpan={3} className="older">
          <Button size="xs" variant="default" loading={wanted} onClick={() => setWanted(true)}>Show older changes</Button>
        </td>
      </tr>
    );
  }
  return (
    <>
      {data.changes.map((change) => <Row key={change.id} change={change} labels={labels} />)}
      {data.next && <Older app={app} cursor={data.next} labels={labels} />}
    </>
  );
}

interface AuditPanelProps {
  app: App;
  keys: Key[];
  turn: number;
  retry: () => void;
}

export function AuditPanel({ app, keys, turn, retry }: AuditPanelProps) {
  const labels = new Map(keys.filter(({ label }) => label).map(({ id, label }) => [id, label]));
  const answer = useAnswer<Audit>(`/api/v1/audit?app=${app.id}&limit=${PAGE}`, turn);
  const cursor = answer.data?.next;
  return (
    <Panel title="Audit log" note="Who changed what. Kept for 400 days; nobody can take a row out." answer={answer} retry={retry} height={200} className="audit">
      {({ changes }) =>
        changes.length === 0 ? (
          <p className="state">Nothing has been changed yet.</p>
        ) : (
          <div className="scroll" tabIndex={0} role="group" aria-label="Changes">
            <table className="figures">
              <thead>
                <tr>
                  <th scope="col">When</th>
                  <th scope="col">What</th>
                  <th scope="col" className="wide">Who</th>
                </tr>
              </thead>
              <tbody>
                {changes.map((change) => <Row key={change.id} change={change} labels={labels} />)}
                {cursor && <Older key={cursor} app={app} cursor={cursor} labels={labels} />}
              </tbody>
            </table>
          </div>
        )
      }
    </Panel>
  );
}
