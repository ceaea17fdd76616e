import type { SpanRecord } from "@spanloom/model";

/** What of a span summaries and run metrics are made of. Every SpanRecord is one; a store may keep only this at hand. */
export type SummedSpan = Pick<
  SpanRecord,
  | "traceId"
  | "spanId"
  | "parentSpanId"
  | "executionId"
  | "name"
  | "kind"
  | "nodeId"
  | "nodeType"
  | "attempt"
  | "startTime"
  | "endTime"
  | "syntheticEnd"
  | "status"
  | "executionStatus"
  | "usage"
  | "cost"
  | "cache"
  | "workflowId"
  | "workflowName"
  | "threadId"
> & { resource: Pick<SpanRecord["resource"], "attributes"> };
