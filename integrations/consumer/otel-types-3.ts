// Types alone: what the tracer gives and takes fits OpenTelemetry 3.x.
import {
  BatchSpanProcessor, InMemorySpanExporter, type ReadableSpan, type SpanProcessor, TracerProvider,
} from "@opentelemetry/sdk-trace";
import { createMemoryStore } from "@spanloom/store";
import { createWorkflowTracer } from "@spanloom/tracer";
import { redactingExporter } from "@spanloom/tracer/otel";

const exporter = redactingExporter<ReadableSpan>(new InMemorySpanExporter());
const batch: SpanProcessor = new BatchSpanProcessor({ exporter });
const tracer = createWorkflowTracer({ store: createMemoryStore(), spanProcessors: [batch] });

export const provider: TracerProvider = new TracerProvider({ spanProcessors: [tracer.spanProcessor(), batch] });
