import {
  millisBetween,
  nanosToRfc3339,
  type SpanLink,
  type SpanRecord,
  type TokenUsage,
  traceIdToUuid,
  usdFromNanoUsd,
} from "@spanloom/model";

/** What every event carries. */
export interface EventBase {
  executionId: string;
  workflowId?: string;
  threadId?: string;
  /** RFC 3339 in UTC, with nanoseconds. */
  time: string;
  /**
   * The trace, as a UUID with dashes: a UUIDv4 unless the execution joined a trace of the host. Absent on events that
   * were made without trace context.
   */
  traceId?: string;
  /** The span, as 16 hex digits. Absent on events that were made without trace context. */
  spanId?: string;
}

export interface EventError {
  /** The class of the error, such as `TypeError`. */
  type: string;
  /** Its message, after redaction. */
  message: string;
}

/** What happens to an execution and its nodes. */
export type ExecutionEvent =
  | (EventBase & {
      type: "execution_started";
      workflowName?: string;
      /** It goes on after a wait. */
      resumed?: true;
    })
  | (EventBase & NodeFields & { type: "node_started" })
  | (EventBase & NodeFields & { type: "node_completed"; durationMs: number })
  | (EventBase & NodeFields & { type: "node_failed"; durationMs: number; error: EventError })
  | (EventBase & { type: "execution_completed"; durationMs: number })
  | (EventBase & { type: "execution_failed"; durationMs: number; error: EventError })
  | (EventBase & { type: "execution_cancelled"; durationMs: number });

interface NodeFields {
  nodeId: string;
  nodeType?: string;
  /** From 1. */
  attempt: number;
}

/** What happens below a node: calls of models, tools and retrievers, and the work of agents. */
export type TelemetryEvent =
  | (EventBase & CallFields & { type: `${ModelKind | CallKind}_started` })
  | (EventBase & CallFields & CallEnd & { type: `${ModelKind}_ended`; usage?: TokenUsage })
  | (EventBase & CallFields & CallEnd & { type: `${CallKind}_ended` });

type ModelKind = "llm" | "embedding";
/** An agent's usage repeats what its calls tell: it has none here, so that events can be added up. */
type CallKind = "tool" | "retriever" | "agent";

interface CallFields {
  name: string;
  nodeId?: string;
  model?: string;
  provider?: string;
}

interface CallEnd {
  durationMs: number;
  /** Unknown costs are absent, never 0. */
  costUsd?: number;
  error?: EventError;
}

export type TracerEvent = ExecutionEvent | TelemetryEvent;

/** The event of a span that starts, if its kind has one. */
export function startEvent(record: SpanRecord): TracerEvent | undefined {
  const base = baseOf(record, record.startTime);
  switch (record.kind) {
    case "workflow": {
      if (record.executionStatus === undefined) return undefined;
      const { workflowName, links } = record;
      return {
        type: "execution_started",
        ...base,
        ...(workflowName !== undefined && { workflowName }),
        ...(links.some(isResume) && { resumed: true as const }),
      };
    }
    case "node":
      return { type: "node_started", ...base, ...nodeFields(record) };
    case "llm":
    case "embedding":
    case "tool":
    case "retriever":
    case "agent":
      return { type: `${record.kind}_started`, ...base, ...callFields(record) };
    default:
      return undefined;
  }
}

/** The event of a span that ended, from its cleaned record. */
export function endEvent(record: SpanRecord): TracerEvent | undefined {
  const endTime = record.endTime ?? record.startTime;
  const durationMs = Math.max(0, millisBetween(record.startTime, endTime));
  const base = baseOf(record, endTime);
  const error = record.status.code === "error" ? errorOf(record) : undefined;
  switch (record.kind) {
    case "workflow":
      return executionEnd(record, { ...base, durationMs }, error);
    case "node": {
      const node = { ...base, ...nodeFields(record), durationMs };
      return error === undefined
        ? { type: "node_completed", ...node }
        : { type: "node_failed", ...node, error };
    }
    case "llm":
    case "embedding": {
      const { usage } = record;
      const call = { ...base, ...callEnd(record, durationMs, error), ...(usage && { usage }) };
      return { type: `${record.kind}_ended`, ...call };
    }
    case "tool":
    case "retriever":
      return { type: `${record.kind}_ended`, ...base, ...callEnd(record, durationMs, error) };
    case "agent": {
      const { costUsd: _repeated, ...end } = callEnd(record, durationMs, error);
      return { type: "agent_ended", ...base, ...end };
    }
    default:
      return undefined;
  }
}

function executionEnd(
  record: SpanRecord,
  base: EventBase & { durationMs: number },
  error: EventError | undefined,
): ExecutionEvent | undefined {
  switch (record.executionStatus) {
    case undefined:
    case "waiting":
      // A waiting execution has not ended: its last segment's event will say how it did.
      return undefined;
    case "cancelled":
      return { type: "execution_cancelled", ...base };
    case "failed":
      return { type: "execution_failed", ...base, error: error ?? errorOf(record) };
    default:
      return { type: "execution_completed", ...base };
  }
}

function isResume({ attributes }: SpanLink): boolean {
  return attributes["spanloom.link"] === "resumes";
}

function baseOf(record: SpanRecord, time: string): EventBase {
  const { executionId, workflowId, threadId, traceId, spanId } = record;
  return {
    executionId,
    ...(workflowId !== undefined && { workflowId }),
    ...(threadId !== undefined && { threadId }),
    time: nanosToRfc3339(time),
    traceId: traceIdToUuid(traceId),
    spanId,
  };
}

function nodeFields({ nodeId, nodeType, attempt, name }: SpanRecord): NodeFields {
  return { nodeId: nodeId ?? name, ...(nodeType !== undefined && { nodeType }), attempt: attempt ?? 1 };
}

function callFields({ name, nodeId, model, provider }: SpanRecord): CallFields {
  return {
    name,
    ...(nodeId !== undefined && { nodeId }),
    ...(model !== undefined && { model }),
    ...(provider !== undefined && { provider }),
  };
}

function callEnd(
  record: SpanRecord,
  durationMs: number,
  error: EventError | undefined,
): CallFields & CallEnd {
  const { cost } = record;
  return {
    ...callFields(record),
    durationMs,
    ...(cost !== undefined && { costUsd: usdFromNanoUsd(cost.nanoUsd) }),
    ...(error !== undefined && { error }),
  };
}

function errorOf({ status, events }: SpanRecord): EventError {
  const exception = events.findLast(({ name }) => name === "exception");
  const type = exception?.attributes["exception.type"];
  return { type: typeof type === "string" ? type : "Error", message: status.message ?? "" };
}
