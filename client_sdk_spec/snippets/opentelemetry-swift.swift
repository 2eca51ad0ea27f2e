// Swift package: open-telemetry/opentelemetry-swift
import Foundation
import OpenTelemetryApi
import OpenTelemetryProtocolExporterCommon
import OpenTelemetryProtocolExporterHttp
import OpenTelemetrySdk
import URLSessionInstrumentation

let exporter = OtlpHttpTraceExporter(
  endpoint: URL(string: "{{edge}}/v1/traces")!,
  config: OtlpConfiguration(headers: [("x-api-key", "{{key}}")])
)
OpenTelemetry.registerTracerProvider(
  tracerProvider: TracerProviderBuilder()
    .add(spanProcessor: BatchSpanProcessor(spanExporter: exporter))
    .with(resource: Resource(attributes: ["service.name": .string("{{app}}"), "service.version": .string("1.0.0")]))
    .build()
)
let instrumentation = URLSessionInstrumentation(configuration: URLSessionInstrumentationConfiguration())
