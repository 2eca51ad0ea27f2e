/** Exceptions, log records and vitals of a span: as marks on its lane, and in its details. */

import type { Moment } from "./moments.ts";
import { kindName, MOMENT_KINDS, momentText } from "./moments.ts";
import { formatDuration } from "./units.ts";

interface MomentMarksProps {
  moments: readonly Moment[];
  lengthUs: number;
  /** They stand in the place of a bar. */
  alone?: boolean;
}

export function MomentMarks({ moments, lengthUs, alone = false }: MomentMarksProps) {
  return moments.map((moment, index) => (
    <i
      key={index}
      className={`moment-mark ${moment.kind} ${alone ? "alone" : ""}`}
      title={momentText(moment)}
      style={{ insetInlineStart: `${(Math.min(Math.max(moment.at_us, 0), lengthUs) / lengthUs) * 100}%` }}
    />
  ));
}

/** Of one span at most so many: a loop that logs is read in its own rows. */
const MOST = 50;

/** What happened during the span, each a way to its own row. */
export function SpanMoments({ moments, jump }: { moments: readonly Moment[]; jump: (spanId: string) => void }) {
  const shown = moments.filter(({ span_id: id }) => id !== null);
  return MOMENT_KINDS.map((kind) => {
    const alike = shown.filter((moment) => moment.kind === kind);
    if (alike.length === 0) return null;
    const name = kindName(kind);
    return (
      <section key={kind} aria-label={name}>
        <h4>{name.charAt(0).toUpperCase() + name.slice(1)}</h4>
        <ul className="links">
          {alike.slice(0, MOST).map((moment, index) => (
            <li key={`${moment.span_id} ${index}`}>
              <i className={`moment-mark ${kind}`} aria-hidden="true" />
              <button type="button" className="plain link" onClick={() => moment.span_id && jump(moment.span_id)}>{moment.name}</button>
              <span className="aside">at {formatDuration(Math.max(0, moment.at_us))}</span>
              {moment.text && <span className="moment-text">{moment.text}</span>}
            </li>
          ))}
        </ul>
        {alike.length > MOST && <p className="note">The first {MOST} of {alike.length}.</p>}
      </section>
    );
  });
}
