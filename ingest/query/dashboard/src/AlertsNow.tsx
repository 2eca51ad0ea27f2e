/** What fires and what is about to: since when, how much, where to look, which traces. */

import { Button } from "@mantine/core";
import type { Alert, KnownRule } from "./alerts.ts";
import { groupText, viewOf } from "./alerts.ts";
import type { Answer, Traces } from "./api.ts";
import { useAnswer } from "./api.ts";
import { Panel } from "./Panel.tsx";
import { SeverityMark } from "./SeverityMark.tsx";
import type { SilenceDraft } from "./Silences.tsx";
import { formatAgo, formatDuration, formatTime } from "./units.ts";
import type { View } from "./view.ts";

function Examples({ alert, known, view, href }: { alert: Alert; known: KnownRule | undefined; view: View; href: string }) {
  const query = new URLSearchParams({ app: view.app ?? "", from: alert.from, to: alert.to, limit: "20" });
  const rule = known?.rule;
  if (rule && rule.signal !== "request") query.set("signal", rule.signal);
  for (const [cut, values] of Object.entries({ ...rule?.filters })) for (const value of values) query.append(cut, value);
  for (const [cut, value] of Object.entries(alert.group)) {
    query.delete(cut);
    query.append(cut, value);
  }
  if (rule?.when.kind === "errors") query.set("errors", "true");
  if (rule?.when.kind === "latency" && rule.when.metric === "duration") query.set("min_ms", String(Math.round(rule.when.above_ms)));
  const { data } = useAnswer<Traces>(`/api/v1/traces?${query}`, 0);
  const slowest = [...(data?.traces ?? [])].sort((a, b) => b.duration_us - a.duration_us).slice(0, 3);
  if (slowest.length === 0) return null;
  return (
    <span className="alert-examples">
      Examples:{" "}
      {slowest.map(({ trace_id: id, duration_us: us }) => (
        <a key={id} href={`${href}&trace=${id}`} title={id}>
          {formatDuration(us)}
        </a>
      ))}
    </span>
  );
}

interface AlertsNowProps {
  answer: Answer<{ alerts: Alert[] }>;
  rules: KnownRule[];
  view: View;
  retry: () => void;
  silence: ((draft: SilenceDraft) => void) | null;
}

export function AlertsNow({ answer, rules, view, retry, silence }: AlertsNowProps) {
  return (
    <Panel title="Now" answer={answer} retry={retry} height={120} className="alerts-now">
      {({ alerts }) =>
        alerts.length === 0 ? (
          <p className="quiet">
            <span className="dot good" aria-hidden="true" /> Nothing fires, and nothing is about to.
          </p>
        ) : (
          <ul className="alerts">
            {alerts.map((alert) => {
              const known = rules.find(({ rule }) => rule.name === alert.rule);
              const href = viewOf(view, known?.rule, alert.group, alert.from, alert.to);
              const group = groupText(alert.group);
              return (
                <li key={alert.rule + group} className={`alert ${alert.standing} ${alert.severity}`}>
                  <SeverityMark severity={alert.severity} standing={alert.standing} />
                  <div className="what">
                    <strong>
                      {alert.rule}
                      {group && <span className="group"> {group}</span>}
                    </strong>
                    <p className="meaning">{alert.text}</p>
                    {alert.standing === "firing" && <Examples alert={alert} known={known} view={view} href={href} />}
                  </div>
                  <span className="aside" title={alert.since_at}>
                    {alert.standing === "firing" && alert.started_at
                      ? `fires since ${formatTime(new Date(alert.started_at))}`
                      : `met since ${formatTime(new Date(alert.since_at))}`}
                    <br />
                    {alert.silenced ? "silenced" : formatAgo(new Date(alert.started_at ?? alert.since_at))}
                  </span>
                  <span className="row">
                    <Button component="a" href={href} variant="default" size="xs">
                      Open view
                    </Button>
                    {silence && !alert.silenced && (
                      <Button variant="subtle" size="xs" onClick={() => silence({ rule: alert.rule, group: alert.group })}>
                        Silence
                      </Button>
                    )}
                  </span>
                </li>
              );
            })}
          </ul>
        )
      }
    </Panel>
  );
}
