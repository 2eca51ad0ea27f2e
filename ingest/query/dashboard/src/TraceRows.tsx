/** The rows of a trace's waterfall: spans with their phases, folded siblings, what is still to be fetched; and the axis. */

import type { CSSProperties, ReactNode } from "react";
import type { Group, Span, Trace } from "./api.ts";
import { asMoment, countMoments, isMoment } from "./moments.ts";
import { MomentMarks } from "./SpanMoments.tsx";
import { boundless, contradictory, spoken, sureness } from "./traceWords.ts";
import { formatCount, formatDuration, formatTick } from "./units.ts";
import type { Bar, Fold, Row, Stretch } from "./waterfall.ts";
import { layPhases, marks, serviceOf, titleOf } from "./waterfall.ts";
import { METRIC_NAMES } from "./words.ts";

/** A stretch of the line of time, cut to the lane. */
function stretch(fromUs: number, us: number, lengthUs: number): CSSProperties {
  const from = Math.min(Math.max(fromUs, 0), lengthUs);
  const to = Math.min(Math.max(fromUs + us, from), lengthUs);
  return { insetInlineStart: `${(from / lengthUs) * 100}%`, width: `${((to - from) / lengthUs) * 100}%` };
}

function Phases({ span }: { span: Span }) {
  const part = (offset: number, us: number): CSSProperties => stretch(offset, us, span.duration_us);
  const split = span.first_byte?.state === "measured" ? span.first_byte : null;
  return layPhases(span).map(({ phase, offset, us }) => {
    const server = phase === "ttfb" && split ? Math.min(split.server_us ?? 0, us) : 0;
    const name = `${METRIC_NAMES[phase]} ${formatDuration(us)}`;
    const title = server > 0 ? `${name}: network ${formatDuration(split?.network_us)}, server ${formatDuration(split?.server_us)}` : name;
    return [
      <i key={phase} title={title} style={{ ...part(offset, us), background: `var(--${phase})` }} />,
      // Only lengths are known: the network's part is drawn as if there and back took equally long.
      server > 0 && <i key="server" className="of-server" title={title} style={part(offset + (us - server) / 2, server)} />,
    ];
  });
}

/** How far the start may be off: an error bar, or a dashed line when nothing bounds it. */
function Whisker({ span, lengthUs, trace }: { span: Span; lengthUs: number; trace: Trace }) {
  const { start_us: start, err_us: err } = span.line;
  if (boundless(span, trace)) return <span className="whisker boundless" style={stretch(0, lengthUs, lengthUs)} title={sureness(err)} />;
  return err ? <span className="whisker" style={stretch(start - err, 2 * err, lengthUs)} title={sureness(err)} /> : null;
}

/** The room before a row's name: one mark per level, those beyond a dozen not drawn. */
const indent = (depth: number): CSSProperties => ({ paddingInlineStart: `${Math.min(depth, 12) * 14}px` });

const Twist = ({ opened }: { opened: boolean | null }) => <span className="twist">{opened === null ? "" : opened ? "▾" : "▸"}</span>;

interface ShownProps {
  id: string;
  row: Row;
  top: number;
  lengthUs: number;
  trace: Trace;
  chosen: boolean;
  choose: () => void;
  toggle: () => void;
}

function errorsIn({ errors }: Group): string {
  return errors === 1 ? "1 error" : `${formatCount(errors)} errors`;
}

function SpanName({ bar: { span, parentless }, trace }: { bar: Bar; trace: Trace }) {
  const service = serviceOf(span);
  return (
    <>
      {span.status === "error" && <span className="bad">✕ </span>}
      {titleOf(span)}
      {span.origin === "backend" && <span className="service">{service ?? "backend"}</span>}
      {contradictory(span, trace.clocks) && <span className="badge badge-warn" title="What is known of its clock contradicts itself">clock?</span>}
      {parentless && <span className="aside" title={parentless === "absent" ? "Its parent is not in the sample" : "Its parent is not shown here"}> ⤷</span>}
    </>
  );
}

function SpanLane({ bar: { span, moments }, lengthUs, trace }: { bar: Bar; lengthUs: number; trace: Trace }) {
  const alone = isMoment(span) && asMoment(span);
  if (alone) {
    return (
      <>
        <Whisker span={span} lengthUs={lengthUs} trace={trace} />
        <MomentMarks moments={[alone]} lengthUs={lengthUs} alone />
      </>
    );
  }
  const looks = ["span-bar", span.status === "error" && "failed", span.origin === "backend" && "of-backend"].filter(Boolean).join(" ");
  return (
    <>
      <span className={looks} style={stretch(span.line.start_us, span.duration_us, lengthUs)}>
        <Phases span={span} />
      </span>
      <Whisker span={span} lengthUs={lengthUs} trace={trace} />
      <MomentMarks moments={moments} lengthUs={lengthUs} />
    </>
  );
}

function FoldName({ fold: { group } }: { fold: Fold }) {
  return (
    <>
      <strong>×{formatCount(group.spans)}</strong> {titleOf(group)}
      {group.errors > 0 && <span className="badge badge-bad">{errorsIn(group)}</span>}
    </>
  );
}

/** Pieces of the critical path under a bar. */
function Pieces({ pieces, lengthUs }: { pieces: readonly Stretch[]; lengthUs: number }) {
  return pieces.map((piece, index) => <span key={index} className="piece on-path" style={stretch(piece.start_us, piece.duration_us, lengthUs)} />);
}

/** What a row says to those who do not see it. */
function said(row: Row, trace: Trace): string {
  if (row.kind === "rest") return left(row.left);
  if (row.kind === "span") {
    const onPath = row.pieces.reduce((sum, piece) => sum + piece.duration_us, 0);
    return [spoken(row.span, onPath, trace.clocks), countMoments(row.moments)].filter(Boolean).join(", ");
  }
  const { group } = row;
  const figures = `together ${formatDuration(group.total_us)}, p95 ${formatDuration(group.p95_us)}, ${formatDuration(group.min_us)} to ${formatDuration(group.max_us)}`;
  return `${formatCount(group.spans)} times ${titleOf(group)}, ${figures}${group.errors > 0 ? `, ${errorsIn(group)}` : ""}`;
}

function left(spans: number | null): string {
  return spans === null ? "more spans" : `${formatCount(spans)} more ${spans === 1 ? "span" : "spans"}`;
}

export function RowOf({ id, row, top, lengthUs, trace, chosen, choose, toggle }: ShownProps) {
  const opened = row.kind === "rest" ? null : row.opened;
  const common = {
    id,
    role: "treeitem",
    "aria-level": row.depth + 1,
    "aria-selected": chosen,
    "aria-label": said(row, trace),
    className: ["span-row", row.kind, chosen && "chosen"].filter(Boolean).join(" "),
    style: { top },
    title: row.kind === "group" ? said(row, trace) : undefined,
    ...(opened === null ? {} : { "aria-expanded": opened }),
    ...(row.siblings > 0 ? { "aria-posinset": row.place, "aria-setsize": row.siblings } : {}),
    onClick: () => {
      choose();
      if (row.kind !== "span") toggle();
    },
  };
  const name = (content: ReactNode) => (
    <span className="span-name" style={indent(row.depth)}>
      {content}
    </span>
  );
  if (row.kind === "rest") return <div {...common}>{name(<><Twist opened={false} />{left(row.left)}</>)}</div>;
  if (row.kind === "group") {
    const { group } = row;
    return (
      <div {...common}>
        {name(<><Twist opened={opened} /><FoldName fold={row} /></>)}
        <span className="lane">
          <span className="span-bar folded" style={stretch(group.start_us, group.end_us - group.start_us, lengthUs)} />
          <Pieces pieces={row.pieces} lengthUs={lengthUs} />
        </span>
        <span className="number two">{formatDuration(group.total_us)}<small>p95 {formatDuration(group.p95_us)}</small></span>
      </div>
    );
  }
  return (
    <div {...common}>
      {name(
        <>
          <span onClick={(event) => { event.stopPropagation(); choose(); toggle(); }}><Twist opened={opened} /></span>
          <SpanName bar={row} trace={trace} />
        </>,
      )}
      <span className="lane">
        <SpanLane bar={row} lengthUs={lengthUs} trace={trace} />
        <Pieces pieces={row.pieces} lengthUs={lengthUs} />
      </span>
      <span className="number">{isMoment(row.span) ? "" : formatDuration(row.span.duration_us)}</span>
    </div>
  );
}

export function Axis({ lengthUs }: { lengthUs: number }) {
  return (
    <div className="span-row ruler" aria-hidden="true">
      <span />
      <span className="lane">
        {marks(lengthUs, 5).map((us) => (
          <span key={us} style={{ insetInlineStart: `${(us / lengthUs) * 100}%` }}>{us === 0 ? "0" : formatTick(us)}</span>
        ))}
      </span>
      <span />
    </div>
  );
}
