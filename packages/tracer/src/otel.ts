// For hosts with an OpenTelemetry provider of their own

// Spans of the host's provider become ours
export { type HostSpansOptions, spanProcessor } from "./otel/host-span-processor.ts";
// Our spans become the host's
export { mirrorTo } from "./otel/mirror-to.ts";
export type { OtelSpanProcessor } from "./otel/otel-span.ts";
// For instrumentations that take a tracer
export { type OnSpan, otelTracer } from "./otel/otel-tracer.ts";
// Exporters of the host
export {
  type OtelSpanExporter,
  type RedactingExporterOptions,
  redactingExporter,
} from "./otel/redacting-exporter.ts";
