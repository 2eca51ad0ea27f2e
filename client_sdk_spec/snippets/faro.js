// npm install @grafana/faro-web-sdk @grafana/faro-web-tracing
import { getWebInstrumentations, initializeFaro } from "@grafana/faro-web-sdk";
import { TracingInstrumentation } from "@grafana/faro-web-tracing";

initializeFaro({
  url: "{{edge}}/collect/{{key}}",
  app: { name: "{{app}}", version: "1.0.0" },
  instrumentations: [...getWebInstrumentations(), new TracingInstrumentation()],
});
