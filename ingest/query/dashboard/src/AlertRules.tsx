/** The rules in force: what each says, and what can be done with it. */

import { Button } from "@mantine/core";
import { useState } from "react";
import type { KnownRule, Rules } from "./alerts.ts";
import { conditionText, scopeText } from "./alertWords.ts";
import type { Answer } from "./api.ts";
import { ApiError } from "./api.ts";
import { Panel } from "./Panel.tsx";
import { send } from "./send.ts";
import { SeverityMark } from "./SeverityMark.tsx";
import type { SilenceDraft } from "./Silences.tsx";
import { changeView } from "./view.ts";

interface RowProps {
  known: KnownRule;
  of: string;
  retry: () => void;
  silence: ((draft: SilenceDraft) => void) | null;
}

function RuleActions({ known, of, retry, silence }: RowProps) {
  const { name } = known.rule;
  const [said, setSaid] = useState("");
  const [asking, setAsking] = useState(false);
  const attempt = (work: Promise<string>): void => {
    setSaid("…");
    work.then(setSaid, (error: unknown) => setSaid(error instanceof ApiError ? error.message : "It did not work."));
  };
  const test = async (): Promise<string> => {
    const { receivers } = await send<{ receivers: string[] }>("POST", `/api/v1/alerts/test${of}`, { name });
    return `A test is on its way to ${receivers.join(", ")}.`;
  };
  const remove = async (): Promise<string> => {
    await send("DELETE", `/api/v1/alerts/rules${of}&name=${encodeURIComponent(name)}`);
    retry();
    return "";
  };
  return (
    <>
      <span className="row">
        {known.source === "api" && (
          <Button variant="default" size="xs" aria-label={`Change ${name}`} onClick={() => changeView({ edit: `rule:${name}` })}>
            Change
          </Button>
        )}
        {silence && (
          <Button variant="subtle" size="xs" aria-label={`Silence ${name}`} onClick={() => silence({ rule: name, group: {} })}>
            Silence
          </Button>
        )}
        <Button variant="subtle" size="xs" aria-label={`Test ${name}`} onClick={() => attempt(test())}>
          Test
        </Button>
        {known.source === "api" && (
          <Button
            variant={asking ? "filled" : "subtle"}
            color="red"
            size="xs"
            aria-label={asking ? `Really remove ${name}` : `Remove ${name}`}
            onClick={() => (asking ? attempt(remove()) : setAsking(true))}
            onBlur={() => setAsking(false)}
          >
            {asking ? "Really remove" : "Remove"}
          </Button>
        )}
      </span>
      <p className="meaning" role="status">
        {said}
      </p>
    </>
  );
}

interface AlertRulesProps {
  answer: Answer<Rules>;
  of: string;
  retry: () => void;
  silence: ((draft: SilenceDraft) => void) | null;
}

export function AlertRules({ answer, of, retry, silence }: AlertRulesProps) {
  const mayChange = answer.data?.may_change ?? false;
  return (
    <Panel
      title="Rules"
      answer={answer}
      retry={retry}
      height={200}
      className="alert-rules"
      actions={
        mayChange && (
          <Button size="xs" onClick={() => changeView({ edit: "new" })}>
            New rule
          </Button>
        )
      }
    >
      {({ rules, receivers }) => (
        <>
          {receivers.length === 0 && rules.length > 0 && (
            <p className="note">
              Nobody is told yet: the operator sets <code>FIRSTHOP_ALERTMANAGER_URL</code> or <code>FIRSTHOP_ALERT_WEBHOOKS</code>. What fires
              shows here all the same.
            </p>
          )}
          {rules.length === 0 ? (
            <div className="state">
              <strong>There is no rule yet.</strong>
              <p>
                A rule says what shall not happen to your users: p95 of checkout above 2 s for ten minutes, more than 5 % of requests failing in
                one country, half the usual traffic.
              </p>
            </div>
          ) : (
            <ul className="rules-list">
              {rules.map((known) => (
                <li key={known.rule.name}>
                  <SeverityMark severity={known.rule.severity} />
                  <div className="what">
                    <strong>{known.rule.name}</strong>
                    {known.source === "file" && (
                      <span className="badge badge-quiet" title="It stands in the app’s policy file, and is changed there.">
                        file
                      </span>
                    )}
                    <p>{conditionText(known.rule)}</p>
                    <p className="meaning">{scopeText(known.rule)}</p>
                  </div>
                  {mayChange && (
                    <div className="actions">
                      <RuleActions known={known} of={of} retry={retry} silence={silence} />
                    </div>
                  )}
                </li>
              ))}
            </ul>
          )}
        </>
      )}
    </Panel>
  );
}
