/** Whether one group of spans differs from another, by how much, in which phase, and whether that may be chance. */

import { Button } from "@mantine/core";
import type { Values } from "./api.ts";
import { useAnswer } from "./api.ts";
import type { Comparison } from "./compareAnswer.ts";
import type { Sides } from "./compare.ts";
import { compareParameters, isSame, isUnsaid, sideName, suggestVersions, verdict } from "./compare.ts";
import { ByPhase, Whole } from "./CompareTables.tsx";
import type { PageProps } from "./pages.tsx";
import { PairTrend } from "./PairTrend.tsx";
import { ExactBadge, Panel } from "./Panel.tsx";
import { SidePickers } from "./SidePickers.tsx";
import type { SideName, View } from "./view.ts";
import { changeView, SIDES, signalParameters } from "./view.ts";

/** The sides of the address, else the two newest versions in use. */
function useSides(view: View, turn: number): { sides: Sides; known: boolean } {
  const unsaid = isUnsaid(view.sides);
  const query = signalParameters(view);
  query.set("dimension", "version");
  query.set("limit", "200");
  const { data, error } = useAnswer<Values>(unsaid ? `/api/v1/values?${query}` : null, turn);
  if (!unsaid) return { sides: view.sides, known: true };
  return { sides: (data && suggestVersions(data.values, view.sides.a)) ?? view.sides, known: data !== undefined || error !== undefined };
}

function Said({ answer, names, view }: { answer: Comparison; names: Record<SideName, string>; view: View }) {
  const { tone, headline, more } = verdict(answer, names, view.signal);
  return (
    <div className={`verdict ${tone}`} role="status">
      <p className="headline">{headline}</p>
      {more.map((sentence) => <p key={sentence}>{sentence}</p>)}
    </div>
  );
}

export function ComparePage({ view, turn, next }: PageProps) {
  const { sides, known } = useSides(view, turn);
  const same = isSame(sides);
  const answer = useAnswer<Comparison>(same ? null : `/api/v1/compare?${compareParameters(view, sides)}`, turn);
  const names = { a: sideName(sides.a, sides.b), b: sideName(sides.b, sides.a) };
  return (
    <>
      <SidePickers view={view} sides={sides} names={names} turn={turn} />
      {known && same && (
        <div className="panel state">
          <strong>Both sides are the same.</strong>
          <p>Choose two versions above, two countries, or another time range for one of the sides.</p>
          <Button variant="default" size="xs" onClick={() => changeView({ sides: { ...sides, a: { ...sides.a, shift: "range" } } })}>
            Compare with the range before
          </Button>
        </div>
      )}
      {!same && (
        <>
          <Panel title="What differs" answer={answer} retry={next} height={120}>
            {(data) => <Said answer={data} names={names} view={view} />}
          </Panel>
          <div className="pair">
            <Panel
              title="Both sides"
              note="With 95 % intervals. A difference is coloured when chance would seldom make one as large."
              answer={answer}
              retry={next}
              height={360}
              actions={answer.data && SIDES.map((side) => (
                <span key={side} className="side-badge"><i className={`side-line side-${side}`} /> {answer.data && <ExactBadge answer={answer.data[side]} />}</span>
              ))}
            >
              {(data) => <Whole answer={data} names={names} signal={view.signal} />}
            </Panel>
            <PairTrend view={view} sides={sides} names={names} turn={turn} retry={next} />
          </div>
          {(answer.data?.phases.length ?? 0) > 0 && (answer.data?.a.spans ?? 0) > 0 && (answer.data?.b.spans ?? 0) > 0 && (
            <Panel
              title="In which phase"
              note="Means over all requests add up to the whole difference, 0 where a phase did not happen; percentiles are over the requests in which it did, and add up to nothing. The phases are judged together."
              answer={answer}
              retry={next}
              height={360}
            >
              {(data) => <div className="scroll" tabIndex={0} role="group" aria-label="Phases of both sides"><ByPhase answer={data} /></div>}
            </Panel>
          )}
        </>
      )}
    </>
  );
}
