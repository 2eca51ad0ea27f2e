/** What is compared: two sides, each with what it has for itself. */

import { Button, Select } from "@mantine/core";
import type { Sides } from "./compare.ts";
import { SHIFT_NAMES, sideView } from "./compare.ts";
import { ValuePicker } from "./ValuePicker.tsx";
import type { Dimension, Shift, Side, SideName, View } from "./view.ts";
import { changeView, DIMENSIONS, formatView, SHIFTS, SIDES, signalParameters } from "./view.ts";

/** The way from a side to its figures, and from there to single traces. */
function Alone({ view, side, name }: { view: View; side: Side; name: string }) {
  const to = sideView(view, side);
  if (!to) return null;
  return (
    <a
      className="alone-link"
      href={formatView({ ...view, ...to }) || "/"}
      aria-label={`Figures and traces of ${name}`}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        changeView(to);
      }}
    >
      Figures and traces
    </a>
  );
}

interface SidePickersProps {
  view: View;
  sides: Sides;
  names: Record<SideName, string>;
  turn: number;
}

export function SidePickers({ view, sides, names, turn }: SidePickersProps) {
  const set = (side: SideName, change: Partial<Side>): void => changeView({ sides: { ...sides, [side]: { ...sides[side], ...change } } });
  const choose = (side: SideName, dimension: Dimension, values: string[]): void =>
    set(side, { filters: { ...sides[side].filters, [dimension]: values } });
  return (
    <section className="sides" aria-label="What is compared">
      {SIDES.map((side) => (
        <fieldset key={side} className={`panel side side-${side}`}>
          <legend className="visually-hidden">Side {side.toUpperCase()}</legend>
          <div className="side-name">
            <i className={`side-line side-${side}`} />
            <span className="aside">{side === "a" ? "From" : "To"}</span>
            <strong>{names[side]}</strong>
            <Alone view={view} side={sides[side]} name={names[side]} />
          </div>
          <div className="row">
            {DIMENSIONS.map((dimension) => (
              <ValuePicker
                key={dimension}
                dimension={dimension}
                chosen={sides[side].filters[dimension]}
                query={signalParameters(view)}
                turn={turn}
                choose={(values) => choose(side, dimension, values)}
                size="xs"
                owner={side === "a" ? "From" : "To"}
              />
            ))}
            <Select
              className="shift"
              size="xs"
              aria-label={`${side === "a" ? "From" : "To"}: time range`}
              data={SHIFTS.map((shift) => ({ value: shift, label: SHIFT_NAMES[shift] }))}
              value={sides[side].shift}
              allowDeselect={false}
              onChange={(shift) => set(side, { shift: (shift ?? "none") as Shift })}
            />
          </div>
        </fieldset>
      ))}
      <Button className="swap" variant="default" size="xs" aria-label="Swap the sides" title="Swap the sides" onClick={() => changeView({ sides: { a: sides.b, b: sides.a } })}>
        ⇄
      </Button>
    </section>
  );
}
