/** What nobody knows: the share of requests whose phase is unknown, in all and by system. */

import type { Answer, Phases } from "./api.ts";
import { useAnswer } from "./api.ts";
import { Panel } from "./Panel.tsx";
import { formatCount, formatShare } from "./units.ts";
import type { View } from "./view.ts";
import { commonParameters, PHASES } from "./view.ts";
import { METRIC_NAMES } from "./words.ts";

const MOST_SYSTEMS = 6;

interface Column {
  name: string;
  group: Phases["groups"][number] | undefined;
}

function Cell({ column, phase }: { column: Column; phase: string }) {
  const share = column.group?.phases.find((each) => each.phase === phase);
  const all = share ? share.measured + share.reused + share.unknown : 0;
  if (share === undefined || all === 0) return <td className="number">–</td>;
  const part = share.unknown / all;
  return (
    <td
      className="number tinted"
      style={{ background: `color-mix(in srgb, var(--p95) ${Math.round(part * 70)}%, transparent)` }}
      title={`${formatCount(share.unknown)} of ${formatCount(all)} requests`}
    >
      {formatShare(share.unknown, all)}
    </td>
  );
}

function Table({ data, systems }: { data: Phases; systems: Phases | undefined }) {
  const columns: Column[] = [
    { name: "All", group: data.groups[0] },
    ...(systems?.groups ?? []).slice(0, MOST_SYSTEMS).map((group) => ({ name: group.group.os || "not given", group })),
  ];
  if (data.groups.length === 0 || data.groups[0]?.spans === 0) return <p className="state">No requests in this time range, or too few sessions.</p>;
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Unknown phases by system">
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">Phase</th>
            {columns.map(({ name, group }) => (
              <th key={name} scope="col" className="number" title={`${formatCount(group?.spans)} requests`}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {PHASES.map((phase) => (
            <tr key={phase}>
              <th scope="row">
                <i className="swatch" style={{ background: `var(--${phase})` }} />
                {METRIC_NAMES[phase]}
              </th>
              {columns.map((column) => (
                <Cell key={column.name} column={column} phase={phase} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface UnknownPanelProps {
  /** Phases of all requests. */
  all: Answer<Phases>;
  view: View;
  turn: number;
  retry: () => void;
}

export function UnknownPanel({ all, view, turn, retry }: UnknownPanelProps) {
  const systems = useAnswer<Phases>(`/api/v1/phases?${commonParameters(view)}&group_by=os`, turn);
  return (
    <div id="unknown" className="anchored">
      <Panel
        title="Unknown phases"
        note="The share of requests of which nobody knows the phase: the browser hides it (Timing-Allow-Origin makes it tell), or the client does not measure it. Reused connections are known, and not among them."
        answer={all}
        retry={retry}
        height={330}
        className="unknown"
      >
        {(data) => <Table data={data} systems={systems.data} />}
      </Panel>
    </div>
  );
}
