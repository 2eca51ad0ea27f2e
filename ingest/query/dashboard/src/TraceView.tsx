/** One trace: its waterfall with the phases drawn inside each span, and everything known of the span chosen. */

import { Button, CopyButton, Drawer, FocusTrap, Skeleton } from "@mantine/core";
import { useMemo, useState } from "react";
import type { Trace } from "./api.ts";
import { useAnswer } from "./api.ts";
import { Failure } from "./Panel.tsx";
import { SpanDetails } from "./SpanDetails.tsx";
import { formatDuration, formatTick } from "./units.ts";
import type { View } from "./view.ts";
import { changeView, PHASES } from "./view.ts";
import type { Bar, Waterfall } from "./waterfall.ts";
import { layOut, marks, titleOf } from "./waterfall.ts";
import { METRIC_NAMES } from "./words.ts";

function Row({ bar, lengthUs, chosen, choose }: { bar: Bar; lengthUs: number; chosen: boolean; choose: () => void }) {
  const { span, depth, offset, phases, orphan } = bar;
  const percent = (us: number): string => `${(us / lengthUs) * 100}%`;
  const failed = span.status === "error";
  return (
    <button type="button" className={chosen ? "span-row chosen" : "span-row"} aria-pressed={chosen} onClick={choose}>
      <span className="span-name" style={{ paddingInlineStart: `${Math.min(depth, 12) * 14}px` }}>
        {failed && <span className="bad" role="img" aria-label="error">✕ </span>}
        {titleOf(span)}
        {orphan && <span className="aside" title="Its parent is not among the spans here"> ⤷</span>}
      </span>
      <span className="lane">
        <span
          className={failed ? "span-bar failed" : "span-bar"}
          style={{ insetInlineStart: percent(offset), width: percent(span.duration_us) }}
        >
          {phases.map(({ phase, offset: from, us }) => (
            <i
              key={phase}
              title={`${METRIC_NAMES[phase]} ${formatDuration(us)}`}
              style={{
                insetInlineStart: `${(from / span.duration_us) * 100}%`,
                width: `${(us / span.duration_us) * 100}%`,
                background: `var(--${phase})`,
              }}
            />
          ))}
        </span>
      </span>
      <span className="number">{formatDuration(span.duration_us)}</span>
    </button>
  );
}

function Falls({ waterfall }: { waterfall: Waterfall }) {
  const { bars, lengthUs } = waterfall;
  const [chosen, choose] = useState(0);
  const bar = bars[chosen];
  const used = PHASES.filter((phase) => bars.some((each) => each.phases.some((laid) => laid.phase === phase)));
  return (
    <div className="trace">
      <div className="waterfall" role="group" aria-label="Waterfall of the trace’s spans">
        <div className="legend">
          {used.map((phase) => (
            <span key={phase}>
              <i className="swatch" style={{ background: `var(--${phase})` }} /> {METRIC_NAMES[phase]}
            </span>
          ))}
          <span>
            <i className="swatch" style={{ background: "var(--rest)" }} /> not in any phase
          </span>
        </div>
        <div className="span-row ruler" aria-hidden="true">
          <span />
          <span className="lane">
            {marks(lengthUs, 5).map((us) => (
              <span key={us} style={{ insetInlineStart: `${(us / lengthUs) * 100}%` }}>{us === 0 ? "0" : formatTick(us)}</span>
            ))}
          </span>
          <span />
        </div>
        {bars.map((each, index) => (
          <Row key={each.span.span_id} bar={each} lengthUs={lengthUs} chosen={index === chosen} choose={() => choose(index)} />
        ))}
      </div>
      {bar && <SpanDetails span={bar.span} />}
    </div>
  );
}

export function TraceView({ view, id }: { view: View; id: string }) {
  const [turn, setTurn] = useState(0);
  const query = new URLSearchParams(view.app ? { app: view.app } : {});
  const { data, error } = useAnswer<Trace>(`/api/v1/traces/${encodeURIComponent(id)}?${query}`, turn);
  const waterfall = useMemo(() => (data && data.spans.length > 0 ? layOut(data.spans) : null), [data]);
  const first = waterfall?.bars[0]?.span;
  return (
    <Drawer
      opened
      onClose={() => changeView({ trace: null })}
      position="right"
      size="min(1180px, 100%)"
      closeButtonProps={{ "aria-label": "Close the trace" }}
      title={
        <div className="trace-title">
          <strong>{first?.name ?? "Trace"}</strong>
          <span className="aside">
            {waterfall && `${formatDuration(waterfall.lengthUs)} · ${waterfall.bars.length} ${waterfall.bars.length === 1 ? "span" : "spans"} · `}
            {first && `${new Date(first.start_at).toLocaleString()} · `}
            <code>{id}</code>
          </span>
          <CopyButton value={window.location.href}>
            {({ copied, copy }) => (
              <Button size="compact-xs" variant="subtle" onClick={copy}>
                {copied ? "Copied" : "Copy link"}
              </Button>
            )}
          </CopyButton>
        </div>
      }
    >
      <FocusTrap.InitialFocus />
      {waterfall && <Falls key={id} waterfall={waterfall} />}
      {data && !waterfall && <p className="state">This trace has no spans here any more.</p>}
      {error && !data && <Failure error={error} retry={() => setTurn((last) => last + 1)} />}
      {!data && !error && <Skeleton height={320} aria-label="Loading the trace" />}
    </Drawer>
  );
}
