// A page as a team would instrument it: Grafana Faro's own web SDK with tracing. Nothing of the SDK is changed; what it
// hands to its transport is noted by its own `beforeSend`, for the test to compare the store with.
import { getWebInstrumentations, initializeFaro } from "@grafana/faro-web-sdk";
import { TracingInstrumentation } from "@grafana/faro-web-tracing";

const { collect, version, session, tracing } = window.given;

// Before the SDK listens for it: what it is told in the page's last moment must still arrive.
document.addEventListener("visibilitychange", () => document.hidden && window.faro.api.pushEvent("leaving", { at: "last" }));
addEventListener("DOMContentLoaded", () => document.body.append("A text, so that something is painted."));

window.items = [];
window.faro = initializeFaro({
  url: collect,
  app: { name: "contract-shop", version, environment: "test" },
  user: { id: "user-4711", email: "jane.doe@example.com", username: "jane-doe", attributes: { plan: "jane-gold" } },
  sessionTracking: { session: session && { id: session } },
  beforeSend: (item) => {
    window.items.push(structuredClone(item));
    return item;
  },
  instrumentations: [
    ...getWebInstrumentations(),
    // Without the header a request to another origin needs no preflight, which would open its connection.
    ...(tracing
      ? [new TracingInstrumentation({ instrumentationOptions: { propagateTraceHeaderCorsUrls: [] } })]
      : []),
  ],
});

const xhr = (url) =>
  new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.onloadend = done;
    request.send();
  });

/** Asks for every address, one after the other: by XHR where it says so, by fetch else. */
window.visit = async (urls) => {
  for (const url of urls) {
    if (url.includes("by=xhr")) await xhr(url);
    else if (url.includes("by=no-cors")) await fetch(url, { mode: "no-cors" }).catch(() => null);
    else if (url.includes("by=abort")) await abort(url);
    else await fetch(url).then((answer) => answer.text()).catch(() => null);
  }
};

/** Gives up once the answer has begun. */
async function abort(url) {
  const controller = new AbortController();
  const answer = await fetch(url, { signal: controller.signal });
  controller.abort();
  await answer.text().catch(() => null);
}

/** What else an app does. */
window.act = () => {
  faro.api.pushLog(["cart of jane.doe@example.com"], { level: "info", context: { size: "3" } });
  faro.api.pushMeasurement({ type: "cart", values: { items: 3, total: 12.5 } });
  faro.api.pushEvent("bought", { price: "12" });
  faro.api.setView({ name: "checkout" });
  setTimeout(() => {
    throw new TypeError("thrown at jane.doe@example.com");
  });
};

/** The browser's own entry of an address. */
window.entry = (url) => performance.getEntriesByName(url).at(-1)?.toJSON() ?? null;
/** Addresses of the requests that were handed to the transport: by entries, and by spans. */
window.timed = () => items.filter((item) => item.payload.name?.startsWith("faro.performance")).map((item) => item.payload.attributes.name);
window.traced = () =>
  items
    .filter((item) => item.type === "trace")
    .flatMap((item) => item.payload.resourceSpans)
    .flatMap((group) => group.scopeSpans)
    .flatMap((scope) => scope.spans)
    .map((span) => span.attributes.find((one) => one.key === "url.full")?.value.stringValue);
/** Whether each address was handed on so many times both ways. */
window.handed = (counts) =>
  Object.entries(counts).every(([url, count]) =>
    [timed(), traced()].every((sent) => sent.filter((one) => one === url).length === count),
  );
window.vitals = () => items.filter((item) => item.payload.type === "web-vitals").map((item) => item.payload.values);
