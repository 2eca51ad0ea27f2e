/** Everything known of one span. */

import type { PhaseState, Span } from "./api.ts";
import { RouteName } from "./RoutePanel.tsx";
import { formatBytes, formatDuration } from "./units.ts";
import type { Phase } from "./view.ts";
import { changeView, PHASES } from "./view.ts";
import { isRequest, titleOf } from "./waterfall.ts";
import { CLOCK_GRADES, METRIC_NAMES } from "./words.ts";

/** Columns that have a place of their own below, or say nothing to a reader. */
const ELSEWHERE = new Set([
  "phases", "attributes", "resource", "events", "links", "name", "kind", "status", "duration_us", "route",
  "request_bytes", "response_bytes", "clock_quality", "clock_err_ms", "weight", "stratum", "app_id", "trace_id",
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

function PhaseLine({ phase, state, us }: { phase: Phase } & PhaseState) {
  return (
    <div className={state === "measured" ? "" : "absent"}>
      <dt>
        <i className="swatch" style={{ background: `var(--${phase})` }} /> {METRIC_NAMES[phase]}
      </dt>
      <dd>{state === "measured" ? formatDuration(us) : state}</dd>
    </div>
  );
}

function Links({ links }: { links: Span["links"] }) {
  if (links.length === 0) return null;
  return (
    <>
      <h4>Links</h4>
      {links.map((link) => (
        <button key={link.trace_id + link.span_id} type="button" className="plain link" onClick={() => changeView({ trace: link.trace_id })}>
          <code>{link.trace_id}</code>
        </button>
      ))}
    </>
  );
}

export function SpanDetails({ span }: { span: Span }) {
  const bytes = (column: string): string | null => (typeof span[column] === "number" ? formatBytes(span[column]) : null);
  const grade = String(span.clock_quality ?? "");
  const error = span.clock_err_ms === null || span.clock_err_ms === undefined ? "" : `, ± ${String(span.clock_err_ms)} ms`;
  const rest = Object.entries(span).filter(([column]) => !ELSEWHERE.has(column));
  return (
    <aside className="details" aria-label={`Span ${titleOf(span)}`}>
      <h3>
        {titleOf(span)} {span.status === "error" && <span className="badge badge-bad">error</span>}
      </h3>
      <p className="note">
        {span.kind} · {formatDuration(span.duration_us)}
        {typeof span.route === "string" && span.route && (
          <>
            <br />
            <RouteName route={span.route} />
          </>
        )}
      </p>
      {isRequest(span) && (
        <>
          <h4>Phases</h4>
          <dl className="pairs phases-of-span">
            {PHASES.map((phase) => (
              <PhaseLine key={phase} phase={phase} {...(span.phases[phase] ?? { state: "unknown" })} />
            ))}
          </dl>
        </>
      )}
      <Pairs title="Request" columns pairs={[...rest, ["request_size", bytes("request_bytes")], ["response_size", bytes("response_bytes")]]} />
      <Pairs title="Attributes" pairs={Object.entries(span.attributes)} />
      <Pairs title="Events" pairs={span.events.map((event) => [event.name, `+${formatDuration(event.offset_us)}`])} />
      <Links links={span.links} />
      <Pairs title="App and device" pairs={Object.entries(span.resource)} />
      <Pairs
        title="How it was taken"
        pairs={[
          ["clock", CLOCK_GRADES[grade] ? `grade ${grade}: ${CLOCK_GRADES[grade]}${error}` : null],
          ["kept", span.stratum],
          ["stands for", typeof span.weight === "number" ? `${Number(span.weight.toPrecision(3))} spans` : null],
        ]}
      />
    </aside>
  );
}
