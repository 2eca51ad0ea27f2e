/** One trace: its waterfall, what it tells, and everything known of the span chosen. */

import { Button, CopyButton, Drawer, FocusTrap, Skeleton } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Trace } from "./api.ts";
import { useAnswer } from "./api.ts";
import { Failure } from "./Panel.tsx";
import { GroupDetails, SpanDetails } from "./SpanDetails.tsx";
import { Failed, Legend, Notes, WaitedFor } from "./TraceNotes.tsx";
import { TraceTree } from "./TraceTree.tsx";
import { useTraceSpans } from "./traceSpans.ts";
import { formatCount, formatDuration } from "./units.ts";
import type { View } from "./view.ts";
import { changeView, formatView } from "./view.ts";

function Opened({ trace, query, view }: { trace: Trace; query: string; view: View }) {
  const { known, rows, chosen, turn, error, choose, toggle, jump } = useTraceSpans(trace, query);
  useEffect(() => {
    if (view.span) jump(view.span);
  }, [view.span]);
  const bars = rows.filter((row) => row.kind === "span");
  const row = rows.find((each) => each.key === chosen) ?? rows[0];
  return (
    <div className="trace">
      <div className="waterfall">
        <Legend bars={bars} trace={trace} />
        <Notes trace={trace} />
        <TraceTree rows={rows} lengthUs={Math.max(1, trace.duration_us)} trace={trace} chosen={row?.key} turn={turn} choose={choose} toggle={toggle} />
        {error && <p className="note late" role="alert">{error.message}</p>}
        <div className="tells">
          <WaitedFor trace={trace} jump={jump} />
          <Failed trace={trace} known={known} jump={jump} />
        </div>
      </div>
      {row?.kind === "span" && <SpanDetails span={row.span} moments={row.moments} trace={trace} view={view} jump={jump} />}
      {row?.kind === "group" && <GroupDetails group={row.group} />}
    </div>
  );
}

function Title({ data, id, view }: { data: Trace | undefined; id: string; view: View }) {
  const root = data?.spans.find((span) => span.span_id === data.critical_path.root) ?? data?.spans[0];
  return (
    <div className="trace-title">
      <strong>{root?.name ?? "Trace"}</strong>
      <span className="aside">
        {data && `${formatDuration(data.duration_us)} · ${formatCount(data.counts.stored)} ${data.counts.stored === 1 ? "span" : "spans"} · `}
        {root && `${new Date(root.start_at).toLocaleString()} · `}
        <code>{id}</code>
      </span>
      {data?.external_url && <a className="aside" href={data.external_url} target="_blank" rel="noreferrer">Open in your tracing system ↗</a>}
      <CopyButton value={window.location.origin + window.location.pathname + formatView(view)}>
        {({ copied, copy }) => (
          <Button size="compact-xs" variant="subtle" onClick={copy}>
            {copied ? "Copied" : "Copy link"}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}

export function TraceView({ view, id }: { view: View; id: string }) {
  const [turn, setTurn] = useState(0);
  const query = new URLSearchParams(view.app ? { app: view.app } : {}).toString();
  const { data, error } = useAnswer<Trace>(`/api/v1/traces/${encodeURIComponent(id)}?${query}`, turn);
  // While another trace is on its way, the last one still shows; a span of the new one is none of it.
  const shown = data && data.trace_id === id.toLowerCase() ? view : { ...view, span: null };
  return (
    <Drawer
      opened
      onClose={() => changeView({ trace: null, span: null })}
      position="right"
      size="min(1280px, 100%)"
      // The page has one banner; this head is the drawer's.
      attributes={{ header: { role: "presentation" } }}
      closeButtonProps={{ "aria-label": "Close the trace" }}
      title={<Title data={data} id={id} view={view} />}
    >
      <FocusTrap.InitialFocus />
      {data && data.spans.length > 0 && <Opened key={data.trace_id} trace={data} query={query} view={shown} />}
      {data && data.spans.length === 0 && <p className="state">This trace has no spans here any more.</p>}
      {error && !data && <Failure error={error} retry={() => setTurn((last) => last + 1)} />}
      {!data && !error && <Skeleton height={320} role="img" aria-label="Loading the trace" />}
    </Drawer>
  );
}
