import type { CostGroupSum, DailyCost, DailyCosts } from "../analytics.ts";
import type { Content, JsonContent, Message, MessagesContent, TextContent } from "../content.ts";
import { type Cost, type CostSum, nanoUsdFromUsd, usdFromNanoUsd } from "../cost.ts";
import type { ExecutionDetail, ExecutionSummary, NodeSummary, Segment } from "../execution.ts";
import type { WriteReceipt } from "../ports/span-sink.ts";
import type { PanelConfig, TraceChanges, TracePage } from "../ports/trace-reader.ts";
import type { KeyspaceMetrics, RunMetrics, StageMetrics } from "../run-metrics.ts";
import type { Artifact, SpanEvent, SpanLink, SpanRecord, SpanSkeleton } from "../span.ts";
import { nanosToRfc3339, rfc3339ToNanos } from "../time.ts";
import type { TokenUsage, UsageSum } from "../usage.ts";
import { type Codec, list, type Renamed, type Struct, struct } from "./struct.ts";

/**
 * The JSON of REST: snake_case, times in RFC 3339 with nanoseconds, money in USD. One definition for both ends.
 * Keys of attributes, states and tool arguments are the host's and stay as they are.
 */

const time: Codec = {
  encode: encodeTime(),
  decode: (text: unknown) => {
    try {
      return typeof text === "string" ? rfc3339ToNanos(text) : text;
    } catch {
      // The check that follows names the field; `null` is no time in any schema.
      return null;
    }
  },
};
const usd: Codec = {
  encode: (nanoUsd: number) => usdFromNanoUsd(nanoUsd),
  decode: (amount: unknown) => (typeof amount === "number" ? nanoUsdFromUsd(amount) : amount),
};
const money: Renamed = { wire: "usd", codec: usd };

const usage = struct<TokenUsage>({
  input: true,
  output: true,
  cachedInput: true,
  cacheWrite: true,
  reasoning: true,
  total: true,
  subtotal: true,
});
const cost = struct<Cost>({
  nanoUsd: money,
  source: true,
  priceVersion: true,
  parts: struct<NonNullable<Cost["parts"]>>({
    input: usd,
    output: usd,
    cachedInput: usd,
    cacheWrite: usd,
    fee: usd,
  }),
});
const knownCounts = struct<UsageSum["known"]>({
  input: true,
  output: true,
  cachedInput: true,
  cacheWrite: true,
  reasoning: true,
  total: true,
});
const usageSum = struct<UsageSum>({
  items: true,
  input: true,
  output: true,
  cachedInput: true,
  cacheWrite: true,
  reasoning: true,
  total: true,
  known: knownCounts,
});
const costSum = struct<CostSum>({ nanoUsd: money, priced: true, unpriced: true });

const contentBase = {
  format: true,
  state: true,
  reason: true,
  hash: true,
  length: true,
  redactions: true,
} as const;
const message = struct<Message>({ role: true, parts: list(partCodec()), name: true, finishReason: true });
const textContent = struct<TextContent>({ ...contentBase, text: true });
const jsonContent = struct<JsonContent>({ ...contentBase, json: true, text: true });
const messagesContent = struct<MessagesContent>({ ...contentBase, messages: list(message) });
const content: Codec = {
  encode: (inside: Content) => contentOf(inside).encode(inside as never),
  decode: (wire: unknown) => contentOf(wire).decode(wire),
};

const artifact = struct<Artifact>({
  artifactId: true,
  name: true,
  mediaType: true,
  sizeBytes: true,
  hash: true,
});
const status = struct<SpanSkeleton["status"]>({ code: true, message: true });
const event = struct<SpanEvent>({ name: true, time, attributes: true, droppedAttributes: true });
const link = struct<SpanLink>({
  traceId: true,
  spanId: true,
  traceState: true,
  flags: true,
  attributes: true,
  droppedAttributes: true,
});

const skeletonFields = {
  traceId: true,
  spanId: true,
  parentSpanId: { wire: "parent_id", codec: true },
  executionId: true,
  name: true,
  kind: true,
  nodeId: true,
  nodeType: true,
  attempt: true,
  agent: true,
  startTime: time,
  endTime: time,
  syntheticEnd: true,
  firstTokenTime: time,
  status,
  usage,
  cost,
  model: true,
  provider: true,
  artifacts: list(artifact),
  revision: true,
} as const;

export const wireSkeleton: Struct<SpanSkeleton> = struct<SpanSkeleton>(skeletonFields);

export const wireSpan: Struct<SpanRecord> = struct<SpanRecord>({
  ...skeletonFields,
  workflowId: true,
  workflowName: true,
  threadId: true,
  executionStatus: true,
  otelKind: true,
  attributes: true,
  events: list(event),
  links: list(link),
  finishReasons: true,
  input: content,
  output: content,
  stateBefore: content,
  stateAfter: content,
  cache: true,
  resource: struct<SpanRecord["resource"]>({ attributes: true, droppedAttributes: true, schemaUrl: true }),
  instrumentation: struct<SpanRecord["instrumentation"]>({
    name: true,
    version: true,
    attributes: true,
    droppedAttributes: true,
    schemaUrl: true,
  }),
  traceState: true,
  flags: true,
  dropped: true,
  redactions: true,
  provenance: true,
  schemaVersion: true,
});

const summaryFields = {
  executionId: true,
  workflowId: true,
  workflowName: true,
  threadId: true,
  status: true,
  rootSpanId: true,
  traceIds: true,
  startTime: time,
  endTime: time,
  durationMs: true,
  spanCount: true,
  openSpanCount: true,
  errorCount: true,
  nodeCount: true,
  usage: usageSum,
  cost: costSum,
  environment: true,
  service: true,
  serviceVersion: true,
  seq: true,
} as const;

export const wireExecution: Struct<ExecutionSummary> = struct<ExecutionSummary>(summaryFields);

const segment = struct<Segment>({
  traceId: true,
  rootSpanId: true,
  status: true,
  startTime: time,
  endTime: time,
});
const node = struct<NodeSummary>({
  nodeId: true,
  nodeType: true,
  status: true,
  attempts: true,
  spanCount: true,
  errorCount: true,
  startTime: time,
  endTime: time,
  usage: usageSum,
  cost: costSum,
});
export const wireExecutionDetail: Struct<ExecutionDetail> = struct<ExecutionDetail>({
  ...summaryFields,
  segments: list(segment),
  nodes: list(node),
  outsideNodes: struct<ExecutionDetail["outsideNodes"]>({ usage: usageSum, cost: costSum }),
});

export const wireTraceChanges: Struct<TraceChanges> = struct<TraceChanges>({
  execution: wireExecution,
  spans: list(wireSkeleton),
  removed: list(struct<{ traceId: string; spanId: string }>({ traceId: true, spanId: true })),
  seq: true,
  more: true,
});

/** The trace response carries, beside the page itself, what REST users ask of it: ids, artifacts and tokens. */
export function encodeTracePage(page: TracePage, view: "skeleton" | "full"): Record<string, unknown> {
  const spanCodec = view === "full" ? wireSpan : wireSkeleton;
  return {
    execution: wireExecution.encode(page.execution),
    trace_id: page.execution.traceIds.at(-1),
    spans: page.spans.map((span) => spanCodec.encode(span as SpanRecord)),
    artifacts: page.spans.flatMap((span) =>
      (span.artifacts ?? []).map((item) => ({ ...artifact.encode(item), span_id: span.spanId })),
    ),
    tokens: {
      total: usageSum.encode(page.execution.usage),
      by_span: page.spans.flatMap((span) =>
        span.usage === undefined ? [] : [{ span_id: span.spanId, ...usage.encode(span.usage) }],
      ),
    },
    page_info: {
      as_of_seq: page.asOfSeq,
      span_count: page.spanCount,
      ...(page.nextCursor !== undefined && { next_cursor: page.nextCursor }),
    },
  };
}

/** The body of `writeSpans`. */
export function encodeSpans(spans: readonly SpanRecord[]): { spans: Record<string, unknown>[] } {
  return { spans: spans.map(wireSpan.encode) };
}

const keyspace = struct<KeyspaceMetrics>({ keyspace: true, hits: true, misses: true, ratio: true });
const stage = struct<StageMetrics>({
  nodeId: true,
  name: true,
  nodeType: true,
  status: true,
  startTime: time,
  endTime: time,
  elapsedMs: true,
  attempts: true,
  usage: usageSum,
  cost: costSum,
  traceId: true,
});
export const wireRunMetrics: Struct<RunMetrics> = struct<RunMetrics>({
  executionId: { wire: "run_id", codec: true },
  workflowId: true,
  workflowName: true,
  status: true,
  startTime: time,
  endTime: time,
  usage: usageSum,
  cost: costSum,
  stages: list(stage),
  mcpCache: struct<NonNullable<RunMetrics["mcpCache"]>>({
    keyspaces: list(keyspace),
    hits: true,
    misses: true,
    ratio: true,
  }),
  seq: true,
});

export const wireDailyCosts: Struct<DailyCosts> = struct<DailyCosts>({
  timeZone: true,
  groupBy: true,
  days: list(
    struct<DailyCost>({
      day: true,
      startTime: time,
      endTime: time,
      usage: usageSum,
      cost: costSum,
      groups: list(struct<CostGroupSum>({ key: true, usage: usageSum, cost: costSum })),
    }),
  ),
});

export const wireWriteReceipt: Struct<WriteReceipt> = struct<WriteReceipt>({
  written: true,
  unchanged: true,
  rejected: true,
});

export const wirePanelConfig: Struct<PanelConfig> = struct<PanelConfig>({
  roles: true,
  links: true,
  environment: true,
  service: true,
  serviceVersion: true,
  contentPermitted: true,
});

/** The spans of a page lie close together: most share the second of the one before. */
function encodeTime(): (nanos: string) => string {
  let second = "";
  let text = "";
  return (nanos) => {
    const end = nanos.length - 9;
    if (end <= 0) return nanosToRfc3339(nanos);
    if (nanos.length - 9 !== second.length || !nanos.startsWith(second)) {
      second = nanos.slice(0, end);
      text = nanosToRfc3339(nanos).slice(0, 20);
    }
    return `${text}${nanos.slice(end)}Z`;
  };
}

function contentOf(value: unknown): Struct<TextContent> | Struct<JsonContent> | Struct<MessagesContent> {
  const format = (value as { format?: unknown } | null)?.format;
  return format === "text" ? textContent : format === "messages" ? messagesContent : jsonContent;
}

/** Message parts have two names of their own in camelCase; everything else in them is content. */
function partCodec(): Codec {
  return {
    encode: (part: Record<string, unknown>) =>
      rename(part, "mimeType", "mime_type", "sizeBytes", "size_bytes"),
    decode: (part: Record<string, unknown>) =>
      rename(part, "mime_type", "mimeType", "size_bytes", "sizeBytes"),
  };
}

function rename(part: Record<string, unknown>, a: string, toA: string, b: string, toB: string): unknown {
  if (part?.type !== "media") return part;
  return Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key === a ? toA : key === b ? toB : key, value]),
  );
}
