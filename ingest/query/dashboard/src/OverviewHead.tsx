/** The head of the overview: what figures are compared with, the target time, and a row for what can be done with the view. */

import { TextInput } from "@mantine/core";
import { useEffect, useState } from "react";
import type { Before, Overview } from "./overview.ts";
import { formatTime } from "./units.ts";
import type { View } from "./view.ts";
import { changeView, parseTarget } from "./view.ts";

function comparison(before: Before | null): string {
  if (before === null) return "Not compared: what is kept from before is too coarse.";
  const period = `${formatTime(new Date(before.from))} – ${formatTime(new Date(before.to))}`;
  if (!before.whole) {
    const since = before.began_at ? `data begin ${formatTime(new Date(before.began_at))}` : "there are no data from before";
    return `Not compared with ${period}: ${since}.`;
  }
  return before.total ? `Compared with ${period}` : `Not compared: nothing to show of ${period}.`;
}

function compared(overview: Overview): string {
  if (!overview.missing.includes("before")) return comparison(overview.before);
  return overview.source === "samples" ? "Not compared: these are estimates." : "Not compared: the period before takes too long to read.";
}

function Target({ view }: { view: View }) {
  const [text, setText] = useState(String(view.target));
  useEffect(() => setText(String(view.target)), [view.target]);
  const target = parseTarget(text);
  const set = (): void => {
    if (target !== null) changeView({ target });
  };
  return (
    <form
      className="target"
      onSubmit={(event) => {
        event.preventDefault();
        set();
      }}
    >
      <label htmlFor="target">Target</label>
      <TextInput
        id="target"
        size="xs"
        w={92}
        inputMode="numeric"
        value={text}
        error={target === null}
        title="What users should wait at most: Apdex and impact go by it"
        rightSection={<span className="aside">ms</span>}
        onChange={(event) => setText(event.currentTarget.value)}
        onBlur={set}
      />
    </form>
  );
}

export function OverviewHead({ overview, view }: { overview: Overview | undefined; view: View }) {
  return (
    <div className="page-head">
      <span className="aside compared">{overview && compared(overview)}</span>
      <div className="spring" />
      <Target view={view} />
    </div>
  );
}
