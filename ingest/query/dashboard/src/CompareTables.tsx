/** A comparison's figures, as a whole and by phase, with what chance would explain. */

import type { Bounded, ComparedPhase, Comparison, Difference } from "./compareAnswer.ts";
import { formatPoints, signed } from "./compare.ts";
import { formatCount, formatDuration, formatMeasure, formatShare, quantileName } from "./units.ts";
import type { SideName, Signal } from "./view.ts";
import { changeView } from "./view.ts";
import { METRIC_NAMES } from "./words.ts";

type Format = (value: number) => string;

/** The interval of a figure, quietly. */
function interval({ interval: [low, high] }: Bounded, format: Format): string {
  if (low === null && high === null) return "no interval";
  if (high === null) return `≥\u202f${format(low ?? 0)}`;
  return low === null ? `≤\u202f${format(high)}` : `${format(low)} – ${format(high)}`;
}

function Figure({ figure, format }: { figure: Bounded; format: Format }) {
  if (figure.value === null) return <td className="number">–</td>;
  return (
    <td className="number">
      {format(figure.value)}
      <span className="aside between wide">{interval(figure, format)}</span>
    </td>
  );
}

/** A difference: coloured when it is more than chance, and said to be chance when it may be. */
function DifferenceCell({ difference, format, judged = true }: { difference: Difference; format: Format; judged?: boolean }) {
  const { value, significant } = difference;
  if (value === null) return <td className="number">–</td>;
  const looks = significant ? (value > 0 ? "worse" : "better") : "may-be-chance";
  const with_sign = (each: number): string => signed(each, format);
  return (
    <td className={`number ${judged ? looks : ""}`}>
      <span className="strong">{with_sign(value)}</span>
      {judged && (
        <span className="aside between">
          {significant ? interval(difference, with_sign) : "may be chance"}
        </span>
      )}
    </td>
  );
}

interface TableProps {
  answer: Comparison;
  names: Record<SideName, string>;
  signal: Signal;
}

function Heads({ names }: { names: Record<SideName, string> }) {
  return (
    <>
      <th scope="col" className="number"><i className="side-line side-a" /> {names.a}</th>
      <th scope="col" className="number"><i className="side-line side-b" /> {names.b}</th>
      <th scope="col" className="number">Difference</th>
    </>
  );
}

export function Whole({ answer, names, signal }: TableProps) {
  const { a, b, difference, quantiles, at } = answer;
  const format = formatMeasure(signal);
  const share: Format = (value) => formatShare(value, 1);
  const apart = (one: number | null | undefined, two: number | null | undefined): string =>
    one === null || one === undefined || two === null || two === undefined ? "–" : signed(two - one, format);
  return (
    <table className="figures whole">
      <thead>
        <tr>
          <th scope="col"><span className="visually-hidden">Figure</span></th>
          <Heads names={names} />
        </tr>
      </thead>
      <tbody>
        {quantiles.map((q, index) => {
          const [one, two] = [a.quantiles[index], b.quantiles[index]];
          return (
            <tr key={q} className={q === at ? "chosen" : ""}>
              <th scope="row">
                <button type="button" className="plain" aria-pressed={q === at} title={`Compare at ${quantileName(q)}`} onClick={() => changeView({ quantile: q })}>
                  {quantileName(q)}
                </button>
              </th>
              {one && <Figure figure={one} format={format} />}
              {two && <Figure figure={two} format={format} />}
              {q === at ? <DifferenceCell difference={difference.us} format={format} /> : <td className="number soft">{apart(one?.value, two?.value)}</td>}
            </tr>
          );
        })}
        <tr>
          <th scope="row">Mean</th>
          <Figure figure={a.mean_us} format={format} />
          <Figure figure={b.mean_us} format={format} />
          <DifferenceCell difference={difference.mean_us} format={format} />
        </tr>
        <tr>
          <th scope="row">Failed</th>
          <Figure figure={a.error_rate} format={share} />
          <Figure figure={b.error_rate} format={share} />
          <DifferenceCell difference={difference.error_rate} format={formatPoints} />
        </tr>
        <tr>
          <th scope="row">Spans</th>
          {[a, b].map((side, index) => (
            <td key={index} className="number">
              {side.basis === "exact" ? "" : "≈\u202f"}{formatCount(side.spans)}
              <span className="aside between" title="Spans of one session are not independent: no more of them count than there are sessions">
                worth {formatCount(side.effective_spans)}
              </span>
            </td>
          ))}
          <td />
        </tr>
      </tbody>
    </table>
  );
}

/** A phase's part in the difference of the mean, to the right where it grew, to the left where it shrank. */
function Part({ us, most, colour, significant }: { us: number; most: number; colour: string; significant: boolean }) {
  const width = `${most > 0 ? (Math.abs(us) / most) * 50 : 0}%`;
  return (
    <div className="part" aria-hidden="true">
      <span className={significant ? "" : "faint"} style={{ width, background: colour, ...(us < 0 ? { right: "50%" } : { left: "50%" }) }} />
    </div>
  );
}

function Shares({ phase, state }: { phase: ComparedPhase; state: "reused" | "unknown" }) {
  const [one, two] = [phase.a, phase.b].map((side) => formatShare(side[state], side.measured + side.reused + side.unknown));
  const { significant } = phase[`${state}_share`];
  return (
    <td className={`number wide ${significant ? "strong" : "soft"}`} title={significant ? "More than chance" : "May be chance"}>
      {one === two ? one : `${one} → ${two}`}
    </td>
  );
}

export function ByPhase({ answer }: { answer: Comparison }) {
  const { phases, rest, difference, at } = answer;
  const most = Math.max(0, ...phases.map(({ mean_us: { value } }) => Math.abs(value ?? 0)), Math.abs(rest.us ?? 0));
  const q = quantileName(at);
  return (
    <table className="figures by-phase">
      <thead>
        <tr>
          <th scope="col">Phase</th>
          <th scope="col" className="part-cell"><span className="visually-hidden">Part in the difference</span></th>
          <th scope="col" className="number">Mean, difference</th>
          <th scope="col" className="number wide">{q} when it happened</th>
          <th scope="col" className="number">{q}, difference</th>
          <th scope="col" className="number wide">Reused</th>
          <th scope="col" className="number wide">Unknown</th>
        </tr>
      </thead>
      <tbody>
        {phases.map((row) => (
          <tr key={row.phase}>
            <th scope="row"><i className="swatch" style={{ background: `var(--${row.phase})` }} />{METRIC_NAMES[row.phase]}</th>
            <td className="part-cell"><Part us={row.mean_us.value ?? 0} most={most} colour={`var(--${row.phase})`} significant={row.mean_us.significant} /></td>
            <DifferenceCell difference={row.mean_us} format={formatDuration} />
            <td className="number wide">{formatDuration(row.a.us.value)} → {formatDuration(row.b.us.value)}</td>
            <DifferenceCell difference={row.us} format={formatDuration} />
            <Shares phase={row} state="reused" />
            <Shares phase={row} state="unknown" />
          </tr>
        ))}
        <tr>
          <th scope="row"><i className="swatch" style={{ background: "var(--rest)" }} />Not in any phase</th>
          <td className="part-cell"><Part us={rest.us ?? 0} most={most} colour="var(--rest)" significant /></td>
          <td className="number strong">{signed(rest.us, formatDuration)}</td>
          <td className="wide" /><td /><td className="wide" /><td className="wide" />
        </tr>
        <tr className="all">
          <th scope="row">Together</th>
          <td className="part-cell" />
          <DifferenceCell difference={difference.mean_us} format={formatDuration} />
          <td className="wide" /><td /><td className="wide" /><td className="wide" />
        </tr>
      </tbody>
    </table>
  );
}
