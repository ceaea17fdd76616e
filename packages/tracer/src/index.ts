// Make a tracer

// Record
export type { BranchResults, IterationOptions, LoopOptions, ParallelOptions } from "./branches.ts";
export {
  createWorkflowTracer,
  type TracerStats,
  type WorkflowTracer,
  type WorkflowTracerOptions,
} from "./create-workflow-tracer.ts";
export type { DeliveryStats, DropReason } from "./deliver/counters.ts";
export type { Durability } from "./deliver/spool.ts";
// Listen
export type { EventStats } from "./event-channel.ts";
export type {
  EventBase,
  EventError,
  ExecutionEvent,
  TelemetryEvent,
  TracerEvent,
} from "./events.ts";
export type { ExecutionHandle, ExecutionOptions, ResumePoint } from "./execution.ts";
export type { ExecutionEnd } from "./execution-ends.ts";
export type { WaitOptions } from "./human-wait.ts";
export type { AgentOptions, EmbeddingOptions, LlmOptions, RetrieverOptions } from "./llm.ts";
export type { StreamChunk, StreamOptions } from "./llm-stream.ts";
export type { MeterLike, ObservableLike } from "./measure.ts";
export type { NodeHandle, NodeOptions } from "./node.ts";
export type { Mirror } from "./otel/mirror.ts";
export type { OtlpOptions } from "./otel/otlp-options.ts";
export type { OnProblem, Problem, ProblemCode } from "./problems.ts";
export type { EndOptions, RecordedSpan } from "./recorded-span.ts";
export type { RetryOptions } from "./retry.ts";
export type { SamplingOptions } from "./sampling.ts";
export type { SpanHandle, SpanOptions } from "./span-handle.ts";
export type { SubWorkflowOptions } from "./sub-workflow.ts";
export type { ToolOptions } from "./tool.ts";
export type { VaultStats } from "./vault-feed.ts";
