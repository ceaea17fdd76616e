import { trace } from "@opentelemetry/api";
import type { ProblemReporter } from "../problems.ts";
import { isContentKey } from "./content-keys.ts";
import type { OtelSpan } from "./otel-span.ts";
import { hasUnwrappedExporter } from "./wrapped-exporters.ts";

/** Looks at spans of other instrumentations, and tells the host once when content leaves through an exporter of its own. */
export function watchForContent(problems: ProblemReporter): (span: OtelSpan) => void {
  let looked = false;
  return (span) => {
    if (looked || !Object.keys(span.attributes).some(isContentKey)) return;
    looked = true;
    if (hasUnwrappedExporter(trace.getTracerProvider()))
      problems.report(
        "content_exposed",
        "span processor",
        "Another instrumentation writes prompts or answers into attributes, and an exporter of the host sends them as they are. Wrap it with redactingExporter of @spanloom/tracer/otel.",
      );
  };
}
