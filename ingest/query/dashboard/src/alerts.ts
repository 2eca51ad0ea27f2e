/** Alert rules as the page uses them: the contract is `ingest/query/alerts.md`. What a view makes of them, and they of a view. */

import { formatCount, formatDuration, formatShare } from "./units.ts";
import type { Metric, Signal, View } from "./view.ts";
import { DEFAULTS, DIMENSIONS, formatView, METRICS, QUANTILES } from "./view.ts";

export const CUTS = ["route", "version", "country", "device_class", "network", "os"] as const;
export const KINDS = ["latency", "errors", "phase_share", "traffic", "deviation"] as const;
export const SEVERITIES = ["info", "warning", "critical"] as const;
export const WINDOWS = ["1m", "5m", "10m", "30m", "1h"] as const;

export type Cut = (typeof CUTS)[number];
export type Kind = (typeof KINDS)[number];
export type Severity = (typeof SEVERITIES)[number];
export type Unit = "us" | "share" | "spans" | "sigma";
export type Group = Partial<Record<Cut, string>>;

export type Condition =
  | { kind: "latency"; above_ms: number; quantile: number; metric: string }
  | { kind: "errors"; above: number }
  | { kind: "phase_share"; phase: string; above: number; of: "time" | "reused" | "unknown" }
  | { kind: "traffic"; below_spans: number | null; below_share: number | null }
  | { kind: "deviation"; sigma: number; quantile: number; metric: string };

export interface Rule {
  name: string;
  when: Condition;
  signal: Signal;
  filters: Partial<Record<Cut, string[]>>;
  group_by: Cut[];
  window: string;
  for: string;
  min_spans: number;
  severity: Severity;
  receivers: string[];
  annotations: Record<string, string>;
}

export interface KnownRule {
  source: "api" | "file";
  rule: Rule;
}

export interface Rules {
  rules: KnownRule[];
  receivers: string[];
  may_change: boolean;
}

export interface Alert {
  rule: string;
  group: Group;
  standing: "pending" | "firing";
  severity: Severity;
  since_at: string;
  started_at: string | null;
  value: number | null;
  text: string;
  silenced: boolean;
  from: string;
  to: string;
}

export interface Happening {
  rule: string;
  group: Group;
  status: "firing" | "resolved";
  at: string;
  value: number | null;
  severity: Severity;
  reason: "recovered" | "no_data" | "rule_removed" | null;
  silenced: boolean;
}

export interface Silence {
  id: string;
  rule: string | null;
  group: Group;
  reason: string;
  by: string;
  created_at: string;
  until: string;
  holds: boolean;
}

export interface Rehearsal {
  from: string;
  to: string;
  unit: Unit;
  bound: number | null;
  undecided: number;
  firings: { group: Group; started_at: string; ended_at: string | null; value: number | null; text: string }[];
  lines: { group: Group; windows: { at: string; value: number | null; verdict: "met" | "clear" | "undecided" }[] }[];
}

/** A condition of a kind, with what is usual. */
export function usual(kind: Kind, view: Pick<View, "quantile" | "metric">): Condition {
  switch (kind) {
    case "latency":
      return { kind, above_ms: 2000, quantile: view.quantile, metric: view.metric };
    case "errors":
      return { kind, above: 0.05 };
    case "phase_share":
      return { kind, phase: view.metric === "duration" ? "tls" : view.metric, above: 0.3, of: "time" };
    case "traffic":
      return { kind, below_spans: null, below_share: 0.5 };
    case "deviation":
      return { kind, sigma: 3, quantile: view.quantile, metric: view.metric };
  }
}

/** A rule about what a view shows. */
export function draftOf(view: View): Rule {
  const filters: Rule["filters"] = {};
  for (const name of DIMENSIONS) if (view.filters[name].length > 0) filters[name] = view.filters[name];
  if (view.route) filters.route = [view.route];
  return {
    name: "",
    when: usual("latency", view),
    signal: view.signal,
    filters,
    group_by: [],
    window: "5m",
    for: "10m",
    min_spans: 20,
    severity: "warning",
    receivers: [],
    annotations: {},
  };
}

/** The view of what one group of a rule is about, as a query string; of several routes none, since a view takes one. */
export function viewOf(view: View, rule: Rule | undefined, group: Group, from: string, to: string): string {
  const chosen: Partial<Record<Cut, string[]>> = { ...rule?.filters };
  for (const cut of CUTS) if (group[cut] !== undefined) chosen[cut] = [group[cut]];
  const filters = Object.fromEntries(DIMENSIONS.map((name) => [name, chosen[name] ?? []])) as View["filters"];
  const when = rule?.when;
  const quantile = when && "quantile" in when ? QUANTILES.find((known) => known === when.quantile) : undefined;
  const metric = when && "metric" in when ? when.metric : when && "phase" in when ? when.phase : "duration";
  return formatView({
    ...view,
    page: DEFAULTS.page,
    edit: null,
    from,
    to,
    signal: rule?.signal ?? "request",
    quantile: quantile ?? 0.95,
    metric: METRICS.find((known) => known === metric) ?? ("duration" as Metric),
    filters,
    route: chosen.route?.length === 1 ? (chosen.route[0] ?? null) : null,
    traces: "all",
    trace: null,
  });
}

/** A value of a rule or a dry run as people read it. */
export function formatValue(unit: Unit, signal: Signal, value: number | null): string {
  if (value === null) return "–";
  if (unit === "share") return formatShare(value, 1);
  if (unit === "spans") return formatCount(value);
  if (unit === "sigma") return `${value.toFixed(1)} σ`;
  return signal === "cls" ? (value / 1e6).toFixed(3) : formatDuration(value);
}

/** What a condition compares. */
export function unitOf(when: Condition): Unit {
  return ({ latency: "us", errors: "share", phase_share: "share", traffic: "spans", deviation: "sigma" } as const)[when.kind];
}

/** Dimensions and values of a group in a line; nothing for the group of all. */
export function groupText(group: Group): string {
  return CUTS.filter((cut) => group[cut] !== undefined).map((cut) => group[cut]).join(" · ");
}

/** Whether a condition's numbers are such that the server could take them: else it need not be asked. */
export function isWhole(rule: Rule): boolean {
  const { when } = rule;
  if (when.kind === "latency") return when.above_ms > 0;
  if (when.kind === "errors" || when.kind === "phase_share") return when.above > 0 && when.above < 1;
  if (when.kind === "deviation") return when.sigma >= 1;
  return (when.below_spans ?? 0) >= 1 || ((when.below_share ?? 0) > 0 && (when.below_share ?? 0) < 1);
}
