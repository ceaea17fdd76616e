// Types alone: what the tracer gives and takes fits OpenTelemetry 2.x.
import {
  BasicTracerProvider, BatchSpanProcessor, InMemorySpanExporter, type ReadableSpan, type SpanProcessor,
} from "@opentelemetry/sdk-trace-base";
import { createMemoryStore } from "@spanloom/store";
import { createWorkflowTracer } from "@spanloom/tracer";
import { redactingExporter } from "@spanloom/tracer/otel";

const exporter = redactingExporter<ReadableSpan>(new InMemorySpanExporter());
const batch: SpanProcessor = new BatchSpanProcessor(exporter);
const tracer = createWorkflowTracer({ store: createMemoryStore(), spanProcessors: [batch] });

export const provider: BasicTracerProvider = new BasicTracerProvider({ spanProcessors: [tracer.spanProcessor(), batch] });
