/** Silences: what holds, and how one begins. */

import { Button, SegmentedControl, TextInput } from "@mantine/core";
import type { FormEvent } from "react";
import { useState } from "react";
import type { Group, KnownRule, Silence } from "./alerts.ts";
import { groupText } from "./alerts.ts";
import type { Answer } from "./api.ts";
import { ApiError } from "./api.ts";
import { Panel } from "./Panel.tsx";
import { send } from "./send.ts";
import { formatTime } from "./units.ts";

const HOURS = { "1 h": 1, "4 h": 4, "1 day": 24, "1 week": 168 } as const;

export interface SilenceDraft {
  rule: string;
  group: Group;
}

interface SilenceFormProps {
  of: string;
  start: SilenceDraft;
  rules: KnownRule[];
  close: () => void;
  done: () => void;
}

export function SilenceForm({ of, start, close, done }: SilenceFormProps) {
  const [reason, setReason] = useState("");
  const [span, setSpan] = useState<keyof typeof HOURS>("1 h");
  const [said, setSaid] = useState("");
  const group = groupText(start.group);
  const begin = (event: FormEvent): void => {
    event.preventDefault();
    const until = new Date(Date.now() + HOURS[span] * 3_600_000).toISOString();
    send("POST", `/api/v1/alerts/silences${of}`, { ...start, reason, until }).then(
      () => {
        close();
        done();
      },
      (error: unknown) => setSaid(error instanceof ApiError ? error.message : "It did not work."),
    );
  };
  return (
    <form className="panel silence-form" onSubmit={begin} aria-label="Silence">
      <header>
        <h2>
          Silence {start.rule}
          {group && <span className="group"> {group}</span>}
        </h2>
      </header>
      <p className="note">Nobody is told of what begins meanwhile. What still fires when the silence ends is told then.</p>
      <div className="row">
        <TextInput
          aria-label="Reason"
          placeholder="Why, for whoever wonders"
          value={reason}
          onChange={(event) => setReason(event.currentTarget.value)}
          required
          maxLength={500}
          data-autofocus
          className="grow"
        />
        <SegmentedControl aria-label="How long" data={Object.keys(HOURS)} value={span} onChange={(value) => setSpan(value as keyof typeof HOURS)} />
        <Button type="submit">Silence</Button>
        <Button variant="subtle" onClick={close}>
          Cancel
        </Button>
      </div>
      <p className="late" role="alert">
        {said}
      </p>
    </form>
  );
}

interface SilencesProps {
  answer: Answer<{ silences: Silence[] }>;
  of: string;
  retry: () => void;
  mayChange: boolean;
}

export function Silences({ answer, of, retry, mayChange }: SilencesProps) {
  const end = (id: string): void => {
    send("DELETE", `/api/v1/alerts/silences/${id}${of}`).then(retry, retry);
  };
  return (
    <Panel title="Silences" answer={answer} retry={retry} height={240} className="silences">
      {({ silences }) =>
        silences.length === 0 ? (
          <p className="quiet">Nothing is silenced.</p>
        ) : (
          <ul className="scroll silences-list" tabIndex={0} aria-label="Silences">
            {silences.map((each) => (
              <li key={each.id} className={each.holds ? "" : "over"}>
                <div className="what">
                  <strong>
                    {each.rule ?? "Every rule"}
                    {groupText(each.group) && <span className="group"> {groupText(each.group)}</span>}
                  </strong>
                  <p className="meaning">
                    {each.reason} <span className="aside">· {each.by}</span>
                  </p>
                </div>
                <span className="aside">
                  {each.holds ? "until" : "ended"} {formatTime(new Date(each.until))}
                </span>
                {each.holds && mayChange && (
                  <Button variant="subtle" size="xs" onClick={() => end(each.id)}>
                    End now
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )
      }
    </Panel>
  );
}
