// A page as a team would instrument it with OpenTelemetry's browser SDK: sessions, documents, and all that it can log,
// exported to the edge; with ?traced, its calls as spans besides.
import { BatchLogRecordProcessor } from "@opentelemetry/sdk-logs";
import { OTLPLogExporter as JsonExporter } from "@opentelemetry/exporter-logs-otlp-http";
import { OTLPLogExporter as ProtobufExporter } from "@opentelemetry/exporter-logs-otlp-proto";
import { ErrorsInstrumentation } from "@opentelemetry/browser-instrumentation/experimental/errors";
import { ConsoleInstrumentation } from "@opentelemetry/browser-instrumentation/experimental/console";
import { NavigationInstrumentation } from "@opentelemetry/browser-instrumentation/experimental/navigation";
import { NavigationTimingInstrumentation } from "@opentelemetry/browser-instrumentation/experimental/navigation-timing";
import { ResourceTimingInstrumentation } from "@opentelemetry/browser-instrumentation/experimental/resource-timing";
import { WebVitalsInstrumentation } from "@opentelemetry/browser-instrumentation/experimental/web-vitals";
import { createDocumentLogRecordProcessor, createLocationDocumentProvider } from "@opentelemetry/browser-sdk/document";
import {
  createDefaultSessionIdGenerator,
  createLocalStorageSessionStore,
  createSessionLogRecordProcessor,
  createSessionManager,
} from "@opentelemetry/browser-sdk/session";
import { startLogsSdk } from "@opentelemetry/browser-sdk/logs";
import { startTracesSdk } from "@opentelemetry/browser-sdk/traces";
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { FetchInstrumentation } from "@opentelemetry/instrumentation-fetch";
import { phases } from "../../../client_sdk_spec/phases.js";

const given = new URLSearchParams(location.search);
const edge = given.get("edge");
const headers = { "x-api-key": given.get("key") };
const Exporter = given.get("exporter") === "proto" ? ProtobufExporter : JsonExporter;

const sessions = createSessionManager({
  sessionIdGenerator: createDefaultSessionIdGenerator(),
  sessionStore: createLocalStorageSessionStore(),
});
window.session = sessions.getSessionId();
const batches = new BatchLogRecordProcessor({
  exporter: new Exporter({ url: `${edge}/v1/logs`, headers }),
  scheduledDelayMillis: 60_000,
});
const identity = { serviceName: "contract-logs", serviceVersion: given.get("version") };
// What the instrumentations logged, for the test to wait for.
window.logged = [];
const recorder = {
  onEmit: (record) => window.logged.push({ event: record.eventName }),
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};
startLogsSdk({
  ...identity,
  processors: [
    recorder,
    createSessionLogRecordProcessor(sessions),
    createDocumentLogRecordProcessor(createLocationDocumentProvider()),
    batches,
  ],
});
if (given.has("traced")) {
  startTracesSdk({
    ...identity,
    exportConfig: { url: `${edge}/v1/traces`, headers },
    batchProcessorConfig: { scheduledDelayMillis: 100 },
  });
  registerInstrumentations({ instrumentations: [new FetchInstrumentation({ ignoreUrls: [new RegExp(`^${edge}`)] })] });
}
registerInstrumentations({
  instrumentations: [
    new ErrorsInstrumentation(),
    new ConsoleInstrumentation(),
    new NavigationInstrumentation(),
    new NavigationTimingInstrumentation(),
    new ResourceTimingInstrumentation(),
    new WebVitalsInstrumentation(),
  ],
});

// Something to paint, and something that is slow to answer.
const button = document.createElement("button");
button.textContent = "A button that takes its time";
button.onclick = () => {
  for (const until = performance.now() + 60; performance.now() < until; );
};
document.documentElement.append(button);
/** When the browser has told of a click, which is after the next frame, and web-vitals has had the idleness to hear it. */
window.clicked = new Promise((told) => {
  const observer = new PerformanceObserver((list) => list.getEntriesByName("click").length && requestIdleCallback(told));
  observer.observe({ type: "event", durationThreshold: 16 });
});
/** When the browser has told of the exporter's first post. */
window.posted = new Promise((told) => {
  const observer = new PerformanceObserver((list) => list.getEntriesByName(`${edge}/v1/logs`).length && told());
  observer.observe({ type: "resource" });
});

window.visit = async (urls) => {
  for (const url of urls) {
    await fetch(url).then((answer) => answer.text()).catch(() => null);
  }
};
/** Loads a picture that is none. */
window.picture = (url) =>
  new Promise((done) => {
    const image = new Image();
    image.onload = image.onerror = done;
    image.src = url;
  });
/** Sends what was logged, once that holds every timing entry there is. */
window.flush = async () => {
  const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].length;
  const told = () => logged.filter((one) => one.event?.endsWith("_timing")).length;
  while (told() < entries) await new Promise((again) => setTimeout(again, 20));
  await batches.forceFlush();
};
/** The browser's own entries as the reference reads them, but for the exporter's posts. */
window.timings = () =>
  [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter((entry) => !entry.name.startsWith(edge))
    .map((entry) => ({ ...entry.toJSON(), phases: phases(entry), origin: performance.timeOrigin }));
