/** Recent traces of the sample, and a field to open one by its id. */

import { SegmentedControl, TextInput } from "@mantine/core";
import type { FormEvent } from "react";
import { useState } from "react";
import type { Latency, TraceRow, Traces } from "./api.ts";
import { useAnswer } from "./api.ts";
import { Panel } from "./Panel.tsx";
import { formatCount, formatDuration, formatTime, quantileName } from "./units.ts";
import type { TraceKind, View } from "./view.ts";
import { changeView, filterParameters, QUANTILES } from "./view.ts";
import { valueName } from "./words.ts";

const LIMIT = 50;

function OpenById() {
  const [text, setText] = useState("");
  const id = text.trim().toLowerCase();
  const wrong = id !== "" && !/^[0-9a-f]{32}$/.test(id);
  const open = (event: FormEvent): void => {
    event.preventDefault();
    if (id && !wrong) changeView({ trace: id });
  };
  return (
    <form onSubmit={open} className="by-id">
      <TextInput
        size="xs"
        aria-label="Open a trace by its id"
        placeholder="Trace id, then Enter"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={wrong && "A trace id has 32 hexadecimal digits."}
        spellCheck={false}
      />
    </form>
  );
}

function Row({ row, longest }: { row: TraceRow; longest: number }) {
  return (
    <tr>
      <td className="time">{formatTime(new Date(row.start_at))}</td>
      <th scope="row">
        <button type="button" className="plain" onClick={() => changeView({ trace: row.trace_id })} aria-label={`Open trace of ${row.name}`}>
          {row.name}
        </button>
        {row.oversized && <span className="badge badge-warn" title="It had no room for some of its spans">too large</span>}
        {row.errors > 0 && <span className="badge badge-bad">{row.errors === 1 ? "error" : `${row.errors} errors`}</span>}
      </th>
      <td className="bar-cell">
        <div className="bar">
          <span style={{ width: `${(row.duration_us / longest) * 100}%` }} />
        </div>
      </td>
      <td className="number strong">{formatDuration(row.duration_us)}</td>
      <td className="number wide">
        {row.backend_spans > 0 && <span className="aside" title="Of backends">+{formatCount(row.backend_spans)} </span>}
        {formatCount(row.spans)}
      </td>
      <td className="wide">{row.version ?? "–"}</td>
      <td className="wide">{row.country ? valueName("country", row.country) : "–"}</td>
      <td className="wide">{row.device_class}</td>
    </tr>
  );
}

interface TracePanelProps {
  view: View;
  latency: Latency | undefined;
  turn: number;
  retry: () => void;
}

export function TracePanel({ view, latency, turn, retry }: TracePanelProps) {
  // The limit is rounded, so that a live page does not ask a new question every time a percentile moves a little.
  const total = view.metric === "duration" ? latency?.groups[0]?.total : undefined;
  const slow = total?.quantiles[QUANTILES.findIndex((each) => each === view.quantile)];
  const slowMs = slow ? Number((slow / 1000).toPrecision(2)) : null;
  const query = filterParameters(view);
  query.set("limit", String(LIMIT));
  if (view.traces === "slow" && slowMs !== null) query.set("min_ms", String(Math.round(slowMs)));
  if (view.traces === "errors") query.set("errors", "true");
  const answer = useAnswer<Traces>(`/api/v1/traces?${query}`, turn);
  return (
    <Panel
      title="Recent traces"
      note="From the sample: every error and every slow request, and a fair share of the rest."
      answer={answer}
      retry={retry}
      height={280}
      className="traces"
      actions={
        <>
          <SegmentedControl
            size="xs"
            aria-label="Which traces"
            value={view.traces}
            onChange={(traces) => changeView({ traces: traces as TraceKind })}
            data={[
              { value: "all", label: "All" },
              { value: "slow", label: `Slower than ${quantileName(view.quantile)}` },
              { value: "errors", label: "Errors" },
            ]}
          />
          <OpenById />
        </>
      }
    >
      {({ traces, suppressed }) => {
        const longest = Math.max(1, ...traces.map((row) => row.duration_us));
        if (traces.length === 0 && suppressed && suppressed.groups > 0) {
          return <p className="state">No sampled trace like this in this time range, or only of fewer than {suppressed.least_sessions} sessions.</p>;
        }
        if (traces.length === 0) return <p className="state">No sampled trace like this in this time range.</p>;
        return (
          <div className="scroll" tabIndex={0} role="group" aria-label="Traces">
            <table className="figures">
              <thead>
                <tr>
                  <th scope="col">Started</th>
                  <th scope="col">Name</th>
                  <th scope="col" className="number" colSpan={2}>Duration</th>
                  <th scope="col" className="number wide">Spans</th>
                  <th scope="col" className="wide">Version</th>
                  <th scope="col" className="wide">Country</th>
                  <th scope="col" className="wide">Device</th>
                </tr>
              </thead>
              <tbody>
                {traces.map((row) => (
                  <Row key={row.trace_id} row={row} longest={longest} />
                ))}
              </tbody>
            </table>
          </div>
        );
      }}
    </Panel>
  );
}
