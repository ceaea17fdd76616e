import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";

/** OpenTelemetry's own exporter, OTLP/JSON over HTTP. */
export function createOtlpExporter(url) {
  return new OTLPTraceExporter({ url });
}
