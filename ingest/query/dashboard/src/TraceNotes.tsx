/** Around a trace's waterfall: what its marks mean, how sure its clocks are, what the end waited for, what failed. */

import type { ReactNode } from "react";
import type { Trace } from "./api.ts";
import { kindName, MOMENT_KINDS } from "./moments.ts";
import { boundless, clockNote, waitedFor } from "./traceWords.ts";
import { formatCount, formatDuration, formatShare } from "./units.ts";
import { PHASES } from "./view.ts";
import type { Bar, Known } from "./waterfall.ts";
import { layPhases, serviceOf, titleOf } from "./waterfall.ts";
import { METRIC_NAMES } from "./words.ts";

/** Rows of “what the end waited for”. */
const MOST_WAITED = 8;
const MOST_CLOCKS = 3;

function Mark({ looks, style, children }: { looks: string; style?: { background: string }; children: ReactNode }) {
  return (
    <span>
      <i className={`swatch ${looks}`} style={style} /> {children}
    </span>
  );
}

/** The marks that are to be seen, in words. */
export function Legend({ bars, trace }: { bars: readonly Bar[]; trace: Trace }) {
  const laid = new Set(bars.flatMap(({ span }) => layPhases(span).map(({ phase }) => phase)));
  const split = bars.some(({ span }) => span.first_byte?.state === "measured");
  return (
    <div className="legend">
      {PHASES.filter((phase) => laid.has(phase)).map((phase) => (
        <Mark key={phase} looks="" style={{ background: `var(--${phase})` }}>{phase === "ttfb" && split ? "TTFB: network" : METRIC_NAMES[phase]}</Mark>
      ))}
      {split && <Mark looks="of-server">TTFB: server</Mark>}
      <Mark looks="" style={{ background: "var(--rest)" }}>not in any phase</Mark>
      {trace.counts.backend > 0 && <Mark looks="of-backend">backend’s span</Mark>}
      {bars.some(({ span }) => span.line.err_us) && <Mark looks="unsure">start ± its clock’s error</Mark>}
      {bars.some(({ span }) => boundless(span, trace)) && <Mark looks="boundless">start unbounded</Mark>}
      {MOMENT_KINDS.filter((kind) => bars.some(({ moments }) => moments.some((moment) => moment.kind === kind))).map((kind) => (
        <span key={kind}><i className={`moment-mark ${kind}`} /> {kindName(kind)}</span>
      ))}
      <Mark looks="on-path">critical path</Mark>
    </div>
  );
}

/** How sure the clocks are, and what of the trace is not here. */
export function Notes({ trace }: { trace: Trace }) {
  const { counts, senders } = trace;
  const clocks = [...trace.clocks].sort((a, b) => Number(b.conflict) - Number(a.conflict));
  const backends = senders.filter((sender) => sender.origin === "backend");
  return (
    <>
      {counts.dropped > 0 && (
        <p className="note late" role="status">
          {formatCount(counts.dropped)} {counts.dropped === 1 ? "span was" : "spans were"} not stored: the trace is over its limit.
        </p>
      )}
      {counts.stored > counts.spans && <p className="note">The earliest {formatCount(counts.spans)} of {formatCount(counts.stored)} spans.</p>}
      {clocks.slice(0, MOST_CLOCKS).map((clock) => (
        <p key={clock.clock} className="note">
          {clock.conflict && <span className="badge badge-warn">contradictory</span>} {clockNote(clock)}.
          {clock.conflict && " What is known of it contradicts itself, so that its spans stand where the client put them."}
        </p>
      ))}
      {clocks.length > MOST_CLOCKS && <p className="note">And {clocks.length - MOST_CLOCKS} clocks more.</p>}
      {backends.length > 0 && (
        <p className="note">
          Backends: {backends.map(({ service, spans }) => `${service ?? "unnamed"} (${formatCount(spans)} ${spans === 1 ? "span" : "spans"})`).join(", ")}; their clocks are not moved.
        </p>
      )}
    </>
  );
}

/** What the end of the trace waited for: the critical path, spans alike together. */
export function WaitedFor({ trace, jump }: { trace: Trace; jump: (spanId: string) => void }) {
  const { list, others_us: others } = waitedFor(trace, MOST_WAITED);
  const whole = trace.critical_path.duration_us;
  if (whole === 0) return null;
  return (
    <section className="waited" aria-labelledby="waited">
      <h3 id="waited">What the end waited for</h3>
      <p className="note">The critical path: time of each span’s own, {formatDuration(whole)} in all.</p>
      <ul>
        {list.map((each) => (
          <li key={each.longest}>
            <button type="button" className="plain" onClick={() => jump(each.longest)}>
              {each.spans > 1 && <strong>×{formatCount(each.spans)} </strong>}
              {titleOf(each)}
              {each.service && <span className="service">{each.service}</span>}
            </button>
            <span className="bar" aria-hidden="true"><span style={{ width: `${(each.us / whole) * 100}%` }} /></span>
            <span className="number">{formatDuration(each.us)}</span>
            <span className="number strong">{formatShare(each.us, whole)}</span>
          </li>
        ))}
        {others > 0 && (
          <li>
            <span className="aside">all others</span>
            <span className="bar" aria-hidden="true"><span style={{ width: `${(others / whole) * 100}%` }} /></span>
            <span className="number">{formatDuration(others)}</span>
            <span className="number strong">{formatShare(others, whole)}</span>
          </li>
        )}
      </ul>
    </section>
  );
}

/** The spans that failed, to jump to. */
export function Failed({ trace, known, jump }: { trace: Trace; known: Known; jump: (spanId: string) => void }) {
  const { errors, counts } = trace;
  if (errors.length === 0) return null;
  const more = counts.errors - errors.length;
  return (
    <section className="failed-spans" aria-labelledby="failed">
      <h3 id="failed">{counts.errors === 1 ? "1 error" : `${formatCount(counts.errors)} errors`}</h3>
      {more > 0 && <p className="note">The first {errors.length}.</p>}
      <ul>
        {errors.map((id, index) => {
          const span = known.spans.find((each) => each.span_id === id);
          const service = span && serviceOf(span);
          return (
            <li key={`${id}${index}`}>
              <button type="button" className="plain" onClick={() => jump(id)}>
                <span className="bad">✕ </span>
                {span ? titleOf(span) : id}
                {service && <span className="service">{service}</span>}
              </button>
              <span className="aside">{span && String(span["error_type"] ?? span["http_status"] ?? "")}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
