// For hosts with an OpenTelemetry provider of their own
export {
  type OtelSpanExporter,
  type RedactingExporterOptions,
  redactingExporter,
} from "./otel/redacting-exporter.ts";
