/** What is particular to a kind of condition. */

import { SegmentedControl, Select } from "@mantine/core";
import type { Condition, Rule } from "./alerts.ts";
import { SHARE_NAMES } from "./alertWords.ts";
import { NumberField } from "./NumberField.tsx";
import { quantileName } from "./units.ts";
import { METRICS, PHASES, QUANTILES } from "./view.ts";
import { METRIC_NAMES } from "./words.ts";

interface FieldsProps {
  rule: Rule;
  change: (when: Condition) => void;
}

function Quantile({ value, change }: { value: number; change: (value: number) => void }) {
  const known = [...new Set<number>([...QUANTILES, value])];
  return (
    <SegmentedControl
      aria-label="Percentile"
      data={known.map((each) => ({ value: String(each), label: quantileName(each) }))}
      value={String(value)}
      onChange={(each) => change(Number(each))}
    />
  );
}

function MetricField({ rule, value, change }: { rule: Rule; value: string; change: (value: string) => void }) {
  if (rule.signal !== "request") return null;
  return (
    <Select
      label="Of"
      data={METRICS.map((metric) => ({ value: metric, label: METRIC_NAMES[metric] }))}
      value={value}
      allowDeselect={false}
      onChange={(metric) => change(metric ?? "duration")}
    />
  );
}

export function ConditionFields({ rule, change }: FieldsProps) {
  const { when } = rule;
  switch (when.kind) {
    case "latency":
      return (
        <>
          <Quantile value={when.quantile} change={(quantile) => change({ ...when, quantile })} />
          <div className="fields">
            <MetricField rule={rule} value={when.metric} change={(metric) => change({ ...when, metric })} />
            <NumberField
              key="latency"
              label="Above"
              unit={rule.signal === "cls" ? "‰" : "ms"}
              value={when.above_ms}
              change={(above_ms) => change({ ...when, above_ms })}
            />
          </div>
        </>
      );
    case "errors":
      return (
        <NumberField key="errors" label="Above" unit="%" value={when.above * 100} change={(percent) => change({ ...when, above: percent / 100 })} />
      );
    case "phase_share":
      return (
        <div className="fields">
          <Select
            label="Phase"
            data={PHASES.map((phase) => ({ value: phase, label: METRIC_NAMES[phase] }))}
            value={when.phase}
            allowDeselect={false}
            onChange={(phase) => change({ ...when, phase: phase ?? "tls" })}
          />
          <NumberField key="share" label="Above" unit="%" value={when.above * 100} change={(percent) => change({ ...when, above: percent / 100 })} />
          <Select
            label="Share"
            data={Object.entries(SHARE_NAMES).map(([value, label]) => ({ value, label }))}
            value={when.of}
            allowDeselect={false}
            onChange={(of) => change({ ...when, of: (of ?? "time") as typeof when.of })}
          />
        </div>
      );
    case "traffic":
      return (
        <>
          <SegmentedControl
            aria-label="Compared with"
            data={[
              { value: "share", label: "Other days" },
              { value: "spans", label: "A number" },
            ]}
            value={when.below_spans === null ? "share" : "spans"}
            onChange={(to) =>
              change(to === "share" ? { ...when, below_spans: null, below_share: 0.5 } : { ...when, below_spans: 100, below_share: null })
            }
          />
          {when.below_spans === null ? (
            <NumberField
              key="below-share"
              label="Below"
              unit="% of the same hour on other days"
              value={(when.below_share ?? 0.5) * 100}
              change={(percent) => change({ ...when, below_share: percent / 100 })}
            />
          ) : (
            <NumberField
              key="below-spans"
              label="Below"
              unit="spans in a window"
              value={when.below_spans}
              change={(spans) => change({ ...when, below_spans: Math.round(spans) })}
            />
          )}
        </>
      );
    case "deviation":
      return (
        <>
          <Quantile value={when.quantile} change={(quantile) => change({ ...when, quantile })} />
          <div className="fields">
            <MetricField rule={rule} value={when.metric} change={(metric) => change({ ...when, metric })} />
            <NumberField
              key="sigma"
              label="Above other days by"
              unit="σ"
              value={when.sigma}
              change={(sigma) => change({ ...when, sigma })}
            />
          </div>
        </>
      );
  }
}
