/** What alerts are called on the page. */

import type { Cut, Happening, Kind, Rule, Severity } from "./alerts.ts";
import { CUTS, formatValue, unitOf } from "./alerts.ts";
import { quantileName } from "./units.ts";
import type { Metric } from "./view.ts";
import { METRIC_NAMES, SIGNAL_NAMES } from "./words.ts";

export const KIND_NAMES: Record<Kind, string> = {
  latency: "Slower than a bound",
  errors: "Failing too often",
  phase_share: "A phase takes too much",
  traffic: "Too little traffic",
  deviation: "Unlike other days",
};

export const KIND_MEANINGS: Record<Kind, string> = {
  latency: "A percentile is above a bound.",
  errors: "The share that failed: by status, without any answer, or as only browsers could tell.",
  phase_share: "A phase takes more of the time than a bound, or is reused or unknown in more of the requests.",
  traffic: "A window has fewer spans than a bound, or than a share of the same hour on the last seven days.",
  deviation: "A percentile is higher than the same hour on the last seven days lets expect. Needs three of them.",
};

export const CUT_NAMES: Record<Cut, string> = {
  route: "Route",
  version: "Version",
  country: "Country",
  device_class: "Device class",
  network: "Network",
  os: "System",
};

export const SEVERITY_NAMES: Record<Severity, string> = { info: "Info", warning: "Warning", critical: "Critical" };

export const ENDS: Record<NonNullable<Happening["reason"]>, string> = {
  recovered: "recovered",
  no_data: "too little data",
  rule_removed: "rule removed",
};

export const SHARE_NAMES = { time: "of the time", reused: "of requests, reused", unknown: "of requests, unknown" } as const;

/** Within a sentence: small, unless it is an abbreviation. */
function within(name: string): string {
  return /^[A-Z][a-z]/.test(name) ? name.charAt(0).toLowerCase() + name.slice(1) : name;
}

function measured(quantile: number, metric: string, signal: Rule["signal"]): string {
  const phase = metric === "duration" ? [] : [`the ${within(METRIC_NAMES[metric as Metric])} phase`];
  return [quantileName(quantile), ...phase, within(SIGNAL_NAMES[signal])].join(" of ");
}

/** A rule's condition in a line. */
export function conditionText(rule: Rule): string {
  const { when, signal } = rule;
  const unit = unitOf(when);
  switch (when.kind) {
    case "latency":
      return `${measured(when.quantile, when.metric, signal)} above ${formatValue(unit, signal, when.above_ms * 1000)}`;
    case "errors":
      return `more than ${formatValue(unit, signal, when.above)} failed`;
    case "phase_share":
      return `${METRIC_NAMES[when.phase as Metric]} above ${formatValue(unit, signal, when.above)} ${SHARE_NAMES[when.of]}`;
    case "traffic":
      return when.below_spans === null
        ? `traffic below ${formatValue("share", signal, when.below_share)} of other days`
        : `fewer than ${formatValue(unit, signal, when.below_spans)} spans in ${rule.window}`;
    case "deviation":
      return `${measured(when.quantile, when.metric, signal)} more than ${when.sigma} σ above other days`;
  }
}

/** What a rule looks at, in a line. */
export function scopeText(rule: Rule): string {
  const filters = CUTS.flatMap((cut) => (rule.filters[cut] ?? []).slice(0, 3));
  const by = rule.group_by.map((cut) => CUT_NAMES[cut].toLowerCase()).join(" and ");
  const held = rule.for === "0s" ? `in ${rule.window}` : `for ${rule.for}, by ${rule.window}`;
  return [held, by && `each ${by}`, ...filters].filter(Boolean).join(" · ");
}
