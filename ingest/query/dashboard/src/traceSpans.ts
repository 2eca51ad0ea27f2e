/** What is known of a trace, and getting to know more: pages of spans as rows are opened, single spans as they are jumped to. */

import { useEffect, useMemo, useRef, useState } from "react";
import type { OneSpan, Span, SpanPage, Trace } from "./api.ts";
import { ApiError, ask } from "./api.ts";
import type { Known, Row } from "./waterfall.ts";
import { add, keyOf, Kinship, layOut, merge } from "./waterfall.ts";
import { piecesOf } from "./traceWords.ts";

const PAGE = 200;
/** Parents asked for one by one on the way up from a span that is jumped to. */
const MOST_ABOVE = 20;

export interface TraceSpans {
  known: Known;
  rows: readonly Row[];
  chosen: string | undefined;
  /** Counts the jumps, so that each brings its row into sight. */
  turn: number;
  error: ApiError | undefined;
  choose: (key: string) => void;
  toggle: (row: Row, open?: boolean) => void;
  jump: (spanId: string) => void;
}

/** The row that was picked, or the nearest above it when that one hides it. */
function inSight(known: Known, rows: readonly Row[], picked: string | undefined): string | undefined {
  const keys = new Set(rows.map((row) => row.key));
  if (picked === undefined || keys.has(picked)) return picked;
  const span = known.spans.find((each) => keyOf(each) === picked);
  return span && [...new Kinship(known).above(span)].find((key) => keys.has(key));
}

/** @param query what every call about the trace carries. */
export function useTraceSpans(trace: Trace, query: string): TraceSpans {
  const [known, setKnown] = useState<Known>(() => ({ spans: trace.spans, groups: trace.groups, next: trace.next ? { "": trace.next } : {} }));
  const [open, setOpen] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [picked, choose] = useState<string>();
  const [turn, setTurn] = useState(0);
  const [error, setError] = useState<ApiError>();
  const abort = useRef(new AbortController());
  /** What is on its way: a second press asks for nothing. */
  const asked = useRef(new Set<string>());
  /** Where the row stands that stood for a page: the first row of the page takes its place, and the choice. */
  const landing = useRef<{ where: string; index: number } | null>(null);
  useEffect(() => {
    abort.current = new AbortController();
    return () => abort.current.abort();
  }, []);
  const path = useMemo(() => piecesOf(trace.critical_path), [trace]);
  const rows = useMemo(() => layOut(known, open, path), [known, open, path]);
  const chosen = useMemo(() => inSight(known, rows, picked), [known, rows, picked]);

  useEffect(() => {
    if (!landing.current || asked.current.has(landing.current.where)) return;
    const row = rows[landing.current.index];
    landing.current = null;
    if (row) choose(row.key);
  }, [rows]);

  const get = <T>(below: string, ...parameters: (string | false)[]): Promise<T> =>
    ask<T>(`/api/v1/traces/${trace.trace_id}/${below}?${[query, ...parameters].filter(Boolean).join("&")}`, abort.current.signal);

  const failed = (failure: unknown): void => {
    if (abort.current.signal.aborted) return;
    if (!(failure instanceof ApiError)) throw failure;
    setError(failure);
  };

  const fetchMore = (where: string): void => {
    if (asked.current.has(where)) return;
    asked.current.add(where);
    const cursor = known.next[where];
    get<SpanPage>("spans", where, `limit=${PAGE}`, cursor ? `cursor=${cursor}` : false).then((page) => {
      asked.current.delete(where);
      setError(undefined);
      setKnown((last) => add(last, where, page));
    }).catch((failure: unknown) => {
      asked.current.delete(where);
      failed(failure);
    });
  };

  const toggle = (row: Row, to?: boolean): void => {
    if (row.kind === "rest") {
      landing.current = { where: row.where, index: rows.indexOf(row) };
      return fetchMore(row.where);
    }
    if (row.opened === null) return undefined;
    const opened = to ?? !row.opened;
    setOpen((last) => new Map(last).set(row.key, opened));
    const kin = new Kinship(known);
    const item = row.kind === "span" ? row.span : row.group;
    const nothing = kin.below(item).length === 0 || (row.kind === "group" && known.next[row.where] === undefined && kin.below(item).length < kin.count(item));
    if (opened && nothing) fetchMore(row.where);
    return undefined;
  };

  /** Opens what is above a span, and chooses it. */
  const show = (all: Known, span: Span): void => {
    const above = new Kinship(all).above(span);
    setOpen((last) => new Map([...last, ...[...above].map((key) => [key, true] as const)]));
    choose(keyOf(span));
    setTurn((last) => last + 1);
  };

  const fetchWithParents = async (spanId: string): Promise<void> => {
    let all = known;
    for (let id: string | null = spanId, times = 0; id && times < MOST_ABOVE && !all.spans.some((span) => span.span_id === id); times += 1) {
      const answer: OneSpan = await get<OneSpan>(`spans/${id}`);
      all = merge(all, answer.spans, []);
      id = answer.spans[0] && !answer.spans[0].top ? answer.spans[0].parent_span_id : null;
    }
    setError(undefined);
    setKnown((last) => merge(last, all.spans, all.groups));
    const span = all.spans.find((each) => each.span_id === spanId);
    if (span) show(all, span);
  };

  const jump = (spanId: string): void => {
    const span = known.spans.find((each) => each.span_id === spanId);
    if (span) show(known, span);
    else fetchWithParents(spanId).catch(failed);
  };

  return { known, rows, chosen, turn, error, choose, toggle, jump };
}
