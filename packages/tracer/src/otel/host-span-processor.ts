import { trace } from "@opentelemetry/api";
import { isModelContentKey } from "@spanloom/model";
import { exactContext } from "../active-place.ts";
import type { WorkflowTracer } from "../create-workflow-tracer.ts";
import type { OtelSpanProcessor } from "./otel-span.ts";
import { RecordingSpan } from "./recording-span.ts";
import { hasUnwrappedExporter } from "./wrapped-exporters.ts";

export interface HostSpansOptions {
  /** Keeps spans that run outside of executions, too: each trace of them is an execution of its own. Default false. */
  all?: boolean;
}

/**
 * A processor for an OpenTelemetry provider of the host, 2.x or 3.x: spans of other instrumentations that run inside an
 * execution are kept with it. Nothing in it throws or ends what is not its own.
 */
export function spanProcessor(
  { recorder, flush }: WorkflowTracer,
  { all = false }: HostSpansOptions = {},
): OtelSpanProcessor {
  const { problems } = recorder;
  const { store } = recorder.provider;
  let looked = false;
  const flushed = async (): Promise<void> => void (await flush());
  return {
    onStart(span, parentContext) {
      problems.guard("span processor", () => {
        if (span instanceof RecordingSpan) return;
        const above = trace.getSpan(exactContext(parentContext));
        if (all || store.factsOf(above) !== undefined) store.onStart(span, above);
      });
    },
    onEnd(span) {
      problems.guard("span processor", () => {
        store.onEnd(span);
        if (looked || !Object.keys(span.attributes).some(isModelContentKey)) return;
        looked = true;
        if (hasUnwrappedExporter(trace.getTracerProvider()))
          problems.report(
            "content_exposed",
            "span processor",
            "Another instrumentation writes prompts or answers into attributes, and an exporter of the host sends them as they are. Wrap it with redactingExporter of @spanloom/tracer/otel.",
          );
      });
    },
    forceFlush: flushed,
    // The host's provider ends; the tracer has an end of its own.
    shutdown: flushed,
  };
}
