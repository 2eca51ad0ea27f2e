/** Asks for the reading token when the address bar brought none, or the server refused it. */

import { Button, PasswordInput } from "@mantine/core";
import type { FormEvent } from "react";
import { useState } from "react";
import { setToken } from "./token.ts";

export function TokenForm({ refused = null }: { refused?: string | null }) {
  const [text, setText] = useState("");
  const enter = (event: FormEvent): void => {
    event.preventDefault();
    if (text.trim()) setToken(text.trim());
  };
  return (
    <main className="alone">
      <form className="panel token" onSubmit={enter}>
        <h1>firsthop</h1>
        <p className="note">The first hop of every request, from the user’s device to the backend.</p>
        <PasswordInput
          label="Token"
          description="firsthop serve prints it with the dashboard’s address; it is also in ready.json in its data directory."
          placeholder="fh_own_… or fh_tok_…"
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          error={refused}
          autoComplete="off"
          data-autofocus
        />
        <Button type="submit" disabled={!text.trim()}>
          Open the dashboard
        </Button>
        <p className="note">It stays in this tab and is gone when the tab is closed.</p>
      </form>
    </main>
  );
}
