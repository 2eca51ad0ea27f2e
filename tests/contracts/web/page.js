// A page as a team would instrument it: OpenTelemetry's own web SDK, fetch, XHR and document-load, exporting to the edge.
import { registerInstrumentations } from "@opentelemetry/instrumentation";
import { DocumentLoadInstrumentation } from "@opentelemetry/instrumentation-document-load";
import { FetchInstrumentation } from "@opentelemetry/instrumentation-fetch";
import { XMLHttpRequestInstrumentation } from "@opentelemetry/instrumentation-xml-http-request";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, WebTracerProvider } from "@opentelemetry/sdk-trace-web";

const given = new URLSearchParams(location.search);
const Exporter = given.get("exporter") === "proto" ? ProtobufExporter : JsonExporter;
const edge = given.get("edge");
const exporter = new Exporter({ url: `${edge}/v1/traces`, headers: { "x-api-key": given.get("key") } });

// What the SDK itself recorded, for the test to compare the store with.
window.ended = [];
const microseconds = ([seconds, nanos]) => seconds * 1e6 + Math.floor(nanos / 1e3);
const recorder = {
  onStart() {},
  onEnd(span) {
    const context = span.spanContext();
    window.ended.push({
      traceId: context.traceId,
      spanId: context.spanId,
      parentSpanId: span.parentSpanContext?.spanId ?? null,
      name: span.name,
      url: span.attributes["url.full"] ?? span.attributes["http.url"] ?? null,
      status: span.attributes["http.response.status_code"] ?? null,
      durationUs: microseconds(span.duration),
    });
  },
  forceFlush: () => Promise.resolve(),
  shutdown: () => Promise.resolve(),
};

const provider = new WebTracerProvider({
  resource: resourceFromAttributes({ "service.name": "contract-page", "service.version": given.get("version") }),
  spanProcessors: [recorder, new BatchSpanProcessor(exporter, { scheduledDelayMillis: 60_000 })],
});
provider.register();
registerInstrumentations({
  tracerProvider: provider,
  instrumentations: [
    new DocumentLoadInstrumentation(),
    new FetchInstrumentation({
      // Without the header a request to another origin needs no preflight, which would open its connection.
      propagateTraceHeaderCorsUrls: given.get("propagate") === "no" ? [] : [/.*/],
      ignoreUrls: [new RegExp(`^${edge}`)],
      applyCustomAttributesOnSpan: (span, _, result) => {
        const timing = result.headers?.get("server-timing");
        if (timing) span.setAttribute("http.response.header.server-timing", [timing]);
      },
    }),
    new XMLHttpRequestInstrumentation({ propagateTraceHeaderCorsUrls: [], ignoreUrls: [new RegExp(`^${edge}`)] }),
  ],
});

const byXhr = (url) =>
  new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.onloadend = done;
    request.send();
  });

window.visit = async (urls) => {
  for (const url of urls) {
    if (url.includes("by=xhr")) await byXhr(url);
    else await fetch(url).then((answer) => answer.text()).catch(() => null);
  }
};
// The browser's own entry of an address: with CORS the last one, the preflight has none.
window.entry = (url) => performance.getEntriesByName(url).at(-1)?.toJSON() ?? null;
window.flush = () =>
  provider.forceFlush().catch((errors) => {
    throw new Error([errors].flat().map(String).join("; "));
  });
