/** A panel of the page and the states it can be in: loading, failed, empty, showing. */

import { Button, Skeleton, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";
import { useId } from "react";
import type { Answer, ApiError, Provenance, Suppressed } from "./api.ts";
import { formatCount } from "./units.ts";
import { leftOut } from "./words.ts";

function provenance({ basis, source, truncated, hidden_spans: hidden, weighted_spans: weighted, relative_error: error }: Provenance): string {
  const more = truncated ? " There was more than is shown here." : "";
  if (basis === "exact") return `Counted over every span, before sampling. Percentiles are within ${Number((error * 100).toPrecision(3))} % of the true value.${more}`;
  if (source === "samples") {
    const low = hidden > 0 ? ` No sample stands for ${formatCount(hidden)} spans of the app: counts are too low by up to as many.` : "";
    return `No kept view covers this combination of filters, so that weighted samples answer. Fewer filters give exact figures.${low}${more}`;
  }
  if (basis === "estimated") return `${formatCount(weighted)} of the app’s spans stand for others as well, which their clients did not send.${more}`;
  return `${formatCount(hidden)} spans were counted under {other}, beyond the limit of distinct values; some of them may belong here.${more}`;
}

/** Whether figures come from every span or are estimates; why, on hover or focus. */
export function ExactBadge({ answer }: { answer: Provenance }) {
  const { exact, basis, source } = answer;
  return (
    <Tooltip label={provenance(answer)} multiline w={270} withArrow events={{ hover: true, focus: true, touch: true }}>
      <span className={`badge ${exact ? "badge-good" : "badge-warn"}`} tabIndex={0}>
        {exact ? "● " : "≈ "}
        {basis === "incomplete" && source === "samples" ? "estimated, incomplete" : basis}
      </span>
    </Tooltip>
  );
}

/** That figures about too few sessions are left out, and how many; why, on hover or focus. */
function LeftOutBadge({ suppressed }: { suppressed: Suppressed }) {
  return (
    <Tooltip label={leftOut(suppressed)} multiline w={290} withArrow events={{ hover: true, focus: true, touch: true }}>
      <span className="badge badge-quiet" tabIndex={0}>
        {formatCount(suppressed.groups + suppressed.points)} left out
      </span>
    </Tooltip>
  );
}

const ADVICE: Record<number, string> = {
  0: "The page tries again with the next refresh.",
  400: "Clear the filters or choose a preset time range.",
  403: "This token reads another app. Choose yours, or enter another token.",
  404: "It may have been dropped by retention, or was never sampled.",
  429: "Too many questions of this token are waiting. The page tries again with the next refresh.",
  503: "The question was too big to answer in time. A shorter time range or fewer filters will help.",
};

/** What went wrong, and what to do about it. */
export function Failure({ error, retry }: { error: ApiError; retry: () => void }) {
  return (
    <div className="state" role="alert">
      <strong>{error.message}</strong>
      {ADVICE[error.status] && <p>{ADVICE[error.status]}</p>}
      <Button variant="default" size="xs" onClick={retry}>
        Try again
      </Button>
    </div>
  );
}

function isMeasured(data: object): data is Provenance {
  return "exact" in data;
}

/** What an answer left out for the sake of the few, if anything. */
function suppressedIn(data: object): Suppressed | undefined {
  const { suppressed } = data as { suppressed?: Suppressed };
  return suppressed && suppressed.groups + suppressed.points > 0 ? suppressed : undefined;
}

interface PanelProps<T> {
  title: string;
  note?: ReactNode;
  answer: Answer<T>;
  retry: () => void;
  /** Room kept while nothing is there yet, in pixels. */
  height: number;
  actions?: ReactNode;
  className?: string;
  /** Whether to say where figures come from; false beside a panel that shows the same answer. */
  badge?: boolean;
  children: (data: T) => ReactNode;
}

export function Panel<T extends object>({ title, note, answer, retry, height, actions, className, badge = true, children }: PanelProps<T>) {
  const heading = useId();
  const { data, error, loading } = answer;
  const suppressed = data && suppressedIn(data);
  return (
    <section className={`panel ${className ?? ""}`} aria-labelledby={heading} aria-busy={loading}>
      <header>
        <h2 id={heading}>{title}</h2>
        {data && badge && isMeasured(data) && <ExactBadge answer={data} />}
        {suppressed && badge && <LeftOutBadge suppressed={suppressed} />}
        <div className="spring" />
        {actions}
      </header>
      {note && <p className="note">{note}</p>}
      {error && data && (
        <p className="note late" role="status">
          These figures are from before: {error.message}
        </p>
      )}
      {data && <div className={loading ? "showing behind" : "showing"}>{children(data)}</div>}
      {!data && error && <Failure error={error} retry={retry} />}
      {!data && !error && <Skeleton height={height} radius="md" role="img" aria-label={`Loading: ${title}`} />}
    </section>
  );
}
