/** The keys of an app: who may send, read and change. Its owner makes and revokes them here. */

import { Button, CopyButton, Select, TextInput, VisuallyHidden } from "@mantine/core";
import type { FormEvent, ReactNode } from "react";
import { useState } from "react";
import type { Answer, App } from "./api.ts";
import { ApiError } from "./api.ts";
import { Panel } from "./Panel.tsx";
import { send } from "./send.ts";
import type { Key, NewKey, Settings } from "./settings.ts";
import { NEW_ROLES, originsOf, roleMeaning, roleName } from "./settings.ts";
import { formatTime } from "./units.ts";

/** Does something to the app; tells whether it is under way and why it was refused. */
function useChange(changed: () => void): { run: (work: () => Promise<void>) => void; busy: boolean; refused: string | null } {
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string | null>(null);
  const run = (work: () => Promise<void>): void => {
    setBusy(true);
    setRefused(null);
    work()
      .then(changed, (error: unknown) => {
        if (!(error instanceof ApiError)) throw error;
        setRefused(error.message);
      })
      .finally(() => setBusy(false));
  };
  return { run, busy, refused };
}

function Refused({ message }: { message: string | null }) {
  return message && <p className="refused" role="alert">{message}</p>;
}

/** A key that was just made. It is nowhere else to be had. */
function Made({ made, done }: { made: NewKey; done: () => void }) {
  return (
    <div className="made" role="status">
      <p>
        <strong>{roleName(made.role)} made.</strong> {made.role === "client" ? "It is public." : "Copy it now: it is not shown again."}
      </p>
      <code tabIndex={0}>{made.key}</code>
      <div className="row">
        <CopyButton value={made.key}>
          {({ copied, copy }) => <Button size="xs" onClick={copy}>{copied ? "Copied" : "Copy the key"}</Button>}
        </CopyButton>
        <Button size="xs" variant="default" onClick={done}>Done</Button>
      </div>
    </div>
  );
}

function MakeKey({ app, changed }: { app: App; changed: () => void }) {
  const [role, setRole] = useState<string>("token");
  const [label, setLabel] = useState("");
  const [made, setMade] = useState<NewKey | null>(null);
  const { run, busy, refused } = useChange(changed);
  const make = (event: FormEvent): void => {
    event.preventDefault();
    run(async () => {
      setMade(await send<NewKey>("POST", `/api/v1/keys?app=${app.id}`, { role, label: label.trim() }));
      setLabel("");
    });
  };
  return (
    <>
      {made && <Made made={made} done={() => setMade(null)} />}
      <form className="make-key" onSubmit={make}>
        <Select
          label="New key"
          description={roleMeaning(role)}
          data={NEW_ROLES.map((value) => ({ value, label: roleName(value) }))}
          value={role}
          allowDeselect={false}
          onChange={(value) => value && setRole(value)}
        />
        <TextInput
          label="What it is for"
          description="Shown in this list; nobody’s name."
          placeholder="Wall screen"
          maxLength={100}
          value={label}
          onChange={(event) => setLabel(event.currentTarget.value)}
        />
        <Button type="submit" loading={busy}>Make the key</Button>
      </form>
      <Refused message={refused} />
    </>
  );
}

/** Revoking takes two clicks: nothing brings a key back. */
function Revoke({ app, held, changed }: { app: App; held: Key; changed: () => void }) {
  const [sure, setSure] = useState(false);
  const { run, busy, refused } = useChange(changed);
  const name = `${roleName(held.role)} ${held.label || held.id}`;
  if (!sure) {
    return (
      <Button size="xs" variant="default" aria-label={`Revoke ${name}`} onClick={() => setSure(true)}>
        Revoke
      </Button>
    );
  }
  const revoke = (): void => run(async () => void (await send("DELETE", `/api/v1/keys/${held.id}?app=${app.id}`)));
  return (
    <div className="sure">
      <Button size="xs" color="red" variant="outline" loading={busy} aria-label={`Revoke ${name} for good`} autoFocus onClick={revoke}>
        For good
      </Button>
      <Button size="xs" variant="default" aria-label={`Keep ${name}`} onClick={() => setSure(false)}>
        Keep
      </Button>
      <Refused message={refused} />
    </div>
  );
}

function Origins({ app, held, mayChange, changed }: { app: App; held: Key; mayChange: boolean; changed: () => void }) {
  const [text, setText] = useState<string | null>(null);
  const { run, busy, refused } = useChange(() => {
    setText(null);
    changed();
  });
  if (held.role !== "client") return null;
  const shown = held.origins.length ? held.origins.join(", ") : "Any web origin may send with it.";
  if (text === null) {
    return (
      <p className="meaning">
        {shown}{" "}
        {mayChange && (
          <button
            type="button"
            className="plain-link"
            aria-label={`Change origins of ${held.label || held.id}`}
            onClick={() => setText(held.origins.join(" "))}
          >
            Change
          </button>
        )}
      </p>
    );
  }
  const save = (event: FormEvent): void => {
    event.preventDefault();
    run(async () => void (await send("PUT", `/api/v1/keys/${held.id}/origins?app=${app.id}`, { origins: originsOf(text) })));
  };
  return (
    <form className="origins" onSubmit={save}>
      <TextInput
        size="xs"
        label="Web origins that may use it"
        description="As browsers write them, blanks between; none: any."
        placeholder="https://shop.example"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={refused}
        data-autofocus
      />
      <div className="row">
        <Button size="xs" type="submit" loading={busy}>Save</Button>
        <Button size="xs" variant="default" onClick={() => setText(null)}>Cancel</Button>
      </div>
    </form>
  );
}

function Row({ app, held, mayChange, changed }: { app: App; held: Key; mayChange: boolean; changed: () => void }) {
  return (
    <tr>
      <th scope="row">
        {roleName(held.role)}
        {held.label && <span className="key-label">{held.label}</span>}
        <p className="meaning">{roleMeaning(held.role)}</p>
        <p className="narrow"><code>{held.key ?? held.id}</code></p>
        <Origins app={app} held={held} mayChange={mayChange} changed={changed} />
      </th>
      <td className="key-cell wide"><code>{held.key ?? held.id}</code></td>
      <td className="wide">{formatTime(new Date(held.created_at))}</td>
      <td className="wide">{held.last_used_on ?? (["client", "server"].includes(held.role) ? "" : "never")}</td>
      {mayChange && <td className="number"><Revoke app={app} held={held} changed={changed} /></td>}
    </tr>
  );
}

interface KeysPanelProps {
  app: App;
  answer: Answer<Settings>;
  changed: () => void;
  note: ReactNode;
}

export function KeysPanel({ app, answer, changed, note }: KeysPanelProps) {
  return (
    <Panel title={`Keys of ${app.name}`} note={note} answer={answer} retry={changed} height={280} className="keys">
      {({ keys, may_change: mayChange }) => (
        <>
          <div className="scroll" tabIndex={0} role="group" aria-label="Keys">
            <table className="figures">
              <thead>
                <tr>
                  <th scope="col">Key</th>
                  <th scope="col" className="wide">Id, or the key where it is public</th>
                  <th scope="col" className="wide">Made</th>
                  <th scope="col" className="wide">Last read or changed</th>
                  {mayChange && <th scope="col"><VisuallyHidden>Revoke</VisuallyHidden></th>}
                </tr>
              </thead>
              <tbody>
                {keys.filter((held) => held.revoked_at === null).map((held) => (
                  <Row key={held.id} app={app} held={held} mayChange={mayChange} changed={changed} />
                ))}
              </tbody>
            </table>
          </div>
          {mayChange && <MakeKey app={app} changed={changed} />}
        </>
      )}
    </Panel>
  );
}
