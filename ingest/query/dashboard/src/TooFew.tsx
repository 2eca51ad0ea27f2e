/** What is shown instead of figures while too few sessions are in them. */

import { Button } from "@mantine/core";
import type { App } from "./api.ts";
import type { View } from "./view.ts";
import { changeView, isFiltered, withoutFilters } from "./view.ts";

interface TooFewProps {
  app: App;
  view: View;
  least: number;
  longer: (() => void) | null;
}

export function TooFew({ app, view, least, longer }: TooFewProps) {
  const filtered = isFiltered(view);
  return (
    <section className="panel state" aria-label="Too few sessions">
      <strong>{filtered ? "No figures with these filters." : `Figures appear from ${least} sessions.`}</strong>
      <p>
        {filtered
          ? `No spans match, or only those of fewer than ${least} sessions. Which of the two is not said: it would tell who was there.`
          : `Spans of ${app.name} have arrived, of fewer distinct sessions than its policy asks for. They are counted, and held back so ` +
            "that nobody can be told from a crowd of one."}
      </p>
      {!filtered && (
        <p>
          Only trying it out? Put <code>least_sessions = 1</code> under <code>[figures]</code> in <code>policies/{app.name}.toml</code>.
        </p>
      )}
      <div className="row">
        {filtered && (
          <Button variant="default" size="xs" onClick={() => changeView(withoutFilters())}>
            Clear all filters
          </Button>
        )}
        {longer && (
          <Button variant="default" size="xs" onClick={longer}>
            Look at the last 30 days
          </Button>
        )}
      </div>
    </section>
  );
}
