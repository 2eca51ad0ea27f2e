/** What is being looked at. It lives in the address bar, so that a view can be shared and the back button works. */

import { useSyncExternalStore } from "react";

export const RANGES = ["15m", "1h", "6h", "24h", "7d", "30d"] as const;
export const QUANTILES = [0.5, 0.75, 0.95, 0.99] as const;
export const PHASES = ["redirect", "blocked", "dns", "tcp", "tls", "request", "ttfb", "download"] as const;
export const METRICS = ["duration", ...PHASES] as const;
export const DIMENSIONS = ["version", "country", "device_class", "network"] as const;
/** What figures can be about: never about two of these. */
export const SIGNALS = [
  "request", "page", "screen", "start", "operation", "lcp", "inp", "cls", "fcp", "ttfb", "exception", "long_task", "event", "report",
] as const;
export const PAGES = ["overview", "compare", "heatmap", "sessions", "alerts", "quality", "privacy", "settings"] as const;
export const SIDES = ["a", "b"] as const;
/** What of the time range a side of a comparison looks at: all of it, the range before it, or it a day or a week earlier. */
export const SHIFTS = ["none", "range", "day", "week"] as const;
export const TRACE_KINDS = ["all", "slow", "errors"] as const;
export const ROUTE_SORTS = ["impact", "spans", "errors", "slowest"] as const;

export type Range = (typeof RANGES)[number];
export type Phase = (typeof PHASES)[number];
export type Metric = (typeof METRICS)[number];
export type Dimension = (typeof DIMENSIONS)[number];
export type Signal = (typeof SIGNALS)[number];
export type PageName = (typeof PAGES)[number];
export type SideName = (typeof SIDES)[number];
export type Shift = (typeof SHIFTS)[number];
export type TraceKind = (typeof TRACE_KINDS)[number];
export type RouteSort = (typeof ROUTE_SORTS)[number];

/** One side of a comparison: what it has for itself, in place of what is common to both. */
export interface Side {
  filters: Record<Dimension, string[]>;
  shift: Shift;
}

export interface View {
  page: PageName;
  app: string | null;
  range: Range;
  /** A span of time dragged out of the chart; it wins over `range`. */
  from: string | null;
  to: string | null;
  signal: Signal;
  quantile: number;
  metric: Metric;
  filters: Record<Dimension, string[]>;
  route: string | null;
  /** Milliseconds that users should wait at most: what Apdex and impact are about. */
  target: number;
  sort: RouteSort;
  /** Words that routes listed must hold. */
  find: string;
  /** The alert rule being made, `new`, or changed, `rule:` and its name. */
  edit: string | null;
  /** What is compared; sides that say nothing are left to the page. */
  sides: Record<SideName, Side>;
  /** Pseudonym of the session whose timeline is shown. */
  session: string | null;
  traces: TraceKind;
  trace: string | null;
  /** A span of the trace, to be shown first. */
  span: string | null;
  live: boolean;
}

export const DEFAULTS = {
  page: "overview", range: "1h", signal: "request", quantile: 0.95, metric: "duration", target: 1000, sort: "impact", find: "", traces: "all",
} as const;
/** In ms: a day, the most that the server takes. */
const LONGEST_TARGET = 86_400_000;

function oneOf<T extends string>(allowed: readonly T[], text: string | null, otherwise: T): T {
  return allowed.find((value) => value === text) ?? otherwise;
}

/** A target time in whole milliseconds as people type it; null when it is none. */
export function parseTarget(text: string): number | null {
  const target = /^\d{1,8}$/.test(text.trim()) ? Number(text) : 0;
  return target >= 1 && target <= LONGEST_TARGET ? target : null;
}

function valuesOf(query: URLSearchParams, prefix = ""): Record<Dimension, string[]> {
  return Object.fromEntries(DIMENSIONS.map((name) => [name, query.getAll(prefix + name)])) as Record<Dimension, string[]>;
}

function sideOf(query: URLSearchParams, name: SideName): Side {
  return { filters: valuesOf(query, `${name}.`), shift: oneOf(SHIFTS, query.get(`${name}.shift`), "none") };
}

/** Reads a view from a query string; what it does not know it leaves at its default. */
export function parseView(search: string): View {
  const query = new URLSearchParams(search);
  const quantile = Number(query.get("q"));
  const [from, to] = [query.get("from"), query.get("to")];
  return {
    page: oneOf(PAGES, query.get("page"), DEFAULTS.page),
    app: query.get("app"),
    range: oneOf(RANGES, query.get("range"), DEFAULTS.range),
    from: from && to ? from : null,
    to: from && to ? to : null,
    signal: oneOf(SIGNALS, query.get("signal"), DEFAULTS.signal),
    quantile: QUANTILES.find((known) => known === quantile) ?? DEFAULTS.quantile,
    metric: oneOf(METRICS, query.get("metric"), DEFAULTS.metric),
    filters: valuesOf(query),
    route: query.get("route"),
    target: parseTarget(query.get("target") ?? "") ?? DEFAULTS.target,
    sort: oneOf(ROUTE_SORTS, query.get("sort"), DEFAULTS.sort),
    find: query.get("find") ?? DEFAULTS.find,
    edit: query.get("edit"),
    sides: { a: sideOf(query, "a"), b: sideOf(query, "b") },
    session: query.get("session"),
    traces: oneOf(TRACE_KINDS, query.get("traces"), DEFAULTS.traces),
    trace: query.get("trace"),
    span: query.get("trace") && query.get("span"),
    live: query.get("live") === "1",
  };
}

/** The query string of a view, without what is at its default. */
export function formatView(view: View): string {
  const query = new URLSearchParams();
  if (view.page !== DEFAULTS.page) query.set("page", view.page);
  if (view.app) query.set("app", view.app);
  if (view.from && view.to) {
    query.set("from", view.from);
    query.set("to", view.to);
  } else if (view.range !== DEFAULTS.range) query.set("range", view.range);
  if (view.signal !== DEFAULTS.signal) query.set("signal", view.signal);
  if (view.quantile !== DEFAULTS.quantile) query.set("q", String(view.quantile));
  if (view.metric !== DEFAULTS.metric) query.set("metric", view.metric);
  for (const name of DIMENSIONS) for (const value of view.filters[name]) query.append(name, value);
  if (view.route) query.set("route", view.route);
  if (view.target !== DEFAULTS.target) query.set("target", String(view.target));
  if (view.sort !== DEFAULTS.sort) query.set("sort", view.sort);
  if (view.find) query.set("find", view.find);
  if (view.edit) query.set("edit", view.edit);
  for (const side of SIDES) {
    const { filters, shift } = view.sides[side];
    for (const name of DIMENSIONS) for (const value of filters[name]) query.append(`${side}.${name}`, value);
    if (shift !== "none") query.set(`${side}.shift`, shift);
  }
  if (view.session) query.set("session", view.session);
  if (view.traces !== DEFAULTS.traces) query.set("traces", view.traces);
  if (view.trace) {
    query.set("trace", view.trace);
    if (view.span) query.set("span", view.span);
  }
  if (view.live) query.set("live", "1");
  const text = query.toString();
  return text ? `?${text}` : "";
}

/** The parameters every call of the query API shares. */
export function commonParameters(view: View): URLSearchParams {
  const query = new URLSearchParams();
  if (view.app) query.set("app", view.app);
  if (view.from && view.to) {
    query.set("from", view.from);
    query.set("to", view.to);
  } else query.set("from", `-${view.range}`);
  return query;
}

/** Those, and what figures are about. */
export function signalParameters(view: View): URLSearchParams {
  const query = commonParameters(view);
  if (view.signal !== DEFAULTS.signal) query.set("signal", view.signal);
  return query;
}

/** Those, and the filters. */
export function filterParameters(view: View): URLSearchParams {
  const query = signalParameters(view);
  for (const name of DIMENSIONS) for (const value of view.filters[name]) query.append(name, value);
  if (view.route) query.set("route", view.route);
  return query;
}

/** Points wide enough to be calm: percentiles of a few spans tell of chance. A range of the user's own is left to the server. */
const STEPS: Record<Range, string> = { "15m": "10s", "1h": "60s", "6h": "5m", "24h": "15m", "7d": "1h", "30d": "6h" };

/** The width of a point of the trend. */
export function stepOf(view: View): string {
  return view.from && view.to ? "auto" : STEPS[view.range];
}

const listeners = new Set<() => void>();
let seen = { search: "\0", view: undefined as View | undefined };

function snapshot(): View {
  const { search } = window.location;
  if (seen.view === undefined || seen.search !== search) seen = { search, view: parseView(search) };
  return seen.view as View;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

/** Changes part of the view; each change is one step of the back button, but for what is typed letter by letter. */
export function changeView(change: Partial<View>, { typed = false }: { typed?: boolean } = {}): void {
  const search = formatView({ ...snapshot(), ...change });
  if (search === window.location.search) return;
  const address = window.location.pathname + search;
  if (typed) window.history.replaceState(null, "", address);
  else window.history.pushState(null, "", address);
  for (const listener of listeners) listener();
}

/** The view in the address bar. */
export function useView(): View {
  return useSyncExternalStore(subscribe, snapshot);
}

/** The change that clears every filter. */
export function withoutFilters(): Pick<View, "filters" | "route" | "signal"> {
  return { signal: DEFAULTS.signal, filters: { version: [], country: [], device_class: [], network: [] }, route: null };
}

/** Whether anything but app and time narrows the view. */
export function isFiltered(view: View): boolean {
  return view.signal !== DEFAULTS.signal || view.route !== null || DIMENSIONS.some((name) => view.filters[name].length > 0);
}
