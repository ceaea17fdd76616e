// For hosts with an OpenTelemetry provider of their own

// For instrumentations that take a tracer
export { type OnSpan, otelTracer } from "./otel/otel-tracer.ts";
export {
  type OtelSpanExporter,
  type RedactingExporterOptions,
  redactingExporter,
} from "./otel/redacting-exporter.ts";
