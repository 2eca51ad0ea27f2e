/** What a rule would have done over stored history: how often, when, for whom, against which bound. */

import { SegmentedControl, Skeleton } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Rehearsal, Rule } from "./alerts.ts";
import { formatValue, groupText, isWhole } from "./alerts.ts";
import { ApiError } from "./api.ts";
import { linesOf, startOf, undecidedIn } from "./rehearsal.ts";
import type { Line } from "./rehearsal.ts";
import { send } from "./send.ts";
import { formatDuration, formatTime } from "./units.ts";

const RANGES = ["6h", "24h", "7d"] as const;
const SHOWN_FIRINGS = 20;
/** After the last keystroke. */
const PATIENCE_MS = 500;
const WIDTH = 600;
const HEIGHT = 120;

/** The dry run of a rule, asked for again when it rests changed. */
function useRehearsal(app: string, rule: Rule, range: string): { found: Rehearsal | undefined; refused: string; waiting: boolean } {
  const [found, setFound] = useState<Rehearsal>();
  const [refused, setRefused] = useState("");
  const [waiting, setWaiting] = useState(true);
  const asked = JSON.stringify({ rule: { ...rule, name: rule.name.trim() || "draft", receivers: [] }, from: `-${range}` });
  const whole = isWhole(rule);
  useEffect(() => {
    if (!whole) return undefined;
    const abort = new AbortController();
    setWaiting(true);
    const timer = setTimeout(() => {
      send<Rehearsal>("POST", `/api/v1/alerts/dry-run?app=${encodeURIComponent(app)}`, JSON.parse(asked), abort.signal).then(
        (answer) => {
          setFound(answer);
          setRefused("");
          setWaiting(false);
        },
        (error: unknown) => {
          if (abort.signal.aborted) return;
          setRefused(error instanceof ApiError ? error.message : "It did not work.");
          setWaiting(false);
        },
      );
    }, PATIENCE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [app, asked, whole]);
  return { found, refused, waiting };
}

function Timeline({ line, rule, unit, bound }: { line: Line; rule: Rule; unit: Rehearsal["unit"]; bound: number | null }) {
  const group = groupText(line.group) || "All";
  const y = (share: number): number => HEIGHT - share * HEIGHT;
  const fired = line.bands.length;
  return (
    <figure className="rehearsed">
      <figcaption>
        <strong>{group}</strong>
        <span className="aside">
          {fired === 0 ? "would not have fired" : `would have fired ${fired === 1 ? "once" : `${fired} times`}`}
        </span>
      </figcaption>
      <div className="line">
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`${group}: values over time, ${fired} firings`}>
          {line.bands.map(({ from, to }) => (
            <rect key={from} className="band" x={from * WIDTH} width={Math.max((to - from) * WIDTH, 2)} y={0} height={HEIGHT} />
          ))}
          {line.paths.map((points) => (
            <polyline key={points[0]?.[0]} points={points.map(([x, share]) => `${x * WIDTH},${y(share)}`).join(" ")} />
          ))}
          {line.dots.map(([x, share]) => (
            <line key={x} className="dot" x1={x * WIDTH} x2={x * WIDTH} y1={y(share)} y2={y(share)} />
          ))}
          {line.bound !== null && <line className="bound" x1={0} x2={WIDTH} y1={y(line.bound)} y2={y(line.bound)} />}
        </svg>
        {(line.bound ?? 0) < 0.8 && <span className="most aside">{formatValue(unit, rule.signal, line.most)}</span>}
        {line.bound !== null && (
          <span className="at-bound aside" style={{ top: `${(1 - line.bound) * 100}%` }}>
            {formatValue(unit, rule.signal, bound)}
          </span>
        )}
      </div>
    </figure>
  );
}

function Said({ found, range }: { found: Rehearsal; range: string }) {
  const { length } = found.firings;
  const times = length === 0 ? "not have fired" : length === 1 ? "have fired once" : `have fired ${length} times`;
  const undecided = undecidedIn(found);
  const groups = new Set(found.firings.map(({ group }) => groupText(group))).size;
  return (
    <p className="said">
      It would <strong>{times}</strong> in the last {range}
      {groups > 1 && `, in ${groups} groups`}.
      {undecided > 0 && <span className="aside">{undecided} windows tell nothing: too few spans, sessions or other days.</span>}
    </p>
  );
}

export function AlertPreview({ app, rule }: { app: string; rule: Rule }) {
  const [range, setRange] = useState<(typeof RANGES)[number]>("24h");
  const { found, refused, waiting } = useRehearsal(app, rule, range);
  return (
    <section className="panel alert-preview" aria-label="What it would have done" aria-busy={waiting}>
      <header>
        <h2>What it would have done</h2>
        <div className="spring" />
        <SegmentedControl aria-label="Try on the last" data={[...RANGES]} value={range} onChange={(to) => setRange(to as typeof range)} size="xs" />
      </header>
      {refused && (
        <p className="late" role="status">
          {refused}
        </p>
      )}
      {!found && !refused && <Skeleton height={200} radius="md" aria-label="Loading: what it would have done" />}
      {found && !refused && (
        <div className={waiting ? "behind" : ""}>
          <Said found={found} range={range} />
          {linesOf(found).map((line) => (
            <Timeline key={groupText(line.group)} line={line} rule={rule} unit={found.unit} bound={found.bound} />
          ))}
          {found.lines.length > 0 && (
            <p className="ends aside">
              <span>{formatTime(new Date(startOf(found)))}</span>
              <span>{formatTime(new Date(found.to))}</span>
            </p>
          )}
          {found.lines.length === 0 && <p className="quiet">No spans match in this time.</p>}
          {found.firings.length > 0 && (
            <div className="scroll" tabIndex={0} role="group" aria-label="Firings">
              <table className="figures">
                <thead>
                  <tr>
                    <th scope="col">From</th>
                    <th scope="col">Group</th>
                    <th scope="col" className="number">
                      Lasted
                    </th>
                    <th scope="col" className="number">
                      Value
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {found.firings.slice(-SHOWN_FIRINGS).reverse().map((each) => (
                    <tr key={each.started_at + groupText(each.group)}>
                      <th scope="row">{formatTime(new Date(each.started_at))}</th>
                      <td>{groupText(each.group) || "All"}</td>
                      <td className="number">
                        {each.ended_at ? formatDuration((Date.parse(each.ended_at) - Date.parse(each.started_at)) * 1000) : "still"}
                      </td>
                      <td className="number">{formatValue(found.unit, rule.signal, each.value)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )}
        </div>
      )}
    </section>
  );
}
