/** Links of a span: to spans of this trace, to other traces, to another tracing system; and what links to it. */

import { useState } from "react";
import type { OneSpan, Span, Trace, TraceLink } from "./api.ts";
import { useAnswer } from "./api.ts";
import { changeView } from "./view.ts";
import type { View } from "./view.ts";
import { LINK_KINDS } from "./words.ts";

interface Shown {
  kind: string;
  trace_id: string;
  /** null: the trace alone is known. */
  span_id: string | null;
  name: string | null;
  external_url: string | null;
}

const NOBODY = /^0*$/;
const AT_FIRST = 10;

interface LinkListProps {
  title: string;
  links: readonly Shown[];
  trace: Trace;
  jump: (spanId: string) => void;
  /** There are more than the server tells. */
  more?: boolean;
}

function LinkList({ title, links, trace, jump, more = false }: LinkListProps) {
  const [all, showAll] = useState(false);
  if (links.length === 0) return null;
  return (
    <>
      <h4>{title}</h4>
      <ul className="links">
        {(all ? links : links.slice(0, AT_FIRST)).map((link, index) => {
          const here = link.trace_id === trace.trace_id && link.span_id;
          const go = (): void => (here && link.span_id ? jump(link.span_id) : changeView({ trace: link.trace_id, span: link.span_id }));
          return (
            <li key={index}>
              <span className="aside">{LINK_KINDS[link.kind] ?? link.kind}{here ? ", in this trace" : ""}</span>
              <button type="button" className="plain link" onClick={go}>
                {link.name ?? <code>{here ? link.span_id : link.trace_id}</code>}
              </button>
              {link.external_url && <a className="aside" href={link.external_url} target="_blank" rel="noreferrer">in your tracing system ↗</a>}
            </li>
          );
        })}
      </ul>
      {links.length > AT_FIRST && !all && (
        <button type="button" className="plain link" onClick={() => showAll(true)}>{links.length - AT_FIRST} more</button>
      )}
      {more && <p className="note">There are more, which are not shown.</p>}
    </>
  );
}

const pointing = (link: TraceLink): Shown => ({ kind: link.kind, trace_id: link.trace_id, span_id: link.span_id, name: link.name, external_url: link.external_url });

interface SpanLinksProps {
  span: Span;
  trace: Trace;
  view: View;
  jump: (spanId: string) => void;
}

export function SpanLinks({ span, trace, view, jump }: SpanLinksProps) {
  const urls = new Map(trace.links.links.map((link) => [link.trace_id, link.external_url]));
  const links = span.links.map(({ kind, trace_id, span_id }) => ({
    kind,
    trace_id,
    span_id: NOBODY.test(span_id) ? null : span_id,
    name: trace_id === trace.trace_id ? (trace.spans.find((each) => each.span_id === span_id)?.name ?? null) : null,
    external_url: urls.get(trace_id) ?? null,
  }));
  // Where the trace has more than its summary tells, the span itself is asked.
  const query = new URLSearchParams(view.app ? { app: view.app } : {}).toString();
  const { data } = useAnswer<OneSpan>(trace.linked_from.more ? `/api/v1/traces/${trace.trace_id}/spans/${span.span_id}?${query}` : null, 0);
  const linkedFrom = data?.linked_from.links ?? trace.linked_from.links.filter((link) => link.linked_span_id === span.span_id);
  return (
    <>
      <LinkList title="Links" links={links} trace={trace} jump={jump} />
      <LinkList title="Linked from" links={linkedFrom.map(pointing)} trace={trace} jump={jump} more={data?.linked_from.more ?? false} />
    </>
  );
}
