/** What began to fire and ceased. */

import type { Happening, KnownRule } from "./alerts.ts";
import { groupText, viewOf } from "./alerts.ts";
import { ENDS } from "./alertWords.ts";
import type { Answer } from "./api.ts";
import { Panel } from "./Panel.tsx";
import { SeverityMark } from "./SeverityMark.tsx";
import { formatTime } from "./units.ts";
import type { View } from "./view.ts";

const AROUND_MS = 15 * 60_000;

interface AlertHistoryProps {
  answer: Answer<{ history: Happening[] }>;
  rules: KnownRule[];
  view: View;
  retry: () => void;
}

export function AlertHistory({ answer, rules, view, retry }: AlertHistoryProps) {
  return (
    <Panel title="History" answer={answer} retry={retry} height={240} className="alert-history">
      {({ history }) =>
        history.length === 0 ? (
          <p className="quiet">Nothing has fired in the last 90 days.</p>
        ) : (
          <ol className="scroll happenings" tabIndex={0} aria-label="History">
            {history.map((each) => {
              const at = new Date(each.at);
              const group = groupText(each.group);
              const rule = rules.find((known) => known.rule.name === each.rule)?.rule;
              const [from, to] = [at.getTime() - AROUND_MS, at.getTime() + AROUND_MS].map((ms) => new Date(ms).toISOString());
              return (
                <li key={each.at + each.rule + group + each.status}>
                  <time dateTime={each.at} className="aside">
                    {formatTime(at)}
                  </time>
                  <SeverityMark severity={each.severity} standing={each.status} />
                  <a href={viewOf(view, rule, each.group, from ?? "", to ?? "")}>
                    {each.rule}
                    {group && <span className="group"> {group}</span>}
                  </a>
                  <span className="aside">
                    {[each.reason && ENDS[each.reason], each.silenced && "silenced"].filter(Boolean).join(", ")}
                  </span>
                </li>
              );
            })}
          </ol>
        )
      }
    </Panel>
  );
}
