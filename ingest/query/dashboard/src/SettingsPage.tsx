/** What an app is set to: its keys, how it sends, what is kept, whose policy holds, and who changed what. */

import type { ReactNode } from "react";
import type { Answer, App } from "./api.ts";
import { useAnswer } from "./api.ts";
import { AuditPanel } from "./AuditPanel.tsx";
import { Ways } from "./GettingStarted.tsx";
import { KeysPanel } from "./KeysPanel.tsx";
import type { PageProps } from "./pages.tsx";
import { Panel } from "./Panel.tsx";
import type { Settings } from "./settings.ts";
import { edgeAddress, roleName } from "./settings.ts";
import { formatCount, formatDuration, formatShare, formatTime } from "./units.ts";
import type { View } from "./view.ts";
import { changeView, formatView } from "./view.ts";
import { POLICY_SOURCES } from "./words.ts";

function Pairs({ rows }: { rows: [name: string, value: ReactNode][] }) {
  return (
    <dl className="pairs settings-pairs">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Sampling({ data }: { data: Settings }) {
  const { sampling } = data;
  const { received, kept } = sampling.last_hours;
  const caps = Object.entries(sampling.most_kept);
  const alike = new Set(caps.map(([, share]) => share)).size === 1;
  return (
    <>
      <Pairs
        rows={[
          ["Budget", `${formatCount(sampling.budget_per_minute)} spans a minute, on each host`],
          ["Floor", `${formatCount(sampling.floor_per_minute)} spans a minute of every route and device class`],
          [
            "At most kept",
            alike
              ? `${formatShare(caps[0]?.[1] ?? 0, 1)} of ordinary spans`
              : caps.map(([name, share]) => `${name} ${formatShare(share, 1)}`).join(", "),
          ],
          ["Slow", `from ${formatDuration(sampling.slow_ms * 1000)} on, until a route’s own traffic has taught better`],
          [
            "Kept lately",
            received
              ? `${formatShare(kept, received)} of ${formatCount(received)} spans, in this hour and the one before`
              : "nothing arrived in this hour or the one before",
          ],
          ["Clients", sampling.send ? "are told to send" : "are told to send nothing"],
        ]}
      />
      <p className="note">
        Everything is counted; this says how much is stored whole. To change it, edit <code>{data.policy.file}</code> in the data
        directory: it holds within a second.
      </p>
    </>
  );
}

function Policy({ data, view }: { data: Settings; view: View }) {
  const { version, source, since, file } = data.policy;
  const there: View = { ...view, page: "privacy", trace: null };
  const partners = data.traces.partners.length ? `; ${data.traces.partners.join(", ")} keep theirs` : "";
  return (
    <>
      <Pairs
        rows={[
          ["Privacy policy", POLICY_SOURCES[source]],
          ["Version", version === 0 ? "0, the built-in one" : String(version)],
          ["In force since", since ? formatTime(new Date(since)) : "the beginning"],
          ["Trace ids", data.traces.gateway ? `of clients are replaced${partners}` : "are the clients’ own"],
        ]}
      />
      <p className="note">
        <a
          href={formatView(there)}
          onClick={(event) => {
            if (event.metaKey || event.ctrlKey || event.shiftKey) return;
            event.preventDefault();
            changeView({ page: "privacy", trace: null });
          }}
        >
          See what it does on the privacy page
        </a>
        . One file, <code>{file}</code>, holds all of it and is versioned as a whole; it wins at every start, so that nothing here
        could change it for good.
      </p>
    </>
  );
}

function Send({ app, answer }: { app: App; answer: Answer<Settings> }) {
  return (
    <section className="panel start" aria-label="Send to this app">
      <header>
        <h2>Send to {app.name}</h2>
      </header>
      <p className="note">
        Clients reach the edge at <code>{edgeAddress(answer.data)}</code>
        {answer.data?.edge.url === null && ", if this page’s host is the edge’s too; FIRSTHOP_EDGE_URL says where else"}.
      </p>
      <Ways app={app} />
    </section>
  );
}

export function SettingsPage({ app, view, turn, next }: PageProps) {
  const answer = useAnswer<Settings>(`/api/v1/settings?app=${app.id}`, turn);
  const role = answer.data && roleName(answer.data.role).toLowerCase();
  return (
    <>
      <KeysPanel
        app={app}
        answer={answer}
        changed={next}
        note={answer.data && !answer.data.may_change ? `You look at this as a ${role}. The app’s owner, or an admin, changes it.` : undefined}
      />
      <div className="pair">
        <Panel title="What is kept" answer={answer} retry={next} height={260}>
          {(data) => <Sampling data={data} />}
        </Panel>
        <Panel title="Privacy and traces" answer={answer} retry={next} height={260}>
          {(data) => <Policy data={data} view={view} />}
        </Panel>
      </div>
      <Send app={app} answer={answer} />
      <AuditPanel app={app} keys={answer.data?.keys ?? []} turn={turn} retry={next} />
    </>
  );
}
