/** What fires now, the rules, what is silent and what happened. A rule in the address is one being made or changed. */

import { useState } from "react";
import type { Alert, Happening, Rules, Silence } from "./alerts.ts";
import { draftOf } from "./alerts.ts";
import { AlertForm } from "./AlertForm.tsx";
import { AlertHistory } from "./AlertHistory.tsx";
import { AlertRules } from "./AlertRules.tsx";
import { AlertsNow } from "./AlertsNow.tsx";
import { useAnswer } from "./api.ts";
import type { PageProps } from "./pages.tsx";
import { SilenceForm, Silences } from "./Silences.tsx";
import type { SilenceDraft } from "./Silences.tsx";

export function AlertsPage({ app, view, turn, next }: PageProps) {
  const [silencing, setSilencing] = useState<SilenceDraft | null>(null);
  const of = `?app=${encodeURIComponent(app.name)}`;
  const now = useAnswer<{ alerts: Alert[] }>(`/api/v1/alerts${of}`, turn);
  const rules = useAnswer<Rules>(`/api/v1/alerts/rules${of}`, turn);
  const silences = useAnswer<{ silences: Silence[] }>(`/api/v1/alerts/silences${of}`, turn);
  const history = useAnswer<{ history: Happening[] }>(`/api/v1/alerts/history${of}&limit=100`, turn);
  const known = rules.data?.rules ?? [];
  const edited = view.edit?.startsWith("rule:") ? known.find(({ rule }) => rule.name === view.edit?.slice(5))?.rule : undefined;
  const mayChange = rules.data?.may_change ?? false;
  if (view.edit !== null && rules.data) {
    return (
      <AlertForm key={view.edit} app={app.name} start={edited ?? draftOf(view)} known={edited !== undefined} rules={rules.data} done={next} />
    );
  }
  return (
    <>
      <AlertsNow answer={now} rules={known} view={view} retry={next} silence={mayChange ? setSilencing : null} />
      {silencing && <SilenceForm of={of} start={silencing} rules={known} close={() => setSilencing(null)} done={next} />}
      <AlertRules answer={rules} of={of} retry={next} silence={mayChange ? setSilencing : null} />
      <div className="pair">
        <AlertHistory answer={history} rules={known} view={view} retry={next} />
        <Silences answer={silences} of={of} retry={next} mayChange={mayChange} />
      </div>
    </>
  );
}
