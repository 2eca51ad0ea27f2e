// A page that reports what it fetches twice: by OpenTelemetry's web SDK (page.js), and by a few lines of its own in the
// native format, with the reference guards of client_sdk_spec.
import "./page.js";
import { phases } from "../../../client_sdk_spec/phases.js";

const given = new URLSearchParams(location.search);
const hex = (bytes) => {
  const random = crypto.getRandomValues(new Uint8Array(bytes));
  return Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
};

/** Sends one native span for each address, of the last entry it has; returns the span ids. */
window.report = async (urls) => {
  const entries = urls.map((url) => performance.getEntriesByName(url).at(-1));
  const strings = [];
  const code = (text) => (text ? strings.push(text) : 0);
  const spanIds = entries.map(() => hex(8));
  const columns = { trace: entries.map((_, i) => i), span_id: spanIds.join("") };
  const rows = entries.map((entry) => ({
    name: code("GET"),
    method: code("GET"),
    url: code(entry.name),
    protocol: code(entry.nextHopProtocol),
    start_us: Math.round(entry.startTime * 1000),
    duration_us: Math.round(entry.duration * 1000),
    http_status: entry.responseStatus,
    ...phases(entry),
  }));
  for (const name of Object.keys(rows[0])) columns[name] = rows.map((row) => row[name]);
  const body = {
    v: 1,
    id: hex(16),
    n: entries.length,
    resource: { service: "contract-page", version: given.get("version") },
    clock: { kind: "mono", epoch: "page", mono_us: Math.round(performance.now() * 1000), wall_us: Date.now() * 1000 },
    traces: entries.map(() => hex(16)).join(""),
    strings,
    cols: columns,
  };
  const url = `${given.get("edge")}/v1/batches?key=${given.get("key")}`;
  const answer = await fetch(url, { method: "POST", body: JSON.stringify(body) });
  return { status: answer.status, answer: await answer.json(), spanIds };
};

/** How often an address was fetched. */
window.fetched = (url) => performance.getEntriesByName(url).length;

/** Puts a service worker before all that the page fetches from now on. */
window.hire = async () => {
  const hired = new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done));
  await navigator.serviceWorker.register("/worker.js");
  await hired;
};
