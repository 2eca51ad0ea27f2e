/** What one session saw, in the order of its clocks; a row opens the trace it is in. */

import { Button } from "@mantine/core";
import type { CSSProperties } from "react";
import { useState } from "react";
import { useAnswer } from "./api.ts";
import { Failure, Panel } from "./Panel.tsx";
import type { Session, SessionSpan } from "./sessionAnswer.ts";
import { clocksNote, fault, hasLength, mayBeOtherWay, measured, ONE_SIGNAL, pauseBefore, when } from "./timeline.ts";
import { formatCount, formatDuration } from "./units.ts";
import type { View } from "./view.ts";
import { changeView } from "./view.ts";
import { layPhases, titleOf } from "./waterfall.ts";
import { METRIC_NAMES, valueName } from "./words.ts";

function Length({ span, longestUs }: { span: SessionSpan; longestUs: number }) {
  if (!hasLength(span)) return <span className="session-bar" />;
  const width = `${Math.max(0.6, (span.duration_us / longestUs) * 100)}%`;
  const part = (offset: number, us: number): CSSProperties => ({
    insetInlineStart: `${(offset / span.duration_us) * 100}%`,
    width: `${(us / span.duration_us) * 100}%`,
  });
  return (
    <span className="session-bar" aria-hidden="true">
      <span className="length" style={{ width }}>
        {layPhases(span).map(({ phase, offset, us }) => (
          <i key={phase} title={`${METRIC_NAMES[phase]} ${formatDuration(us)}`} style={{ ...part(offset, us), background: `var(--${phase})` }} />
        ))}
      </span>
    </span>
  );
}

interface RowProps {
  span: SessionSpan;
  before: SessionSpan | undefined;
  longestUs: number;
}

function Row({ span, before, longestUs }: RowProps) {
  const [pause, wrong] = [pauseBefore(before, span), fault(span)];
  const title = titleOf(span);
  return (
    <>
      {pause && <li className="pause">{pause}</li>}
      <li className={`moment of-${span.signal} ${span.failed ? "failed" : ""}`}>
        <button
          type="button"
          onClick={() => changeView({ trace: span.trace_id, span: span.span_id })}
          aria-label={[ONE_SIGNAL[span.signal], title, when(span), measured(span), wrong].filter(Boolean).join(", ")}
        >
          <span className="session-when">
            {when(span)}
            {mayBeOtherWay(before, span) && <span className="badge badge-quiet" title="Another clock measured the row above: the two may have happened the other way round">order?</span>}
          </span>
          <span className="session-kind">{ONE_SIGNAL[span.signal]}</span>
          <span className="session-what">
            {title}
            {wrong && <span className="badge badge-bad">{wrong}</span>}
            {span.screen && span.signal !== "screen" && <span className="aside wide"> on {span.screen}</span>}
          </span>
          <Length span={span} longestUs={longestUs} />
          <span className="number strong">{measured(span)}</span>
        </button>
      </li>
    </>
  );
}

interface PageProps {
  session: Session;
  path: string;
  before: SessionSpan | undefined;
  longestUs: number;
}

/** A page of spans, and below it the next one when it is wanted. */
function Spans({ session, path, before, longestUs }: PageProps) {
  const [more, setMore] = useState(false);
  const { spans, next } = session;
  return (
    <>
      {spans.map((span, index) => (
        <Row key={`${span.span_id} ${span.start_us} ${index}`} span={span} before={index > 0 ? spans[index - 1] : before} longestUs={longestUs} />
      ))}
      {next && (more ? <Later path={path} cursor={next} before={spans.at(-1)} longestUs={longestUs} /> : (
        <li className="pause">
          <Button size="xs" variant="default" onClick={() => setMore(true)}>What came next</Button>
        </li>
      ))}
    </>
  );
}

function Later({ path, cursor, before, longestUs }: Omit<PageProps, "session"> & { cursor: string }) {
  const [turn, setTurn] = useState(0);
  const { data, error } = useAnswer<Session>(`${path}&cursor=${cursor}`, turn);
  if (error) return <li><Failure error={error} retry={() => setTurn((last) => last + 1)} /></li>;
  return data ? <Spans session={data} path={path} before={before} longestUs={longestUs} /> : <li className="pause">Loading …</li>;
}

function Who({ session }: { session: Session }) {
  const last = session.spans.at(-1);
  const who = last && [last.version, last.country && valueName("country", last.country), `${last.device_class} device`, last.network, last.os];
  const { spans, errors, traces, more } = session.counts;
  return (
    <p className="note">
      {who?.filter(Boolean).join(" · ")}
      <br />
      {new Date(session.start_at).toLocaleString()}, {formatDuration(session.duration_us)} long: {formatCount(spans)} sampled {spans === 1 ? "span" : "spans"}
      {more && " and later ones"} in {formatCount(traces)} {traces === 1 ? "trace" : "traces"}, {errors === 0 ? "none failed" : `${formatCount(errors)} failed`}.
      <br />
      {clocksNote(session)}
    </p>
  );
}

export function SessionTimeline({ view, id, turn, retry }: { view: View; id: string; turn: number; retry: () => void }) {
  const query = new URLSearchParams({ limit: "200", ...(view.app && { app: view.app }) });
  const path = `/api/v1/sessions/${encodeURIComponent(id)}?${query}`;
  const answer = useAnswer<Session>(path, turn);
  return (
    <Panel
      title={`Session ${id.slice(0, 8)}`}
      answer={answer}
      retry={retry}
      height={460}
      className="session"
      actions={<Button size="xs" variant="default" onClick={() => changeView({ session: null })}>All sessions</Button>}
    >
      {(session) => {
        const longestUs = Math.max(1, ...session.spans.filter(hasLength).map((span) => span.duration_us));
        return (
          <>
            <Who session={session} />
            <ol className="moments" aria-label="Timeline">
              <Spans key={session.session} session={session} path={path} before={undefined} longestUs={longestUs} />
            </ol>
          </>
        );
      }}
    </Panel>
  );
}
