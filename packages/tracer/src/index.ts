// Make a tracer
export {
  createWorkflowTracer,
  type TracerStats,
  type WorkflowTracer,
  type WorkflowTracerOptions,
} from "./create-workflow-tracer.ts";
export type { DeliveryStats, DropReason } from "./deliver/counters.ts";
export type { Durability } from "./deliver/spool.ts";
// Listen
export type {
  EventBase,
  EventError,
  ExecutionEvent,
  TelemetryEvent,
  TracerEvent,
} from "./events.ts";
// Record
export type { ExecutionHandle, ExecutionOptions } from "./execution.ts";
export type { LlmOptions } from "./llm.ts";
export type { MeterLike, ObservableLike } from "./measure.ts";
export type { NodeHandle, NodeOptions } from "./node.ts";
export type { OtlpOptions } from "./otel/otlp-options.ts";
export type { OnProblem, Problem, ProblemCode } from "./problems.ts";
export type { EndOptions, RecordedSpan } from "./recorded-span.ts";
export type { SpanHandle, SpanOptions } from "./span-handle.ts";
export type { ToolOptions } from "./tool.ts";
export type { ExecutionEnd } from "./totals.ts";
