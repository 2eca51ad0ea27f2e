/** Everything known of one span. */

import { Fragment } from "react";
import type { FirstByte, Group, PhaseState, Span, Trace } from "./api.ts";
import type { Moment } from "./moments.ts";
import { RouteName } from "./RoutePanel.tsx";
import { SpanLinks } from "./SpanLinks.tsx";
import { SpanMoments } from "./SpanMoments.tsx";
import { contradictory, gradeOf, groupFigures, placed, sampled } from "./traceWords.ts";
import { formatBytes, formatDuration, formatShare } from "./units.ts";
import type { Phase, View } from "./view.ts";
import { changeView, PHASES } from "./view.ts";
import { isRequest, serviceOf, titleOf } from "./waterfall.ts";
import { FIRST_BYTES, METRIC_NAMES } from "./words.ts";

/** Columns that have a place of their own below, or say nothing to a reader. */
const ELSEWHERE = new Set([
  "phases", "attributes", "resource", "events", "links", "name", "kind", "status", "duration_us", "route",
  "request_bytes", "response_bytes", "clock_quality", "clock_err_ms", "weight", "stratum", "app_id", "trace_id", "line",
  "first_byte", "depth", "children", "top", "shared_id", "inclusion_probability", "clock_conflict", "origin", "server_us",
  "clock_skew_ms", "clock_steps", "upload_delay_ms", "policy_version", "start_at", "session",
]);

function text(key: string, value: unknown): string {
  if (key === "http_status" && value === 0) return "no answer";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

interface PairsProps {
  title: string;
  pairs: [string, unknown][];
  /** The keys are the store's columns, to be shown as words. */
  columns?: boolean;
}

function Pairs({ title, pairs, columns = false }: PairsProps) {
  const given = pairs.filter(([, value]) => value !== null && value !== undefined && value !== "");
  if (given.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <dl className="pairs">
        {given.map(([key, value]) => (
          <div key={key}>
            <dt>{columns ? key.replaceAll("_", " ") : key}</dt>
            <dd>{text(key, value)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** A phase in its own word when it was not measured: what did not happen is no zero. */
function PhaseLine({ phase, state, us, split }: { phase: Phase; split: FirstByte | null } & PhaseState) {
  return (
    <div className={state === "measured" ? "" : "absent"}>
      <dt>
        <i className="swatch" style={{ background: `var(--${phase})` }} /> {METRIC_NAMES[phase]}
      </dt>
      <dd>
        {state === "measured" ? formatDuration(us) : state}
        {split?.state === "contradictory" && state === "measured" && <span className="badge badge-warn">contradictory</span>}
      </dd>
    </div>
  );
}

interface SplitProps {
  split: FirstByte;
  ttfbUs: number | null | undefined;
  jump: (spanId: string) => void;
}

/** The time to first byte in two: the network's part and the server's. */
function Split({ split, ttfbUs, jump }: SplitProps) {
  const { state, network_us: network, server_us: server, server_span_id: id } = split;
  const share = (part: number | null): string => (state === "measured" && part !== null && ttfbUs ? ` · ${formatShare(part, ttfbUs)}` : "");
  return (
    <>
      <div className="inset">
        <dt><i className="swatch" style={{ background: "var(--ttfb)" }} /> Network</dt>
        <dd>{network === null ? "unknown" : formatDuration(network) + share(network)}</dd>
      </div>
      <div className="inset">
        <dt>
          <i className="swatch of-server" />{" "}
          {id === null ? "Server" : <button type="button" className="plain link" onClick={() => jump(id)} title="Go to the backend’s span">Server</button>}
        </dt>
        <dd>{server === null ? "unknown" : formatDuration(server) + share(server)}</dd>
      </div>
    </>
  );
}

/** Where a request's time went. */
function Went({ span, jump }: { span: Span; jump: (spanId: string) => void }) {
  const split = span.first_byte;
  const measured = PHASES.reduce((sum, phase) => sum + (span.phases[phase]?.us ?? 0), 0);
  const rest = span.duration_us - measured;
  return (
    <>
      <h4>Phases</h4>
      <dl className="pairs phases-of-span">
        {PHASES.map((phase) => (
          <Fragment key={phase}>
            <PhaseLine phase={phase} split={phase === "ttfb" ? split : null} {...(span.phases[phase] ?? { state: "unknown" })} />
            {phase === "ttfb" && split && <Split split={split} ttfbUs={span.phases.ttfb?.us} jump={jump} />}
          </Fragment>
        ))}
        {measured > 0 && rest > 0 && (
          <div>
            <dt><i className="swatch" style={{ background: "var(--rest)" }} /> Not in any phase</dt>
            <dd>{formatDuration(rest)}</dd>
          </div>
        )}
      </dl>
      {split && FIRST_BYTES[split.state] && <p className="note">{FIRST_BYTES[split.state]}</p>}
    </>
  );
}

/** The store has whole milliseconds: no more digits than that. */
function milliseconds(value: unknown): string | null {
  if (typeof value !== "number") return null;
  return Math.abs(value) < 1000 ? `${Math.abs(value)} ms` : formatDuration(Math.abs(value) * 1000);
}

/** How far the device's own clock was off, in words. */
function skew(value: unknown): string | null {
  if (typeof value !== "number") return null;
  return value === 0 ? "right to a millisecond" : `${milliseconds(value)} ${value > 0 ? "fast" : "slow"}`;
}

/** The session it belongs to, and the way there. */
function OfSession({ pseudonym }: { pseudonym: string }) {
  return (
    <>
      <h4>Session</h4>
      <p className="note">
        <button type="button" className="plain link" onClick={() => changeView({ page: "sessions", session: pseudonym, trace: null, span: null })}>
          <span>What session <code>{pseudonym.slice(0, 8)}</code> saw</span>
        </button>
      </p>
    </>
  );
}

interface SpanDetailsProps {
  span: Span;
  moments: readonly Moment[];
  trace: Trace;
  view: View;
  jump: (spanId: string) => void;
}

export function SpanDetails({ span, moments, trace, view, jump }: SpanDetailsProps) {
  const bytes = (column: string): string | null => (typeof span[column] === "number" ? formatBytes(span[column]) : null);
  const rest = Object.entries(span).filter(([column]) => !ELSEWHERE.has(column));
  const backend = span.origin === "backend";
  return (
    <aside className="details" aria-label={`Span ${titleOf(span)}`}>
      <h3>
        {titleOf(span)} {span.status === "error" && <span className="badge badge-bad">error</span>}
      </h3>
      <p className="note">
        {[...new Set([span.origin, backend && serviceOf(span), span.kind, formatDuration(span.duration_us)])].filter(Boolean).join(" · ")}
        {typeof span.route === "string" && span.route && (
          <>
            <br />
            <RouteName route={span.route} />
          </>
        )}
      </p>
      <SpanMoments moments={moments} jump={jump} />
      {isRequest(span) && !backend && <Went span={span} jump={jump} />}
      <h4>When</h4>
      <p className="note">
        {contradictory(span, trace.clocks) && <span className="badge badge-warn">contradictory</span>} At {formatDuration(span.line.start_us)}; {placed(span, trace.clocks)}.
      </p>
      <Pairs
        title="Clock"
        pairs={[
          ["start", new Date(span.start_at).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })],
          ["known", gradeOf(span)],
          ["device’s clock", backend ? null : skew(span["clock_skew_ms"])],
          ["clock steps", span["clock_steps"] || null],
          ["arrived after", milliseconds(span["upload_delay_ms"])],
        ]}
      />
      {typeof span["session"] === "string" && <OfSession pseudonym={span["session"]} />}
      <Pairs title="Request" columns pairs={[...rest, ["request_size", bytes("request_bytes")], ["response_size", bytes("response_bytes")]]} />
      <Pairs title="Attributes" pairs={Object.entries(span.attributes)} />
      <Pairs title="Events" pairs={span.events.map((event) => [event.name, `+${formatDuration(event.offset_us)}`])} />
      <SpanLinks span={span} trace={trace} view={view} jump={jump} />
      <Pairs title={backend ? "Service" : "App and device"} pairs={Object.entries(span.resource)} />
      <Pairs
        title="Sampling"
        pairs={[
          ["stratum", span["stratum"]],
          ["kept", sampled(span)],
          ["weight", typeof span.weight === "number" ? Number(span.weight.toPrecision(3)) : null],
          ["chance to be kept", typeof span.inclusion_probability === "number" ? formatShare(span.inclusion_probability, 1) : null],
          ["policy version", span["policy_version"]],
          ["id", span["shared_id"] ? "claimed by several spans" : null],
        ]}
      />
    </aside>
  );
}

/** Figures of siblings folded into one row. */
export function GroupDetails({ group }: { group: Group }) {
  return (
    <aside className="details" aria-label={`${group.spans} times ${titleOf(group)}`}>
      <h3>×{group.spans} {titleOf(group)}</h3>
      <p className="note">Siblings alike: the same parent, name and route.</p>
      <Pairs title="Together" pairs={groupFigures(group)} />
    </aside>
  );
}
