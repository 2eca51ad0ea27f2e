/** Whether the figures can be trusted: what became of every span, what never arrived, how sure times and phases are. */

import { Button } from "@mantine/core";
import type { Answer, Phases } from "./api.ts";
import { useAnswer } from "./api.ts";
import { ClockPanel } from "./ClockPanel.tsx";
import { DropPanel, NotePanel, ScrubPanel } from "./NotePanel.tsx";
import type { Ledger } from "./ledger.ts";
import { sum } from "./ledger.ts";
import { LedgerPanel } from "./LedgerPanel.tsx";
import type { PageProps } from "./pages.tsx";
import type { Doubt, Level } from "./trust.ts";
import { lostByClients, refusedAmiss, verdict } from "./trust.ts";
import { formatAgo, formatCount, formatShare } from "./units.ts";
import { UnknownPanel } from "./UnknownPanel.tsx";
import { commonParameters } from "./view.ts";

interface Health {
  newest_window: string | null;
}

const VERDICTS: Record<Level, [sign: string, line: string]> = {
  good: ["✓", "These figures can be trusted."],
  care: ["!", "These figures can be trusted, with care."],
  bad: ["✕", "These figures are not to be trusted as they are."],
  none: ["–", "There is nothing to judge yet."],
};

const WELL = "Every span that arrived has exactly one end, next to nothing was refused or lost, and times are anchored to the server’s clock.";

function DoubtLine({ doubt }: { doubt: Doubt }) {
  const show = (): void => document.getElementById(doubt.panel)?.scrollIntoView({ behavior: "smooth", block: "start" });
  return (
    <li className={doubt.level}>
      {doubt.text}{" "}
      <button type="button" className="plain link" onClick={show}>
        More
      </button>
    </li>
  );
}

function VerdictBand({ level, doubts }: { level: Level; doubts: Doubt[] }) {
  const [sign, line] = VERDICTS[level];
  return (
    <section className={`panel trust ${level}`} aria-label="Verdict">
      <span className="sign" aria-hidden="true">{sign}</span>
      <div>
        <h2>{line}</h2>
        {level === "good" && <p className="note">{WELL}</p>}
        {doubts.length > 0 && (
          <ul>
            {doubts.map((doubt) => (
              <DoubtLine key={doubt.text} doubt={doubt} />
            ))}
          </ul>
        )}
      </div>
    </section>
  );
}

function Figure({ label, value, aside }: { label: string; value: string; aside: string | undefined }) {
  return (
    <div className="figure">
      <span className="label">{label}</span>
      <span className="value">{value}</span>
      {aside && <span className="aside">{aside}</span>}
    </div>
  );
}

function Figures({ answer, newest }: { answer: Answer<Ledger>; newest: string | null | undefined }) {
  const total = answer.data?.total;
  const received = total?.received ?? 0;
  const refused = total ? sum(refusedAmiss(total.outcomes)) : 0;
  const lost = total ? sum(lostByClients(total.client)) : 0;
  const spans = (count: number): string | undefined => total && `${formatCount(count)} spans`;
  return (
    <div className={answer.loading ? "summary behind" : "summary"}>
      <Figure label="Received" value={formatCount(total?.received)} aside={total && "spans"} />
      <Figure label="Refused" value={formatShare(refused, received)} aside={spans(refused)} />
      <Figure label="Lost by clients" value={formatShare(lost, received + lost)} aside={spans(lost)} />
      <Figure label="Newest figures" value={newest ? formatAgo(new Date(newest)) : "–"} aside={newest === null ? "none yet" : undefined} />
    </div>
  );
}

export function QualityPage({ app, view, turn, next, longer }: PageProps) {
  const query = commonParameters(view);
  const ledger = useAnswer<Ledger>(`/api/v1/ledger?${query}`, turn);
  const all = useAnswer<Phases>(`/api/v1/phases?${query}`, turn);
  const health = useAnswer<Health>(`/api/v1/health?app=${encodeURIComponent(app.name)}`, turn);
  const nothing = ledger.data?.total.received === 0;
  const judged =
    ledger.data &&
    verdict({
      ledger: ledger.data,
      provenance: all.data,
      newest: health.data?.newest_window ?? null,
      untilNow: view.to === null,
    });
  return (
    <>
      {judged && <VerdictBand {...judged} />}
      <Figures answer={ledger} newest={health.data?.newest_window} />
      <LedgerPanel
        answer={ledger}
        view={view}
        retry={next}
        actions={
          nothing && longer ? (
            <Button variant="default" size="xs" onClick={longer}>
              Look at the last 30 days
            </Button>
          ) : undefined
        }
      />
      <div className="pair">
        <ClockPanel answer={ledger} retry={next} />
        <DropPanel answer={ledger} retry={next} />
      </div>
      <UnknownPanel all={all} view={view} turn={turn} retry={next} />
      <NotePanel answer={ledger} retry={next} />
      <ScrubPanel view={view} turn={turn} retry={next} />
    </>
  );
}
