import type { Attributes } from "./attributes.ts";
import type { Content, Redaction } from "./content.ts";
import type { Cost } from "./cost.ts";
import type { ExecutionStatus } from "./execution.ts";
import type { UnixNanos } from "./time.ts";
import type { TokenUsage } from "./usage.ts";

/** The version of the SpanRecord shape that this package writes. Readers accept it and every earlier one. */
export const SCHEMA_VERSION = 1;

export const SPAN_KINDS = [
  "workflow",
  "node",
  "agent",
  "llm",
  "tool",
  "retriever",
  "embedding",
  "cache",
  "http",
  "internal",
] as const;
/** What a span stands for in a workflow. `internal` is everything that no dialect knows better. */
export type SpanKind = (typeof SPAN_KINDS)[number];

/** OpenTelemetry's own SpanKind. */
export const OTEL_KINDS = ["internal", "server", "client", "producer", "consumer"] as const;
export type OtelKind = (typeof OTEL_KINDS)[number];

export type SpanStatusCode = "unset" | "ok" | "error";

export interface SpanStatus {
  code: SpanStatusCode;
  message?: string;
}

export interface SpanEvent {
  name: string;
  time: UnixNanos;
  attributes: Attributes;
  droppedAttributes?: number;
}

export interface SpanLink {
  traceId: string;
  spanId: string;
  traceState?: string;
  flags?: number;
  attributes: Attributes;
  droppedAttributes?: number;
}

/** A file or blob that a span made or used. The bytes stay with the host, which resolves `artifactId` to a download. */
export interface Artifact {
  artifactId: string;
  name: string;
  mediaType?: string;
  sizeBytes?: number;
  hash?: string;
}

/** Cache accesses of one span. `keyspace` is a family of keys, e.g. `amtp:mcp:tree:*`. */
export interface CacheAccess {
  keyspace: string;
  hits: number;
  misses: number;
}

/** Why a span was ended by someone other than the code that started it. */
export type SyntheticEnd = "timed_out" | "process_lost";

/** Who and what made a normalised field: the dialect and the key it was read from. */
export interface FieldSource {
  dialect: string;
  key: string;
}

/** The parts that tree, timeline and totals need: a page of these is small. Every SpanRecord is one. */
export interface SpanSkeleton {
  traceId: string;
  spanId: string;
  /** Absent on a root. A parent that is not stored makes an orphan, which is kept and shown. */
  parentSpanId?: string;
  executionId: string;
  name: string;
  kind: SpanKind;
  /** The host's id of the workflow step; every span below a node carries it. */
  nodeId?: string;
  nodeType?: string;
  /** Which try of the node this is, from 1. */
  attempt?: number;
  agent?: string;
  startTime: UnixNanos;
  /** Absent while the span runs. */
  endTime?: UnixNanos;
  /** Set when nobody ended the span and a time-out or a lost process did. */
  syntheticEnd?: SyntheticEnd;
  /** When a streamed answer's first token came. */
  firstTokenTime?: UnixNanos;
  status: SpanStatus;
  usage?: TokenUsage;
  cost?: Cost;
  model?: string;
  provider?: string;
  artifacts?: Artifact[];
  /** 0 for the first record of a span's state; a later state of the same phase has a higher one. */
  revision: number;
}

/**
 * One span as it is kept: JSON-safe (no Date, no bigint), cleaned, self-contained.
 * Identity is (scope, traceId, spanId); the scope is the store handle's, not the record's.
 */
export interface SpanRecord extends SpanSkeleton {
  workflowId?: string;
  workflowName?: string;
  threadId?: string;
  /** On a segment's root: what became of the execution, where OpenTelemetry's status cannot say it. */
  executionStatus?: ExecutionStatus;
  otelKind: OtelKind;
  /** Attributes that no dialect consumed, kept as they came (after redaction). */
  attributes: Attributes;
  events: SpanEvent[];
  links: SpanLink[];
  finishReasons?: string[];
  input?: Content;
  output?: Content;
  stateBefore?: Content;
  stateAfter?: Content;
  cache?: CacheAccess[];
  resource: { attributes: Attributes; droppedAttributes?: number; schemaUrl?: string };
  instrumentation: {
    name: string;
    version?: string;
    attributes?: Attributes;
    droppedAttributes?: number;
    schemaUrl?: string;
  };
  traceState?: string;
  /** W3C trace flags and OTLP's remote bits. */
  flags?: number;
  /** What the instrumentation itself dropped. */
  dropped?: { attributes?: number; events?: number; links?: number };
  /** What redaction took out of names, attributes, events and status; content carries its own. */
  redactions?: Redaction[];
  /** For each normalised field, who gave it. */
  provenance?: Record<string, FieldSource>;
  schemaVersion: number;
}

/** True while nobody ended the span. */
export function isRunning(span: Pick<SpanSkeleton, "endTime">): boolean {
  return span.endTime === undefined;
}

/** The key under which a span is unique inside a scope. */
export function spanKey(span: Pick<SpanSkeleton, "traceId" | "spanId">): string {
  return `${span.traceId}/${span.spanId}`;
}

/** The skeleton of a record: the same values, the rest left out. */
export function toSkeleton(span: SpanSkeleton): SpanSkeleton {
  const { traceId, spanId, parentSpanId, executionId, name, kind, nodeId, nodeType, attempt, agent } = span;
  const { startTime, endTime, syntheticEnd, firstTokenTime, status, usage, cost, model, provider } = span;
  const { artifacts, revision } = span;
  return {
    traceId,
    spanId,
    executionId,
    name,
    kind,
    startTime,
    status,
    revision,
    ...(parentSpanId !== undefined && { parentSpanId }),
    ...(nodeId !== undefined && { nodeId }),
    ...(nodeType !== undefined && { nodeType }),
    ...(attempt !== undefined && { attempt }),
    ...(agent !== undefined && { agent }),
    ...(endTime !== undefined && { endTime }),
    ...(syntheticEnd !== undefined && { syntheticEnd }),
    ...(firstTokenTime !== undefined && { firstTokenTime }),
    ...(usage !== undefined && { usage }),
    ...(cost !== undefined && { cost }),
    ...(model !== undefined && { model }),
    ...(provider !== undefined && { provider }),
    ...(artifacts !== undefined && { artifacts }),
  };
}
