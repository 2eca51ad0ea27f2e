// A page as a team would instrument it: Grafana Faro's own web SDK with tracing, sending to the edge.
import { getWebInstrumentations, initializeFaro } from "@grafana/faro-web-sdk";
import { TracingInstrumentation } from "@grafana/faro-web-tracing";

const given = new URLSearchParams(location.search);
const faro = initializeFaro({
  url: given.get("collect"),
  app: { name: "contract-shop", version: given.get("version"), environment: "test" },
  user: { id: "user-4711", email: "jane.doe@example.com", username: "jane", attributes: { plan: "gold" } },
  instrumentations: [
    ...getWebInstrumentations(),
    ...(given.get("tracing") === "no" ? [] : [new TracingInstrumentation({ instrumentationOptions: { propagateTraceHeaderCorsUrls: given.get("propagate") === "no" ? [] : [/.*/] } })]),
  ],
});
window.faro = faro;
window.visit = async (urls) => {
  for (const url of urls) await fetch(url).then((answer) => answer.text()).catch(() => null);
};
