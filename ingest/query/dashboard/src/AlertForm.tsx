/** A rule being made or changed, beside what it would have done. */

import { Button, MultiSelect, SegmentedControl, Select, TextInput } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";
import { useState } from "react";
import { AlertPreview } from "./AlertPreview.tsx";
import { ConditionFields } from "./ConditionFields.tsx";
import type { Cut, Kind, Rule, Rules, Severity } from "./alerts.ts";
import { CUTS, KINDS, SEVERITIES, usual, WINDOWS } from "./alerts.ts";
import { conditionText, CUT_NAMES, KIND_MEANINGS, KIND_NAMES, SEVERITY_NAMES } from "./alertWords.ts";
import { ApiError } from "./api.ts";
import { CutValues } from "./CutValues.tsx";
import { NumberField } from "./NumberField.tsx";
import { send } from "./send.ts";
import type { Signal } from "./view.ts";
import { changeView, SIGNALS } from "./view.ts";
import { SIGNAL_NAMES } from "./words.ts";

const HELD = ["0s", "1m", "5m", "10m", "30m", "1h"];

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <fieldset>
      <legend>{title}</legend>
      {children}
    </fieldset>
  );
}

/** Choices with one of the rule's own, should it not be among them. */
function withOwn(choices: readonly string[], own: string): string[] {
  return choices.includes(own) ? [...choices] : [...choices, own];
}

interface AlertFormProps {
  app: string;
  start: Rule;
  /** It is there already, and keeps its name. */
  known: boolean;
  rules: Rules;
  done: () => void;
}

export function AlertForm({ app, start, known, rules, done }: AlertFormProps) {
  const [rule, setRule] = useState(start);
  const [said, setSaid] = useState("");
  const change = (part: Partial<Rule>): void => setRule((last) => ({ ...last, ...part }));
  const turnTo = (kind: Kind): void => {
    const { when } = rule;
    const view = { quantile: "quantile" in when ? when.quantile : 0.95, metric: "duration" } as const;
    change({ when: usual(kind, view), ...(kind === "phase_share" && { signal: "request" as Signal }) });
  };
  const save = (event: FormEvent): void => {
    event.preventDefault();
    send("PUT", `/api/v1/alerts/rules?app=${encodeURIComponent(app)}`, rule).then(
      () => {
        done();
        changeView({ edit: null });
      },
      (error: unknown) => setSaid(error instanceof ApiError ? error.message : "It did not work."),
    );
  };
  return (
    <div className="alert-editor">
      <form className="panel alert-form" onSubmit={save} aria-label="Rule">
        <header>
          <h2>{known ? `Change ${start.name}` : "New rule"}</h2>
        </header>
        {!known && (
          <TextInput
            label="Name"
            placeholder={conditionText(rule)}
            value={rule.name}
            onChange={(event) => change({ name: event.currentTarget.value })}
            required
            maxLength={100}
          />
        )}
        <Part title="When">
          <Select
            aria-label="Kind"
            data={KINDS.map((kind) => ({ value: kind, label: KIND_NAMES[kind] }))}
            value={rule.when.kind}
            allowDeselect={false}
            description={KIND_MEANINGS[rule.when.kind]}
            inputWrapperOrder={["input", "description"]}
            onChange={(kind) => turnTo((kind ?? "latency") as Kind)}
          />
          <Select
            label="About"
            data={SIGNALS.map((signal) => ({ value: signal, label: SIGNAL_NAMES[signal] }))}
            value={rule.signal}
            allowDeselect={false}
            disabled={rule.when.kind === "phase_share"}
            onChange={(signal) => change({ signal: (signal ?? "request") as Signal })}
          />
          <ConditionFields rule={rule} change={(when) => change({ when })} />
        </Part>
        <Part title="Where">
          <div className="fields">
            {CUTS.map((cut) => (
              <CutValues
                key={cut}
                app={app}
                cut={cut}
                signal={rule.signal}
                values={rule.filters[cut] ?? []}
                change={(values) => {
                  const { [cut]: _, ...others } = rule.filters;
                  change({ filters: values.length > 0 ? { ...others, [cut]: values } : others });
                }}
              />
            ))}
          </div>
          <MultiSelect
            label="One alert for each"
            placeholder={rule.group_by.length === 0 ? "All together" : ""}
            data={CUTS.map((cut) => ({ value: cut, label: CUT_NAMES[cut] }))}
            value={rule.group_by}
            maxValues={2}
            onChange={(cuts) => change({ group_by: cuts as Cut[] })}
          />
        </Part>
        <Part title="How long">
          <div className="fields">
            <Select
              label="Window"
              data={withOwn(WINDOWS, rule.window)}
              value={rule.window}
              allowDeselect={false}
              onChange={(window) => change({ window: window ?? "5m" })}
            />
            <Select
              label="For"
              data={withOwn(HELD, rule.for).map((held) => ({ value: held, label: held === "0s" ? "one window" : held }))}
              value={rule.for}
              allowDeselect={false}
              onChange={(held) => change({ for: held ?? "0s" })}
            />
            {rule.when.kind !== "traffic" && (
              <NumberField label="Spans at least" value={rule.min_spans} change={(spans) => change({ min_spans: Math.round(spans) })} />
            )}
          </div>
        </Part>
        <Part title="Whom to tell">
          <SegmentedControl
            aria-label="Severity"
            data={SEVERITIES.map((severity) => ({ value: severity, label: SEVERITY_NAMES[severity] }))}
            value={rule.severity}
            onChange={(severity) => change({ severity: severity as Severity })}
          />
          {rules.receivers.length > 0 && (
            <MultiSelect
              label="Receivers"
              placeholder={rule.receivers.length === 0 ? "Every one" : ""}
              data={rules.receivers}
              value={rule.receivers}
              onChange={(receivers) => change({ receivers })}
            />
          )}
          <TextInput
            label="Runbook"
            placeholder="Address that goes along"
            value={rule.annotations.runbook ?? ""}
            maxLength={512}
            onChange={(event) => {
              const { runbook: _, ...others } = rule.annotations;
              const text = event.currentTarget.value;
              change({ annotations: text ? { ...others, runbook: text } : others });
            }}
          />
        </Part>
        <p className="late" role="alert">
          {said}
        </p>
        <div className="row">
          <Button type="submit">{known ? "Save" : "Make rule"}</Button>
          <Button variant="subtle" onClick={() => changeView({ edit: null })}>
            Cancel
          </Button>
        </div>
      </form>
      <AlertPreview app={app} rule={rule} />
    </div>
  );
}
