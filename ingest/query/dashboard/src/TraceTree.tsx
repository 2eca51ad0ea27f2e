/** The waterfall: a tree of rows on one line of time. Only the rows in sight are in the page, however many there are. */

import type { KeyboardEvent } from "react";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import type { Trace } from "./api.ts";
import { Axis, RowOf } from "./TraceRows.tsx";
import type { Row } from "./waterfall.ts";
import { rowAbove } from "./waterfall.ts";

/** As `.span-row` in page.css. */
const ROW = 34;
const RULER = 22;
/** Rows beyond the edges, so that a scroll shows no holes. */
const SPARE = 8;

interface TraceTreeProps {
  rows: readonly Row[];
  lengthUs: number;
  trace: Trace;
  chosen: string | undefined;
  /** Changes when the chosen row is to be brought into sight even if it was chosen before. */
  turn: number;
  choose: (key: string) => void;
  /** Opens or closes a row, or fetches what it stands for. */
  toggle: (row: Row, open?: boolean) => void;
}

/** Where a key leads to from a row. */
function step(key: string, rows: readonly Row[], at: number, page: number): number | null {
  const last = rows.length - 1;
  const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: last, PageDown: at + page, PageUp: at - page };
  const to = steps[key];
  return to === undefined ? null : Math.min(Math.max(to, 0), last);
}

export function TraceTree({ rows, lengthUs, trace, chosen, turn, choose, toggle }: TraceTreeProps) {
  const box = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState({ top: 0, height: 900 });
  const id = useId();
  const at = Math.max(0, rows.findIndex((row) => row.key === chosen));
  const idOf = (index: number): string => `${id}${index}`;

  const look = (): void => {
    const home = box.current;
    if (home) setSight({ top: home.scrollTop, height: home.clientHeight });
  };
  useEffect(() => {
    const follow = new ResizeObserver(look);
    if (box.current) follow.observe(box.current);
    box.current?.focus({ preventScroll: true });
    return () => follow.disconnect();
  }, []);
  useLayoutEffect(() => {
    const home = box.current;
    if (!home) return;
    const top = at * ROW;
    const bottom = top + ROW + RULER - home.clientHeight;
    if (home.scrollTop > top) home.scrollTop = top;
    else if (home.scrollTop < bottom) home.scrollTop = bottom + (turn > 0 ? home.clientHeight / 3 : 0);
    if (turn > 0) {
      home.focus({ preventScroll: true });
      home.scrollIntoView({ block: "nearest" });
    }
    look();
    // Rows that come or go elsewhere are no reason to scroll.
  }, [chosen, turn]);

  const go = (index: number | null): void => {
    const row = index === null ? undefined : rows[index];
    if (row) choose(row.key);
  };
  const press = (event: KeyboardEvent): void => {
    const row = rows[at];
    if (!row || event.altKey || event.ctrlKey || event.metaKey) return;
    const opened = row.kind === "rest" ? null : row.opened;
    const to = step(event.key, rows, at, Math.max(1, Math.floor(sight.height / ROW) - 2));
    if (to !== null) go(to);
    else if (event.key === "ArrowRight") {
      if (opened === false) toggle(row, true);
      else if (opened) go(at + 1);
    } else if (event.key === "ArrowLeft") {
      if (opened) toggle(row, false);
      else go(rowAbove(rows, at));
    } else if (event.key === "Enter" || event.key === " ") toggle(row);
    else return;
    event.preventDefault();
  };

  const first = Math.max(0, Math.floor(sight.top / ROW) - SPARE);
  const last = Math.min(rows.length, Math.ceil((sight.top + sight.height) / ROW) + SPARE);
  const shown = rows.slice(first, last).map((row, index) => ({ row, index: first + index }));
  // The chosen row stays: it is what the keyboard is on.
  const chosenRow = rows[at];
  if (chosenRow && (at < first || at >= last)) shown[at < first ? "unshift" : "push"]({ row: chosenRow, index: at });
  return (
    <div
      ref={box}
      className="tree"
      role="tree"
      aria-label="Waterfall of the trace’s spans"
      aria-activedescendant={rows.length > 0 ? idOf(at) : undefined}
      tabIndex={0}
      onScroll={look}
      onKeyDown={press}
    >
      <Axis lengthUs={lengthUs} />
      <div role="presentation" className="rows" style={{ height: rows.length * ROW }}>
        {shown.map(({ row, index }) => (
          <RowOf
            key={row.key}
            id={idOf(index)}
            row={row}
            top={index * ROW}
            lengthUs={lengthUs}
            trace={trace}
            chosen={index === at}
            choose={() => choose(row.key)}
            toggle={() => toggle(row)}
          />
        ))}
      </div>
    </div>
  );
}
