/** What an app without any span sees: one command that sends the first. */

import { Button, CopyButton, Tabs } from "@mantine/core";
import { useMemo } from "react";
import type { App } from "./api.ts";
import { useAnswer } from "./api.ts";
import type { Settings } from "./settings.ts";
import { edgeAddress } from "./settings.ts";
import { fill, SNIPPETS } from "./snippets.ts";

function hex(bytes: number): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A batch of one span in the native format, started just now. Its ids are new: the same id twice would count once. */
function command(edge: string, key: string): string {
  const batch = {
    v: 1,
    id: hex(16),
    n: 1,
    strings: ["GET /hello", "GET", "https://api.shop.example/hello", "/hello", "h2"],
    resource: { service: "hello", version: "1.0.0", os_name: "android", device_model: "Pixel 8", network: "wifi" },
    clock: { kind: "wall" },
    traces: hex(16),
    cols: {
      trace: [0],
      span_id: hex(8),
      name: [1],
      method: [2],
      url: [3],
      route: [4],
      protocol: [5],
      http_status: [200],
      start_us: [(Date.now() - 1000) * 1000],
      duration_us: [214_000],
      redirect_us: [-1],
      blocked_us: [2_000],
      dns_us: [23_000],
      tcp_us: [31_000],
      tls_us: [44_000],
      request_us: [1_000],
      ttfb_us: [92_000],
      download_us: [21_000],
    },
  };
  return [
    `curl -sS '${edge}/v1/batches' \\`,
    `  -H 'x-api-key: ${key}' \\`,
    `  -d '${JSON.stringify(batch)}'`,
  ].join("\n");
}

interface GettingStartedProps {
  app: App;
  longer: (() => void) | null;
  check: () => void;
}

/** Texts to copy, each filled in for the app. */
export function Ways({ app }: { app: App }) {
  const { data } = useAnswer<Settings>(`/api/v1/settings?app=${app.id}`, 0);
  const edge = edgeAddress(data);
  const key = app.client_key ?? "YOUR_CLIENT_KEY";
  const ways = useMemo(
    () => [
      { name: "curl", text: command(edge, key) },
      ...SNIPPETS.map(({ name, text }) => ({ name, text: fill(text, edge, key, app.name) })),
    ],
    [edge, key, app.name],
  );
  return (
    <Tabs defaultValue="curl" keepMounted={false} className="ways">
      <Tabs.List aria-label="Ways to send">
        {ways.map(({ name }) => <Tabs.Tab key={name} value={name}>{name}</Tabs.Tab>)}
      </Tabs.List>
      {ways.map(({ name, text }) => (
        <Tabs.Panel key={name} value={name} pt="sm">
          <pre tabIndex={0}>{text}</pre>
          <CopyButton value={text}>
            {({ copied, copy }) => (
              <Button size="sm" onClick={copy}>
                {copied ? "Copied" : name === "curl" ? "Copy the command" : "Copy"}
              </Button>
            )}
          </CopyButton>
        </Tabs.Panel>
      ))}
    </Tabs>
  );
}

export function GettingStarted({ app, longer, check }: GettingStartedProps) {
  return (
    <section className="panel start" aria-label="Getting started">
      <h2>No spans from {app.name} in this time range</h2>
      <p className="note">
        Send one now; it appears within seconds. If your edge listens elsewhere, change the address.
      </p>
      <Ways app={app} />
      <div className="row">
        <Button size="sm" variant="default" onClick={check}>
          Look again
        </Button>
        {longer && (
          <Button size="sm" variant="default" onClick={longer}>
            Look at the last 30 days
          </Button>
        )}
      </div>
    </section>
  );
}
