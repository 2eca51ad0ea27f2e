/** What was taken out of an app's spans before they were stored, whom consent kept out, and which policy says so. */

import { Button } from "@mantine/core";
import type { Answer, App, Privacy } from "./api.ts";
import { useAnswer } from "./api.ts";
import type { PageProps } from "./pages.tsx";
import { Panel } from "./Panel.tsx";
import type { RuleFinds } from "./scrubs.ts";
import { ruleFinds } from "./scrubs.ts";
import { formatAgo, formatCount, formatShare, formatTime } from "./units.ts";
import { commonParameters } from "./view.ts";
import { POLICY_SOURCES, ruleMeaning, ruleName } from "./words.ts";

function Figure({ label, value, aside }: { label: string; value: string; aside: string | undefined }) {
  return (
    <div className="figure">
      <span className="label">{label}</span>
      <span className="value">{value}</span>
      {aside && <span className="aside">{aside}</span>}
    </div>
  );
}

function Headline({ answer }: { answer: Answer<Privacy> }) {
  const { data, loading } = answer;
  const counted = data?.total.outcomes.counted_no_consent ?? 0;
  const refused = data?.total.outcomes["rejected:no_consent"] ?? 0;
  const received = data?.total.received ?? 0;
  const finds = data && ruleFinds(data)[0]?.finds;
  const least = data?.least_sessions;
  const spans = (count: number): string | undefined => data && `${formatCount(count)} spans`;
  return (
    <div className={loading ? "summary behind" : "summary"}>
      <Figure label="Replaced before storing" value={formatCount(finds)} aside={data && `in ${formatCount(received)} spans`} />
      <Figure label="Counted without identifiers" value={formatShare(counted, received)} aside={spans(counted)} />
      <Figure label="Not taken in, no consent" value={formatShare(refused, received)} aside={spans(refused)} />
      <Figure label="Figures appear from" value={formatCount(least)} aside={data && (least === 1 ? "session" : "sessions")} />
    </div>
  );
}

function OverTime({ name, bins }: { name: string; bins: RuleFinds["bins"] }) {
  const most = Math.max(1, ...bins.map(({ finds }) => finds));
  const peak = bins.find(({ finds }) => finds === most);
  const about = peak ? `; most, ${formatCount(most)}, from ${formatTime(peak.from)}` : "";
  return (
    <div className="over-time" role="img" aria-label={`${name} over time${about}`}>
      {bins.map(({ from, to, finds }) => (
        <span key={from.getTime()} title={`${formatTime(from)} – ${formatTime(to)}: ${formatCount(finds)}`}>
          <i style={{ height: `${(finds / most) * 100}%` }} />
        </span>
      ))}
    </div>
  );
}

function RuleRow({ row, most }: { row: RuleFinds; most: number }) {
  const name = row.rule ? ruleName(row.rule) : "All rules";
  return (
    <tr className={row.rule ? "" : "all"}>
      <th scope="row">
        {name}{" "}
        {row.rule && <code className="aside wide">{row.rule}</code>}
        <p className="meaning">{ruleMeaning(row.rule)}</p>
      </th>
      <td className="bar-cell">
        {row.rule && (
          <div className="bar">
            <span style={{ width: `${(row.finds / most) * 100}%` }} />
          </div>
        )}
      </td>
      <td className="number strong">{formatCount(row.finds)}</td>
      <td className="over-time-cell">
        <OverTime name={name} bins={row.bins} />
      </td>
    </tr>
  );
}

function Scrubbed({ data, app }: { data: Privacy; app: App }) {
  const [all, ...rules] = ruleFinds(data);
  if (all === undefined || rules.length === 0) {
    return (
      <div className="state">
        <strong>{data.total.received ? "Nothing had to be replaced." : `No spans from ${app.name} in this time range.`}</strong>
        <p>
          Send a span whose URL ends in <code>?email=jane@example.org</code>: it is stored as <code>?email={"{email}"}</code>, and
          shows here within seconds. <code>firsthop privacy explain TEXT</code> says what would become of any text.
        </p>
      </div>
    );
  }
  const most = rules[0]?.finds ?? 1;
  return (
    <div className="scroll" tabIndex={0} role="group" aria-label="Rules">
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col" className="number" colSpan={2}>Replaced</th>
            <th scope="col">Over time, by whole hours</th>
          </tr>
        </thead>
        <tbody>
          <RuleRow row={all} most={most} />
          {rules.map((row) => (
            <RuleRow key={row.rule} row={row} most={most} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Consent({ data }: { data: Privacy }) {
  const { received, outcomes } = data.total;
  const counted = outcomes.counted_no_consent;
  const refused = outcomes["rejected:no_consent"];
  const rest = Math.max(0, received - counted - refused);
  const shares = [
    { key: "consent-rest", name: "Treated as consented", spans: rest, about: "Counted, and stored when the sample takes them." },
    {
      key: "consent-counted",
      name: "Counted without identifiers",
      spans: counted,
      about: "The user has not agreed to more: counters grow, nothing of the span is stored.",
    },
    { key: "consent-refused", name: "Not taken in", spans: refused, about: "The policy takes nothing from users who have not agreed." },
  ];
  if (received === 0) return <p className="state">No spans in this time range.</p>;
  return (
    <>
      <div className="shares tall" role="img" aria-label={shares.map(({ name, spans }) => `${name} ${formatShare(spans, received)}`).join(", ")}>
        {shares.map(({ key, spans }) => spans > 0 && <span key={key} className={key} style={{ flexGrow: spans }} />)}
      </div>
      <table className="figures">
        <thead>
          <tr>
            <th scope="col">What became of them</th>
            <th scope="col" className="number">Spans</th>
            <th scope="col" className="number">Share</th>
          </tr>
        </thead>
        <tbody>
          {shares.map(({ key, name, about, spans }) => (
            <tr key={key}>
              <th scope="row">
                <i className={`swatch ${key}`} />
                {name}
                <p className="meaning">{about}</p>
              </th>
              <td className="number strong">{formatCount(spans)}</td>
              <td className="number">{formatShare(spans, received)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}

function InForce({ data, app }: { data: Privacy; app: App }) {
  const { version, source, since, text } = data.policy;
  return (
    <>
      <dl className="pairs">
        <div>
          <dt>Policy</dt>
          <dd>{POLICY_SOURCES[source]}</dd>
        </div>
        <div>
          <dt>Version</dt>
          <dd>{version === 0 ? "0, the built-in one" : `${version}; every stored span names the one it was treated by`}</dd>
        </div>
        <div>
          <dt>In force since</dt>
          <dd>{since ? <span title={since}>{formatTime(new Date(since))}, {formatAgo(new Date(since))}</span> : "the beginning"}</dd>
        </div>
        <div>
          <dt>Figures</dt>
          <dd>
            {data.least_sessions <= 1
              ? "shown however few sessions are in them: fit for trying out, not for real users"
              : `shown from ${data.least_sessions} distinct sessions on, in every group and point in time`}
          </dd>
        </div>
        <div>
          <dt>Never stored</dt>
          <dd>
            Addresses and User-Agents, which give country and device class and are then gone (a policy may keep an address’s network);
            ids as clients sent them, which become keyed pseudonyms. What a rule finds is replaced before anything is written.
          </dd>
        </div>
      </dl>
      {text ? (
        <pre className="policy-text" tabIndex={0} aria-label="Text of the policy">{text}</pre>
      ) : (
        <p className="note">
          To change what is kept, write <code>policies/{app.name}.toml</code> in the data directory; it is in force a second later.
        </p>
      )}
    </>
  );
}

export function PrivacyPage({ app, view, turn, next, longer }: PageProps) {
  const answer = useAnswer<Privacy>(`/api/v1/privacy?${commonParameters(view)}`, turn);
  const nothing = answer.data?.total.received === 0;
  return (
    <>
      <Headline answer={answer} />
      <Panel
        title="What was scrubbed"
        note="How often each rule replaced something; a text that many spans share counts once. What stood there is nowhere to be found."
        answer={answer}
        retry={next}
        height={360}
        className="rules"
        actions={
          nothing && longer ? (
            <Button variant="default" size="xs" onClick={longer}>
              Look at the last 30 days
            </Button>
          ) : undefined
        }
      >
        {(data) => <Scrubbed data={data} app={app} />}
      </Panel>
      <div className="pair">
        <Panel
          title="Consent"
          note="What users allowed, from the SDK’s consent state, Sec-GPC and DNT, decided before anything was written."
          answer={answer}
          retry={next}
          height={240}
          className="consent"
        >
          {(data) => <Consent data={data} />}
        </Panel>
        <Panel title="Policy in force" answer={answer} retry={next} height={240} className="policy">
          {(data) => <InForce data={data} app={app} />}
        </Panel>
      </div>
    </>
  );
}
